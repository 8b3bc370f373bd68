"""Which pictures may be one after a turn: those of which several keypoints tell the same change of place."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.images.copies.turned.keypoints import SIDE, Keypoints, best_turn

_ALIKE = 0.85
# Of a picture 112 wide; a point tells the angle within 6 degrees and the scale within a tenth.
_APART = 9.0
_VOTES = 2
_SCALES = 1.8
_AT_ONCE = 65536


@dataclasses.dataclass(frozen=True, eq=False)
class Proposals:
    """Pairs of pictures with the change that leads from the earlier to the later one.

    Args:
        earlier: `(k,)` picture.
        later: `(k,)` picture.
        change: `(k, 2, 3)` float32; place (column, row) in the later one = change @ (column, row, 1) of the earlier.
        sign: `(k,)` float32, -1 where the one is a negative of the other.
    """

    earlier: np.ndarray
    later: np.ndarray
    change: np.ndarray
    sign: np.ndarray

    def __len__(self) -> int:
        return len(self.earlier)

    def __getitem__(self, chosen: slice | np.ndarray) -> Proposals:
        return Proposals(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


def propose(points: Keypoints, pairs: np.ndarray) -> Proposals:
    """Let pairs of points that look alike vote on how their pictures lie to one another.

    Args:
        points: of all pictures.
        pairs: `(k, 2)` points, the earlier picture's first.
    """
    matches = [_matched(points, pairs[start : start + _AT_ONCE]) for start in range(0, max(1, len(pairs)), _AT_ONCE)]
    first, second, change, sign = (np.concatenate(column) for column in zip(*matches, strict=True))
    pictures = points.picture[first].astype(np.int64), points.picture[second].astype(np.int64)
    pair = pictures[0] * (int(points.picture.max(initial=0)) + 1) + pictures[1]
    votes = _agreeing(pair, first, second, np.concatenate([_corners(change), sign[:, None] * 2 * SIDE], axis=1))
    best = np.lexsort((-votes, pair))
    best = best[np.diff(pair[best], prepend=-1) != 0]
    best = best[votes[best] >= _VOTES]
    return Proposals(pictures[0][best], pictures[1][best], change[best], sign[best])


def _matched(points: Keypoints, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of pairs of points that are alike in all their rings: the two, the change that they tell and its sign."""
    ratio = points.place[pairs[:, 1], 2] / points.place[pairs[:, 0], 2]
    pairs = pairs[(ratio < _SCALES) & (ratio > 1 / _SCALES)]
    alike, angle, mirrored = best_turn(points.rings[pairs[:, 0]], points.rings[pairs[:, 1]])
    kept = np.abs(alike) >= _ALIKE
    first, second = pairs[kept].T
    one, other = points.place[first], points.place[second]
    scale = other[:, 2] / one[:, 2]
    right, down = scale * np.cos(angle[kept]), scale * np.sin(angle[kept])
    across = np.where(mirrored[kept], -1, 1)
    linear = np.stack([right, -down * across, down, right * across], axis=1).reshape(-1, 2, 2)
    shift = other[:, :2] - np.einsum("kij,kj->ki", linear, one[:, :2])
    change = np.concatenate([linear, shift[:, :, None]], axis=2).astype(np.float32)
    return first, second, change, np.sign(alike[kept]).astype(np.float32)


def _corners(change: np.ndarray) -> np.ndarray:
    """`(k, 6)` where three points of the earlier picture come to lie: what tells an affine change in pixels."""
    near, far = SIDE / 5, SIDE * 4 / 5
    places = np.array([[near, near, 1], [far, near, 1], [near, far, 1]], np.float32)
    return np.einsum("kij,lj->kli", change, places).reshape(len(change), 6)


def _agreeing(pair: np.ndarray, first: np.ndarray, second: np.ndarray, told: np.ndarray) -> np.ndarray:
    """`(k,)` how many matches of the same two pictures tell about the same as each, itself among them."""
    order = np.argsort(pair, kind="stable")
    start = np.searchsorted(pair[order], pair[order], side="left")
    votes = np.ones(len(pair), np.int64)
    step = 1
    # Neighbours in this order at a distance of 1, 2, 3, ... as long as two are of one pair.
    while True:
        later = np.flatnonzero(np.arange(len(order)) - step >= start)
        if not len(later):
            return votes
        one, other = order[later], order[later - step]
        agree = np.abs(told[one] - told[other]).max(axis=1) < _APART
        agree &= (first[one] != first[other]) & (second[one] != second[other])
        for side in (one[agree], other[agree]):
            votes[side] += 1
        step += 1
