"""A metric of your own, from one function."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from numbers import Real

import numpy as np

from overread.decision.cuts import FloatArray
from overread.decision.task import BoolArray
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.metrics.definition import ClassMetric, Metric
from overread.evaluation.metrics.one_class import ClassDraws, OneAgainstRest

_ROUNDING = 1e-9
_TRIED = np.arange(20)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnMetric(ClassMetric):
    """A metric that a function of yours computes, reported beside the others with an interval by patient.

    It is asked of the positive class of two, or of each of several classes against the rest, of which the mean is
    taken. The interval comes from resampled patients, so the function is called for every one of them.

    Args:
        function: given `(n,)` bool whether each case is of the class, `(n,)` float its probability and `(n,)` bool
            whether it was decided to be of the class, gives a number; NaN or infinity where the metric is undefined,
            as it may be where no case is of the class, or every one.

    Raises:
        InvalidOption: a name that is no identifier, limits that do not rise, or a function that cannot be called.
        InvalidData: the function fails on twenty made-up cases.

    Example:
        >>> def youden_j(actual, score, called):
        ...     return called[actual].mean() - called[~actual].mean()
        >>> youden = OwnMetric(name="youden_j", label="Youden's J", function=youden_j, limits=(-1, 1))
    """

    function: Callable[[BoolArray, FloatArray, BoolArray], float]

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise InvalidOption(f"name={self.name!r} is no key for results: use letters, digits and underscores")
        if not self.limits[0] < self.limits[1]:
            raise InvalidOption(f"limits={self.limits!r} of {self.name} do not rise: give the lowest and highest value")
        if not callable(self.function):
            raise InvalidOption(f"function={self.function!r} of {self.name} cannot be called: give a function")
        # A slip in it shall show before hours of training, and before the test side is opened.
        self._value(_TRIED % 2 == 1, _TRIED / 20, _TRIED > 9)

    def estimate_class(self, one: OneAgainstRest) -> Metric:
        n, value = len(one.actual), self._value(one.actual, one.score, one.called)
        reason = f"{self.label} is not defined on these cases, of which {int(one.actual.sum())} are {one.name}."
        return Metric(self.name, value, n, reason if math.isnan(value) else None)

    def resample_class(self, draws: ClassDraws) -> FloatArray:
        one, drawn = draws.one, map(draws.rows, range(len(draws.weight)))
        return np.array([self._value(one.actual[rows], one.score[rows], one.called[rows]) for rows in drawn])

    def _value(self, actual: BoolArray, score: FloatArray, called: BoolArray) -> float:
        try:
            # NumPy warns of what is undefined; here NaN says it.
            with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
                value = self.function(actual, score, called)
        except Exception as error:  # whatever a stranger's function may raise
            raise InvalidData(
                f"the metric {self.name} failed on {len(actual)} cases with {type(error).__name__}: let its function "
                "give NaN where it is undefined"
            ) from error
        if not isinstance(value, Real):
            raise InvalidData(f"the metric {self.name} gave a {type(value).__name__}: let its function give one number")
        number = float(value)
        if not math.isfinite(number):
            return math.nan
        low, high = self.limits
        if not low - _ROUNDING <= number <= high + _ROUNDING:
            raise InvalidData(
                f"the metric {self.name} gave {number:g}, outside its limits {low:g} to {high:g}: give others"
            )
        return min(max(number, low), high)
