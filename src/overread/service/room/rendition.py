"""An upload as the page shows it: a PNG, and for grey images the values that the browser moves a window over."""

from __future__ import annotations

import base64
import dataclasses
import io

import numpy as np
from PIL import Image

from overread.formats import Picture
from overread.images.display import display

SIDE = 1024
# Radiographs of 1024 px are written 3 to 8 times as fast as by the default level, 5 to 23 % larger (November 2026).
_COMPRESSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Values:
    """Grey values as a PNG that a canvas can read: `start + step * (256 * red + green)`, opaque and without gamma.

    Args:
        png: of the size of the rendition; of 8-bit images None, whose display PNG holds the value in every channel.
        start: the lowest value.
        step: between neighbouring codes.
        windows: (low, high) by name; the first is what the display PNG was made with.
        inverted: whether low values are shown bright.
    """

    png: bytes | None
    start: float
    step: float
    windows: dict[str, tuple[float, float]]
    inverted: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rendition:
    """What the page shows of one upload; it can be sent between processes and is never kept.

    Args:
        png: 8-bit, at most `SIDE` pixels wide and high.
        width: of the PNG.
        height: of the PNG.
        stored: width and height of the upload itself.
        values: of grey images; None for colour.
    """

    png: bytes
    width: int
    height: int
    stored: tuple[int, int]
    values: Values | None


def render(picture: Picture) -> Rendition:
    """Make the picture of an upload ready for the page; the pixels that the network reads are made apart from these.

    Raises:
        UnreadableImage: it gives no pixels.
    """
    shown = display(picture, SIDE)
    height, width = shown.pixels.shape[:2]
    values = None
    if shown.values is not None:
        start, step, packed = _packed(shown.values)
        values = Values(png=png(packed), start=start, step=step, windows=shown.windows, inverted=shown.inverted)
    elif shown.windows:
        values = Values(png=None, start=0.0, step=1.0, windows=shown.windows, inverted=False)
    return Rendition(png=png(shown.pixels), width=width, height=height, stored=shown.size, values=values)


def png(pixels: np.ndarray) -> bytes:
    """`(height, width)` or `(height, width, 3 or 4)` uint8 as a PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=_COMPRESSION)
    return stream.getvalue()


def data_uri(content: bytes) -> str:
    """A PNG inside the page."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _packed(values: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Start, step and `(height, width, 3)` uint8 whose red and green hold 16-bit codes."""
    start, end = float(values.min()), float(values.max())
    # Whole values in a range that 16 bits hold keep their exact codes.
    step = 1.0 if end - start <= 65535 and np.array_equal(values, np.rint(values)) else (end - start) / 65535 or 1.0
    codes = np.rint((values.astype(np.float64) - start) / step).astype(np.uint16)
    return start, step, np.stack([codes >> 8, codes & 255, np.zeros_like(codes)], axis=2).astype(np.uint8)
