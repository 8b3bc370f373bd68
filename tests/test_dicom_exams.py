"""DICOM files of one exam: their order, what was left out, their brightness, and frames of one file."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from overread.errors import UnreadableImage
from overread.formats import Frames, Instance, open_exam, open_picture
from overread.formats.dicom.exams.mosaic import csa_numbers
from overread.formats.dicom.exams.order import in_stacks, without_copies
from overread.formats.dicom.exams.place import Place
from support.dicom_files import dataset, file_bytes
from support.dicom_series import AXIAL, SIDE, enhanced, one_slice, write_shuffled


def values(frames: Frames) -> list[float]:
    """The value of each frame, in order."""
    return [
        float(grey.values[0, 0]) for i in range(len(frames)) if (grey := frames.picture(i).grey_values()) is not None
    ]


def opened_values(instances: list[Instance]) -> tuple[list[float], tuple[str, ...]]:
    with open_exam(instances) as frames:
        return values(frames), frames.notes


def test_slices_come_by_their_positions_whatever_their_names_and_numbers(tmp_path: Path) -> None:
    slices = [one_slice(10 * n, (0, 0, 2.5 * n), InstanceNumber=99 - n) for n in range(9)]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == [10 * n for n in range(9)]
    assert notes[0].startswith("9 axial slices from the feet to the head, 2.5 mm apart")


def test_slices_of_a_flipped_series_come_in_the_same_direction(tmp_path: Path) -> None:
    flipped = (1, 0, 0, 0, -1, 0)  # its own normal points to the feet
    found, _ = opened_values(write_shuffled(tmp_path, [one_slice(n, (0, 0, n), flipped) for n in range(5)]))
    assert found == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("directions", "step", "said"),
    [
        ((0, 1, 0, 0, 0, -1), (1, 0, 0), "sagittal slices from the right to the left"),
        ((1, 0, 0, 0, 0, -1), (0, 1, 0), "coronal slices from the front to the back"),
        ((0.8, 0.6, 0, 0, 0, -1), (-0.6, 0.8, 0), "oblique coronal slices from the front to the back"),
    ],
)
def test_planes_have_their_names_and_one_direction(tmp_path: Path, directions, step, said: str) -> None:
    slices = [one_slice(n, [3.0 * n * part for part in step], directions) for n in range(4)]
    with open_exam(write_shuffled(tmp_path, slices)) as frames:
        assert values(frames) == [0, 1, 2, 3]
        assert f"4 {said}, 3 mm apart" in frames.notes[0]
        assert [frames.origin(i).position_mm for i in range(4)] == pytest.approx([0, 3, 6, 9])


def test_a_tilted_gantry_and_uneven_gaps_are_said(tmp_path: Path) -> None:
    tilted = (1, 0, 0, 0, 0.9483, -0.3173)
    slices = [one_slice(n, (0, 0, z), tilted) for n, z in enumerate((0, 4, 8, 9, 17))]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == [0, 1, 2, 3, 4]
    assert "0.948 to 7.59 mm apart (unevenly), shifted by a tilt of 18.5 degrees" in notes[0]


def test_several_time_points_in_one_series_come_volume_after_volume(tmp_path: Path) -> None:
    slices = [
        one_slice(10 * time + n, (0, 0, n), TriggerTime=50 * time, InstanceNumber=3 * n + time)
        for time in range(3)
        for n in range(4)
    ]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == [10 * time + n for time in range(3) for n in range(4)]
    assert "4 axial slices" in notes[0]
    assert "each 3 times, told apart by their trigger time: volume after volume" in notes[0]


def test_a_second_image_at_some_positions_is_counted(tmp_path: Path) -> None:
    slices = [one_slice(n, (0, 0, n)) for n in range(4)] + [one_slice(50, (0, 0, 2), InstanceNumber=40)]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == [0, 1, 2, 3, 50]
    assert "of which 1 are there up to 2 times" in notes[0]


def test_magnitude_and_phase_at_the_same_positions_are_two_stacks(tmp_path: Path) -> None:
    slices = [
        one_slice(100 * (kind == "P") + n, (0, 0, n), ImageType=["ORIGINAL", "PRIMARY", kind])
        for n in range(3)
        for kind in "MP"
    ]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == [0, 1, 2, 100, 101, 102]
    assert notes[0] == "2 stacks"


def test_copies_of_an_object_are_read_once_and_counted(tmp_path: Path) -> None:
    slices = [one_slice(n, (0, 0, n)) for n in range(3)]
    found, notes = opened_values(write_shuffled(tmp_path, [*slices, slices[1]]))
    assert found == [0, 1, 2]
    assert "1 frame left out: the same object is there more than once" in notes


def test_a_localizer_comes_last_and_is_named(tmp_path: Path) -> None:
    scout = one_slice(500, (0, 7, 0), (1, 0, 0, 0, 0, -1), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    found, notes = opened_values(write_shuffled(tmp_path, [scout, *(one_slice(n, (0, 0, n)) for n in range(3))]))
    assert found == [0, 1, 2, 500]
    assert notes[0] == "2 stacks"
    assert "1 coronal localizer" in notes


def test_without_positions_the_numbers_count_and_that_is_said(tmp_path: Path) -> None:
    slices = [one_slice(n, None, InstanceNumber=n) for n in range(12)]
    found, notes = opened_values(write_shuffled(tmp_path, slices))
    assert found == list(range(12))
    assert "12 frames without positions, in the order of their instance numbers" in notes[0]


def test_a_presentation_state_among_images_is_left_out_and_named(tmp_path: Path) -> None:
    state = one_slice(0, None, SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1")
    state.file_meta.MediaStorageSOPClassUID = state.SOPClassUID
    instances = write_shuffled(tmp_path, [state, *(one_slice(n, (0, 0, n)) for n in range(3))])
    found, notes = opened_values(instances)
    assert found == [0, 1, 2]
    assert "1 file without an image left out (presentation state)" in notes


def test_an_exam_of_nothing_but_presentation_states_is_refused(tmp_path: Path) -> None:
    state = one_slice(0, None, SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1")
    state.file_meta.MediaStorageSOPClassUID = state.SOPClassUID
    with pytest.raises(UnreadableImage, match="holds no image"), open_exam(write_shuffled(tmp_path, [state])):
        pass


def test_a_damaged_file_among_slices_is_told_of_without_its_name(tmp_path: Path) -> None:
    instances = write_shuffled(tmp_path, [one_slice(n, (0, 0, n)) for n in range(3)])
    damaged = tmp_path / "Jane_Doe.dcm"
    damaged.write_bytes(instances[0].path.read_bytes()[:-20])
    with pytest.raises(UnreadableImage, match="has a file among its 4 that is truncated") as caught:
        opened_values([*instances, Instance(damaged)])
    assert "Jane" not in str(caught.value)


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_never_depends_on_the_order_of_the_files(draw: random.Random) -> None:
    places = [
        Place(
            path=Path(f"{n}.dcm"), frame=None, uid=f"1.{n}", series=(float(n % 2), "1"), size=(4, 4),
            is_localizer=False, position=None if n % 5 == 0 else (0.0, 0.0, float(n // 3)),
            rows=None if n % 5 == 0 else (1.0, 0.0, 0.0), columns=None if n % 5 == 0 else (0.0, 1.0, 0.0),
            told=("", 0.0, 0.0, 0.0, 0.0, 0.0, "", (float(n % 4), 0.0)),
        )
        for n in range(24)
    ]  # fmt: skip
    expected = [stack.places for stack in in_stacks(without_copies(places)[0])]
    draw.shuffle(places)
    assert [stack.places for stack in in_stacks(without_copies(places)[0])] == expected


def test_slices_with_one_window_are_shown_as_by_themselves(tmp_path: Path) -> None:
    slices = [one_slice(20 * n, (0, 0, n), WindowCenter=40, WindowWidth=80) for n in range(5)]
    instances = write_shuffled(tmp_path, slices)
    with open_exam(instances) as frames:
        for index in range(5):
            with open_picture(frames.origin(index).path) as picture:
                assert np.array_equal(frames.picture(index).pixels(), picture.pixels())


def test_a_ct_whose_windows_differ_is_shown_in_soft_tissue(tmp_path: Path) -> None:
    slices = [one_slice(40, (0, 0, n), WindowCenter=40, WindowWidth=80 + n) for n in range(3)]
    with open_exam(write_shuffled(tmp_path, slices)) as frames:
        assert {int(frames.picture(i).pixels()[0, 0]) for i in range(3)} == {127}
        assert "shown from -160 to 240 HU (soft tissue)" in frames.notes[0]


def test_an_mr_whose_windows_differ_does_not_flicker(tmp_path: Path) -> None:
    plain = {"Modality": "MR", "RescaleSlope": 1, "RescaleIntercept": 0, "WindowWidth": 200}
    slices = [one_slice(0, (0, 0, n), WindowCenter=100 + 90 * n, InstanceNumber=n, **plain) for n in range(4)]
    for number, ds in enumerate(slices):
        ds.SOPInstanceUID = f"1.2.9.{number}"
        ds.PixelData = np.where(np.arange(SIDE * SIDE) % 2, 100, 50 * number).astype("<u2").tobytes()
    with open_exam(write_shuffled(tmp_path, slices)) as frames:
        assert len({int(frames.picture(i).pixels()[0, 1]) for i in range(4)}) == 1  # the value that all share
        assert "the middle 99.8 % of the values" in frames.notes[0]
        grey = frames.picture(0).grey_values()
        assert grey is not None
        assert next(iter(grey.windows)) == "Exam"


def test_views_of_one_series_keep_their_own_windows(tmp_path: Path) -> None:
    views = [one_slice(40, None, Modality="DX", WindowCenter=40 + 30 * n, WindowWidth=80) for n in range(2)]
    for number, ds in enumerate(views):
        ds.SOPInstanceUID = f"1.2.9.{number}"
    with open_exam(write_shuffled(tmp_path, views)) as frames:
        assert len({int(frames.picture(i).pixels()[0, 0]) for i in range(2)}) == 2


def stack_of_frames(count: int = 6) -> tuple[np.ndarray, list[tuple[int, int, int]], list[float]]:
    stored = np.random.default_rng(0).integers(0, 200, (count, SIDE, SIDE)).astype("<u2")
    order = random.Random(1).sample(range(count), count)
    return stored, [(0, 0, n) for n in order], [1 + n / 4 for n in range(count)]


def test_frames_of_an_enhanced_object_have_their_own_rescale_and_come_by_position(tmp_path: Path) -> None:
    stored, positions, slopes = stack_of_frames()
    path = tmp_path / "enhanced"
    path.write_bytes(file_bytes(enhanced(stored, positions, slopes)))
    with open_exam([Instance(path)]) as frames:
        assert [frames.origin(i).position_mm for i in range(6)] == [0, 1, 2, 3, 4, 5]
        for index in range(6):
            number = (frames.origin(index).frame or 0) - 1
            grey = frames.picture(index).grey_values()
            assert grey is not None
            assert grey.unit == "HU"
            assert np.allclose(grey.values, stored[number] * slopes[number] + number)


def test_a_frame_of_an_exam_is_that_frame_of_the_file_to_the_last_digit(tmp_path: Path) -> None:
    stored, positions, slopes = stack_of_frames()
    path = tmp_path / "enhanced"
    path.write_bytes(file_bytes(enhanced(stored, positions, slopes)))
    with open_exam([Instance(path, 3)]) as frames, open_picture(path, frame=3) as picture:
        assert len(frames) == 1
        assert np.array_equal(frames.picture(0).pixels(), picture.pixels())
    with pytest.raises(UnreadableImage, match="holds 6 frames and no frame 9"), open_exam([Instance(path, 9)]):
        pass


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("with_table", [True, False])
def test_compressed_frames_are_found_with_a_table_of_offsets_and_without(
    tmp_path: Path, syntax, with_table: bool
) -> None:
    stored = np.random.default_rng(0).integers(0, 4000, (3, 32, 32)).astype("<u2")
    plain = dataset(stored[0], NumberOfFrames=3)
    plain.PixelData = stored.tobytes()
    plain.compress(syntax, generate_instance_uid=False)
    if not with_table:
        from pydicom.encaps import generate_frames

        plain.PixelData = encapsulate(list(generate_frames(plain.PixelData, number_of_frames=3)), has_bot=False)
    path = tmp_path / "file"
    path.write_bytes(file_bytes(plain))
    with open_exam([Instance(path)]) as frames:
        for index in range(3):
            grey = frames.picture(index).grey_values()
            assert grey is not None
            assert np.array_equal(grey.values, stored[index])


def test_frames_in_several_fragments_are_told_apart_by_the_ends_of_codestreams(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(0, 4000, (3, 32, 32)).astype("<u2")
    plain = dataset(stored[0], NumberOfFrames=3)
    plain.PixelData = stored.tobytes()
    plain.compress(JPEG2000Lossless, generate_instance_uid=False)
    from pydicom.encaps import generate_frames

    parts = list(generate_frames(plain.PixelData, number_of_frames=3))
    plain.PixelData = encapsulate(parts, fragments_per_frame=3, has_bot=False)
    path = tmp_path / "file"
    path.write_bytes(file_bytes(plain))
    with open_exam([Instance(path)]) as frames:
        assert np.array_equal([frames.picture(i).grey_values().values for i in range(3)], stored)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("count", [1, 3])
def test_frames_of_big_endian_files_are_those_of_the_file(tmp_path: Path, depth, count: int) -> None:
    stored = np.random.default_rng(0).integers(0, 250, (count, 5, 5)).astype(depth)
    ds = dataset(stored[0], ExplicitVRBigEndian, NumberOfFrames=count)
    ds.PixelData = stored.astype(stored.dtype.newbyteorder(">")).tobytes() + bytes(stored.nbytes % 2)
    path = tmp_path / "file"
    path.write_bytes(file_bytes(ds))
    with open_exam([Instance(path)]) as frames:
        for index in range(count):
            with open_picture(path, frame=index + 1) as picture:
                grey, own = picture.grey_values(), frames.picture(index).grey_values()
                assert grey is not None
                assert own is not None
                assert np.array_equal(grey.values, own.values)


def test_colour_and_palette_cines_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(0, 250, (4, 6, 6, 3)).astype(np.uint8)
    colour = dataset(stored[0], NumberOfFrames=4)
    colour.PixelData = stored.tobytes()
    (tmp_path / "colour").write_bytes(file_bytes(colour))
    with open_exam([Instance(tmp_path / "colour")]) as frames:
        assert np.array_equal([frames.picture(i).pixels() for i in range(4)], stored)
        assert frames.notes == ("4 frames without positions, in the order of the file",)
        assert frames.picture(0).grey_values() is None
    ramp = np.arange(256, dtype="<u2") * 257
    palette = dataset(stored[0, :, :, 0], NumberOfFrames=4, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        palette.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        palette.add_new(f"{name}PaletteColorLookupTableData", "OW", (ramp if name == "Red" else ramp[::-1]).tobytes())
    palette.PixelData = stored[:, :, :, 0].tobytes()
    (tmp_path / "palette").write_bytes(file_bytes(palette))
    with open_exam([Instance(tmp_path / "palette")]) as frames:
        assert np.array_equal(frames.picture(2).pixels()[:, :, 0], stored[2, :, :, 0])


@pytest.mark.parametrize("bits", [0, 1, 16])
def test_more_frames_than_there_are_pixels_of_take_no_memory(tmp_path: Path, bits: int) -> None:
    ds = dataset(np.zeros((4, 4), "<u2"), NumberOfFrames=2**31 - 1, BitsAllocated=bits)
    path = tmp_path / "file"
    path.write_bytes(file_bytes(ds))
    with pytest.raises(UnreadableImage, match="truncated"), open_exam([Instance(path)]):
        pass


def test_a_file_of_many_frames_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pydicom

    stored, positions, slopes = stack_of_frames(40)
    path = tmp_path / "enhanced"
    path.write_bytes(file_bytes(enhanced(stored, positions, slopes)))
    read, calls = pydicom.dcmread, []
    monkeypatch.setattr(pydicom, "dcmread", lambda *args, **options: calls.append(1) or read(*args, **options))
    with open_exam([Instance(path)]) as frames:
        assert len(values(frames)) == 40
    assert len(calls) <= 1


def mosaic_of(tiles: np.ndarray) -> FileDataset:
    """A Siemens mosaic of `(slices, rows, columns)`, its number of slices in a private element."""
    across = int(np.ceil(np.sqrt(len(tiles))))
    height, width = tiles.shape[1:]
    picture = np.zeros((across * height, across * width), "<u2")
    for number, tile in enumerate(tiles):
        top, left = number // across * height, number % across * width
        picture[top : top + height, left : left + width] = tile
    ds = dataset(picture, Modality="MR", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], PixelSpacing=[2, 2])
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-100, -100, 5], list(AXIAL)
    ds.SpacingBetweenSlices = 3
    ds.add_new((0x0019, 0x0010), "LO", "SIEMENS MR HEADER")
    ds.add_new((0x0019, 0x100A), "US", len(tiles))
    return ds


def csa_of(**numbers) -> bytes:
    """A CSA header that says these numbers."""
    import struct

    content = b"SV10" + bytes(4) + struct.pack("<2I", len(numbers), 77)
    for name, parts in numbers.items():
        texts = [str(part).encode() + b"\0" for part in parts]
        content += struct.pack("<64si4s3i", name.encode(), len(texts), b"FD\0\0", 4, len(texts), 77)
        for text in texts:
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4)
    return content


def test_a_mosaic_is_cut_into_its_slices(tmp_path: Path) -> None:
    tiles = np.stack([np.full((4, 6), 100 + n) for n in range(5)])
    ds = mosaic_of(tiles)
    ds.add_new((0x0029, 0x0010), "LO", "SIEMENS CSA HEADER")
    told = csa_of(NumberOfImagesInMosaic=[5], SliceNormalVector=[0, 0, -1])
    assert csa_numbers(told) == {"NumberOfImagesInMosaic": (5,), "SliceNormalVector": (0, 0, -1)}
    ds.add_new((0x0029, 0x1010), "OB", told)
    path = tmp_path / "mosaic"
    path.write_bytes(file_bytes(ds))
    with open_exam([Instance(path)]) as frames:
        # The slices follow each other towards the feet, and are read towards the head.
        assert values(frames) == [104, 103, 102, 101, 100]
        assert [frames.origin(i).position_mm for i in range(5)] == [-7, -4, -1, 2, 5]
        assert frames.origin(4).box == (0, 0, 6, 4)
        assert "1 mosaic cut into slices" in frames.notes


def test_a_mosaic_that_does_not_tell_its_slices_is_one_picture_and_said(tmp_path: Path) -> None:
    ds = mosaic_of(np.ones((4, 4, 4)))
    del ds[0x0019, 0x100A]
    path = tmp_path / "mosaic"
    path.write_bytes(file_bytes(ds))
    with open_exam([Instance(path)]) as frames:
        assert len(frames) == 1
        assert "1 mosaic read as one picture each: how many slices it holds is not told" in frames.notes


def test_real_series_have_the_order_of_their_positions(shared_data: Path) -> None:
    folder = shared_data / "dicom_series" / "MR_GE_4D_fmri_one_folder"
    with open_exam([Instance(path) for path in folder.iterdir()]) as frames:
        assert len(frames) == 45
        assert "each 3 times" in frames.notes[0]
        positions = [frames.origin(i).position_mm for i in range(15)]
        assert positions == sorted(positions)
