"""Whether an image is another one with marks painted into it: equal in all else, and strange where it differs.

Two pictures of like skin, two eyes, or two frames of a film agree at a coarse scale and differ in places. A painted
copy is told from them by what it shares: its fine detail, everywhere beside the marks. It is told from other copies by
what it does not share: the marks have colours that the picture has nowhere, hard edges, and cover what lies under them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

# All is measured on pixels halved from 224, at which a JPEG has its colour: quality 70 changes them by up to 10 levels.
_BLACK, _CHANGED, _TIMES_NOISE = 12, 20, 4
LEAST_MARK, _MOST_CHANGED = 0.0005, 0.45
_EQUAL, _MOST_NOISE, _LEAST_EQUAL = 8, 10, 0.9
# The correlation that a quarter of all blocks with detail stays below: at most 0.30 in 6,000 pairs of like skin, fundi,
# cells and tissue, at least 0.60 where marks were planted (JPEG of quality 70). Frames of a film reach 0.84.
_BLOCK, _LEAST_DETAIL, _LEAST_BLOCKS, _SAME, _QUARTER = 14, 0.75, 4, 0.55, 0.25
# Shares of the change. Of film and neighbouring slices at most 0.02 has a colour that the picture has not.
_NEW_COLOUR, _TINTED, _COLOUR_STEP, _COLOUR_SEEN = 0.4, 40, 8, 3
_HUES = 2 * (256 // _COLOUR_STEP) + 1
_PALER = 1, 0.8, 0.6, 0.4, 0.2
# A picture of other contrast or saturation changes all pixels of a colour, and lets its detail through.
_UNCHANGED_ELSEWHERE, _LEVEL_STEP = 0.15, 16
_THROUGH, _ALIKE_THROUGH = 0.8, 0.9
# The steepest slope at an edge, of the height of the change: moles 0.29 at most, planted marks 0.4 or more.
_HARD = 0.3


def is_painted(drawn: np.ndarray, plain: np.ndarray) -> bool:
    """Whether the first image is the second with marks of a strange colour painted into it, opaque or not.

    Args:
        drawn: `(height, width, 3)` uint8 as `images.REFERENCE` prepares it.
        plain: likewise.
    """
    drawn, plain = _halved(drawn), _halved(plain)
    change = np.abs(drawn - plain).max(axis=2)
    shown = np.maximum(drawn, plain).max(axis=2) > _BLACK
    if not shown.any():
        return False
    noise = float(np.median(change[shown]))
    changed = shown & (change > max(_CHANGED, _TIMES_NOISE * noise))
    rest = shown & ~_widened(changed, 2)
    if not (LEAST_MARK <= changed.sum() / shown.sum() <= _MOST_CHANGED and rest.any()):
        return False
    if (change[rest] <= min(max(_EQUAL, 2 * noise), _MOST_NOISE)).mean() < _LEAST_EQUAL:
        return False
    weights = change[changed] / change[changed].sum()
    details = _detail(drawn.mean(axis=2)), _detail(plain.mean(axis=2))
    return (
        weights @ _is_new(drawn[changed], plain[shown]) >= _NEW_COLOUR
        and weights @ _unchanged_elsewhere(plain[changed], plain[shown]) >= _UNCHANGED_ELSEWHERE
        and _edge(change, changed) >= _HARD
        and _agreement(*details, rest) >= _SAME
        and not _shines_through(*(detail[_widened(changed, 1)] for detail in details))
    )


def _halved(image: np.ndarray) -> np.ndarray:
    rows = image[::2].astype(np.float32) + image[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) / 4)


def _widened(area: np.ndarray, reach: int) -> np.ndarray:
    grown = Image.fromarray(area.astype(np.uint8)).filter(ImageFilter.MaxFilter(2 * reach + 1))
    return np.asarray(grown).astype(bool)


def _detail(grey: np.ndarray) -> np.ndarray:
    """What a 5 x 5 blur takes off."""
    rows, columns = grey.shape
    padded = np.pad(grey, 2, "reflect")
    across = np.sum([padded[:, shift : shift + columns] for shift in range(5)], axis=0)
    return np.asarray(grey - np.sum([across[shift : shift + rows] for shift in range(5)], axis=0) / 25)


def _is_new(colours: np.ndarray, of_picture: np.ndarray) -> np.ndarray:
    """Which of `(k, 3)` are colours, no greys, and far from all that a picture has, however bright or pale.

    At the black margin of a copy that was turned or shifted there are its own colours, mixed with black.
    """
    seen = np.zeros(_HUES**2, bool)
    for part in _PALER:
        seen |= np.bincount(_hues(part * of_picture), minlength=_HUES**2) >= _COLOUR_SEEN
    is_grey = np.ptp(colours, axis=1) < _TINTED
    return np.asarray(~is_grey & ~_widened(seen.reshape(_HUES, _HUES), 1).ravel()[_hues(colours)])


def _hues(colours: np.ndarray) -> np.ndarray:
    """The number of the cell that each colour has among differences of its channels."""
    red, green, blue = colours.astype(np.int32).T
    middle = _HUES // 2
    return ((red - green) // _COLOUR_STEP + middle) * _HUES + (green - blue) // _COLOUR_STEP + middle


def _unchanged_elsewhere(under_marks: np.ndarray, of_picture: np.ndarray) -> np.ndarray:
    """For each of `(k, 3)` colours, which are among those of the picture, the share of its pixels that are not here."""
    step = 256 // _LEVEL_STEP
    own, every = (
        (colours.astype(np.int32) // _LEVEL_STEP) @ [step**2, step, 1] for colours in (under_marks, of_picture)
    )
    here, all_there_are = (np.bincount(cells, minlength=step**3) for cells in (own, every))
    return np.asarray(1 - here[own] / all_there_are[own])


def _edge(change: np.ndarray, changed: np.ndarray) -> float:
    """How much of the change comes within one pixel, at the middle one of the places where it begins."""
    down, right = (np.abs(np.diff(change, axis=axis, prepend=0)) for axis in (0, 1))
    steepest = Image.fromarray(np.maximum(down, right).astype(np.uint8)).filter(ImageFilter.MaxFilter(3))
    border = changed & _widened(~changed, 1)
    return float(np.median(np.asarray(steepest)[border]) / np.percentile(change[changed], 75))


def _agreement(drawn: np.ndarray, plain: np.ndarray, rest: np.ndarray) -> float:
    """The correlation that three of four blocks with detail exceed; 0 where there are too few to tell."""
    counts = _block_sums(rest.astype(np.float32))

    def covariance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        sums = (_block_sums(np.where(rest, values, 0)) for values in (first * second, first, second))
        products, one, other = (values / np.maximum(counts, 1) for values in sums)
        return np.asarray(products - one * other)

    own, other = covariance(drawn, drawn), covariance(plain, plain)
    told = (counts >= _BLOCK**2 / 2) & (np.maximum(own, other) >= _LEAST_DETAIL**2)
    if told.sum() < _LEAST_BLOCKS:
        return 0.0
    lengths = np.sqrt(np.maximum(own * other, 1e-6))
    return float(np.quantile((covariance(drawn, plain) / lengths)[told], _QUARTER))


def _block_sums(plane: np.ndarray) -> np.ndarray:
    rows, columns = (side // _BLOCK for side in plane.shape)
    whole = plane[: rows * _BLOCK, : columns * _BLOCK]
    return np.asarray(whole.reshape(rows, _BLOCK, columns, _BLOCK).sum(axis=(1, 3)))


def _shines_through(drawn: np.ndarray, plain: np.ndarray) -> bool:
    """Whether the detail under the marks is there as before: what is painted on weakens or hides it."""
    product, own, other = (float(first @ second) for first, second in ((drawn, plain), (drawn, drawn), (plain, plain)))
    return product >= _THROUGH * other and product >= _ALIKE_THROUGH * np.sqrt(own * other) and product > 0
