"""The threshold at which a probability becomes a decision, chosen on validation data and never on test data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData, InvalidOption
from overread.evaluation.curves import CutTable, cut_table


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A threshold, the rule that chose it and what it gave on the cases it was chosen on.

    A case is positive where its probability, as float64, is at or above the threshold.

    Args:
        threshold: 0 to 1.
        rule: the rule as it was asked for, such as "youden" or "0.5".
        sensitivity: on the cases it was chosen on, so an optimistic figure; quote the test set's instead.
        specificity: likewise.
        n_positive: positive cases it was chosen on.
        n_negative: negative cases it was chosen on.

    Raises:
        InvalidData: a value lies outside 0 to 1, or a class had no case.
    """

    threshold: float
    rule: str
    sensitivity: float
    specificity: float
    n_positive: int
    n_negative: int

    def __post_init__(self) -> None:
        for name in ("threshold", "sensitivity", "specificity"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise InvalidData(
                    f"operating point {name}={value!r} is not a number from 0 to 1: choose the point again"
                )
        for name in ("n_positive", "n_negative"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 1):
                raise InvalidData(
                    f"operating point {name}={value!r} is not a count of 1 or more: choose the point again"
                )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> OperatingPoint:
        """Rebuild what `to_dict` gave.

        Raises:
            InvalidData: a field is missing, unknown or outside its range.
        """
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(fields) != expected:
            wrong = sorted(expected ^ set(fields))
            raise InvalidData(f"an operating point has exactly {sorted(expected)}: add or remove {wrong}")
        return cls(**fields)


def choose_operating_point(
    y_true: npt.ArrayLike, y_prob_positive: npt.ArrayLike, *, rule: str | float = "youden"
) -> OperatingPoint:
    """Choose the threshold on validation data.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1; True is positive.
        y_prob_positive: `(n,)` 0 to 1, the probability of the positive class.
        rule: "youden" takes the cut of largest sensitivity + specificity - 1, of equal ones that of the higher
            sensitivity, and puts the threshold midway between its lowest score and the next score below it, or at 0 if
            there is none below. A number from 0 to 1, such as "0.5", is the threshold itself.

    Raises:
        InvalidOption: an unknown rule.
        InvalidData: no case, one class only, or probabilities that are not 0 to 1.

    Example:
        >>> choose_operating_point([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9]).threshold
        0.5

    References:
        Youden WJ. Cancer 1950;3:32-35. doi:10.1002/1097-0142(1950)3:1<32::aid-cncr2820030106>3.0.co;2-3
    """
    cuts = cut_table(y_true, y_prob_positive)
    if not (cuts.n_positive and cuts.n_negative):
        raise InvalidData(
            f"{cuts.n_positive} positive and {cuts.n_negative} negative cases cannot place a threshold: "
            "choose it on a split that holds both classes"
        )
    if cuts.score[0] > 1 or cuts.score[-1] < 0:
        raise InvalidData(
            f"scores run from {cuts.score[-1]:g} to {cuts.score[0]:g}: give probabilities from 0 to 1, not logits"
        )
    threshold = _threshold(cuts, rule)
    called = int(np.count_nonzero(cuts.score >= threshold))
    true_positives = int(cuts.true_positives[called - 1]) if called else 0
    false_positives = int(cuts.false_positives[called - 1]) if called else 0
    return OperatingPoint(
        threshold=threshold,
        rule=str(rule),
        sensitivity=true_positives / cuts.n_positive,
        specificity=(cuts.n_negative - false_positives) / cuts.n_negative,
        n_positive=cuts.n_positive,
        n_negative=cuts.n_negative,
    )


def _threshold(cuts: CutTable, rule: str | float) -> float:
    if isinstance(rule, str) and rule in _RULES:
        return _midpoint_below(cuts, _RULES[rule](cuts))
    try:
        threshold = float(rule)
    except (TypeError, ValueError):
        threshold = float("nan")
    if not 0 <= threshold <= 1:
        allowed = ", ".join(repr(name) for name in _RULES)
        raise InvalidOption(f"operating point rule {rule!r} is unknown: use {allowed} or a threshold from 0 to 1")
    return threshold


def _youden(cuts: CutTable) -> int:
    # Whole numbers, J times both class sizes: rounding cannot break or make a tie.
    youden_j = cuts.true_positives * cuts.n_negative - cuts.false_positives * cuts.n_positive
    return int(np.flatnonzero(youden_j == youden_j.max())[-1])


def _midpoint_below(cuts: CutTable, row: int) -> float:
    if row == len(cuts.score) - 1:
        return 0.0
    upper, lower = float(cuts.score[row]), float(cuts.score[row + 1])
    middle = lower + (upper - lower) / 2
    # Between two neighbouring floats the middle rounds to one of them, and the lower case must stay below.
    return middle if middle > lower else upper


_RULES: dict[str, Callable[[CutTable], int]] = {"youden": _youden}
