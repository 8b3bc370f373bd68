"""Letters that stand alone, such as side markers: those that are sure, and what looks like one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.auditing.rules.annotations.glyphs import likeness_to_letters, outlines, standardised, unrest_around
from overread.auditing.rules.annotations.strokes import Pieces

# Sizes in pixels of 224.
_HEIGHTS, _WIDTHS, _BROADEST, _LEAST_AREA = (6, 36), (3, 30), 1.3, 8
# A letter that is sure, the less like one the calmer its ground; and one of the same font and size in another image. Of
# 100 radiographs with 87 side markers these find 0.86, and no false one there or in 4,000 endoscopies, fundi, smears,
# tiles, slices and adult radiographs.
_SURE, _FREE, _SURE_ALONE, _ALONE = 0.76, 0.2, 0.66, 0.1
_LIKE_ANOTHER, _NEARLY_FREE = 0.8, 0.4
_SIZES, _MOST_SURE = 1.4, 512


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """What may be letters, `(n,)`, how they look, and which are letters for sure."""

    pieces: Pieces
    outline: np.ndarray
    is_sure: np.ndarray

    @property
    def sure(self) -> Candidates:
        """Those that are letters."""
        return Candidates(self.pieces.of(self.is_sure), self.outline[self.is_sure], self.is_sure[self.is_sure])


def find_candidates(planes: np.ndarray, relief: np.ndarray, pieces: Pieces) -> Candidates:
    """Find the pieces of the size of a letter that stand on calm ground."""
    is_tall = (pieces.height >= _HEIGHTS[0]) & (pieces.height <= _HEIGHTS[1])
    is_wide = (pieces.width >= _WIDTHS[0]) & (pieces.width <= _WIDTHS[1])
    is_wide &= pieces.width <= _BROADEST * pieces.height
    pieces = pieces.of(is_tall & is_wide & (pieces.area >= _LEAST_AREA))
    # In textures most are told by their unrest alone, which is the quicker to measure.
    unrest = unrest_around(planes, pieces, 2)
    pieces, unrest = pieces.of(unrest <= _NEARLY_FREE), unrest[unrest <= _NEARLY_FREE]
    outline = outlines(relief, pieces)
    likeness = likeness_to_letters(outline)
    is_sure = (likeness >= _SURE) & (unrest <= _FREE) | (likeness >= _SURE_ALONE) & (unrest <= _ALONE)
    return Candidates(pieces, standardised(outline), is_sure)


def tell_letters(parts: Sequence[Candidates], text: Pieces) -> Pieces:
    """The letters among the candidates of a study, but those that stand in these rows of text."""
    every = [part.sure for part in parts]
    sure, outline = Pieces.together([part.pieces for part in every]), np.concatenate([part.outline for part in every])
    spread = np.linspace(0, len(sure) - 1, min(len(sure), _MOST_SURE)).astype(int)
    sure, outline = sure.of(spread), outline[spread]
    letters = [part.pieces.of(part.is_sure | _look_like_one(part, sure, outline)) for part in parts]
    found = Pieces.together(letters)
    return found.of(~_within(found, text))


def _look_like_one(part: Candidates, sure: Pieces, outline: np.ndarray) -> np.ndarray:
    """Which candidates look like a letter of another image."""
    alike = part.outline @ outline.T >= _LIKE_ANOTHER
    alike &= part.pieces.image[:, None] != sure.image
    for own, others in ((part.pieces.height, sure.height), (part.pieces.width, sure.width)):
        ratio = own[:, None] / others
        alike &= (ratio <= _SIZES) & (ratio >= 1 / _SIZES)
    return np.asarray(alike.any(axis=1))


def _within(letters: Pieces, rows: Pieces) -> np.ndarray:
    """Which letters stand in a row of text, `(n,)`; both are ordered by image."""
    first, last = (np.searchsorted(rows.image, letters.image, side=side) for side in ("left", "right"))
    inside = np.zeros(len(letters), bool)
    for step in range(int((last - first).max(initial=0))):
        row = np.minimum(first + step, len(rows) - 1)
        across = (letters.left < rows.right[row]) & (letters.right > rows.left[row])
        along = (letters.top < rows.bottom[row]) & (letters.bottom > rows.top[row])
        inside |= (first + step < last) & across & along
    return inside
