"""A metric: its name and words, its value, its value in resamples and its interval, in one definition."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import Task
from overread.errors import InvalidData
from overread.evaluation.metrics.one_class import ClassDraws, OneAgainstRest
from overread.evaluation.uncertainty.interval import Interval
from overread.evaluation.uncertainty.sample import Sample

T = TypeVar("T")
# By the name of a judged class, and then by that of a `ClassMetric`.
PerClass = Mapping[str, Mapping[str, T]]


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number and what it rests on.

    Args:
        name: as in `Evaluation.metrics`.
        value: NaN where it is undefined, never 0 in its place.
        n: cases in its denominator: the positive ones for sensitivity, those predicted positive for PPV, all for
            accuracy; 0 for a rate that is undefined because its denominator is empty.
        reason: a sentence, present exactly where the value is NaN.

    Raises:
        InvalidData: a NaN without a reason, or a reason without a NaN.
    """

    name: str
    value: float
    n: int
    reason: str | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.value) != (self.reason is not None):
            raise InvalidData(
                f"metric {self.name} is {self.value} for reason {self.reason!r}: NaN and reason go together"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values; an undefined value is None."""
        return {**dataclasses.asdict(self), "value": None if self.reason else self.value}

    @classmethod
    def mean(cls, name: str, parts: list[Metric], n: int) -> Metric:
        """The plain mean of metrics; where one is undefined, undefined for the same reason."""
        reasons = dict.fromkeys(part.reason for part in parts if part.reason)
        if reasons:
            return cls(name, math.nan, n, " ".join(reasons))
        return cls(name, math.fsum(part.value for part in parts) / len(parts), n)


@dataclasses.dataclass(frozen=True, eq=False)
class Cases:
    """Labelled cases as arrays, checked and decided.

    Args:
        task: what is told apart.
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)`.
        decided: likewise.
    """

    task: Task
    y_true: IntArray
    y_prob: FloatArray
    decided: IntArray

    def __len__(self) -> int:
        return len(self.y_prob)

    def against_rest(self) -> dict[str, OneAgainstRest]:
        """Each judged class, by name."""
        return {name: self._one(name) for name in self.task.judged}

    def _one(self, name: str) -> OneAgainstRest:
        actual, called = self.task.shows(self.y_true, name), self.task.shows(self.decided, name)
        return OneAgainstRest(name=name, actual=actual, score=self.task.score(self.y_prob, name), called=called)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricDefinition(ABC):
    """A metric of all cases; one of each class against the rest is a `ClassMetric`.

    Args:
        name: its key in results.
        label: the words for it in a report.
        synonym: another key, under which results have it too.
        limits: the lowest and the highest value it can take; -inf and inf where there is none.
    """

    name: str
    label: str
    synonym: str | None = None
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def counts_patients(self) -> bool:
        """Whether the patients in its denominator can be counted, so that one knows if they are enough."""
        return False

    @abstractmethod
    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        """The metric of cases, of which `per_class` has the metrics of each judged class."""

    @abstractmethod
    def resample(self, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        """The metric of every resample.

        Args:
            totals: "cases", and the sum of each `CaseMean` by its name, in each resample.
            per_class: the metrics of each judged class in each resample.
        """

    def interval(self, metric: Metric, values: FloatArray, sample: Sample) -> Interval:
        """The interval of a metric that is defined.

        Args:
            metric: of the cases.
            values: of the resamples.
            sample: their patients.
        """
        return sample.resampled(metric.value, values, self.limits)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassMetric(MetricDefinition):
    """A metric of one class against the rest; of several judged classes the mean, undefined where one of them is."""

    @abstractmethod
    def estimate_class(self, one: OneAgainstRest) -> Metric:
        """The metric of one class."""

    @abstractmethod
    def resample_class(self, draws: ClassDraws) -> FloatArray:
        """The metric of one class in each draw, NaN where undefined."""

    def patients_behind(self, one: OneAgainstRest, patient: IntArray) -> int:
        """How many patients stand in the denominator; 0 where that says nothing.

        Args:
            one: the class.
            patient: `(n,)` the number of the patient of each case.
        """
        return 0

    def interval_class(self, metric: Metric, values: FloatArray, one: OneAgainstRest, sample: Sample) -> Interval:
        """The interval of the metric of one class, where it is defined."""
        return sample.resampled(metric.value, values, self.limits, self.patients_behind(one, sample.patient))

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        parts = [metrics[self.name] for metrics in per_class.values()]
        return parts[0] if len(parts) == 1 else Metric.mean(self.name, parts, len(cases))

    def resample(self, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        return np.asarray(np.mean([values[self.name] for values in per_class.values()], axis=0))
