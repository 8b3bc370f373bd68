"""How two pictures lie on one another: an affine change, and then a slight bend, fitted to their detail.

References:
    Baker, Matthews: Lucas-Kanade 20 years on. 10.1023/B:VISI.0000011205.11775.fd
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from overread.images.copies.turned.keypoints import SIDE, blurred, content, sample

BLOCKS = 7
_NOISE = 2.0
_MOST_AT_ONCE = 0.3
_LONGEST_STEP = 1.5
_STIFF = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class Detail:
    """The detail of pictures, as strong everywhere, and where there is some.

    Args:
        values: `(k, side, side)` float32.
        shown: `(k, side, side)` float32, 0 or 1.
    """

    values: np.ndarray
    shown: np.ndarray

    @classmethod
    def of(cls, pictures: np.ndarray, side: int) -> Detail:
        """Of `(k, 112, 112)` float32 at this side, a half or a quarter of it.

        What is flat has no part in any blur: the edge of a fundus against the black, or of a turned picture against
        what fills its corners, is no detail.
        """
        shown = content(pictures)
        while pictures.shape[1] > side:
            rows = pictures[:, ::2] + pictures[:, 1::2]
            pictures = (rows[:, :, ::2] + rows[:, :, 1::2]) / 4
            shown = shown[:, ::2] & shown[:, 1::2]
            shown = shown[:, :, ::2] & shown[:, :, 1::2]
        weight = shown.astype(np.float32)

        def blur(values: np.ndarray, sigma: float) -> np.ndarray:
            return blurred(values * weight, sigma) / np.maximum(blurred(weight, sigma), 1e-3)

        width = 1 if side < SIDE else 1.4
        fine = (blur(pictures, 0.5) - blur(pictures, 1.6 * width)) * weight
        values = fine / (np.sqrt(np.maximum(blur(fine * fine, 4 * width), 0)) + _NOISE)
        weight[:, 1:-1, 1:-1] *= _least_around(weight)
        return cls(values, weight)

    def __getitem__(self, chosen: np.ndarray) -> Detail:
        return Detail(self.values[chosen], self.shown[chosen])

    @property
    def side(self) -> int:
        return int(self.values.shape[1])


def scaled(change: np.ndarray, factor: float) -> np.ndarray:
    """The same change of place in pictures of another side."""
    shift = (change[:, :, 2] + 0.5 - (change[:, :, 0] + change[:, :, 1]) / 2) * factor
    return np.concatenate([change[:, :, :2], (shift - 0.5 + (change[:, :, 0] + change[:, :, 1]) / 2)[:, :, None]], axis=2)


def placed(change: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """`(k, side * side)` row and column in the later picture of each pixel of the earlier one."""
    rows, columns = _grid(side)
    across, down = (change[:, axis, :, None] for axis in (0, 1))
    return (
        down[:, 0] * columns + down[:, 1] * rows + down[:, 2],
        across[:, 0] * columns + across[:, 1] * rows + across[:, 2],
    )


def fitted(first: Detail, second: Detail, change: np.ndarray, sign: np.ndarray, *, steps: int) -> np.ndarray:
    """Improve changes of place so that the second's detail lies on the first's.

    Gauss-Newton with the first one's slopes throughout (inverse compositional), on the pixels that both show.

    Args:
        first: of the earlier picture of each pair.
        second: of the later one.
        change: `(k, 2, 3)` at this side.
        sign: `(k,)` -1 where one is a negative.
        steps: how often.
    """
    side, count = first.side, len(change)
    down, right = (np.gradient(first.values, axis=axis).reshape(count, 1, -1) for axis in (1, 2))
    rows, columns = (places / ((side - 1) / 2) - 1 for places in _grid(side))
    basis = np.stack([columns, rows, np.ones_like(rows)])
    slopes = np.concatenate([right * basis, down * basis], axis=1)
    # A basis of places from -1 to 1 keeps the squares of one size; this leads back to pixels.
    to_pixels = np.array([[2 / (side - 1), 0, -1], [0, 2 / (side - 1), -1], [0, 0, 1]], np.float32)
    for _ in range(steps):
        error, weight = _difference(first, second, *placed(change, side), sign)
        weighted = slopes * weight[:, None]
        squares = weighted @ np.swapaxes(slopes, 1, 2)
        ridge = 1e-3 * np.einsum("kii->k", squares) / 6 + 1e-6
        squares += ridge[:, None, None] * np.eye(6, dtype=np.float32)
        step = np.linalg.solve(squares, weighted @ error[:, :, None]).reshape(count, 2, 3) @ to_pixels
        step[np.abs(step[:, :, :2]).max(axis=(1, 2)) > _MOST_AT_ONCE] = 0
        linear = change[:, :, :2] @ np.linalg.inv(step[:, :, :2] + np.eye(2, dtype=np.float32))
        change = np.concatenate([linear, change[:, :, 2:] - linear @ step[:, :, 2:]], axis=2)
    return change


def bent(
    first: Detail, second: Detail, rows: np.ndarray, columns: np.ndarray, sign: np.ndarray, *, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Let each block of the picture move by itself, smoothly, so that an elastic change is followed too."""
    side, count = first.side, len(rows)
    square = (count, side, side)
    sums, spread = _windows(side), _between(BLOCKS, side)
    down, right = (np.gradient(first.values, axis=axis) for axis in (1, 2))
    for _ in range(steps):
        error, weight = (values.reshape(square) for values in _difference(first, second, rows, columns, sign))
        error *= weight
        yy, yx, xx, ey, ex = (
            sums @ values @ sums.T
            for values in (down * down * weight, down * right * weight, right * right * weight, down * error, right * error)
        )
        stiff = _STIFF * (yy + xx).mean(axis=(1, 2), keepdims=True) + 1e-6
        yy, xx = yy + stiff, xx + stiff
        determinant = yy * xx - yx * yx
        moves = (xx * ey - yx * ex) / determinant, (yy * ex - yx * ey) / determinant
        lower, further = (spread @ np.clip(move, -_LONGEST_STEP, _LONGEST_STEP) @ spread.T for move in moves)
        rows, columns = (
            (where - np.gradient(where, axis=1) * lower - np.gradient(where, axis=2) * further).reshape(count, -1)
            for where in (rows.reshape(square), columns.reshape(square))
        )
    return rows, columns


def doubled(rows: np.ndarray, columns: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The same places in pictures of twice this side."""
    spread = _between(side, 2 * side)
    return tuple(
        (2 * (spread @ where.reshape(-1, side, side) @ spread.T) + 0.5).reshape(len(where), -1)
        for where in (rows, columns)
    )  # type: ignore[return-value]


@dataclasses.dataclass(frozen=True, eq=False)
class Agreement:
    """How far two pictures agree where they lie on one another, for each pair.

    Args:
        likeness: `(k,)` correlation of the detail, block by block, of the blocks that show some.
        share: `(k,)` share of this detail that lies in blocks which agree.
        overlap: `(k,)` share of the smaller one's content that both show.
    """

    likeness: np.ndarray
    share: np.ndarray
    overlap: np.ndarray


_AGREES, _LEAST_OF_BLOCK, _MOST_OF_BLOCK = 0.5, 0.3, 0.5


def agreement(
    first: Detail, second: Detail, rows: np.ndarray, columns: np.ndarray, sign: np.ndarray
) -> Agreement:
    """Compare the second picture, read at these places, with the first in each of 7 x 7 blocks."""
    square = first.values.shape
    sums = _boxes(first.side)
    weight = _seen(first, second, rows, columns).reshape(square)
    one = first.values
    other = sample(second.values, np.arange(len(rows)), rows, columns).reshape(square) * sign[:, None, None]
    area, sum_one, sum_other, square_one, square_other, product = (
        sums @ values @ sums.T
        for values in (weight, one * weight, other * weight, one * one * weight, other * other * weight, one * other * weight)
    )
    most = np.maximum(area, 1)
    mean_one, mean_other = sum_one / most, sum_other / most
    strength = np.sqrt(
        np.maximum(square_one / most - mean_one**2, 0) * np.maximum(square_other / most - mean_other**2, 0)
    )
    alike = (product / most - mean_one * mean_other) / np.maximum(strength, 1e-3)
    filled = area * (BLOCKS / first.side) ** 2
    counted = np.where(filled > _LEAST_OF_BLOCK, filled, 0) * np.minimum(strength, _MOST_OF_BLOCK)
    total = np.maximum(counted.sum(axis=(1, 2)), 1e-6)
    smaller = np.minimum(first.shown.sum(axis=(1, 2)), second.shown.sum(axis=(1, 2)))
    return Agreement(
        (alike * counted).sum(axis=(1, 2)) / total,
        ((alike > _AGREES) * counted).sum(axis=(1, 2)) / total,
        weight.sum(axis=(1, 2)) / np.maximum(smaller, 1),
    )


def _least_around(values: np.ndarray) -> np.ndarray:
    """The least of the four neighbours of each pixel that has them."""
    beside = np.minimum(values[:, 1:-1, :-2], values[:, 1:-1, 2:])
    return np.minimum(beside, np.minimum(values[:, :-2, 1:-1], values[:, 2:, 1:-1]))


def _seen(first: Detail, second: Detail, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`(k, points)` float32: 1 where both pictures show something."""
    last = first.side - 1
    within = (rows >= 0) & (rows <= last) & (columns >= 0) & (columns <= last)
    top, left = (np.clip(np.rint(where), 0, last).astype(np.int32) for where in (rows, columns))
    start = (np.arange(len(rows), dtype=np.int32) * first.side**2)[:, None]
    shown = np.take(second.shown.reshape(-1), start + top * first.side + left)
    return first.shown.reshape(shown.shape) * shown * within


def _difference(
    first: Detail, second: Detail, rows: np.ndarray, columns: np.ndarray, sign: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`(k, points)` by how much the second differs, brought to the first's strength, and where both are seen."""
    weight = _seen(first, second, rows, columns)
    one = first.values.reshape(weight.shape)
    other = sample(second.values, np.arange(len(rows)), rows, columns)
    strengths = (np.sqrt(np.einsum("kp,kp,kp->k", values, values, weight)) for values in (one, other))
    ratio = sign * np.divide(*(np.maximum(strength, 1e-3) for strength in strengths))
    return (other * ratio[:, None] - one) * weight, weight


@functools.cache
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    return rows.ravel(), columns.ravel()


@functools.cache
def _boxes(side: int) -> np.ndarray:
    """`(7, side)`: sums over blocks."""
    return np.repeat(np.eye(BLOCKS, dtype=np.float32), side // BLOCKS, axis=1)


@functools.cache
def _windows(side: int) -> np.ndarray:
    """Likewise, with half of the blocks beside each, so that neighbours move alike."""
    beside = np.eye(BLOCKS, k=1) + np.eye(BLOCKS, k=-1)
    return np.asarray((np.eye(BLOCKS) + beside / 2) @ _boxes(side), np.float32)


@functools.cache
def _between(few: int, many: int) -> np.ndarray:
    """`(many, few)`: values at so many places, interpolated between a few."""
    centres = (np.arange(few) + 0.5) * many / few - 0.5
    places = np.arange(many)
    return np.stack([np.interp(places, centres, line) for line in np.eye(few)], axis=1).astype(np.float32)
