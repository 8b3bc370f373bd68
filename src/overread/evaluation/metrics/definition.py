"""A metric: its name and words, its value, its value in resamples and its interval, in one definition."""

from __future__ import annotations

import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray, Task
from overread.errors import InvalidData
from overread.evaluation.metrics.one_class import ClassDraws, OneAgainstRest
from overread.evaluation.uncertainty.interval import Interval
from overread.evaluation.uncertainty.sample import Sample

T = TypeVar("T")
# By the name of a judged class, and then by that of a `ClassMetric`.
PerClass = Mapping[str, Mapping[str, T]]
# On either side of a question, for it to count in a mean over questions. Of 14 findings in 1 to 25 % of cases, a fifth
# of the truth unknown, 95 % intervals of the mean sensitivity in 100 patients of one to four images held the true one
# in 88 % of simulated studies with all that were defined, in 96 % so (400 studies, November 2026).
FEWEST_PATIENTS = 5


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number and what it rests on.

    Args:
        name: as in `Evaluation.metrics`.
        value: NaN where it is undefined, never 0 in its place.
        n: cases in its denominator: the positive ones for sensitivity, those predicted positive for PPV, all for
            accuracy; 0 for a rate that is undefined because its denominator is empty.
        reason: a sentence, present exactly where the value is NaN.
        left_out: of a mean over questions that stand each for itself, those that it leaves out: undefined or rare.

    Raises:
        InvalidData: a NaN without a reason, or a reason without a NaN.
    """

    name: str
    value: float
    n: int
    reason: str | None = None
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "left_out", tuple(self.left_out))
        if math.isnan(self.value) != (self.reason is not None):
            raise InvalidData(
                f"metric {self.name} is {self.value} for reason {self.reason!r}: NaN and reason go together"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values; an undefined value is None, and `left_out` stands where it names any."""
        found = {**dataclasses.asdict(self), "value": None if self.reason else self.value}
        left_out = found.pop("left_out")
        return {**found, "left_out": list(left_out)} if left_out else found

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
        patient: `(n,)` the number of the patient of each; by default each has its own.
    """

    task: Task
    y_true: IntArray
    y_prob: FloatArray
    decided: IntArray
    patient: IntArray | None = None

    def __len__(self) -> int:
        return len(self.y_prob)

    @functools.cached_property
    def told(self) -> BoolArray:
        """`(n,)` whether the truth tells the answer to any judged question."""
        return np.any([self.task.known(self.y_true, name) for name in self.task.judged], axis=0)

    @property
    def too_few(self) -> str | None:
        """Why nobody knows how sure a mean over several questions is; None where that can be told."""
        if len(self.task.questions) < 2 or max(self.fewer.values()) >= FEWEST_PATIENTS:
            return None
        return f"No {self.task.judged_noun[0]} is there in {FEWEST_PATIENTS} patients and absent in as many."

    @functools.cached_property
    def fewer(self) -> dict[str, int]:
        """By the name of each judged question the patients that answer it with yes or those with no: the fewer."""
        patient = np.arange(len(self)) if self.patient is None else self.patient
        return {
            name: min(len(np.unique(patient[one.rows][side])) for side in (one.actual, ~one.actual))
            for name, one in self.against_rest().items()
        }

    def against_rest(self) -> dict[str, OneAgainstRest]:
        """Each judged question by name, with the cases of which the truth tells the answer."""
        return {name: self._one(name) for name in self.task.judged}

    def _one(self, name: str) -> OneAgainstRest:
        rows = np.flatnonzero(self.task.known(self.y_true, name))
        return OneAgainstRest(
            name=name,
            rows=rows,
            actual=self.task.shows(self.y_true, name)[rows],
            score=self.task.score(self.y_prob, name)[rows],
            called=self.task.shows(self.decided, name)[rows],
        )


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

    # Whether it is a mean over the judged questions, where there are several.
    is_mean: ClassVar[bool] = False

    @property
    def counts_patients(self) -> bool:
        """Whether the patients in its denominator can be counted, so that one knows if they are enough."""
        return False

    def numbers(self, cases: Cases) -> Mapping[str, npt.NDArray[Any]]:
        """By a name of its own, `(n,)` numbers of cases of whose sums it is made, in all cases and in resamples."""
        return {}

    @abstractmethod
    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        """The metric of cases, of which `per_class` has the metrics of each judged class."""

    @abstractmethod
    def resample(self, task: Task, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        """The metric of every resample.

        Args:
            task: what is told apart.
            totals: in each resample the sum of all `numbers` by name, and "cases": how many tell anything.
            per_class: the metrics in each resample of each judged class.
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
    """A metric of one class against the rest, or of one judged question; of several the mean.

    The mean over classes is undefined where one of them is. Questions that stand each for itself may be as many as the
    findings of a radiograph: what fewer than five patients show, or do not show, is left out of their mean, and named.
    Where that leaves none, the mean is over all that are defined, and has no interval.
    """

    is_mean = True

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
        parts = {name: metrics[self.name] for name, metrics in per_class.items()}
        if len(parts) == 1:
            return next(iter(parts.values()))
        return mean_of_judged(self.name, {name: [part] for name, part in parts.items()}, cases)

    def resample(self, task: Task, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        return mean_of_resamples(task, [values[self.name] for values in per_class.values()])


def mean_of_judged(name: str, parts: Mapping[str, list[Metric]], cases: Cases) -> Metric:
    """The mean of metrics of judged questions, by the name of the question.

    Args:
        name: of the mean.
        parts: the metrics of each question.
        cases: that they are of.
    """
    if len(parts) == 1 or not cases.task.questions:
        return Metric.mean(name, [one for found in parts.values() for one in found], len(cases))
    defined = [question for question, found in parts.items() if not any(one.reason for one in found)]
    kept = [question for question in defined if cases.fewer[question] >= FEWEST_PATIENTS] or defined
    mean = Metric.mean(name, [one for question in kept or parts for one in parts[question]], len(cases))
    return dataclasses.replace(mean, left_out=tuple(question for question in parts if kept and question not in kept))


def mean_of_resamples(task: Task, parts: Sequence[FloatArray]) -> FloatArray:
    """The same mean in every resample, of `(resamples,)` values of each judged question.

    A question that stands for itself and is undefined in a resample is left out there: with many findings some are
    missing from many resamples, and those with all of them would be the lucky draws.
    """
    values = np.asarray(parts)
    if not task.questions:
        return np.asarray(np.mean(values, axis=0))
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(axis=0) / defined.sum(axis=0))
