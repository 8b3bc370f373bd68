"""Thin bright strokes that stand out from what surrounds them, joined to pieces: what machines write with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

# In grey levels: a stroke stands out by so much, somewhere in each piece by more, and is at least so bright. Ribs and
# bones of chest_xray stand out by 85 at most where they are as thin as a stroke (7 of 224 pixels).
_WIDEST, _STANDS_OUT, _SOMEWHERE, _BRIGHT = 7, 64, 100, 90


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Connected pieces of stroke, or rows of them, each `(n,)`; ordered by image.

    Args:
        image: of which plane.
        top: the first row of its box.
        left: the first column.
        bottom: the row after the last.
        right: the column after the last.
        area: pixels of stroke.
        contrast: by how many grey levels it stands out, on average.
    """

    image: np.ndarray
    top: np.ndarray
    left: np.ndarray
    bottom: np.ndarray
    right: np.ndarray
    area: np.ndarray
    contrast: np.ndarray

    def __len__(self) -> int:
        return len(self.image)

    @property
    def height(self) -> np.ndarray:
        """Rows of the box."""
        return self.bottom - self.top

    @property
    def width(self) -> np.ndarray:
        """Columns of the box."""
        return self.right - self.left

    @property
    def fill(self) -> np.ndarray:
        """The share of the box that is stroke."""
        return self.area / (self.height * self.width)

    @classmethod
    def together(cls, parts: Sequence[Pieces]) -> Pieces:
        """Those of several."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    @property
    def turned(self) -> Pieces:
        """The same with rows and columns exchanged."""
        return dataclasses.replace(self, top=self.left, left=self.top, bottom=self.right, right=self.bottom)

    def of(self, chosen: np.ndarray) -> Pieces:
        """Some of them."""
        return Pieces(**{field.name: getattr(self, field.name)[chosen] for field in dataclasses.fields(self)})

    def grouped(self, label: np.ndarray) -> Pieces:
        """One for each label, numbered from 0: the box around those that have it."""
        count = np.bincount(label)
        order = np.argsort(label, kind="stable")
        starts = np.cumsum(count) - count
        least, most = (lambda of, by=by: by.reduceat(of[order], starts) for by in (np.minimum, np.maximum))
        return Pieces(
            image=least(self.image),
            top=least(self.top),
            left=least(self.left),
            bottom=most(self.bottom),
            right=most(self.right),
            area=np.bincount(label, self.area),
            contrast=np.bincount(label, self.contrast) / count,
        )


def find_strokes(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray, Pieces]:
    """Find what is stroke in `(k, height, width)` uint8.

    Returns:
        The relief: by how much each pixel is brighter than the brightest ground on which a square of the widest stroke
        finds room (a white top-hat). Which pixels are stroke. The pieces of stroke.
    """
    relief = planes - _opened(planes)
    is_stroke = (relief >= _STANDS_OUT) & (planes >= _BRIGHT)
    height, width = (side + 2 for side in planes.shape[1:])
    framed = np.pad(is_stroke, ((0, 0), (1, 1), (1, 1)))
    flat = framed.ravel()
    pixels = np.flatnonzero(flat)
    label = _connect(flat, pixels, width)
    image, inside = np.divmod(pixels, height * width)
    row, column = np.divmod(inside, width)
    values = relief[image, row - 1, column - 1]
    every = Pieces(
        image=image, top=row - 1, left=column - 1, bottom=row, right=column, area=np.ones(len(pixels)), contrast=values
    )
    if not len(pixels):
        return relief, is_stroke, every
    stands_out = np.bincount(label[values >= _SOMEWHERE], minlength=label.max() + 1) > 0
    found = every.grouped(label).of(stands_out)
    return relief, is_stroke, found.of(np.argsort(found.image, kind="stable"))


def joined(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the groups of `count` things of which these pairs belong together, from 0: `(count,)`."""
    label = np.arange(count)
    while first.size:
        lower = np.minimum(label[first], label[second])
        np.minimum.at(label, label[first], lower)
        np.minimum.at(label, label[second], lower)
        while not np.array_equal(label[label], label):
            label = label[label]
        apart = label[first] != label[second]
        first, second = first[apart], second[apart]
    return np.unique(label, return_inverse=True)[1]


def sums_within(masks: np.ndarray, pieces: Pieces, margin: np.ndarray | int = 0) -> np.ndarray:
    """How many pixels of `(k, height, width)` bool lie in each box, widened to each side by a margin: `(n,)`."""
    used, index = np.unique(pieces.image, return_inverse=True)
    table = np.pad(masks[used].cumsum(axis=1, dtype=np.int32).cumsum(axis=2, dtype=np.int32), ((0, 0), (1, 0), (1, 0)))
    height, width = masks.shape[1:]
    top, bottom = np.maximum(pieces.top - margin, 0), np.minimum(pieces.bottom + margin, height)
    left, right = np.maximum(pieces.left - margin, 0), np.minimum(pieces.right + margin, width)
    return np.asarray(
        table[index, bottom, right] - table[index, top, right] - table[index, bottom, left] + table[index, top, left]
    )


def _connect(flat: np.ndarray, pixels: np.ndarray, width: int) -> np.ndarray:
    """The piece of each of these pixels of framed planes, which neighbours by side or corner share."""
    number = np.empty(flat.size, np.int32)
    number[pixels] = np.arange(len(pixels), dtype=np.int32)
    pairs = [
        (first, number[pixels[first] + step])
        for step in (1, width - 1, width, width + 1)
        for first in [np.flatnonzero(flat[pixels + step])]
    ]
    return joined(len(pixels), *(np.concatenate(side) for side in zip(*pairs, strict=True)))


def _opened(planes: np.ndarray) -> np.ndarray:
    reach = _WIDEST - 1
    opened = np.pad(planes, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    for pick in (np.minimum, np.maximum):
        for axis in (1, 2):
            opened = _picked_along(opened, axis, pick)
    return opened


def _picked_along(planes: np.ndarray, axis: int, pick: Callable[..., np.ndarray]) -> np.ndarray:
    """The least or greatest of each run of the widest stroke; runs are doubled, for that takes the fewest passes."""
    reached = 1
    while reached < _WIDEST:
        step = min(reached, _WIDEST - reached)
        rest = planes.shape[axis] - step
        near, far = ((slice(None),) * axis + (slice(start, start + rest),) for start in (0, step))
        planes = pick(planes[near], planes[far])
        reached += step
    return planes
