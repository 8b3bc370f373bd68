"""What figures of images share: rows of images, and images beside themselves with the evidence tinted in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.reading.pictures import tint
from overread.report.figures.canvas import axes_at, drawing, new_figure, wrapped, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]

CELL_INCHES = 0.74
PAIR_INCHES = 1.5
GAP_INCHES = 0.05
LINE_INCHES = 0.17  # of text of 10 points
DOTS_PER_INCH = 170  # images deserve more than lines


@dataclasses.dataclass(frozen=True, eq=False)
class ImageWithEvidence:
    """An image and the evidence in it, for `draw_mistakes` and `draw_mean_maps`.

    Args:
        pixels: `(height, width, channels)` uint8, 1 or 3 channels, as the network saw it.
        activation_map: `(h, w)` finite numbers, the evidence for a class.
        caption: such as "case 12: NORMAL, read as PNEUMONIA (0.98)"; it is broken into lines.

    Raises:
        InvalidData: a shape that does not fit, or a map that is not finite.
    """

    pixels: Pixels
    activation_map: npt.NDArray[Any]
    caption: str

    def __post_init__(self) -> None:
        tint(self.pixels, self.activation_map)


@drawing
def draw_image_rows(rows: Sequence[Pixels], titles: Sequence[str], *, path: str | Path) -> Path:
    """Draw images in rows, each row under its title; an empty title takes no space.

    Args:
        rows: one or more of `(k, height, width, channels)` uint8 each, all of one size.
        titles: one a row.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: no row, or not one title each.
    """
    if not rows or len(rows) != len(titles):
        raise InvalidData(f"there are {len(rows)} rows of images and {len(titles)} titles: give one title each")
    return write_png(path, image_grid(list(rows), [wrapped(title) for title in titles]))


def draw_pairs(shown: Sequence[ImageWithEvidence], path: str | Path, border: float = 0) -> Path:
    """Draw each image beside itself with the evidence tinted in, two such pairs a row.

    Args:
        shown: one or more.
        path: without a suffix; there is no CSV.
        border: share of each side that is marked by a line; 0 for none.
    """
    captions = [wrapped(item.caption, 34) for item in shown]
    side = PAIR_INCHES
    tallest = side * max(item.pixels.shape[0] / item.pixels.shape[1] for item in shown)
    step = tallest + LINE_INCHES * (1 + max(caption.count("\n") for caption in captions)) + 0.25
    rows = -(-len(shown) // 2)
    figure = new_figure(4 * side + 0.35, step * rows, dots_per_inch=DOTS_PER_INCH)
    for number, (item, caption) in enumerate(zip(shown, captions, strict=True)):
        left, bottom = (2 * side + 0.3) * (number % 2), step * (rows - 1 - number // 2)
        for place, pixels in enumerate((item.pixels, np.asarray(tint(item.pixels, item.activation_map)))):
            axis = axes_at(figure, (left + place * (side + GAP_INCHES), bottom, side, tallest))
            _show(axis, pixels, "" if place else caption)
            if border and place:
                _draw_border(axis, pixels, border)
    return write_png(path, figure)


def image_grid(rows: Sequence[npt.NDArray[Any]], titles: Sequence[str]) -> Figure:
    """Lay out rows of images of 0 to 255, all of one size, each row under its title; an empty title takes no space."""
    pitch, height = CELL_INCHES + GAP_INCHES, CELL_INCHES * rows[0].shape[1] / rows[0].shape[2]
    above = [LINE_INCHES * (title.count("\n") + 1) + 0.1 if title else 0 for title in titles]
    bottom = sum(above) + len(rows) * (height + GAP_INCHES)
    figure = new_figure(pitch * max(map(len, rows)), bottom, dots_per_inch=DOTS_PER_INCH)
    for images, title, space in zip(rows, titles, above, strict=True):
        bottom -= space + height + GAP_INCHES
        for column, image in enumerate(images):
            pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
            _show(axes_at(figure, (pitch * column, bottom, CELL_INCHES, height)), pixels, "" if column else title)
    return figure


def _draw_border(axis: Axes, pixels: Pixels, share: float) -> None:
    height, width = pixels.shape[:2]
    left, right, top, bottom = share * width, (1 - share) * width, share * height, (1 - share) * height
    axis.plot([left, right, right, left, left], [top, top, bottom, bottom, top], "w--", linewidth=0.8)


def _show(axis: Axes, pixels: Pixels, title: str) -> None:
    axis.set_axis_off()
    axis.set_anchor("N")
    axis.set_title(title, loc="left", fontsize=10, pad=4)
    axis.imshow(pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255)
