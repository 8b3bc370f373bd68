"""An image as a human looks at it: at most so many pixels, and with the values that a window can be moved over.

No network ever sees these pixels: its own come from `images.prepare`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from overread.errors import UnreadableImage
from overread.formats import dicom, raster

STORED = "As stored"
FULL_RANGE = "Full range"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Displayed:
    """One image, upright, made smaller where it is larger than asked for.

    Args:
        pixels: `(height, width)` or `(height, width, 3)` uint8, as a viewer would first show it.
        size: stored (width, height), upright.
        values: `(height, width)` float32 of a grey image deeper than 8 bits or of a DICOM; None for any other.
        windows: (low, high) by name, for the values or, without them, for grey pixels; empty for colour.
        inverted: whether low values are shown bright.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    values: np.ndarray | None
    windows: dict[str, tuple[float, float]]
    inverted: bool


def display(content: bytes, name: str, side: int) -> Displayed:
    """Decode a file for display.

    Args:
        content: PNG, JPEG, TIFF, BMP, WebP or single-frame DICOM.
        name: the file's name, which tells a DICOM file that lacks its preamble.
        side: the most pixels that width and height may have.

    Raises:
        UnreadableImage: it gives no pixels.
        MissingExtra: it is DICOM and pydicom is not installed.
    """
    if not content:
        raise UnreadableImage("is empty (0 bytes): copy it again from where it came")
    with raster.opened(content) as stream:
        if dicom.claims_to_be(content[: dicom.HEAD_LENGTH], name):
            pixels, deep = dicom.decode_deep(stream)
        else:
            pixels = raster.decode(stream, lambda size: _fitted(size, side))
            stream.seek(0)
            deep = raster.deep(stream)
    height, width = pixels.shape[:2]
    size = _fitted((width, height), side)
    values = None if deep is None else _shrunk(_filled(deep), size)
    return Displayed(
        pixels=_shrunk(pixels, size),
        size=(width, height),
        values=values,
        windows=_windows(deep) if deep else {} if raster.is_coloured(pixels) else {STORED: (0.0, 255.0)},
        inverted=deep is not None and deep.inverted,
    )


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _filled(deep: raster.Deep) -> np.ndarray:
    """Values where each position without one has what is shown black."""
    low, high = _ends(deep.values)
    return np.nan_to_num(deep.values, nan=high if deep.inverted else low).astype(np.float32)


def _ends(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _windows(deep: raster.Deep) -> dict[str, tuple[float, float]]:
    return {**deep.windows, FULL_RANGE: _ends(deep.values)}
