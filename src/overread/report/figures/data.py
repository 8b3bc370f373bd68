"""Images as the network is given them: samples of each class, and what augmentation makes of some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import drawing, wrapped, write_png
from overread.report.figures.images import Pixels, image_grid

IMAGES_PER_CLASS = 8


@drawing
def draw_samples(
    take: Callable[[npt.NDArray[np.int64]], Pixels],
    members: Mapping[str, Sequence[int]],
    *,
    path: str | Path,
    seed: int = 0,
) -> Path:
    """Draw up to 8 images of each class, a row a class under its name, drawn at random without repeats.

    Args:
        take: gives `(k, height, width, channels)` uint8 of 1 or 3 channels for k positions, so that a large data set
            need not be in memory.
        members: by the name of each class, the positions of its images, one or more.
        path: without a suffix; the CSV holds class, count.
        seed: of the draw.

    Raises:
        InvalidData: there is no class, or one has no image.
    """
    if not members or not all(map(len, members.values())):
        raise InvalidData("there are no images to show: give the position of one or more of each class")
    random = np.random.default_rng(seed)
    rows, titles = [], []
    for name, positions in members.items():
        chosen = random.choice(positions, min(IMAGES_PER_CLASS, len(positions)), replace=False)
        rows.append(take(np.sort(chosen)))
        titles.append(wrapped(f"{name} (n = {len(positions):,})"))
    figure = image_grid(rows, titles)
    write_csv(Path(f"{path}.csv"), ("class", "count"), ((name, len(positions)) for name, positions in members.items()))
    return write_png(path, figure)


@drawing
def draw_augmentation(originals: npt.NDArray[Any], variants: npt.NDArray[Any], *, path: str | Path) -> Path:
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
    figure = image_grid(rows, ["original", *[""] * (len(rows) - 1)])
    if variants.shape[1]:
        figure.axes[1].set_title("augmented", loc="left", fontsize=10, pad=4)
    return write_png(path, figure)
