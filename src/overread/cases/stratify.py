"""Iterative stratification: whole patients dealt so that each finding, and each two together, come near their share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision import FloatArray, IntArray

_Bools = npt.NDArray[np.bool_]


def stratify(
    yes: _Bools, no: _Bools, units: IntArray, *, shares: Sequence[float], needs: Sequence[int] | None = None
) -> IntArray:
    """`(units,)` the number of the share that each unit is dealt to.

    The rarest answer is dealt first: yes and no to each question count apart, and so does each two questions that are
    answered with yes together. A unit goes to where it most lessens the squares of what its answers lack of their
    shares. Where no more units with an answer are left than the shares still need, it goes to one of those.

    Args:
        yes: `(n, K)` whether each image answers each question with yes.
        no: likewise with no; where neither holds, the answer is not known.
        units: `(n,)` from 0, the number of what each image must stay together with; of equal ones the first is dealt
            first.
        shares: of all images that are asked for, each above 0; their sum is 1.
        needs: units with each answer that each share is to have, where there are as many; by default 1.

    References:
        Sechidis K, Tsoumakas G, Vlahavas I. On the stratification of multi-label data. ECML PKDD 2011:145-158.
            doi:10.1007/978-3-642-23808-6_10
        Szymański P, Kajdanowicz T. A network perspective on stratification of multi-label data. PMLR 2017;74:22-35.
    """
    strata = _strata_of(yes, no, units)
    return _deal(strata, np.asarray(shares, dtype=np.float64), np.ones(len(shares)) if needs is None else needs)


class _Strata(NamedTuple):
    """How many images of each stratum each unit has; a row for each pair of the two that meet, by unit.

    Args:
        unit, stratum: `(m,)`.
        part: `(m, 2)` what the unit is of the images of the stratum, and of its units.
        is_answer: `(strata,)` whether it is an answer to a question, which no side should lack.
    """

    unit: IntArray
    stratum: IntArray
    part: FloatArray
    is_answer: _Bools


def _strata_of(yes: _Bools, no: _Bools, units: IntArray) -> _Strata:
    """Answers, pairs of yes, images without any yes, all images, and the units themselves."""
    n, questions = yes.shape
    found = [np.nonzero(np.concatenate([yes, no], axis=1))]
    for first in range(questions):
        rows = np.flatnonzero(yes[:, first])
        of_pair, second = np.nonzero(yes[rows, first + 1 :])
        found.append((rows[of_pair], questions * (first + 2) + first + 1 + second))
    further = questions * (questions + 2)
    found += [(np.flatnonzero(~yes.any(axis=1)), further), (np.arange(n), further + 1)]
    rows = np.concatenate([rows for rows, _ in found])
    names = np.concatenate([np.broadcast_to(name, rows.shape) for rows, name in found])
    met, images = np.unique(units[rows] * (further + 3) + names, return_counts=True)
    number = np.arange(units.max() + 1)
    met = np.concatenate([met, number * (further + 3) + further + 2])
    order = np.argsort(met, kind="stable")
    unit, name = np.divmod(met[order], further + 3)
    counts = np.concatenate([images, np.ones(len(number))])[order]
    known, stratum = np.unique(name, return_inverse=True)
    # Both count: metrics are of images, and their intervals of patients.
    of_images = counts / np.bincount(stratum, weights=counts)[stratum]
    of_units = 1 / np.bincount(stratum)[stratum]
    return _Strata(unit, stratum, np.column_stack([of_images, of_units]), known < 2 * questions)


def _deal(strata: _Strata, shares: FloatArray, needs: npt.ArrayLike) -> IntArray:
    unit, stratum, part, is_answer = strata
    starts = np.searchsorted(unit, np.arange(unit[-1] + 2))
    largest_first = np.lexsort((unit, -part[:, 0], stratum))
    members = np.split(unit[largest_first], np.cumsum(np.bincount(stratum))[:-1])
    left = np.bincount(stratum)
    room = np.broadcast_to(shares[:, None, None], (len(shares), len(left), 2)).copy()
    # No side needs what is no answer.
    lacking = np.asarray(needs, dtype=np.int64)[:, None] * is_answer
    dealt = np.full(int(unit[-1]) + 1, -1)
    while left.any():
        for one in members[np.where(left > 0, left, left.max() + 1).argmin()].tolist():
            if dealt[one] >= 0:
                continue
            rows = slice(starts[one], starts[one + 1])
            own, held = stratum[rows], part[rows]
            gain = ((2 * room[:, own] - held) * held).sum(axis=(1, 2)) / shares
            lacks = lacking[:, own]
            urgent = (lacks > 0) & (left[own] <= lacks.sum(axis=0))
            chosen = np.lexsort((-gain, -urgent.sum(axis=1)))[0]
            dealt[one] = chosen
            room[chosen, own] -= held
            lacking[chosen, own] = np.maximum(lacks[chosen] - 1, 0)
            left[own] -= 1
    return dealt
