"""Which files are images by their content, and what the others are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.cases import images_below
from overread.formats import REGISTERED, kind_of_other
from overread.reading import find_images
from support.dicom_files import dataset, file_bytes
from support.image_files import png
from support.npy_format import Npy

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 48213\n"
GREY = np.zeros((8, 8), np.uint8)


@pytest.mark.parametrize(
    "name", ["a.IMA", "a.img", "a", "IM_0001", "a.001", "a.txt", "a.jfif", "a.JPE", "trail.jpeg ", "a.png.bak", "a.dat"]
)
def test_content_decides_on_a_file_whatever_its_name(name: str, tmp_path: Path) -> None:
    kinds = [png(), file_bytes(dataset(GREY))]
    for content in kinds:
        (tmp_path / name).write_bytes(content)
        assert kind_of_other(tmp_path / name) is None
        assert images_below(tmp_path) == find_images(str(tmp_path)) == [tmp_path / name]
        assert find_images(str(tmp_path / "*")) == [tmp_path / name]
    (tmp_path / name).write_bytes(b"text of an image that was damaged")
    assert (kind_of_other(tmp_path / name) is None) == name.strip().lower().endswith((".jfif", ".jpe", ".jpeg"))


@pytest.mark.parametrize("text", [b"BM 4 of the Red Cross is a form", b"II. Methods", b"MM and others", b"RIFF"])
def test_a_text_is_no_image_by_its_first_letters(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(text)
    assert kind_of_other(tmp_path / "notes") is not None


@pytest.mark.parametrize(
    ("name", "content", "noun"),
    [
        ("a", b"NRRD0005", "NRRD volume"), ("a.mhd", b"NDims = 3", "MetaImage volume"),
        ("a.qptiff", b"II*\0", "Akoya slide"), ("a.CZI", b"ZISRAWFILE", "Zeiss slide"),
        ("a.dng", b"MM\0*", "camera raw file"),
        ("a.npy", b"\x93NUMPY", "NumPy file"), ("a.mat", b"MATLAB 5.0 MAT-file", "MATLAB file"),
        ("a.mp4", b"\0\0\0\x20ftypisom", "MP4 video"), ("a", b"\0\0\0\x20ftypheic", "HEIC image"),
        ("a.pdf", b"%PDF", "PDF file"),
        ("a", b"PK\3\4", "zip archive"), ("a.xlsx", b"PK\3\4", ""), ("a.gif", b"GIF89a", "GIF image"),
        ("a.csv", b"a,b", ""),
        ("a.jp2", b"\0\0\0\x0cjP  ", "JPEG 2000 image"), ("a.img", bytes(500), "Analyze volume"), ("a", b"", ""),
        ("a.png", POINTER, "git LFS pointer"), ("a.dcm", POINTER, "git LFS pointer"),
        ("a.png", b"/annex/objects/SHA256E-s1--0.png\n", "git-annex pointer"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_read_is_called_by_its_kind(name: str, content: bytes, noun: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    kind = kind_of_other(tmp_path / name)
    assert kind is not None
    assert kind.noun == noun


@pytest.mark.parametrize(
    ("sop_class", "noun"),
    [
        ("1.2.840.10008.1.3.10", "DICOM directory file"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "DICOM structured report"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "DICOM key object selection"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "DICOM presentation state"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "DICOM RT structure set"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "DICOM segmentation"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "DICOM encapsulated document"),
        ("1.3.12.2.1107.5.9.1", "DICOM private object"),
        ("1.2.840.10008.5.1.4.1.1.481.1", None),
        ("1.2.840.10008.5.1.4.1.1.2", None),
        ("1.2.840.10008.5.1.4.1.1.7", None),
    ],
)
def test_dicom_objects_without_an_image_are_told_by_their_class(
    sop_class: str, noun: str | None, tmp_path: Path
) -> None:
    ds = dataset(GREY, SOPClassUID=sop_class)
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    (tmp_path / "1.dcm").write_bytes(file_bytes(ds))
    kind = kind_of_other(tmp_path / "1.dcm")
    assert (kind.noun if kind else None) == noun


def test_a_format_of_ones_own_keeps_what_it_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slides(Npy):
        name, suffixes = "slides", (".vsi",)

        def sniff(self, head: bytes, name: str) -> bool:
            return name.endswith(".vsi")

    (tmp_path / "a.VSI").write_bytes(b"II*\0")
    assert kind_of_other(tmp_path / "a.VSI") is not None
    monkeypatch.setitem(REGISTERED, "slides", Slides())
    assert kind_of_other(tmp_path / "a.VSI") is None
