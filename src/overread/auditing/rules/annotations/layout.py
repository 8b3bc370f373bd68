"""How pieces of stroke stand to one another: rows of text, pairs of crosses, scales of ticks, and grey bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from overread.auditing.rules.annotations.glyphs import likeness_to_crosses, outlines, unrest_around
from overread.auditing.rules.annotations.strokes import Pieces, joined, sums_within

# How many of its neighbours, in reading order, a piece is compared with.
_NEIGHBOURS = 48
# Sizes in pixels of 224. Letters of text from 3 high, of which neighbours are of one height and contrast.
_LEAST_LETTER, _MOST_LETTER, _LONGEST_WORD = 3, 26, 5
_LEAST_LETTERS, _MANY_LETTERS, _LOOSE, _DENSE = 3, 6, 0.15, 0.8
# Unrest above and below a row; a long one may reach from black to tissue.
_FREE_ROW, _FREE_LONG_ROW = 0.4, 0.7
# Of a row of text: strokes that are crossed for each pixel of height on the way along it, and strokes around it.
_CROSSINGS, _ALONE = 0.8, 0.12
_CROSS, _FREE_CROSS, _PLAIN_CROSS, _IN_SPECKLE = 0.76, 0.35, 0.87, 0.6
_LEAST_CROSS, _MOST_CROSS = 5, 15
_TICKS, _TICK_WIDTH, _TICK_LENGTH, _LEAST_SCALE, _LEAST_SPACING, _MOST_SPACING = 7, 3, 14, 45, 4, 40
_EVEN, _BY_ITSELF = 0.85, 1.15
_BAR_WIDTHS, _BAR_LENGTH, _SOLID, _STEADY, _RANGE = (3, 7), 24, 0.78, 0.9, 60


def rows_of_text(planes: np.ndarray, is_stroke: np.ndarray, pieces: Pieces) -> Pieces:
    """Three letters or more in a row, or parts of words as long, on ground without other strokes but those of text."""
    is_letter = (pieces.height >= _LEAST_LETTER) & (pieces.height <= _MOST_LETTER)
    letters = pieces.of(is_letter & (pieces.width <= _LONGEST_WORD * pieces.height))
    letters = letters.of(np.lexsort((letters.top + letters.bottom, letters.image)))
    rows, members = _linked(letters, _stand_in_a_row)
    # Parts that run together count as the letters for which they have room.
    room = np.maximum(1, np.rint(letters.width / (0.7 * letters.height)))
    size, number = np.bincount(members, room, minlength=len(rows)), np.bincount(members, minlength=len(rows))
    steps = letters.top - rows.top[members], rows.bottom[members] - letters.bottom
    ragged = np.maximum(*(np.bincount(members, step, minlength=len(rows)) for step in steps)) / number
    may_be = (number >= 2) & (size >= _LEAST_LETTERS) & (rows.fill >= _LOOSE) & (rows.fill <= _DENSE)
    may_be &= ragged <= np.maximum(1, 0.12 * rows.height)
    rows, is_long = rows.of(may_be), number[may_be] >= _MANY_LETTERS
    unrest = unrest_around(planes, rows, 1, beside=False)
    rows = rows.of(unrest <= np.where(is_long, _FREE_LONG_ROW, _FREE_ROW))
    return rows.of(_is_written(is_stroke, rows))


def pairs_of_crosses(planes: np.ndarray, relief: np.ndarray, pieces: Pieces) -> Pieces:
    """Two crosses of one size or more in an image, as callipers leave them at the ends of what they measure."""
    size = np.maximum(pieces.height, pieces.width)
    may_be = (size >= _LEAST_CROSS) & (size <= _MOST_CROSS) & (np.abs(pieces.height - pieces.width) <= 2)
    crosses = pieces.of(may_be)
    unrest = unrest_around(planes, crosses, 2)
    crosses, unrest = crosses.of(unrest <= _IN_SPECKLE), unrest[unrest <= _IN_SPECKLE]
    likeness = likeness_to_crosses(outlines(relief, crosses))
    is_cross = (likeness >= _PLAIN_CROSS) | (likeness >= _CROSS) & (unrest <= _FREE_CROSS)
    crosses = crosses.of(is_cross)
    kinds = np.stack([crosses.image, crosses.height], axis=1)
    alike = (np.abs(kinds[:, None] - kinds[None]) <= [0, 1]).all(axis=2).sum(axis=1)
    return crosses.of(alike >= 2)


def scales_of_ticks(is_stroke: np.ndarray, pieces: Pieces) -> Pieces:
    """Seven ticks or more in a column or row by themselves, evenly spaced and flush at one end."""
    found = []
    for strokes, ticks in ((is_stroke, pieces), (is_stroke.swapaxes(1, 2), pieces.turned)):
        ticks = ticks.of((ticks.height <= _TICK_WIDTH) & (ticks.width <= _TICK_LENGTH))
        ticks = ticks.of(np.lexsort((ticks.top, ticks.left, ticks.image)))
        scales, members = _linked(ticks, _follow_one_another)
        centres = (ticks.top + ticks.bottom) / 2
        many = np.flatnonzero(np.bincount(members, minlength=len(scales)) >= _TICKS)
        scales = scales.of(np.array([number for number in many if _are_even(centres[members == number])], dtype=int))
        found.append(scales.of(sums_within(strokes, scales) <= _BY_ITSELF * scales.area))
    return Pieces.together((found[0], found[1].turned))


def grey_bars(planes: np.ndarray, pieces: Pieces) -> Pieces:
    """Narrow solid bars whose grey rises or falls along them."""
    found = []
    for bars, turned in ((pieces, planes), (pieces.turned, planes.swapaxes(1, 2))):
        least, most = _BAR_WIDTHS
        bars = bars.of((bars.width >= least) & (bars.width <= most) & (bars.height >= _BAR_LENGTH))
        bars = bars.of(bars.fill >= _SOLID)
        found.append(bars.of(np.array([_is_ramp(box) for box in _boxes(turned, bars)], dtype=bool)))
    return Pieces.together((found[0], found[1].turned))


def _is_written(is_stroke: np.ndarray, rows: Pieces) -> np.ndarray:
    """Whether rows are crossed by as many strokes as text is, and stand alone or among others."""
    used, image = np.unique(rows.image, return_inverse=True)
    strokes = is_stroke[used]
    rows = dataclasses.replace(rows, image=image)
    begins = strokes & ~np.pad(strokes, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    crossings = sums_within(begins, rows) / rows.width
    density = sums_within(strokes, rows) / (rows.height * rows.width)
    for number, top, bottom, left, right in zip(image, rows.top, rows.bottom, rows.left, rows.right, strict=True):
        strokes[number, top:bottom, left:right] = False
    ring = (3 * rows.height) * (rows.width + 2 * rows.height) - rows.height * rows.width
    around = sums_within(strokes, rows, rows.height) / ring
    return np.asarray((crossings >= _CROSSINGS) & (around <= _ALONE * density))


def _stand_in_a_row(letters: Pieces, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    one, other = letters.of(first), letters.of(second)
    higher, lower = np.maximum(one.height, other.height), np.minimum(one.height, other.height)
    shared = np.minimum(one.bottom, other.bottom) - np.maximum(one.top, other.top)
    gap = np.maximum(one.left, other.left) - np.minimum(one.right, other.right)
    alike = np.minimum(one.contrast, other.contrast) >= 0.6 * np.maximum(one.contrast, other.contrast)
    return np.asarray((shared >= 0.7 * higher) & (gap >= 0) & (gap <= higher) & (higher <= 1.5 * lower + 1) & alike)


def _follow_one_another(ticks: Pieces, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    one, other = ticks.of(first), ticks.of(second)
    flush = np.minimum(np.abs(one.left - other.left), np.abs(one.right - other.right)) <= 1
    apart = np.abs(one.top - other.top)
    return np.asarray(flush & (apart >= _LEAST_SPACING) & (apart <= _MOST_SPACING))


def _linked(
    pieces: Pieces, belong: Callable[[Pieces, np.ndarray, np.ndarray], np.ndarray]
) -> tuple[Pieces, np.ndarray]:
    """Groups of neighbours that belong together, and the group of each piece."""
    pairs = list(_neighbours(pieces.image))
    first, second = (
        np.concatenate([np.zeros(0, int), *side]) for side in (zip(*pairs, strict=True) if pairs else ((), ()))
    )
    chosen = belong(pieces, first, second)
    label = joined(len(pieces), first[chosen], second[chosen])
    return (pieces.grouped(label) if len(pieces) else pieces), label


def _neighbours(image: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for step in range(1, min(_NEIGHBOURS + 1, len(image))):
        first = np.flatnonzero(image[step:] == image[:-step])
        if not first.size:
            return
        yield first, first + step


def _are_even(places: np.ndarray) -> bool:
    """Whether most steps between neighbours are one spacing or, where ticks could not be told, two or three."""
    if np.ptp(places) < _LEAST_SCALE:
        return False
    steps = np.diff(np.sort(places))
    spacing = np.median(steps)
    times = np.clip(np.rint(steps / spacing), 1, 3)
    return bool((np.abs(steps - times * spacing) <= max(1.5, 0.12 * spacing)).mean() >= _EVEN)


def _is_ramp(box: np.ndarray) -> bool:
    """Whether the rows are even and grow steadily brighter or darker; the ends, which may be soft, are left out."""
    inner = box[2:-2, 1:-1].astype(np.float64)
    levels = inner.mean(axis=1)
    if np.ptp(levels) < _RANGE or np.ptp(inner, axis=1).mean() > _RANGE / 4:
        return False
    return bool(abs(np.corrcoef(levels, np.arange(len(levels)))[0, 1]) >= _STEADY)


def _boxes(planes: np.ndarray, pieces: Pieces) -> Iterator[np.ndarray]:
    for image, top, bottom, left, right in zip(
        pieces.image, pieces.top, pieces.bottom, pieces.left, pieces.right, strict=True
    ):
        yield planes[image, top:bottom, left:right]
