"""Which classes cannot be ruled out: prediction sets that hold the true class as often as they promise.

Split conformal prediction by class: of the images of each class, at least the share `coverage` keep their class in the
set, whatever the network, if they are drawn as the labelled images were that set the thresholds. Those images also
chose epoch and calibration, which makes the promise a little optimistic; the coverage on the test side tells.

References:
    Vovk V. Conditional validity of inductive conformal predictors. Mach Learn 2013;92:349-376.
        doi:10.1007/s10994-013-5355-6
    Angelopoulos AN, Bates S. Conformal Prediction: A Gentle Introduction. Found Trends Mach Learn 2023;16:494-591.
        doi:10.1561/2200000101
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.decision.numbers import is_count, is_number
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption

COVERAGES = 0.5, 0.999


@dataclasses.dataclass(frozen=True, kw_only=True)
class Referral:
    """Thresholds of the prediction sets, frozen on labelled images that the network was not fitted to.

    Args:
        coverage: the share of the images of each class whose set is to hold it.
        thresholds: by class, the highest 1 - probability with which it stays in the set; 1 keeps it always.
        counts: by class, how many images set the threshold; of a rare grade those of its neighbours, too.

    Raises:
        InvalidData: a value is out of range, or the classes differ.
    """

    coverage: float
    thresholds: Mapping[str, float]
    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        check_coverage(self.coverage)
        thresholds, counts = self.thresholds.values(), self.counts.values()
        fits = all(is_number(each, 0, 1) for each in thresholds) and all(map(is_count, counts))
        if not (fits and list(self.thresholds) == list(self.counts)):
            raise InvalidData("a referral has a threshold from 0 to 1 and a count for each class: train again")

    @property
    def always(self) -> tuple[str, ...]:
        """Classes with too few images to be ruled out at this coverage: they are in every set."""
        return tuple(name for name, n in self.counts.items() if _rank(n, self.coverage) > n)

    def sets(self, y_prob: npt.ArrayLike, task: Task) -> npt.NDArray[np.bool_]:
        """Tell for each image, `(n, answers)`, which answers of the task cannot be ruled out: none, one or several.

        Args:
            y_prob: `(n, K)` calibrated probabilities, in the order of the classes.
            task: whose answers have the thresholds.
        """
        return task.closed(np.asarray(task.strangeness(y_prob) <= np.array([*self.thresholds.values()])))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {"coverage": self.coverage, "thresholds": dict(self.thresholds), "counts": dict(self.counts)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], classes: Sequence[str]) -> Referral:
        """Rebuild what `to_dict` gave, in the order of the classes, whatever that of the keys is."""
        by_class = {key: {name: fields[key][name] for name in classes} for key in ("thresholds", "counts")}
        return cls(coverage=fields["coverage"], **by_class)


def choose_referral(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, task: Task, coverage: float = 0.9) -> Referral:
    """Choose for each class the k-th smallest 1 - probability of its own images, k = ceil((n + 1) coverage).

    Tied images are in or out together, so that coverage is at least what was asked. Where k is above n, as it is with 8
    images and a coverage of .9, or with none, no threshold can promise it and the class is never ruled out. Of ordered
    grades, one of so few goes with its neighbours, and the promise is for them together.

    Args:
        y_true: `(n,)` the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` calibrated probabilities.
        task: what is told apart.
        coverage: .5 to .999.

    Raises:
        InvalidOption: the coverage is out of range.

    Example:
        >>> import numpy as np
        >>> from overread.decision import Task
        >>> p = np.linspace(0.05, 0.95, 19)
        >>> y_prob = np.column_stack([1 - p, p])
        >>> found = choose_referral((p > 0.5).astype(int), y_prob, task=Task.of(("no", "yes")), coverage=0.8)
        >>> found.counts["yes"], round(found.thresholds["yes"], 2)
        (9, 0.4)
    """
    check_coverage(coverage)
    y_prob = np.asarray(y_prob, dtype=np.float64)
    given, strangeness = task.answered(y_true), task.strangeness(y_prob)
    scores: dict[int, FloatArray] = {}
    for group in task.kin(given.sum(axis=0).tolist(), _enough(coverage)):
        found = np.sort(np.concatenate([strangeness[given[:, i], i] for i in group]))
        scores |= dict.fromkeys(group, found)
    by_name = {name: scores[i] for i, name in enumerate(task.answers)}
    return Referral(
        coverage=coverage,
        thresholds={name: _threshold(found, coverage) for name, found in by_name.items()},
        counts={name: len(found) for name, found in by_name.items()},
    )


def check_coverage(coverage: float) -> None:
    """Refuse a coverage that no set can be asked for.

    Raises:
        InvalidOption: it is outside .5 to .999.
    """
    low, high = COVERAGES
    if not is_number(coverage, low, high):
        raise InvalidOption(f"coverage={coverage} is outside {low:g} to {high:g}: 0.9 is usual")


def _enough(coverage: float) -> int:
    """The fewest images that set a threshold."""
    return next(n for n in itertools.count(1) if _rank(n, coverage) <= n)


def _rank(n: int, coverage: float) -> int:
    # Decimal fractions are not exact: (9 + 1) * 0.9 must not become 10.
    return math.ceil(round((n + 1) * coverage, 9))


def _threshold(scores: FloatArray, coverage: float) -> float:
    rank = _rank(len(scores), coverage)
    # Not np.quantile, whose "higher" is off by one where (n + 1) * coverage is a whole number.
    return float(scores[rank - 1]) if rank <= len(scores) else 1.0
