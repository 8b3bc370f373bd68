"""DICOM files whose pixels are JPEG Extended of 12 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.errors import UnreadableImage
from overread.formats import open_picture
from overread.formats.codestreams.jpeg12 import decode_jpeg12
from support.dicom_files import dataset, file_bytes
from support.jpeg12 import encode_jpeg12

pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.encaps import encapsulate  # noqa: E402

NOISE = np.random.default_rng(0)
IMAGES = {
    "dark": np.clip(NOISE.normal(20, 30, (44, 61)), 0, 4095).astype(int),
    "bright": np.clip(NOISE.normal(4080, 30, (64, 64)), 0, 4095).astype(int),
    "extremes": np.where(NOISE.random((40, 56)) > 0.5, 4095, 0),
    "smooth": np.add.outer(np.arange(100), np.arange(90)) * 20,
}


def dicom(*codestreams: bytes, shape: tuple[int, int], **elements) -> bytes:
    ds = dataset(np.zeros(shape, np.uint16), BitsStored=12, **elements)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.51"
    ds.PixelData = encapsulate(list(codestreams))
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return file_bytes(ds)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("step", [1, 8])
@pytest.mark.parametrize("interval", [0, 5])
def test_pixels_come_back_to_within_the_quantiser(name: str, step: int, interval: int) -> None:
    image = IMAGES[name]
    decoded = decode_jpeg12(encode_jpeg12(image, step=step, interval=interval))
    assert decoded.dtype == np.uint16
    assert np.abs(decoded.astype(int) - image).max() <= 1 + step * 1.5


def test_a_file_is_shown_through_its_window_as_the_plain_one_and_each_of_its_frames() -> None:
    image = IMAGES["smooth"]
    window = {"WindowCenter": 1500, "WindowWidth": 1000, "RescaleSlope": 1, "RescaleIntercept": 0}
    with open_picture(file_bytes(dataset(image.astype(np.uint16), BitsStored=12, **window))) as picture:
        plain = picture.pixels().astype(int)
    content = dicom(encode_jpeg12(image[::-1]), encode_jpeg12(image), shape=image.shape, NumberOfFrames=2, **window)
    with open_picture(content, frame=2) as picture:
        assert np.abs(picture.pixels() - plain).max() <= 2


def test_signed_pixels_keep_their_sign() -> None:
    image = IMAGES["smooth"]
    stored = (image - 2048).astype(np.int16)
    signed = dicom(encode_jpeg12(stored & 4095), shape=image.shape, PixelRepresentation=1)
    with open_picture(signed) as picture, open_picture(file_bytes(dataset(stored, BitsStored=12))) as plain:
        away = np.abs(picture.grey_values().values - plain.grey_values().values)
        # Where the bits wrap around, the codestream has an edge that it smears.
        assert np.median(away) <= 2


def test_gdcm_reads_the_same(tmp_path: Path) -> None:
    gdcm = pytest.importorskip("gdcm", reason="an independent decoder, of python-gdcm")
    image = IMAGES["dark"]
    codestream = encode_jpeg12(image, step=6)
    (tmp_path / "a.dcm").write_bytes(dicom(codestream, shape=image.shape))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "a.dcm"))
    assert reader.Read()
    buffer = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    theirs = np.frombuffer(buffer, "<u2").reshape(image.shape).astype(int)
    assert np.abs(decode_jpeg12(codestream) - theirs).max() <= 1


def test_damage_another_size_and_other_processes_are_refused() -> None:
    image = IMAGES["dark"]
    content = encode_jpeg12(image, interval=9)
    with pytest.raises(UnreadableImage, match="another size"), open_picture(dicom(content, shape=(99, 61))):
        pass
    with pytest.raises(UnreadableImage, match="a process that is not read"):
        decode_jpeg12(content.replace(b"\xff\xc1", b"\xff\xc2", 1))
    with pytest.raises(UnreadableImage, match="not grey of 12 bits"):
        decode_jpeg12(content.replace(b"\xff\xc1\0\x0b\x0c", b"\xff\xc1\0\x0b\x08", 1))
    for cut in (len(content) // 2, 700, 40):
        cut_short = dicom(content[:cut], shape=image.shape)
        with pytest.raises(UnreadableImage, match="JPEG"), open_picture(cut_short) as picture:
            picture.pixels()
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(2, len(damaged), 3):
            damaged[place] = rng.integers(256)
        try:
            with open_picture(dicom(bytes(damaged), shape=image.shape)) as picture:
                assert picture.pixels().shape == image.shape
        except UnreadableImage as error:
            assert "JPEG" in str(error) or "DICOM" in str(error)
