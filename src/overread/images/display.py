"""An image as a human looks at it: at most so many pixels, and with the values that a window can be moved over.

No network ever sees these pixels: its own come from `images.prepare`.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from PIL import Image

from overread.formats import GreyValues, Picture, is_coloured

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


def display(picture: Picture, side: int) -> Displayed:
    """Make a picture ready to be looked at.

    Args:
        picture: of a file that is open.
        side: the most pixels that width and height may have.

    Raises:
        UnreadableImage: it gives no pixels.
    """
    pixels, grey = picture.pixels(functools.partial(_fitted, side=side)), picture.grey_values()
    height, width = pixels.shape[:2]
    size = _fitted((width, height), side)
    values = None if grey is None else _shrunk(_filled(grey), size)
    return Displayed(
        pixels=_shrunk(pixels, size),
        size=(width, height),
        values=values,
        windows=_windows(grey) if grey else {} if is_coloured(pixels) else {STORED: (0.0, 255.0)},
        inverted=grey is not None and grey.inverted,
    )


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _filled(grey: GreyValues) -> np.ndarray:
    """Values where each position without one has what is shown black."""
    low, high = _ends(grey.values)
    return np.nan_to_num(grey.values, nan=high if grey.inverted else low).astype(np.float32)


def _ends(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _windows(grey: GreyValues) -> dict[str, tuple[float, float]]:
    return {**grey.windows, FULL_RANGE: _ends(grey.values)}
