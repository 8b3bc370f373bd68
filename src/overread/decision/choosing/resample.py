"""How far a threshold hangs on who was drawn: the rule again on patients drawn with replacement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from overread.decision.choosing.rules import Draws, Rule
from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidData

_DRAWS, _LEVEL = 200, 0.95
# Of the draws, that may miss a class.
_MOST_WITHOUT = 0.05
# Numbers that are worked on at once.
_CELLS = 1_000_000


def interval_of(
    rule: Rule, positive: npt.NDArray[np.bool_], score: FloatArray, patients: Sequence[str | None] | None
) -> tuple[float, float] | None:
    """Give the middle 95 % of the thresholds that draws of as many patients lead to.

    Draws that miss a class count for nothing. None where more than a twentieth do, or all others agree: that
    says that patients are few, not that the threshold is sure. The draws are the same for the same patients.

    Args:
        rule: that chooses.
        positive: `(n,)` which cases are.
        score: `(n,)` probabilities.
        patients: of each case, None or "" for an unknown one.

    Raises:
        InvalidData: there are not n patients.
    """
    who = _numbered(patients, len(score))
    distinct, place = np.unique(-score, return_inverse=True)
    order = np.argsort(place, kind="stable")
    last = np.cumsum(np.bincount(place)) - 1
    sums = [each for each in _sums(who[order], positive[order], last) if len(each[0])]
    found = np.concatenate([np.empty(0), *(rule.thresholds(Draws(-distinct, *each)) for each in sums)])
    if len(found) < (1 - _MOST_WITHOUT) * _DRAWS or np.ptp(found) == 0:
        return None
    low, high = np.quantile(found, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def checked_patients(patients: Sequence[str | None], n: int) -> Sequence[str | None]:
    """Give patients, once they are found to be of n cases.

    Raises:
        InvalidData: they are not.
    """
    if len(patients) != n:
        raise InvalidData(f"there are {len(patients)} patients for {n} cases: name one for each case, or none at all")
    return patients


def _sums(who: IntArray, positive: npt.NDArray[np.bool_], last: IntArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Of some draws at once, the weight of positive and of negative cases down to the last case of each score."""
    random, n_patients = np.random.default_rng(0), int(who.max()) + 1
    most = max(1, _CELLS // len(who))
    for start in range(0, _DRAWS, most):
        rows = min(most, _DRAWS - start)
        taken = random.integers(0, n_patients, (rows, n_patients)) + n_patients * np.arange(rows)[:, None]
        weight = np.bincount(taken.ravel(), minlength=rows * n_patients).reshape(rows, n_patients)[:, who]
        positives = np.cumsum(weight * positive, axis=1, dtype=np.float64)[:, last]
        negatives = np.cumsum(weight * ~positive, axis=1, dtype=np.float64)[:, last]
        both = (positives[:, -1] > 0) & (negatives[:, -1] > 0)
        yield positives[both], negatives[both]


def _numbered(patients: Sequence[str | None] | None, n: int) -> IntArray:
    if patients is None:
        return np.arange(n)
    checked_patients(patients, n)
    # A name that nobody bears stands for a patient who is not known.
    return np.unique([name or f"\0{row}" for row, name in enumerate(patients)], return_inverse=True)[1]
