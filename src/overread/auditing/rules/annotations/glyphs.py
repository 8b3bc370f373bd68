"""What a piece of stroke looks like: a letter, a cross or nothing that is written."""

from __future__ import annotations

import functools
import math

import numpy as np

from overread.auditing.rules.annotations.strokes import Pieces

_HEIGHT, _WIDTH = 7, 5
_FINER = 2
# A stroke is no brighter where strokes cross; without a cap the crossings would decide.
_CAP = 0.8
# The letters that stand alone in medical pictures: sides of the body, and panels of a figure.
_LETTERS = {
    "A": "..#.. .#.#. #...# #...# ##### #...# #...#",
    "A, sharp": "..#.. ..#.. .#.#. .#.#. .###. #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "a": ".###. #...# ....# .#### #...# #...# .####",
    "b": "#.... #.... #.##. ##..# #...# #...# ####.",
}
_CROSSES = {
    "+": "..#.. ..#.. ..#.. ##### ..#.. ..#.. ..#..",
    "x": "#...# .#.#. .#.#. ..#.. .#.#. .#.#. #...#",
}
# Fonts put the waist of a letter higher or lower.
_WAISTS = (1.0, 1.25, 0.8)


def outlines(relief: np.ndarray, pieces: Pieces) -> np.ndarray:
    """The relief in the box of each piece at one size, `(n, 14, 10)` float32."""
    shape = _FINER * _HEIGHT, _FINER * _WIDTH
    rows, lower, down = _sampled(pieces.top, pieces.height, shape[0], relief.shape[1])
    columns, right, along = _sampled(pieces.left, pieces.width, shape[1], relief.shape[2])
    image, down, along = pieces.image[:, None, None], down[:, :, None], along[:, None, :]

    def at(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(relief[image, y[:, :, None], x[:, None, :]].astype(np.float32))

    upper_row = at(rows, columns) * (1 - along) + at(rows, right) * along
    lower_row = at(lower, columns) * (1 - along) + at(lower, right) * along
    seen = upper_row * (1 - down) + lower_row * down
    return np.minimum(seen, _CAP * seen.max(axis=(1, 2), keepdims=True, initial=0))


def likeness_to_letters(outline: np.ndarray) -> np.ndarray:
    """`(n,)` the correlation of each outline with the letter that it resembles most."""
    return _correlate(outline, _templates(*_LETTERS.values()))


def likeness_to_crosses(outline: np.ndarray) -> np.ndarray:
    """`(n,)` the correlation of each outline with the cross that it resembles most."""
    return _correlate(outline, _templates(*_CROSSES.values()))


def standardised(outline: np.ndarray) -> np.ndarray:
    """`(n, d)` rows whose products are correlations."""
    flat = outline.reshape(len(outline), math.prod(outline.shape[1:]))
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


def unrest_around(planes: np.ndarray, pieces: Pieces, distance: int, *, beside: bool = True) -> np.ndarray:
    """How far the brightest tenth of what surrounds each box lies above its middle, in contrasts of the piece.

    What is written stands free on its ground; folds, vessels and edges go on.

    Args:
        planes: `(k, height, width)`.
        pieces: in these planes.
        distance: of the ring from the box, in pixels.
        beside: look to the left and right as well as above and below.
    """
    height, width = planes.shape[1:]
    top, left = pieces.top - distance, pieces.left - distance
    bottom, right = pieces.bottom - 1 + distance, pieces.right - 1 + distance
    part = np.linspace(0, 1, 12)
    rows = np.rint(top[:, None] + part * (bottom - top)[:, None]).astype(int).clip(0, height - 1)
    columns = np.rint(left[:, None] + part * (right - left)[:, None]).astype(int).clip(0, width - 1)
    image = pieces.image[:, None]
    sides = [(row, columns, (row >= 0) & (row < height)) for row in (top, bottom)]
    seen = [planes[image, row.clip(0, height - 1)[:, None], across] for row, across, _ in sides]
    inside = [is_inside for *_, is_inside in sides]
    if beside:
        for column in (left, right):
            seen.append(planes[image, rows, column.clip(0, width - 1)[:, None]])
            inside.append((column >= 0) & (column < width))
    is_inside = np.repeat(np.stack(inside, axis=1), len(part), axis=1)
    # What lies outside the picture is sorted behind all else; a box as large as the picture has nothing around it.
    levels = np.sort(np.where(is_inside, np.concatenate(seen, axis=1), np.inf), axis=1)
    levels[np.isinf(levels[:, 0])] = 0
    last = np.maximum(is_inside.sum(axis=1) - 1, 0)
    each = np.arange(len(pieces))
    return np.asarray((levels[each, 9 * last // 10] - levels[each, last // 2]) / pieces.contrast)


def _correlate(outline: np.ndarray, templates: np.ndarray) -> np.ndarray:
    coarse = outline.reshape(len(outline), _HEIGHT, _FINER, _WIDTH, _FINER).mean(axis=(2, 4))
    return np.asarray((standardised(coarse) @ templates.T).max(axis=1, initial=-1))


@functools.cache
def _templates(*glyphs: str) -> np.ndarray:
    return standardised(np.stack([_drawn(glyph, waist) for glyph in glyphs for waist in _WAISTS]))


def _drawn(glyph: str, waist: float) -> np.ndarray:
    """A glyph in soft strokes, with its waist moved."""
    dots = np.pad([[dot == "#" for dot in row] for row in glyph.split()], 1).astype(np.float32)
    inner = dots[1:-1, 1:-1]
    around = dots[:-2, 1:-1] + dots[2:, 1:-1] + dots[1:-1, :-2] + dots[1:-1, 2:]
    soft = np.where(inner > 0, inner, around / 4)
    rows, lower, down = _sampled(np.zeros(1, int), np.array([_HEIGHT]), _HEIGHT, _HEIGHT, waist)
    return np.asarray(soft[rows[0]] * (1 - down[0][:, None]) + soft[lower[0]] * down[0][:, None])


def _sampled(
    start: np.ndarray, length: np.ndarray, count: int, most: int, power: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between which two pixels, and how far from the first, each of `count` points along a side lies."""
    part = ((np.arange(count) + 0.5) / count) ** power
    points = np.clip(start[:, None] - 0.5 + part * length[:, None], 0, most - 1)
    first = np.floor(points).astype(int)
    return first, np.minimum(first + 1, most - 1), (points - first).astype(np.float32)
