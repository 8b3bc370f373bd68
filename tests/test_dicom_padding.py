"""Padding of DICOM frames, and what lossy compression makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.dicom_files import dataset, file_bytes

pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.uid import JPEG2000  # noqa: E402

from overread.formats import open_picture  # noqa: E402

SIDE = 128
CORNERS = np.hypot(*np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]) > 1


def scan(padded_with: int | None = -2000) -> np.ndarray:
    """A round slice of soft tissue and bone in air, as a CT has it."""
    rng = np.random.default_rng(0)
    inner = np.hypot(*np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j])
    values = np.where(inner < 0.7, 40, -1000) + rng.normal(0, 12, (SIDE, SIDE))
    values[(inner > 0.55) & (inner < 0.6)] = 900
    if padded_with is not None:
        values[CORNERS] = padded_with
    return np.rint(values).astype(np.int16)


def padded(stored: np.ndarray, value: int = -2000, vr: str = "SS", **elements) -> Dataset:
    ds = dataset(stored, **elements)
    ds.add_new("PixelPaddingValue", vr, value)
    return ds


def shown(ds: Dataset) -> np.ndarray:
    with open_picture(file_bytes(ds)) as picture:
        return picture.pixels().astype(int)


def lossily(stored: np.ndarray, ratio: float, **elements) -> Dataset:
    ds = padded(stored, **elements)
    ds.compress(JPEG2000, arr=stored, j2k_cr=[ratio], generate_instance_uid=False)
    return ds


@pytest.mark.parametrize("ratio", [2, 4, 8])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_that_was_smeared_by_compression_is_left_out_of_the_window(ratio: float, photometric: str) -> None:
    lossless = shown(padded(scan(), PhotometricInterpretation=photometric))
    lossy = shown(lossily(scan(), ratio, PhotometricInterpretation=photometric))
    assert np.abs(lossy - lossless)[~CORNERS].mean() < 4
    assert np.mean(lossy[CORNERS] == 0) > 0.97


def test_pixels_that_were_lossily_compressed_before_they_were_stored_plainly_are_no_different() -> None:
    smeared = scan() + np.random.default_rng(1).integers(-9, 10, (SIDE, SIDE)).astype(np.int16)
    lossy = shown(padded(smeared, LossyImageCompression="01"))
    assert np.abs(lossy - shown(padded(scan())))[~CORNERS].mean() < 4
    # Without loss only the value itself is padding.
    assert np.abs(shown(padded(smeared)) - shown(padded(scan())))[~CORNERS].mean() > 20


@pytest.mark.parametrize("value", [-2000, -1024, 0, 40])
def test_an_image_without_padding_stays_whole_whatever_value_is_declared_for_it(value: int) -> None:
    whole = scan(None)
    lossy, plain = (dataset(whole, LossyImageCompression=flag) for flag in ("01", "00"))
    lossy.add_new("PixelPaddingValue", "SS", value)
    plain.add_new("PixelPaddingValue", "SS", value)
    assert np.abs(shown(lossy) - shown(plain)).mean() < 2


def test_air_next_to_the_value_of_padding_stays_in_the_window() -> None:
    lossless = shown(padded(scan(-1024), -1024))
    smeared = scan(-1024) + np.random.default_rng(1).integers(-2, 3, (SIDE, SIDE)).astype(np.int16)
    assert np.abs(shown(padded(smeared, -1024, LossyImageCompression="01")) - lossless).mean() < 4


def test_a_smooth_histogram_from_padding_on_keeps_its_dark_pixels() -> None:
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    ramp[:20] = 0
    assert np.array_equal(shown(padded(ramp, 0, "US", LossyImageCompression="01")), shown(padded(ramp, 0, "US")))


@pytest.mark.parametrize(
    "stored, value, vr", [(scan(), 63536, "US"), (scan().astype(np.uint16), -2000, "SS"), (scan(), -2000, "SS")]
)
def test_padding_is_found_by_its_bits_whichever_sign_it_was_written_with(
    stored: np.ndarray, value: int, vr: str
) -> None:
    assert not shown(padded(stored, value, vr))[CORNERS].any()


def test_a_range_of_padding_across_zero_hides_no_more_than_it_says() -> None:
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    ds = padded(stored, -100)
    ds.add_new("PixelPaddingRangeLimit", "SS", 50)
    levels = shown(ds)
    assert not levels[stored <= 50].any()
    assert levels[stored > 100].min() > 0


def test_white_of_8_bits_is_no_padding_of_16() -> None:
    stored = np.full((8, 8), 255, np.uint8)
    assert shown(padded(stored, 65535, "US")).min() == 255


@pytest.mark.parametrize("name", ["CT_GE_gantry_tilt/11.dcm", "highdicom/ct_image.dcm"])
def test_a_real_scan_looks_the_same_after_lossy_compression(shared_data: Path, name: str) -> None:
    ds = pydicom.dcmread(shared_data / "dicom_series" / name)
    stored = ds.pixel_array
    for keyword in ("WindowCenter", "WindowWidth"):
        ds.pop(keyword, None)
    lossless = shown(ds)
    ds.compress(JPEG2000, arr=stored, j2k_cr=[10], generate_instance_uid=False)
    assert np.abs(shown(ds) - lossless).mean() < 3
