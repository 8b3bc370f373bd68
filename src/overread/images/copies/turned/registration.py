"""How two pictures lie on one another: an affine change, and then a slight bend, fitted to their detail.

References:
    Baker, Matthews: Lucas-Kanade 20 years on. 10.1023/B:VISI.0000011205.11775.fd
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from overread.images.copies.turned.detail import Detail
from overread.images.copies.turned.keypoints import sample

# Row and column in the later picture of each pixel of the earlier one, `(k, side * side)` float32 each.
Places = tuple[np.ndarray, np.ndarray]

_BLOCKS = 7
_MOST_AT_ONCE = 0.3
_LONGEST_STEP = 1.5
_STIFF = 0.1
_AGREES, _LEAST_OF_BLOCK, _MOST_OF_BLOCK = 0.5, 0.3, 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Agreement:
    """How far two pictures agree where they lie on one another, for each pair.

    Args:
        likeness: `(k,)` correlation of the detail, block by block, of the blocks that show some.
        share: `(k,)` share of this detail that lies in blocks which agree.
        overlap: `(k,)` share of its content that both show, of the one of which it is more: 1 for a crop.
        blocks: `(k,)` how many blocks' area of content was compared, of 49.
    """

    likeness: np.ndarray
    share: np.ndarray
    overlap: np.ndarray
    blocks: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Registration:
    """Pairs of pictures to be laid on one another.

    Args:
        first: detail of the earlier picture of each pair.
        second: of the later one.
        sign: `(k,)` float32, -1 where the one is a negative of the other.
    """

    first: Detail
    second: Detail
    sign: np.ndarray

    @classmethod
    def of(cls, pictures: np.ndarray, shown: np.ndarray, sign: np.ndarray, side: int) -> Registration:
        """Of `(2, k, 112, 112)` float32 earlier and later ones and where their `content` is, compared at this side."""
        first, second = (Detail.of(each, where, side) for each, where in zip(pictures, shown, strict=True))
        return cls(first, second, sign)

    def fit(self, change: np.ndarray, *, steps: int) -> np.ndarray:
        """Improve changes of place, `(k, 2, 3)` at this side, so that the second's detail lies on the first's.

        Gauss-Newton with the first one's slopes throughout (inverse compositional), on the pixels that both show.
        """
        side, count = self.first.side, len(change)
        down, right = (np.gradient(self.first.values, axis=axis).reshape(count, 1, side * side) for axis in (1, 2))
        rows, columns = (places / ((side - 1) / 2) - 1 for places in _grid(side))
        basis = np.stack([columns, rows, np.ones_like(rows)])
        slopes = np.concatenate([right * basis, down * basis], axis=1)
        # A basis of places from -1 to 1 keeps the squares of one size; this leads back to pixels.
        to_pixels = np.array([[2 / (side - 1), 0, -1], [0, 2 / (side - 1), -1], [0, 0, 1]], np.float32)
        for _ in range(steps):
            error, weight = self._difference(placed(change, side))
            weighted = slopes * weight[:, None]
            squares = weighted @ np.swapaxes(slopes, 1, 2)
            ridge = 1e-3 * np.einsum("kii->k", squares) / 6 + 1e-6
            squares += ridge[:, None, None] * np.eye(6, dtype=np.float32)
            step = np.linalg.solve(squares, weighted @ error[:, :, None]).reshape(count, 2, 3) @ to_pixels
            step[np.abs(step[:, :, :2]).max(axis=(1, 2)) > _MOST_AT_ONCE] = 0
            linear = change[:, :, :2] @ np.linalg.inv(step[:, :, :2] + np.eye(2, dtype=np.float32))
            change = np.concatenate([linear, change[:, :, 2:] - linear @ step[:, :, 2:]], axis=2)
        return change

    def bend(self, places: Places, *, steps: int, blocks: int) -> Places:
        """Let each of blocks x blocks move by itself, smoothly, so that an elastic change is followed too."""
        side, square = self.first.side, self.first.values.shape
        sums, spread = _windows(blocks, side), _between(blocks, side)
        down, right = (np.gradient(self.first.values, axis=axis) for axis in (1, 2))
        for _ in range(steps):
            error, weight = (values.reshape(square) for values in self._difference(places))
            yy, yx, xx = (sums @ (slopes * weight) @ sums.T for slopes in (down * down, down * right, right * right))
            ey, ex = (sums @ (slopes * error) @ sums.T for slopes in (down, right))
            stiff = _STIFF * (yy + xx).mean(axis=(1, 2), keepdims=True) + 1e-6
            yy, xx = yy + stiff, xx + stiff
            determinant = yy * xx - yx * yx
            moves = (xx * ey - yx * ex) / determinant, (yy * ex - yx * ey) / determinant
            lower, further = (spread @ np.clip(move, -_LONGEST_STEP, _LONGEST_STEP) @ spread.T for move in moves)

            def moved(where: np.ndarray, lower: np.ndarray = lower, further: np.ndarray = further) -> np.ndarray:
                where = where.reshape(square)
                where = where - np.gradient(where, axis=1) * lower - np.gradient(where, axis=2) * further
                return where.reshape(len(where), side * side)

            places = moved(places[0]), moved(places[1])
        return places

    def agreement(self, places: Places) -> Agreement:
        """Compare the second picture, read at these places, with the first in each of 7 x 7 blocks."""
        one = self.first.values
        sums = _boxes(_BLOCKS, self.first.side)
        weight = self._seen(places).reshape(one.shape)
        other = self._read(places).reshape(one.shape) * self.sign[:, None, None]
        area, *totals = (
            sums @ (values * weight) @ sums.T
            for values in (np.ones_like(one), one, other, one * one, other * other, one * other)
        )
        mean_one, mean_other, square_one, square_other, product = (total / np.maximum(area, 1) for total in totals)
        strength = np.sqrt(np.maximum(square_one - mean_one**2, 0) * np.maximum(square_other - mean_other**2, 0))
        alike = (product - mean_one * mean_other) / np.maximum(strength, 1e-3)
        filled = area * (_BLOCKS / self.first.side) ** 2
        filled[filled <= _LEAST_OF_BLOCK] = 0
        counted = filled * np.minimum(strength, _MOST_OF_BLOCK)
        total = np.maximum(counted.sum(axis=(1, 2)), 1e-6)
        both = weight.sum(axis=(1, 2))
        parts = (
            both * times / np.maximum(detail.shown.sum(axis=(1, 2)), 1)
            for detail, times in ((self.first, 1), (self.second, _growth(places, self.first.side)))
        )
        return Agreement(
            likeness=(alike * counted).sum(axis=(1, 2)) / total,
            share=((alike > _AGREES) * counted).sum(axis=(1, 2)) / total,
            overlap=np.maximum(*parts),
            blocks=filled.sum(axis=(1, 2)),
        )

    def _read(self, places: Places) -> np.ndarray:
        return sample(self.second.values, np.arange(len(self.sign)), *places)

    def _seen(self, places: Places) -> np.ndarray:
        """`(k, side * side)` float32: 1 where both pictures show something."""
        side = self.first.side
        within = np.logical_and(*((where >= 0) & (where <= side - 1) for where in places))
        top, left = (np.clip(np.rint(where), 0, side - 1).astype(np.int32) for where in places)
        start = (np.arange(len(self.sign), dtype=np.int32) * side**2)[:, None]
        shown = np.take(self.second.shown.ravel(), start + top * side + left)
        return np.asarray(self.first.shown.reshape(shown.shape) * shown * within)

    def _difference(self, places: Places) -> tuple[np.ndarray, np.ndarray]:
        """By how much the second differs, brought to the first's strength, and where both are seen."""
        weight = self._seen(places)
        one, other = self.first.values.reshape(weight.shape), self._read(places)
        strengths = (np.sqrt(np.einsum("kp,kp,kp->k", values, values, weight)) for values in (one, other))
        ratio = self.sign * np.divide(*(np.maximum(strength, 1e-3) for strength in strengths))
        return (other * ratio[:, None] - one) * weight, weight


def placed(change: np.ndarray, side: int) -> Places:
    """Where `(k, 2, 3)` changes of place put each pixel."""
    rows, columns = _grid(side)
    across, down = (change[:, axis, :, None] for axis in (0, 1))
    return (
        down[:, 0] * columns + down[:, 1] * rows + down[:, 2],
        across[:, 0] * columns + across[:, 1] * rows + across[:, 2],
    )


def quarter_turned(places: Places, side: int, times: int) -> Places:
    """The same places for the earlier picture turned so many times by 90 degrees around its middle."""
    rows, columns = (np.rot90(w.reshape(-1, side, side), times, axes=(1, 2)).reshape(w.shape) for w in places)
    return rows, columns


def _growth(places: Places, side: int) -> np.ndarray:
    """`(k,)` how many times its area the earlier picture takes in the later one, by where its corners lie."""
    (down, right), (lower, further) = (
        (where[:, side * (side - 1)] - where[:, 0], where[:, side - 1] - where[:, 0]) for where in places
    )
    return np.asarray(np.abs(down * further - right * lower) / (side - 1) ** 2)


def scaled(change: np.ndarray, factor: float) -> np.ndarray:
    """The same change of place in pictures of another side."""
    middle = (change[:, :, :1] + change[:, :, 1:2]) / 2 - 0.5
    return np.concatenate([change[:, :, :2], (change[:, :, 2:] - middle) * factor + middle], axis=2)


def doubled(places: Places, side: int) -> Places:
    """The same places in pictures of twice this side."""
    spread = _between(side, 2 * side)
    rows, columns = (
        (2 * (spread @ where.reshape(len(where), side, side) @ spread.T) + 0.5).reshape(len(where), 4 * side * side)
        for where in places
    )
    return rows, columns


@functools.cache
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    return rows.ravel(), columns.ravel()


@functools.cache
def _boxes(blocks: int, side: int) -> np.ndarray:
    """`(blocks, side)`: sums over blocks."""
    return np.repeat(np.eye(blocks, dtype=np.float32), side // blocks, axis=1)


@functools.cache
def _windows(blocks: int, side: int) -> np.ndarray:
    """Likewise, with half of the blocks beside each, so that neighbours move alike."""
    beside = np.eye(blocks, k=1) + np.eye(blocks, k=-1)
    return np.asarray((np.eye(blocks) + beside / 2) @ _boxes(blocks, side), np.float32)


@functools.cache
def _between(few: int, many: int) -> np.ndarray:
    """`(many, few)`: values at so many places, interpolated between a few."""
    centres = (np.arange(few) + 0.5) * many / few - 0.5
    places = np.arange(many)
    return np.stack([np.interp(places, centres, line) for line in np.eye(few)], axis=1).astype(np.float32)
