"""The registry of image formats: what is read, a format of one's own, frames, and the versions of the decoders."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.metadata
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from overread import Manifest
from overread.auditing import audit_manifest, draft_plan
from overread.cases import split_cases
from overread.errors import InvalidData, InvalidOption, UnreadableImage
from overread.formats import (
    REGISTERED,
    DecodedPicture,
    Format,
    decoder_versions,
    format_named_by,
    format_names,
    format_of,
    formats,
    open_picture,
    read_header,
    register_format,
)
from overread.images import DataSet, Preprocessing, prepare
from support.npy_format import Npy

GREY = Preprocessing(height=16, width=16, channels=1)
RAMP = np.arange(256, dtype=np.float32).reshape(16, 16)


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """What a test registers goes with it."""
    yield
    REGISTERED.clear()


@pytest.fixture
def npy() -> None:
    """The format of a user, for one test."""
    register_format(Npy())


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """A folder of two classes of arrays, and one PNG."""
    rng = np.random.default_rng(0)
    for label in ("Normal", "Papilloma"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(4):
            np.save(tmp_path / "data" / label / f"{i}.npy", rng.random((20, 20)) * 1000)
    Image.new("L", (20, 20), 7).save(tmp_path / "data" / "Normal" / "9.png")
    return tmp_path / "data"


def array_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_these_formats_are_read_and_named_in_one_sentence() -> None:
    assert format_names() == "PNG, JPEG, TIFF, BMP, WebP, DICOM, NIfTI and whole slide"
    with pytest.raises(UnreadableImage, match=f"is none of {format_names()}, whatever its name"):
        prepare(b"text", GREY)


def test_every_format_of_ours_is_what_the_seam_asks_for() -> None:
    for one in formats():
        assert isinstance(one, Format)
        assert all(format_named_by(suffix) == one.name for suffix in one.suffixes if suffix)


def test_without_the_format_arrays_are_no_images(arrays: Path) -> None:
    with pytest.raises(InvalidData, match="holds no image"):
        Manifest.from_folder(arrays)


def test_a_format_of_ones_own_is_found_audited_and_decoded(npy: None, arrays: Path, tmp_path: Path) -> None:
    manifest = Manifest.from_folder(arrays)
    assert len(manifest) == 9
    data_set = DataSet.open(manifest, GREY, folder=tmp_path / "store")
    values = np.load(arrays / "Normal" / "0.npy")
    with open_picture(array_bytes(values)) as picture:
        assert np.array_equal(picture.pixels(), DecodedPicture.of_values(values).pixels())
        assert np.array_equal(picture.grey_values().values, values.astype(np.float32))  # type: ignore[union-attr]
    assert data_set.pixels([0]).any()
    header = read_header(arrays / "Normal" / "0.npy")
    assert (header.format, header.suffix, header.width, header.frames) == ("NPY", ".npy", 20, 1)
    found, material = audit_manifest(manifest, folder=tmp_path / "store")
    assert not material.failures
    assert "mixed-bit-depth" in {finding.code for finding in found.findings}


def test_content_decides_and_a_misnamed_array_is_told(npy: None, arrays: Path, tmp_path: Path) -> None:
    (arrays / "Normal" / "0.npy").rename(arrays / "Normal" / "0.png")
    manifest = Manifest.from_folder(arrays)
    found, _ = audit_manifest(manifest, folder=tmp_path / "store")
    (finding,) = [finding for finding in found.findings if finding.code == "wrong-extension"]
    assert "1 NPY named as PNG" in finding.sentence


def test_the_last_format_registered_may_take_over_what_ours_would_read() -> None:
    class OwnPng(Npy):
        name = "own PNG"

        def sniff(self, head: bytes, name: str) -> bool:
            return head.startswith(b"\x89PNG") and name.endswith(".own.png")

    own = OwnPng()
    register_format(own)
    assert format_of(b"\x89PNG\r\n\x1a\n", "a.own.png") is own
    assert format_of(b"\x89PNG\r\n\x1a\n", "a.png") is not own


@pytest.mark.parametrize("returned", [RAMP, None, np.zeros((4, 4), np.uint8)])
def test_a_format_that_returns_no_picture_is_told_in_one_sentence(returned: Any) -> None:
    class Wrong(Npy):
        def decode(self, stream: object, *, frame: int | None, max_pixels: int) -> Any:
            return returned

    register_format(Wrong())
    with pytest.raises(UnreadableImage, match=r"by the format NPY to a \w+; a Picture was expected"):
        prepare(array_bytes(RAMP), GREY)


@pytest.mark.parametrize(
    "pixels", [RAMP, np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_pixels_of_a_wrong_type_or_shape_are_told_in_one_sentence(pixels: np.ndarray) -> None:
    class Wrong(Npy):
        def decode(self, stream: object, *, frame: int | None, max_pixels: int) -> DecodedPicture:
            return DecodedPicture(pixels)

    register_format(Wrong())
    with pytest.raises(UnreadableImage, match=r"by the format NPY to \w+ of shape .* uint8 was expected"):
        prepare(array_bytes(RAMP), GREY)


def test_grey_values_that_are_none_are_told_in_one_sentence() -> None:
    class Wrong(Npy):
        def decode(self, stream: object, *, frame: int | None, max_pixels: int) -> DecodedPicture:
            return DecodedPicture.of_values(np.zeros((4, 4, 3)))

    register_format(Wrong())
    with open_picture(array_bytes(RAMP)) as picture:
        assert picture.pixels().shape == (4, 4, 3)
        with pytest.raises(UnreadableImage, match="no GreyValues of"):
            picture.grey_values()


def test_whatever_a_format_raises_makes_its_file_unreadable_and_its_header_empty(npy: None, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(array_bytes(RAMP)[:100])
    with pytest.raises(UnreadableImage, match=r"cannot be decoded as NPY \(ValueError\)"):
        prepare(tmp_path / "a.npy", GREY)
    header = read_header(tmp_path / "a.npy")
    assert (header.format, header.width) == ("NPY", 0)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (Npy, "is a class: register an object"),
        (object(), "has no name, suffixes, libraries, sniff, header and decode"),
        (dataclasses.make_dataclass("Dotless", [], bases=(Npy,), namespace={"suffixes": ("npy",)})(), "suffixes"),
        (dataclasses.make_dataclass("Text", [], bases=(Npy,), namespace={"suffixes": ".npy"})(), "suffixes"),
        (dataclasses.make_dataclass("Png", [], bases=(Npy,), namespace={"name": "PNG"})(), "is there already"),
    ],
)
def test_what_is_no_format_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        register_format(wrong)
    assert not REGISTERED


def test_a_format_that_fails_to_sniff_is_named(arrays: Path) -> None:
    class Hasty(Npy):
        suffixes = (".npy",)

        def sniff(self, head: bytes, name: str) -> bool:
            return head[600] == 0

    (arrays / "Normal" / "without_suffix").write_bytes(b"text")
    register_format(Hasty())
    for call in (lambda: prepare(b"text", GREY), lambda: Manifest.from_folder(arrays)):
        with pytest.raises(InvalidOption, match=r"the format NPY cannot say .* \(IndexError.*mend its sniff"):
            call()


def test_registering_again_replaces(npy: None) -> None:
    again = Npy()
    register_format(again)
    assert format_of(array_bytes(RAMP), "") is again


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )


@pytest.mark.parametrize("target, expected", [("NPY", "and NPY"), ("absent", "AttributeError"), ("Npy", "is a class")])
def test_an_installed_package_brings_a_format_and_a_broken_one_is_named(
    tmp_path: Path, target: str, expected: str
) -> None:
    (tmp_path / "some_package.py").write_text("from support.npy_format import Npy\nNPY = Npy()\n")
    info = tmp_path / "some_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[overread.formats]\nnpy = some_package:{target}\n")
    done = python("from overread.formats import format_names; print(format_names())", tmp_path)
    assert expected in done.stdout + done.stderr
    assert "some_package" not in python("import sys, overread.reading; print(sorted(sys.modules))", tmp_path).stdout


def test_the_processes_of_the_service_know_the_formats_of_the_server(npy: None) -> None:
    from overread.service.room.decoding import DecodingPool
    from overread.service.settings import Settings

    pool = DecodingPool(Settings(workers=1))
    try:
        found = asyncio.run(pool.decode(array_bytes(RAMP), "a.npy", GREY, to_show=True))
    finally:
        pool.close()
    assert np.array_equal(found.pixels, prepare(array_bytes(RAMP), GREY))
    assert found.rendition is not None


def test_a_format_that_processes_cannot_import_is_refused_before_the_service_starts() -> None:
    from overread.service.room.decoding import DecodingPool
    from overread.service.settings import Settings

    class Local(Npy):
        pass

    register_format(Local())
    with pytest.raises(InvalidOption, match="NPY cannot be sent to the processes"):
        DecodingPool(Settings(workers=1))


def test_all_of_ours_can_be_sent_to_a_process() -> None:
    assert [one.name for one in pickle.loads(pickle.dumps(formats()))] == [one.name for one in formats()]


def two_pages(tmp_path: Path) -> Path:
    first, second = (Image.fromarray(np.full((20, 20), level, np.uint8)) for level in (10, 200))
    first.save(tmp_path / "two.tif", save_all=True, append_images=[second])
    return tmp_path / "two.tif"


def test_a_frame_of_several_is_read_where_it_is_named(npy: None, tmp_path: Path) -> None:
    path = two_pages(tmp_path)
    with pytest.raises(UnreadableImage, match="holds 2 frames; one was expected"):
        prepare(path, GREY)
    assert [int(prepare(path, GREY, frame=k).max()) for k in (1, 2)] == [10, 200]
    content = array_bytes(np.stack([RAMP, 255 - RAMP]))
    with open_picture(content, frame=2) as picture:
        assert np.array_equal(picture.pixels(), DecodedPicture.of_values(255 - RAMP).pixels())


@pytest.mark.parametrize("frame", [0, 3, -1])
def test_a_frame_that_is_not_there_is_refused(frame: int, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match=f"holds 2 frames and no frame {frame}"):
        prepare(two_pages(tmp_path), GREY, frame=frame)


def test_a_file_of_one_frame_has_the_frame_1_only(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG"):
        stream = io.BytesIO()
        Image.new("L", (8, 8), 9).save(stream, kind)
        assert prepare(stream.getvalue(), GREY, frame=1).any()
        with pytest.raises(UnreadableImage, match="holds one frame and no frame 2"):
            prepare(stream.getvalue(), GREY, frame=2)


def test_a_frame_of_a_dicom_file_is_shown_through_its_own_window() -> None:
    pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset

    from support.dicom_files import dataset, file_bytes

    stored = np.arange(256, dtype=np.uint16).reshape(16, 16)
    ds = dataset(stored, NumberOfFrames=2)
    ds.PixelData = np.stack([stored, stored[::-1]]).tobytes()
    groups = []
    for centre in (50, 200):
        window = Dataset()
        window.WindowCenter, window.WindowWidth = centre, 100
        group = Dataset()
        group.FrameVOILUTSequence = [window]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    content = file_bytes(ds)
    for frame, values, centre in ((1, stored, 50), (2, stored[::-1], 200)):
        alone = file_bytes(dataset(np.ascontiguousarray(values), WindowCenter=centre, WindowWidth=100))
        assert np.array_equal(prepare(content, GREY, frame=frame), prepare(alone, GREY))
    with pytest.raises(UnreadableImage, match="holds 2 frames"):
        prepare(content, GREY)


def test_a_table_names_frames_and_they_are_cases_of_their_own(tmp_path: Path) -> None:
    two_pages(tmp_path)
    Image.new("L", (20, 20), 90).save(tmp_path / "one.png")
    table = tmp_path / "cases.csv"
    table.write_text("path,label,frame\ntwo.tif,A,1\ntwo.tif,B,2\none.png,B,\n")
    manifest = Manifest.from_csv(table)
    assert [case.frame for case in manifest.cases] == [1, 2, None]
    data_set = DataSet.open(manifest, GREY, folder=tmp_path / "store")
    assert [int(data_set.pixels([i]).max()) for i in range(3)] == [10, 200, 90]
    assert len(set(data_set.store.digests)) == 3
    manifest.write_csv(tmp_path / "again.csv")
    assert Manifest.from_csv(tmp_path / "again.csv").cases == manifest.cases


def test_a_plan_of_the_audit_keeps_the_frames(tmp_path: Path) -> None:
    two_pages(tmp_path)
    Image.new("L", (20, 20), 90).save(tmp_path / "one.png")
    (tmp_path / "cases.csv").write_text("path,label,frame,site\ntwo.tif,A,1,x\ntwo.tif,B,2,y\none.png,B,,y\n")
    manifest = Manifest.from_csv(tmp_path / "cases.csv")
    found, material = audit_manifest(manifest, folder=tmp_path / "store")
    draft_plan(found, material).write(tmp_path / "plan.csv", material)
    kept = Manifest.from_csv(tmp_path / "plan.csv").cases
    assert {case.full_name for case in kept} <= {case.full_name for case in manifest.cases}
    assert any(case.frame for case in kept)
    assert all(set(case.extra) == {"site"} for case in kept)


def test_a_table_without_frames_is_written_as_ever(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("path,label\na.png,A\nb.png,B\n")
    Manifest.from_csv(tmp_path / "cases.csv").write_csv(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text().splitlines()[0] == "path,label,patient_id,split"


@pytest.mark.parametrize("frame", ["0", "-1", "1.5", "first"])
def test_a_table_with_a_frame_that_is_no_number_is_refused_by_its_row(frame: str, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(f"path,label,frame\na.png,A,1\na.png,B,{frame}\n")
    with pytest.raises(InvalidData, match=r"row 3 of cases\.csv has the frame"):
        Manifest.from_csv(tmp_path / "cases.csv")


def test_every_failed_frame_of_a_file_is_named(tmp_path: Path) -> None:
    two_pages(tmp_path)
    (tmp_path / "cases.csv").write_text("path,label,frame\ntwo.tif,A,1\ntwo.tif,B,3\ntwo.tif,B,4\n")
    data_set = DataSet.open(
        Manifest.from_csv(tmp_path / "cases.csv"), GREY, folder=tmp_path / "store", skip_unreadable=True
    )
    assert set(data_set.failures) == {"two.tif (frame 3)", "two.tif (frame 4)"}


def test_the_versions_of_all_decoders_or_of_those_of_some_formats_are_known(npy: None) -> None:
    everything, png, own = decoder_versions(), decoder_versions(["PNG"]), decoder_versions(["NPY"])
    assert {"pillow", "simplejpeg", "numpy"} <= set(everything)
    assert set(png) == {"pillow", "numpy"}
    assert set(own) == {"pillow", "numpy", "format NPY"}
    assert set(decoder_versions(["DICOM"])) >= {"pydicom", "format DICOM"}
    assert everything["pillow"] == importlib.metadata.version("pillow")


@pytest.mark.parametrize("library, is_decoded_anew", [("pillow", True), ("simplejpeg", False), ("pydicom", False)])
def test_pixels_are_decoded_anew_after_an_upgrade_of_what_decoded_them(
    library: str, is_decoded_anew: bool, tmp_path: Path, two_classes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Manifest.from_folder(two_classes)
    before = DataSet.open(manifest, GREY, folder=tmp_path).store.path
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99" if name == library else version(name))
    assert (DataSet.open(manifest, GREY, folder=tmp_path).store.path != before) == is_decoded_anew


def test_a_limit_holds_for_the_call_that_gives_it_alone(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        stream = io.BytesIO()
        Image.new("L", (20, 20), 9).save(stream, kind)
        with (
            pytest.raises(UnreadableImage, match="declares 20 x 20 pixels; 1 to 399 were expected"),
            open_picture(stream.getvalue(), max_pixels=399) as picture,
        ):
            picture.pixels()
        assert prepare(stream.getvalue(), GREY).any()


def test_frames_of_one_file_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    rows = [f"{label}{i}.tif,{label},{frame}" for label in "AB" for i in range(40) for frame in (1, 2)]
    (tmp_path / "cases.csv").write_text("\n".join(["path,label,frame", *rows]))
    cases = split_cases(Manifest.from_csv(tmp_path / "cases.csv")).manifest.cases
    assert len({(case.name, case.split) for case in cases}) == len({case.name for case in cases})
