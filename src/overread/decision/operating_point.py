"""The threshold at which a probability becomes a decision, chosen on validation data and never on test data."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import CutTable, cut_table
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption


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
        note: a sentence where the rule could not be met, or only by a point of no use.

    Raises:
        InvalidData: a value lies outside 0 to 1, or a class had no case.
    """

    threshold: float
    rule: str
    sensitivity: float
    specificity: float
    n_positive: int
    n_negative: int
    note: str | None = None

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
        """Rebuild what `to_dict` gave; the note may be missing.

        Raises:
            InvalidData: a field is missing, unknown or outside its range.
        """
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(fields) | {"note"} != expected:
            wrong = sorted(expected ^ (set(fields) | {"note"}))
            raise InvalidData(f"an operating point has exactly {sorted(expected)}: add or remove {wrong}")
        return cls(**fields)


def choose_operating_point(
    y_true: npt.ArrayLike, y_prob_positive: npt.ArrayLike, *, rule: str | float = "youden"
) -> OperatingPoint:
    """Choose the threshold on validation data.

    A number from 0 to 1, such as "0.5", is the threshold itself. The other rules choose a cut and put the threshold
    midway between its lowest score and the next score below it, or at 0 if there is none below:

    - "youden": the largest sensitivity + specificity - 1, of equal ones the higher sensitivity.
    - "sensitivity=0.95": the highest specificity of the cuts with at least this sensitivity, of equal ones the higher
      sensitivity. Some cut always reaches it.
    - "specificity=0.9": the highest sensitivity of the cuts with at least this specificity, of equal ones the higher
      specificity. Where none reaches it, because the highest scores tie, the cut of highest specificity.
    - "cost=5:1": the lowest total cost where a missed positive case costs 5 and a false alarm 1, of equal ones the
      higher sensitivity. The share of positive cases counts; where it is not that of the clinic, so is the point.

    Every chosen cut calls some case positive. The note says where a target was out of reach, where calling none
    positive would cost less, and where the point finds no positive or clears no negative case.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1; True is positive.
        y_prob_positive: `(n,)` 0 to 1, the probability of the positive class.
        rule: as above.

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
    cuts.require_probabilities()
    chosen = _parsed(rule)
    if isinstance(chosen, float):
        threshold, note = chosen, None
    else:
        row, note = chosen(cuts)
        threshold = _midpoint_below(cuts, row)
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
        note=note or _useless(cuts, true_positives, false_positives),
    )


def choose_operating_points(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, task: Task, rule: str | float = "youden"
) -> dict[str, OperatingPoint]:
    """Choose the threshold of each judged class against the rest: of the positive one of two, or of each of more.

    With more than two, a case may reach several of them, or none.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        rule: as `choose_operating_point` has it.

    Raises:
        InvalidOption: an unknown rule.
        InvalidData: shapes or labels that do not fit, a class without a case or that every case is of.
    """
    probabilities = task.checked_probabilities(y_prob)
    labels = task.checked_cases(y_true, len(probabilities))
    points = {}
    for name in task.judged:
        actual, score = task.shows(labels, name), probabilities[:, task.column(name)]
        try:
            points[name] = choose_operating_point(actual, score, rule=rule)
        except InvalidData as error:
            raise InvalidData(f"class {name} against the rest: {error}") from None
    return points


def check_operating_point_rule(rule: str | float) -> None:
    """Refuse an unknown rule before hours of training lead up to it.

    Raises:
        InvalidOption: it is none that `choose_operating_point` knows.
    """
    _parsed(rule)


_Choice = tuple[int, str | None]


def _parsed(rule: str | float) -> float | Callable[[CutTable], _Choice]:
    text = str(rule)
    name, _, target = text.partition("=")
    miss, _, alarm = target.partition(":")
    if text == "youden":
        return _youden
    if name == "sensitivity" and 0 < _number(target) <= 1:
        return functools.partial(_reach_sensitivity, _number(target))
    if name == "specificity" and 0 < _number(target) <= 1:
        return functools.partial(_reach_specificity, _number(target))
    if name == "cost" and 0 < _number(miss) < math.inf and 0 < _number(alarm) < math.inf:
        return functools.partial(_spend_least, _number(miss), _number(alarm))
    if 0 <= _number(text) <= 1:
        return _number(text)
    raise InvalidOption(
        f"operating point rule {rule!r} is unknown: use 'sensitivity=0.95', 'specificity=0.9', 'cost=5:1' (a miss : a "
        "false alarm), 'youden' or a threshold from 0 to 1"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _youden(cuts: CutTable) -> _Choice:
    # Whole numbers, J times both class sizes: rounding cannot break or make a tie.
    youden_j = cuts.true_positives * cuts.n_negative - cuts.false_positives * cuts.n_positive
    return int(np.flatnonzero(youden_j == youden_j.max())[-1]), None


def _reach_sensitivity(target: float, cuts: CutTable) -> _Choice:
    first = int(np.argmax(cuts.true_positives / cuts.n_positive >= target))
    return int(np.searchsorted(cuts.false_positives, cuts.false_positives[first], side="right")) - 1, None


def _reach_specificity(target: float, cuts: CutTable) -> _Choice:
    specificity = (cuts.n_negative - cuts.false_positives) / cuts.n_negative
    reached = int(np.count_nonzero(specificity >= target))
    if not reached:
        return 0, (
            f"Specificity {target:g} is out of reach, because the highest scores tie; "
            f"calling only those positive gives {specificity[0]:.3g}."
        )
    return int(np.searchsorted(cuts.true_positives, cuts.true_positives[reached - 1])), None


def _spend_least(miss: float, alarm: float, cuts: CutTable) -> _Choice:
    cost = miss * (cuts.n_positive - cuts.true_positives) + alarm * cuts.false_positives
    cheaper = "Calling no case positive would cost less." if miss * cuts.n_positive < cost.min() else None
    return int(np.flatnonzero(cost == cost.min())[-1]), cheaper


def _useless(cuts: CutTable, true_positives: int, false_positives: int) -> str | None:
    if true_positives == 0:
        return "No positive case reaches this threshold."
    return "Every negative case reaches this threshold." if false_positives == cuts.n_negative else None


def _midpoint_below(cuts: CutTable, row: int) -> float:
    if row == len(cuts.score) - 1:
        return 0.0
    upper, lower = float(cuts.score[row]), float(cuts.score[row + 1])
    middle = lower + (upper - lower) / 2
    # Between two neighbouring floats the middle rounds to one of them, and the lower case must stay below.
    return middle if middle > lower else upper
