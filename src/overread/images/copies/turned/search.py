"""Which keypoints of different pictures look alike, without comparing each with all the others.

The descriptions are gathered into cells around some of them; each is compared with those of the cells nearest to it.

References:
    Sivic, Zisserman: Video Google. 10.1109/ICCV.2003.1238663
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np

from overread.images.copies.turned.keypoints import Keypoints, invariants
from overread.machine.workers import in_order

# Measured on 500 radiographs: of the points found again, nine in ten have their like among the four nearest, with 16
# of the 105 dimensions as with 48. The first few hold most of the spread and little of what distinguishes.
_DIMENSIONS, _EVENED = 16, 0.25
NEAREST = 4
_PROBES = 4
_IN_CELL = 256
_ROUNDS, _FOR_EACH_CELL = 2, 32
_AT_ONCE = 8192
_WORKERS = os.cpu_count() or 1


def alike_points(points: Keypoints) -> np.ndarray:
    """`(k, 2)` points of two pictures each, the earlier picture's first: each with its nearest of other pictures."""
    if len(points) < 2:
        return np.zeros((0, 2), np.int64)
    descriptions = _reduced(points)
    cells = _Cells(descriptions)
    nearest, distance = cells.nearest(descriptions, points.picture)
    found = np.isfinite(distance)
    one, other = np.repeat(np.arange(len(points)), NEAREST)[found.ravel()], nearest[found]
    pairs = np.unique(np.minimum(one, other) * len(points) + np.maximum(one, other))
    return np.stack(np.divmod(pairs, len(points)), axis=1)


def _reduced(points: Keypoints) -> np.ndarray:
    """`(k, 16)` float32: the main components of the descriptions, brought nearer to one another in spread."""
    some = invariants(points.rings[:: max(1, len(points) // 16384)])
    mean = some.mean(axis=0)
    spread, axes = np.linalg.eigh((some - mean).T @ (some - mean) / len(some))
    kept = axes[:, ::-1][:, :_DIMENSIONS] * np.maximum(spread[::-1][:_DIMENSIONS], 1e-9) ** -_EVENED
    return _in_pieces(lambda piece: (invariants(points.rings[piece]) - mean) @ kept.astype(np.float32), len(points))


class _Cells:
    def __init__(self, descriptions: np.ndarray) -> None:
        count = len(descriptions)
        cells = max(1, min(count // _IN_CELL, math.isqrt(_PROBES * count)))
        sample = descriptions[np.linspace(0, count - 1, min(count, cells * _FOR_EACH_CELL)).astype(int)]
        self.centres = sample[np.linspace(0, len(sample) - 1, cells).astype(int)]
        for _ in range(_ROUNDS):
            home = self._probes(sample, 1)[:, 0]
            total = np.stack([np.bincount(home, column, cells) for column in sample.T], axis=1)
            members = np.bincount(home, minlength=cells)
            self.centres = np.where(members[:, None], total / np.maximum(members, 1)[:, None], self.centres)
            self.centres = self.centres.astype(np.float32)

    def nearest(self, descriptions: np.ndarray, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`(k, 4)` points of other pictures nearest to each and their distance, infinite where there is none."""
        count, cells = len(descriptions), len(self.centres)
        probes = self._probes(descriptions, min(_PROBES, cells))
        members = _by_cell(probes[:, 0], cells)
        best = np.zeros((count, NEAREST), np.int64)
        distance = np.full((count, NEAREST), np.inf, np.float32)
        length = np.einsum("ki,ki->k", descriptions, descriptions)

        def compare(visit: tuple[np.ndarray, np.ndarray]) -> None:
            asking, met = visit
            for start in range(0, len(asking), _AT_ONCE):
                asked = asking[start : start + _AT_ONCE]
                apart = length[met] - 2 * descriptions[asked] @ descriptions[met].T
                apart[picture[asked][:, None] == picture[met]] = np.inf
                places, lengths = _lowest(apart, min(NEAREST, len(met)))
                lengths = np.concatenate([distance[asked], lengths], axis=1)
                order, distance[asked] = _lowest(lengths, NEAREST)
                best[asked] = np.take_along_axis(np.concatenate([best[asked], met[places]], axis=1), order, axis=1)

        for probe in probes.T:
            # In one round a point asks one cell only, so that no two threads write to it.
            for _ in in_order(compare, zip(_by_cell(probe, cells), members, strict=True), _WORKERS):
                pass
        return best, distance

    def _probes(self, descriptions: np.ndarray, most: int) -> np.ndarray:
        """`(k, most)` cells nearest to each, the nearest first."""
        length = np.einsum("ki,ki->k", self.centres, self.centres)

        def find(piece: slice) -> np.ndarray:
            apart = length - 2 * descriptions[piece] @ self.centres.T
            return _lowest(apart, most)[0].astype(np.int32)

        return _in_pieces(find, len(descriptions), at_once=1024)


def _lowest(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and value of the lowest so many of each row; the values are spent."""
    # Measured: argmin takes a hundredth of the time of argpartition.
    rows, columns, lowest = np.arange(len(values)), [], []
    for _ in range(most):
        columns.append(values.argmin(axis=1))
        lowest.append(values[rows, columns[-1]])
        values[rows, columns[-1]] = np.inf
    return np.stack(columns, axis=1), np.stack(lowest, axis=1)


def _by_cell(cell: np.ndarray, cells: int) -> list[np.ndarray]:
    ends = np.cumsum(np.bincount(cell, minlength=cells))
    return np.split(np.argsort(cell, kind="stable"), ends[:-1])


def _in_pieces(function: Callable[[slice], np.ndarray], count: int, at_once: int = _AT_ONCE) -> np.ndarray:
    pieces = (slice(start, start + at_once) for start in range(0, count, at_once))
    return np.concatenate(list(in_order(function, pieces, _WORKERS)))
