"""NIfTI volumes: upright slices however voxels are stored, one range an exam, one sentence for what is damaged."""

from __future__ import annotations

import gzip
import importlib.util
import io
import os
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import MissingExtra, UnreadableImage
from overread.formats import Instance, View, format_of, is_exam, kind_of_other, open_exam, open_picture, read_header
from overread.formats.nifti.layout import lay_out
from overread.formats.nifti.levels import find_levels
from overread.formats.nifti.volume import Volume, read_volume
from overread.images import Preprocessing, prepare
from support.volumes import ORIENTATIONS, content, reoriented, write

LIMIT = 2**24
# Right, front and up differ in length, so that no two can be taken for one another.
SHAPE = (5, 7, 4)


def volume_of(raw: bytes) -> Volume:
    return read_volume(io.BytesIO(raw), LIMIT)


def ramp(shape: tuple[int, ...] = SHAPE, dtype: str = "int16") -> np.ndarray:
    """Values that are all different."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape, order="F")


def brain(seed: int = 0, shape: tuple[int, int, int] = (24, 28, 16)) -> np.ndarray:
    """A ball of noise on zeros."""
    rng = np.random.default_rng(seed)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"))
    return np.where((place**2).sum(axis=0) < 0.8, rng.integers(100, 900, shape), 0).astype(np.int16)


def all_values(volume: Volume) -> np.ndarray:
    return np.stack([volume.values(index) for index in range(len(volume))])


@given(st.sampled_from(ORIENTATIONS), st.tuples(*(st.integers(0, side - 1) for side in SHAPE)))
def test_a_place_of_the_patient_is_in_the_same_slice_row_and_column_however_voxels_are_stored(
    codes: str, place: tuple[int, int, int]
) -> None:
    values = np.zeros(SHAPE, np.uint8)
    values[place] = 200
    volume = volume_of(reoriented(values, codes).to_bytes())
    found = np.argwhere(all_values(volume) == 200).tolist()
    right, front, up = place
    # Upwards, the front on top and the right of the patient on the left.
    assert found == [[up, SHAPE[1] - 1 - front, SHAPE[0] - 1 - right]]
    assert volume.layout.codes == codes


@given(st.sampled_from(ORIENTATIONS), st.tuples(*(st.floats(-0.3, 0.3),) * 3), st.floats(-0.05, 0.05))
def test_oblique_and_sheared_volumes_lie_as_the_closest_canonical_orientation_of_nibabel(
    codes: str, angles: tuple[float, float, float], shear: float
) -> None:
    image = reoriented(ramp(), codes)
    turn = np.eye(4)
    turn[:3, :3] = nib.eulerangles.euler2mat(*angles) @ (np.eye(3) + shear * np.eye(3, k=1))
    turned = nib.Nifti1Image(np.asarray(image.dataobj), turn @ image.affine)
    canonical = np.asarray(nib.as_closest_canonical(turned).dataobj)
    volume = volume_of(turned.to_bytes())
    np.testing.assert_array_equal(all_values(volume), canonical[::-1, ::-1].transpose(2, 1, 0))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
@pytest.mark.parametrize(
    ("spacing", "plane", "axes"),
    [((1, 1, 4), "axial", (2, 1, 0)), ((1, 4, 1), "coronal", (1, 2, 0)), ((4, 1, 1), "sagittal", (0, 2, 1))],
)
def test_thick_slices_are_read_in_the_plane_in_which_they_were_acquired(
    codes: str, spacing: tuple[float, float, float], plane: str, axes: tuple[int, int, int]
) -> None:
    volume = volume_of(reoriented(ramp(), codes, spacing).to_bytes())
    assert volume.layout.plane.name == plane
    assert volume.layout.spacing_mm == (4, 1, 1)
    # As DICOM series come: upwards, to the back, to the left; rows from the top or the front, columns from the right
    # or the front.
    flips = {"axial": (1, -1, -1), "coronal": (-1, -1, -1), "sagittal": (1, -1, -1)}[plane]
    expected = ramp().transpose(axes)[:: flips[0], :: flips[1], :: flips[2]]
    np.testing.assert_array_equal(all_values(volume), expected)
    positions = [volume.layout.position_mm(index) for index in range(len(volume))]
    np.testing.assert_allclose(np.diff(positions), 4)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64", "int64"])
def test_versions_byte_orders_types_and_compression_give_the_same_values(
    version: int, order: str, packed: bool, dtype: str
) -> None:
    raw = content(ramp(dtype=dtype), version=version, order=order, packed=packed)
    np.testing.assert_array_equal(all_values(volume_of(raw)), all_values(volume_of(content(ramp(dtype="float32")))))


def test_a_slope_and_an_intercept_are_applied_and_a_slope_of_nothing_is_none() -> None:
    scaled = all_values(volume_of(content(ramp(), slope=0.5, intercept=-10)))
    np.testing.assert_array_equal(scaled, all_values(volume_of(content(ramp()))) * 0.5 - 10)
    for slope in (0.0, np.nan, np.inf):
        raw = content(ramp(), scl_slope=slope, scl_inter=7)
        np.testing.assert_array_equal(all_values(volume_of(raw)), all_values(volume_of(content(ramp()))))


def test_pixels_do_not_depend_on_the_scale_of_the_values() -> None:
    plain = volume_of(content(brain()))
    for values in (brain().astype(np.float32) * 1.7e6, brain().astype(np.float64) * 1e-6):
        other = volume_of(content(values))
        assert np.abs(_pixels(plain).astype(int) - _pixels(other).astype(int)).max() <= 1


def _pixels(volume: Volume) -> np.ndarray:
    from overread.formats.nifti.volume import Slice

    return np.stack([Slice(volume, index).pixels() for index in range(len(volume))])


def test_background_is_black_and_does_not_shift_the_range() -> None:
    values = brain()
    wide = np.zeros((80, 80, 40), np.int16)
    wide[20:44, 20:48, 10:26] = values
    narrow, padded = find_levels(values), find_levels(wide)
    assert (narrow.low, narrow.high) == (padded.low, padded.high)
    assert narrow.background == narrow.low == 0
    assert _pixels(volume_of(content(wide)))[0].max() == 0


def test_negative_values_keep_their_ground_between_black_and_white() -> None:
    rng = np.random.default_rng(0)
    values = np.where(brain() > 0, rng.normal(0, 3, brain().shape), 0).astype(np.float32)
    levels = find_levels(values)
    assert levels.low < -4 < 4 < levels.high
    pixels = _pixels(volume_of(content(values)))
    assert 100 < pixels[0, 0, 0] < 155


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_does_not_count(odd: float) -> None:
    values = brain().astype(np.float32)
    values[:3] = odd
    levels = find_levels(values)
    assert 0 <= levels.low < levels.high <= 900
    volume = volume_of(content(values))
    # The last columns, for the right is on the left.
    assert np.isnan(volume.values(8)[:, -3:]).all()
    assert _pixels(volume).dtype == np.uint8


def test_empty_and_even_volumes_are_black() -> None:
    for values in (np.zeros(SHAPE, np.int16), np.full(SHAPE, 7, np.uint8), np.full(SHAPE, np.nan, np.float32)):
        assert not _pixels(volume_of(content(values))).any()


def test_a_map_of_two_parts_shows_both() -> None:
    values = np.zeros((10, 10, 10), np.uint8)
    values[2:5], values[5:8] = 1, 2
    assert np.unique(_pixels(volume_of(content(values)))).tolist() == [0, 128, 255]


def test_hounsfield_units_are_recognised_and_have_the_windows_of_ct() -> None:
    rng = np.random.default_rng(0)
    body = np.where(brain() > 0, rng.normal(40, 30, brain().shape), rng.normal(-1000, 10, brain().shape))
    padded = body.copy()
    padded[:2] = -3024
    for values in (body, padded):
        levels = find_levels(values.astype(np.int16))
        assert levels.is_hounsfield
        assert {"Lung", "Bone", "Brain", "Soft tissue"} <= set(levels.windows)
        assert levels.low >= -1024
    crop = np.where(brain() > 0, rng.normal(50, 40, brain().shape), rng.normal(-100, 15, brain().shape))
    assert find_levels(crop.astype(np.int16)).is_hounsfield
    phase = rng.uniform(-4096, 4095, brain().shape)
    assert not find_levels(phase).is_hounsfield
    assert not find_levels(brain()).is_hounsfield


def test_of_several_volumes_the_middle_one_is_read_and_said(tmp_path: Path) -> None:
    values = np.stack([ramp() + 1000 * time for time in range(5)], axis=3)
    for name in ("a.nii", "a.nii.gz"):
        with open_exam([Instance(write(tmp_path / name, values))]) as frames:
            assert len(frames) == 4
            grey = frames.picture(0).grey_values()
            assert grey is not None
            assert grey.values.min() >= 2000
            assert grey.values.max() < 3000
            assert any("5 volumes" in note and "number 3" in note for note in frames.notes)


def test_pixels_are_made_square_by_more_of_them_along_the_coarser_axis() -> None:
    volume = volume_of(content(ramp((6, 8, 3), "float32"), np.diag([1.0, 1.5, 1.5, 1.0])))
    assert volume.layout.counts == (3, 8, 6)
    assert volume.layout.square == (12, 6)
    assert volume.values(0).shape == (12, 6)
    assert _pixels(volume)[0].shape == (12, 6)
    unbelievable = volume_of(content(ramp((6, 8, 3)), np.diag([1.0, 500.0, 500.0, 1.0])))
    assert unbelievable.layout.square in {(8, 6), (3, 8), (3, 6)}


def test_what_is_no_number_stays_apart_where_pixels_are_made_square() -> None:
    values = np.full((6, 8, 3), 5, np.float32)
    values[0] = np.nan
    shown = volume_of(content(values, np.diag([1.0, 1.5, 1.5, 1.0]))).values(0)
    assert np.isnan(shown[:, -1]).all()
    assert (shown[:, :-1] == 5).all()


def test_a_volume_without_an_orientation_says_so() -> None:
    raw = content(ramp(), sform_code=0, qform_code=0)
    assert any("no orientation" in note for note in volume_of(raw).notes)
    flat = content(ramp(), srow_x=(0, 0, 0, 0), sform_code=1, qform_code=0)
    assert any("no orientation" in note for note in volume_of(flat).notes)


def test_an_oblique_volume_says_so() -> None:
    turn = np.eye(4)
    turn[:3, :3] = nib.eulerangles.euler2mat(x=np.radians(17))
    assert any("oblique by 17 degrees" in note for note in volume_of(content(ramp(), turn)).notes)


def test_colours_are_read() -> None:
    voxels = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    voxels["R"][0, 0, 0] = 255
    volume = volume_of(content(voxels, datatype=128, bitpix=24))
    pixels = _pixels(volume)
    assert pixels.shape == (4, 7, 5, 3)
    assert pixels[0, -1, -1].tolist() == [255, 0, 0]


def test_a_flat_file_is_an_exam_of_one_slice(tmp_path: Path) -> None:
    path = write(tmp_path / "flat.nii", ramp((5, 7)))
    with open_exam([Instance(path)]) as frames:
        assert len(frames) == 1
        assert frames.origin(0).frame is None
        assert frames.picture(0).pixels().shape == (7, 5)


def test_a_header_tells_what_a_slice_looks_like(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", ramp(), np.diag([1.0, 1.0, 3.0, 1.0]))
    header = read_header(path)
    assert (header.format, header.width, header.height, header.frames) == ("NIfTI", 5, 7, 4)
    assert (header.bit_depth, header.is_grey, header.spacing_mm, header.plane) == (16, True, (3, 1, 1), "axial")
    assert is_exam(path)
    with open_picture(path, frame=2) as picture:
        assert picture.pixels().shape == (7, 5)
    assert prepare(path, Preprocessing(height=8, width=8, channels=1), frame=1).shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"descrip": b"FSL5.0"}, ()), ({"descrip": b"TE=2.3;Time=143012.000;phase=1"}, ()),
        ({"descrip": b"spm - 3D normalized"}, ()), ({}, ()), ({"descrip": b"6.0.5:9e026117"}, ()),
        ({"intent_name": b"estimate"}, ()),
        ({"db_name": b"Doe John"}, ("db_name",)), ({"descrip": b"DOE^JANE"}, ("descrip",)),
        ({"descrip": b"Jane Doe 1961-03-04"}, ("descrip",)), ({"aux_file": b"Smith, John"}, ("aux_file",)),
        ({"descrip": b"scan of 20190304"}, ("descrip",)), ({"db_name": b"mrn: 1234"}, ("db_name",)),
    ],
)  # fmt: skip
def test_texts_of_a_header_that_may_name_a_person_are_counted_and_never_kept(
    fields: dict[str, bytes], told: tuple[str, ...], tmp_path: Path
) -> None:
    header = read_header(write(tmp_path / "a.nii.gz", ramp(), **fields))
    assert header.person_tags == told
    assert header.identifying_tags == len(told)
    assert not any(text.decode() in repr(header) for text in fields.values())


def test_an_extension_with_the_dicom_header_is_told(tmp_path: Path) -> None:
    image = nib.Nifti1Image(ramp(), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"nothing"))
    nib.save(image, tmp_path / "a.nii")
    assert read_header(tmp_path / "a.nii").person_tags == ()
    image.header.extensions.append(nib.nifti1.Nifti1Extension(2, b"Doe^John" * 4))
    nib.save(image, tmp_path / "a.nii.gz")
    assert read_header(tmp_path / "a.nii.gz").person_tags == ("DICOM extension",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dim": [3, 0, 4, 4, 1, 1, 1, 1]}, "declares 0 x 4 x 4 voxels"),
        ({"dim": [3, -5, 4, 4, 1, 1, 1, 1]}, "declares"),
        ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, "at most 2 GiB"),
        ({"dim": [1, 5, 1, 1, 1, 1, 1, 1]}, "a volume of 2 to 4 sides"),
        ({"dim": [9, 5, 7, 4, 1, 1, 1, 1]}, r"header that cannot be used|sides|several volumes"),
        ({"dim": [5, 5, 7, 4, 1, 3, 1, 1]}, "several volumes in two ways"),
        ({"dim": [3, 900, 700, 400, 1, 1, 1, 1]}, "is truncated"),
        ({"datatype": 32, "bitpix": 64}, "complex numbers"),
        ({"datatype": 9999}, "header that cannot be used"),
        ({"intent_code": 3006}, "CIFTI"), ({"intent_code": 1007}, "vectors"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_lies_is_refused_in_a_sentence_before_memory_is_taken(
    fields: dict[str, Any], said: str, packed: bool, tmp_path: Path
) -> None:
    raw = content(ramp(), packed=packed, **fields)
    tracemalloc.start()
    with pytest.raises(UnreadableImage, match=said):
        volume_of(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_file_is_said_to_be_so(kept: float, packed: bool, tmp_path: Path) -> None:
    raw = content(brain(), packed=packed)
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(raw[: int(kept * len(raw))])
    with pytest.raises(UnreadableImage, match="truncated"), open_exam([Instance(path)]):
        pass


def test_a_bomb_takes_no_more_memory_than_its_header_declares(tmp_path: Path) -> None:
    bomb = gzip.compress(content(ramp()) + bytes(50_000_000))
    tracemalloc.start()
    assert len(volume_of(bomb)) == 4
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


def test_a_slice_above_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="declares slices of 5 x 7 pixels"):
        read_volume(io.BytesIO(content(ramp())), 30)


def test_a_ct_is_seen_through_a_named_window_and_another_volume_through_numbers_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    body = np.where(brain() > 0, rng.normal(40, 30, brain().shape), rng.normal(-1000, 10, brain().shape))
    ct, mr = write(tmp_path / "ct.nii.gz", body.astype(np.int16)), write(tmp_path / "mr.nii.gz", brain())
    soft = Preprocessing(height=28, width=24, channels=1, view=View(window="soft"))
    pixels = prepare(ct, soft, frame=8)
    assert pixels[0, 0, 0] == 0
    assert 100 < pixels[14, 12, 0] < 150
    with pytest.raises(UnreadableImage, match="not in Hounsfield units"):
        prepare(mr, soft, frame=8)
    numbers = Preprocessing(height=28, width=24, channels=1, view=View(window="500,800"))
    assert prepare(mr, numbers, frame=8).max() > 200


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_content_decides_what_a_volume_is(version: int, packed: bool) -> None:
    head = content(ramp(), version=version, packed=packed)[:512]
    found = format_of(head, "scan")
    assert found is not None
    assert found.name == "NIfTI"
    for other in (head[:4], gzip.compress(b"a text" * 300)[:512], b"\x1f\x8b\x08", b"", bytes(512)):
        assert format_of(other, "a.nii.gz") is None


def test_a_pair_of_header_and_image_is_named_with_what_to_do(tmp_path: Path) -> None:
    pair = nib.Nifti1Pair(ramp(), np.eye(4))
    nib.save(pair, tmp_path / "a.hdr")
    kinds = [kind_of_other(tmp_path / name) for name in ("a.hdr", "a.img")]
    assert all(kind is not None and kind.noun == "Analyze volume" and "one file" in kind.remark for kind in kinds)


def test_without_nibabel_volumes_are_named_and_reading_one_gives_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.nii.gz", ramp())
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nibabel" else find(name))
    kind = kind_of_other(path)
    assert kind is not None
    assert "overread[volumes]" in kind.remark
    with pytest.raises(MissingExtra, match=r"pip install 'overread\[volumes\]'"), open_exam([Instance(path)]):
        pass


@pytest.mark.parametrize(("frames", "count"), [("all", 40), ("every=3", 14), ("middle=20", 20), ("middle=99", 40)])
def test_frames_are_chosen_over_the_whole_exam(frames: str, count: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", ramp((4, 5, 40)))
    with open_exam([Instance(path)], View(frames=frames)) as chosen:
        assert len(chosen) == count
        numbers = [chosen.origin(index).frame for index in range(count)]
    assert numbers == [place + 1 for place in View(frames=frames).chosen(40)]
    assert sum(number or 0 for number in numbers) / count == pytest.approx(20.5, abs=0.6)


def test_volumes_of_one_exam_follow_each_other_by_name_and_a_frame_of_one_can_be_named(tmp_path: Path) -> None:
    second, first = write(tmp_path / "b.nii", ramp() + 500), write(tmp_path / "a.nii.gz", ramp())
    with open_exam([Instance(second), Instance(first, 2)]) as frames:
        assert [(frames.origin(i).path.name, frames.origin(i).frame) for i in range(len(frames))] == [
            ("a.nii.gz", 2), ("b.nii", 1), ("b.nii", 2), ("b.nii", 3), ("b.nii", 4),
        ]  # fmt: skip
        assert any(note.startswith("volume 2: ") for note in frames.notes)
    with pytest.raises(UnreadableImage, match="no frame 9"), open_exam([Instance(first, 9)]):
        pass


def test_a_volume_that_is_not_compressed_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.nii"
    raw = content(ramp(), dim=[3, 512, 512, 800, 1, 1, 1, 1])
    with path.open("wb") as stream:
        stream.write(raw[:352])
        stream.truncate(352 + 2 * 512 * 512 * 800)
    tracemalloc.start()
    with open_exam([Instance(path)]) as frames:
        assert len(frames) == 800
        frames.picture(400).pixels()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 120e6  # the file has 419 MB


def _real() -> list[Path]:
    folder = Path(os.environ.get("OVERREAD_DATA", Path(__file__).parents[2] / "shared" / "data"))
    found = [*(folder / "nifti").glob("*.nii*"), *sorted((folder / "hippocampus_volumes/images").glob("*.nii.gz"))[:4]]
    return sorted(found)


@pytest.mark.parametrize("path", _real() or [pytest.param(None, marks=pytest.mark.skip("no real data"))], ids=str)
def test_real_volumes_lie_as_nibabel_says(path: Path) -> None:
    image = nib.load(path)
    canonical = nib.as_closest_canonical(image)
    values = np.asarray(canonical.dataobj, np.float32)
    values = values[..., values.shape[3] // 2] if values.ndim == 4 else values
    with path.open("rb") as stream:
        volume = read_volume(stream, LIMIT)
        found = lay_out(volume.described)
    assert found.plane.name == "axial"
    middle = len(volume) // 2
    expected = values[::-1, ::-1, middle].T
    if found.square == found.counts[1:]:
        np.testing.assert_allclose(volume.values(middle), expected, rtol=1e-5)
    np.testing.assert_allclose(
        [found.position_mm(i) for i in (0, middle)],
        [(canonical.affine @ [*((np.array(values.shape[:2]) - 1) / 2), i, 1])[2] for i in (0, middle)],
        rtol=1e-4, atol=1e-3,
    )  # fmt: skip


def test_the_number_of_bytes_of_a_header_is_that_of_its_version() -> None:
    assert struct.unpack("<i", content(ramp())[:4]) == (348,)
    assert struct.unpack("<i", content(ramp(), version=2)[:4]) == (540,)
