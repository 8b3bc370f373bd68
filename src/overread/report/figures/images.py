"""Plots of images: samples of each class, what augmentation makes of them, evidence tinted in, the worst mistakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.reading.pictures import tint
from overread.report.figures.canvas import axes_at, new_figure, wrapped, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]

IMAGES_PER_CLASS = 8
CELL_INCHES = 0.74
MOST_MISTAKES = 12
MISTAKE_INCHES = 1.5
GAP_INCHES = 0.05
LINE_INCHES = 0.17  # of text of 10 points
DOTS_PER_INCH = 170  # images deserve more than lines


@dataclasses.dataclass(frozen=True, eq=False)
class ImageWithEvidence:
    """An image and the evidence in it, for `mistakes` and `mean_maps`.

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


def sample_images(
    take: Callable[[npt.NDArray[np.int64]], Pixels], labels: Sequence[str], *, path: str | Path, seed: int = 0
) -> Path:
    """Draw up to 8 images of each class, a row a class under its name, drawn at random without repeats.

    Args:
        take: gives `(k, height, width, channels)` uint8 of 1 or 3 channels for k positions among the labels, so that a
            large data set need not be in memory.
        labels: the class name of every image.
        path: without a suffix; the CSV holds class, count.
        seed: of the draw.

    Raises:
        InvalidData: there is no label.
    """
    if not len(labels):
        raise InvalidData("there are no images to show: give one label or more")
    random = np.random.default_rng(seed)
    names, class_of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    rows, titles, counts = [], [], np.bincount(class_of)
    for index, name in enumerate(names.tolist()):
        members = np.flatnonzero(class_of == index)
        chosen = random.choice(members, min(IMAGES_PER_CLASS, len(members)), replace=False)
        rows.append(take(np.sort(chosen)))
        titles.append(wrapped(f"{name} (n = {counts[index]:,})"))
    figure = _image_grid(rows, titles)
    write_csv(Path(f"{path}.csv"), ("class", "count"), zip(names.tolist(), counts.tolist(), strict=True))
    return write_png(path, figure)


def augmented_previews(originals: npt.NDArray[Any], variants: npt.NDArray[Any], *, path: str | Path) -> Path:
    """Draw each original image and, to its right, what augmentation makes of it.

    Args:
        originals: `(n, height, width, channels)` of 0 to 255.
        variants: `(n, n_variants, height, width, channels)` of 0 to 255.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: no image, or a number of originals that differs.
    """
    if len(originals) == 0 or len(originals) != len(variants):
        raise InvalidData(
            f"there are {len(originals)} originals and {len(variants)} sets of variants: give one set each"
        )
    rows = [np.concatenate([original[None], changed]) for original, changed in zip(originals, variants, strict=True)]
    figure = _image_grid(rows, ["original", *[""] * (len(rows) - 1)])
    if variants.shape[1]:
        figure.axes[1].set_title("augmented", loc="left", fontsize=10, pad=4)
    return write_png(path, figure)


def image_rows(rows: Sequence[Pixels], titles: Sequence[str], *, path: str | Path) -> Path:
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
    return write_png(path, _image_grid(list(rows), [wrapped(title) for title in titles]))


def mistakes(items: Sequence[ImageWithEvidence], *, path: str | Path) -> Path:
    """Draw images that were read wrongly, each beside itself with the evidence tinted in, two such pairs a row.

    Args:
        items: the first 12 are drawn, so give the most confident first.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: there is no mistake.
    """
    if not items:
        raise InvalidData("there is no mistake to show: leave this figure out where every case was read rightly")
    return _draw_pairs(items[:MOST_MISTAKES], path)


def mean_maps(items: Sequence[ImageWithEvidence], *, border: float, path: str | Path) -> Path:
    """Draw the mean image of each class, beside itself with the mean evidence tinted in, and the border as a line.

    Args:
        items: one a class.
        border: share of each side that counts as border.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: there is no class.
    """
    if not items:
        raise InvalidData("there is no mean map to show: leave this figure out where no image was decided on")
    return _draw_pairs(items, path, border)


def _draw_pairs(shown: Sequence[ImageWithEvidence], path: str | Path, border: float = 0) -> Path:
    captions = [wrapped(item.caption, 34) for item in shown]
    side = MISTAKE_INCHES
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
                height, width = pixels.shape[:2]
                left, right, top, bottom = border * width, (1 - border) * width, border * height, (1 - border) * height
                axis.plot([left, right, right, left, left], [top, top, bottom, bottom, top], "w--", linewidth=0.8)
    return write_png(path, figure)


def _image_grid(rows: Sequence[npt.NDArray[Any]], titles: Sequence[str]) -> Figure:
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


def _show(axis: Axes, pixels: Pixels, title: str) -> None:
    axis.set_axis_off()
    axis.set_anchor("N")
    axis.set_title(title, loc="left", fontsize=10, pad=4)
    axis.imshow(pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255)
