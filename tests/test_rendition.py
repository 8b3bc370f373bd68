"""Uploads as the page shows them: the same picture that a viewer shows, and the values behind it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from overread.errors import UnreadableImage
from overread.formats import open_picture
from overread.images import Preprocessing, prepare
from overread.service.room.rendition import SIDE, Rendition
from overread.service.room.rendition import render as render_picture
from support.dicom_files import dataset, file_bytes


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def render(content: bytes) -> Rendition:
    with open_picture(content) as picture:
        return render_picture(picture)


def shown(rendition: Rendition) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(rendition.png)))


def values(rendition: Rendition) -> np.ndarray:
    """As the browser unpacks them."""
    assert rendition.values is not None and rendition.values.png is not None
    packed = np.asarray(Image.open(io.BytesIO(rendition.values.png))).astype(np.int64)
    return rendition.values.start + rendition.values.step * (256 * packed[..., 0] + packed[..., 1])


def windowed(rendition: Rendition) -> np.ndarray:
    """As the canvas draws the first window."""
    assert rendition.values is not None
    low, high = next(iter(rendition.values.windows.values()))
    levels = np.clip((values(rendition) - low) * 255 / (high - low), 0, 255)
    return 255 - levels if rendition.values.inverted else levels


RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def test_stored_values_survive_the_packing_exactly_with_the_rescale_of_the_header() -> None:
    found = render(file_bytes(dataset(RAMP, BitsStored=12, RescaleSlope=2, RescaleIntercept=-1024)))
    assert np.array_equal(values(found), RAMP * 2.0 - 1024)


@pytest.mark.parametrize(
    "header",
    [
        {"WindowCenter": 2000, "WindowWidth": 1000},
        {"WindowCenter": [600, 2000], "WindowWidth": [300, 1000]},
        {"WindowCenter": 2000, "WindowWidth": 1000, "VOILUTFunction": "LINEAR_EXACT"},
        {"WindowCenter": 2000, "WindowWidth": 1000, "PhotometricInterpretation": "MONOCHROME1"},
        {"BitsStored": 12},
        {"BitsStored": 12, "RescaleType": "HU", "RescaleIntercept": -1024, "RescaleSlope": 1},
    ],
)
def test_the_first_window_over_the_values_is_the_picture_itself(header: dict) -> None:
    found = render(file_bytes(dataset(RAMP, **header)))
    assert np.abs(windowed(found) - shown(found)).max() <= 1
    assert "Full range" in found.values.windows  # type: ignore[union-attr]
    assert ("Lung" in found.values.windows) == ("RescaleType" in header)  # type: ignore[union-attr]


def test_padding_stays_black_in_every_window() -> None:
    stored = RAMP.copy()
    stored[:8] = 4000
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        ds = dataset(stored, BitsStored=12, PixelPaddingValue=4000, PhotometricInterpretation=photometric)
        found = render(file_bytes(ds))
        assert shown(found)[:8].max() == 0
        assert windowed(found)[:8].max() <= 1


def test_large_images_are_made_smaller_with_their_values() -> None:
    stored = np.tile(np.arange(2048, dtype=np.uint16), (512, 1))
    found = render(file_bytes(dataset(stored, BitsStored=11, WindowCenter=1024, WindowWidth=2048)))
    assert (found.width, found.height, found.stored) == (SIDE, SIDE // 4, (2048, 512))
    assert values(found).shape == shown(found).shape == (SIDE // 4, SIDE)
    assert np.abs(windowed(found) - shown(found)).max() <= 2


def test_deep_grey_png_has_values_and_colour_has_none() -> None:
    deep = render(encoded(RAMP))
    assert np.array_equal(values(deep), RAMP)
    grey = render(encoded(RAMP.astype(np.uint8)))
    assert grey.values is not None and grey.values.png is None
    assert grey.values.windows == {"As stored": (0.0, 255.0)}
    colour = np.zeros((8, 8, 3), np.uint8)
    colour[..., 0] = 200
    assert render(encoded(colour)).values is None


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_has_no_rendition(content: bytes) -> None:
    with pytest.raises(UnreadableImage):
        render(content)


def test_real_files_look_as_they_are_decoded(shared_data: Path) -> None:
    for name in ("693_UNCI.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "JPEG-LL.dcm"):
        content = (shared_data / "dicom" / name).read_bytes()
        found = render(content)
        width, height = found.stored
        stored = prepare(content, Preprocessing(width=width, height=height, channels=1))
        assert np.array_equal(shown(found), stored[..., 0])
        assert np.abs(windowed(found) - shown(found)).max() <= 1
