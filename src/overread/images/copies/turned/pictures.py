"""Pairs of pictures that are one, turned by any angle, cropped, negative, sheared or slightly bent."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable

import numpy as np

from overread.images.copies.turned.keypoints import SIDE, Keypoints, content, find_keypoints
from overread.images.copies.turned.registration import Places, Registration, doubled, placed, quarter_turned, scaled
from overread.images.copies.turned.search import alike_points
from overread.images.copies.turned.votes import Proposals, propose
from overread.machine.workers import in_order
from overread.words import count

# The pictures at these positions, `(k, 112, 112)` uint8.
Look = Callable[[np.ndarray], np.ndarray]

# Of 960 planted copies of six sets those that are confirmed in the end have 0.84 or more at half size.
_LIKE_AT_A_QUARTER, _LIKE_AT_HALF = 0.5, 0.8
# Measured on 5,856 radiographs: two of one child reach 0.82 as they lie and 0.92 bent, of different children less;
# copies that were turned, cropped, negative or augmented reach 0.86 as they lie (0.93 but for one in ten), elastic ones
# 0.93 bent in radiographs and slices of heads, and 0.88 in fundi and endoscopy, where noise is as strong as detail.
_LIKE, _LIKE_BENT, _SHARE, _OVERLAP = 0.85, 0.93, 0.9, 0.6
# Of 49: a speck on an empty slide is like any other.
_FEWEST_BLOCKS = 4
# The rim of a blurred fundus fits that of another as well after a quarter turn: such pairs keep a likeness of 0.69 or
# more. Of 3,458 times that copies planted in seven sets agreed it fell to 0.32 or less, of fundi, some of them blurred,
# to 0.39 in nine of ten and to 0.72 at most (November 2026).
_LIKE_IN_ANY_TURN = 0.6
_PICTURES_AT_ONCE, _PAIRS_AT_ONCE = 16, 32
_WORKERS = os.cpu_count() or 1
_LEAST_TURN, _LEAST_ZOOM, _LEAST_SHIFT = 0.7, 0.03, 0.03


class TurnedPictures:
    """Different images of which some may be one picture, turned or otherwise changed.

    Args:
        look: gives pictures by their positions, from 0.
        count: how many there are.
    """

    def __init__(self, look: Look, count: int) -> None:
        def find(start: int) -> Keypoints:
            return find_keypoints(look(np.arange(start, min(start + _PICTURES_AT_ONCE, count))), start)

        self.look = look
        self.points = Keypoints.joined(list(in_order(find, range(0, count, _PICTURES_AT_ONCE), _WORKERS)))

    def confirmed(self) -> list[tuple[int, int, str]]:
        """The pairs that keypoints propose and pixels confirm: the earlier, the later and how it was changed."""
        pairs = self._confirmed(propose(self.points, alike_points(self.points)))
        ways = map(how_changed, pairs.change, pairs.sign.tolist())
        return list(zip(pairs.earlier.tolist(), pairs.later.tolist(), ways, strict=True))

    def _confirmed(self, proposals: Proposals) -> Proposals:
        pieces = (proposals[start : start + _PAIRS_AT_ONCE] for start in range(0, len(proposals), _PAIRS_AT_ONCE))
        parts = [part for part in in_order(self._compared, pieces, _WORKERS) if len(part)]
        if not parts:
            return proposals[:0]
        return Proposals(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(Proposals))
        )

    def _compared(self, pairs: Proposals) -> Proposals:
        """Those that agree at a quarter of the size, then at half of it, then at the whole."""
        pictures = np.stack([self.look(ends).astype(np.float32) for ends in (pairs.earlier, pairs.later)])
        shown = np.stack([content(each) for each in pictures])
        quarter = Registration.of(pictures, shown, pairs.sign, SIDE // 4)
        change = quarter.fit(scaled(pairs.change, 1 / 4), steps=4)
        likely = quarter.agreement(placed(change, SIDE // 4)).likeness >= _LIKE_AT_A_QUARTER
        pairs, change, pictures, shown = pairs[likely], scaled(change[likely], 2), pictures[:, likely], shown[:, likely]
        half = Registration.of(pictures, shown, pairs.sign, SIDE // 2)
        change = half.fit(change, steps=3)
        places = half.bend(half.bend(placed(change, SIDE // 2), steps=3, blocks=7), steps=3, blocks=14)
        likely = half.agreement(places).likeness >= _LIKE_AT_HALF
        pairs = dataclasses.replace(pairs[likely], change=scaled(change[likely], 2))
        whole = Registration.of(pictures[:, likely], shown[:, likely], pairs.sign, SIDE)
        as_it_lies = placed(whole.fit(pairs.change, steps=2), SIDE)
        agree = _agree(whole, as_it_lies, _LIKE)
        places = doubled((places[0][likely], places[1][likely]), SIDE // 2)
        places = whole.bend(whole.bend(places, steps=4, blocks=14), steps=3, blocks=28)
        return pairs[agree | _agree(whole, places, _LIKE_BENT)]


def how_changed(change: np.ndarray, sign: float) -> str:
    """Say in words how the later picture was made of the earlier one; "" where neither angle, size nor sign tells.

    Args:
        change: `(2, 3)` of places in pictures 112 pixels wide.
        sign: -1 for a negative.
    """
    linear = change[:, :2].astype(float)
    mirrored = bool(np.linalg.det(linear) < 0)
    if mirrored:
        linear = linear @ np.diag([-1.0, 1.0])
    angle = math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    middle = np.full(2, (SIDE - 1) / 2)
    shift = np.abs(change[:, :2] @ middle + change[:, 2] - middle).max() / SIDE
    zoom = abs(math.log(max(abs(np.linalg.det(linear)), 1e-3)) / 2)
    words = [
        *(["negative"] if sign < 0 else []),
        *(["mirrored left to right"] if mirrored else []),
        *([f"turned by about {count(max(1, round(abs(angle))), 'degree')}"] if abs(angle) >= _LEAST_TURN else []),
        *(["cropped or zoomed"] if max(zoom - _LEAST_ZOOM, shift - _LEAST_SHIFT) >= 0 else []),
    ]
    return " and ".join(words)


def _agree(pairs: Registration, places: Places, likeness: float) -> np.ndarray:
    found = pairs.agreement(places)
    enough = (found.overlap >= _OVERLAP) & (found.blocks >= _FEWEST_BLOCKS)
    agree = (found.likeness >= likeness) & (found.share >= _SHARE) & enough
    if agree.any():
        for times in (1, 2, 3):
            agree &= pairs.agreement(quarter_turned(places, SIDE, times)).likeness <= _LIKE_IN_ANY_TURN
    return agree
