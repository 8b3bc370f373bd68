"""The kinds of metrics there are, each with the interval that its kind allows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray, Task
from overread.evaluation.curves import average_precision, roc_auc
from overread.evaluation.metrics.definition import (
    Cases,
    ClassMetric,
    Metric,
    MetricDefinition,
    PerClass,
    mean_of_judged,
    mean_of_resamples,
)
from overread.evaluation.metrics.one_class import ClassDraws, OneAgainstRest
from overread.evaluation.uncertainty.interval import ROUNDING, Interval, auc_interval, wilson
from overread.evaluation.uncertainty.sample import Sample


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaseMean(MetricDefinition):
    """The mean of a number that every case has for itself, over the cases of which the truth tells anything.

    Args:
        of_cases: gives the `(n,)` numbers of cases.
        is_share: they are 0 and 1, so that the metric is a share of the cases.
    """

    of_cases: Callable[[Cases], npt.NDArray[Any]]
    is_share: bool = False

    @property
    def counts_patients(self) -> bool:
        return self.is_share

    def numbers(self, cases: Cases) -> Mapping[str, npt.NDArray[Any]]:
        return {self.name: self.of_cases(cases) * cases.told}

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        n = int(cases.told.sum())
        if n == 0:
            return Metric(self.name, math.nan, 0, "Nothing is known of any case.")
        return Metric(self.name, float(self.of_cases(cases)[cases.told].mean()), n)

    def resample(self, task: Task, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        with np.errstate(invalid="ignore"):
            return np.asarray(totals[self.name] / totals["cases"])

    def interval(self, metric: Metric, values: FloatArray, sample: Sample) -> Interval:
        if not self.is_share:
            return super().interval(metric, values, sample)
        if sample.alone:
            return _share_interval(metric, sample)
        return sample.resampled(metric.value, values, self.limits, sample.n_patients)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(MetricDefinition):
    """The mean share of each class that is found; of questions that stand each for itself, of both answers to each."""

    is_mean = True

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        rates = _rates_found(cases.task)
        parts = {name: [one[rate] for rate in rates] for name, one in per_class.items()}
        return mean_of_judged(self.name, parts, cases)

    def resample(self, task: Task, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        rates = _rates_found(task)
        return mean_of_resamples(task, [np.mean([one[rate] for rate in rates], axis=0) for one in per_class.values()])


def _rates_found(task: Task) -> tuple[str, ...]:
    # Of several classes each is another answer to the one question; elsewhere no is, found by the specificity.
    return ("sensitivity", "specificity") if task.positive or task.questions else ("sensitivity",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuadraticKappa(MetricDefinition):
    """Cohen's kappa of true and decided grades, an error weighing as the square of the grades that it is off.

    1 - E(d^2) / (E(i^2) + E(j^2) - 2 E(i) E(j)) of grades i and j of the same case and their difference d: what chance
    would leave is the squared difference of a truth and a decision of different cases. Undefined where every case is of
    one grade and is decided so. Its limits of -1 and 1 make the logit scale that of Fisher's z.

    References:
        Cohen J. Psychol Bull 1968;70:213-220. doi:10.1037/h0026256
        Fleiss JL, Cohen J. Educ Psychol Meas 1973;33:613-619. doi:10.1177/001316447303300309
    """

    @property
    def counts_patients(self) -> bool:
        return True

    def numbers(self, cases: Cases) -> Mapping[str, npt.NDArray[Any]]:
        true, decided = cases.y_true, cases.decided
        terms = (np.square(true - decided), np.square(true), np.square(decided), true, decided)
        return dict(zip(self._sums, terms, strict=True))

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        totals = {name: np.asarray([values.sum()]) for name, values in self.numbers(cases).items()}
        (value,) = self.resample(cases.task, {"cases": np.asarray([len(cases)]), **totals}, {})
        reason = "Every case is of one grade and was decided so." if math.isnan(value) else None
        return Metric(self.name, float(value), len(cases), reason)

    def resample(self, task: Task, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        off, true_2, decided_2, true, decided = (totals[name] / totals["cases"] for name in self._sums)
        by_chance = true_2 + decided_2 - 2 * true * decided
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(by_chance > ROUNDING, 1 - off / by_chance, np.nan))

    @property
    def _sums(self) -> tuple[str, ...]:
        return tuple(f"{self.name}: {term}" for term in ("off^2", "true^2", "decided^2", "true", "decided"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proportion(ClassMetric):
    """The share of some cases that are decided right.

    Args:
        right: "tp" or "tn", those decided right.
        wrong: "fp" or "fn", the others.
        if_none: the reason where there is no such case, with {} for the name of the class.
    """

    right: str
    wrong: str
    if_none: str

    @property
    def counts_patients(self) -> bool:
        return True

    def estimate_class(self, one: OneAgainstRest) -> Metric:
        right, wrong = getattr(one.counts, self.right), getattr(one.counts, self.wrong)
        if right + wrong == 0:
            return Metric(self.name, math.nan, 0, self.if_none.format(one.name) if one.rows.size else _none(one))
        return Metric(self.name, right / (right + wrong), right + wrong)

    def resample_class(self, draws: ClassDraws) -> FloatArray:
        right, wrong = getattr(draws.counts, self.right), getattr(draws.counts, self.wrong)
        with np.errstate(invalid="ignore"):
            return np.asarray(right / (right + wrong))

    def patients_behind(self, one: OneAgainstRest, patient: IntArray) -> int:
        return _patients_in(getattr(one.cells, self.right) | getattr(one.cells, self.wrong), patient)

    def interval_class(self, metric: Metric, values: FloatArray, one: OneAgainstRest, sample: Sample) -> Interval:
        if sample.alone:
            return _share_interval(metric, sample)
        return super().interval_class(metric, values, one, sample)


@dataclasses.dataclass(frozen=True, kw_only=True)
class F1(ClassMetric):
    """The harmonic mean of sensitivity and PPV, 2 TP / (2 TP + FP + FN); undefined without a case of the class."""

    def estimate_class(self, one: OneAgainstRest) -> Metric:
        tp, fp, fn, _ = one.counts
        if tp + fn == 0:
            return Metric(self.name, math.nan, 0, _none(one))
        return Metric(self.name, 2 * tp / (2 * tp + fp + fn), tp + fp + fn)

    def resample_class(self, draws: ClassDraws) -> FloatArray:
        tp, fp, fn, _ = draws.counts
        with np.errstate(invalid="ignore"):
            return np.where(tp + fn > 0, 2 * tp / (2 * tp + fp + fn), np.nan)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Auc(ClassMetric):
    """The chance that a case of the class scores above another one."""

    @property
    def counts_patients(self) -> bool:
        return True

    def estimate_class(self, one: OneAgainstRest) -> Metric:
        return _area(self.name, one, roc_auc)

    def resample_class(self, draws: ClassDraws) -> FloatArray:
        return draws.ranked.auc()

    def patients_behind(self, one: OneAgainstRest, patient: IntArray) -> int:
        return min(_patients_in(one.actual, patient), _patients_in(~one.actual, patient))

    def interval_class(self, metric: Metric, values: FloatArray, one: OneAgainstRest, sample: Sample) -> Interval:
        if sample.alone:
            return auc_interval(one.actual, one.score, level=sample.level)
        return super().interval_class(metric, values, one, sample)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AveragePrecision(ClassMetric):
    """The mean precision over the recalls that falling scores reach."""

    def estimate_class(self, one: OneAgainstRest) -> Metric:
        return _area(self.name, one, average_precision)

    def resample_class(self, draws: ClassDraws) -> FloatArray:
        return draws.ranked.average_precision()


def _area(name: str, one: OneAgainstRest, area: Callable[[BoolArray, FloatArray], float]) -> Metric:
    n = len(one.actual)
    one_class = _none(one) if not one.actual.any() else f"Every case is {one.name}." if one.actual.all() else None
    return Metric(name, math.nan if one_class else area(one.actual, one.score), n, one_class)


def _none(one: OneAgainstRest) -> str:
    return f"No case is {one.name}." if one.rows.size else f"Of no case is it known whether it is {one.name}."


def _share_interval(metric: Metric, sample: Sample) -> Interval:
    return wilson(round(metric.value * metric.n), metric.n, level=sample.level)


def _patients_in(rows: BoolArray, patient: IntArray) -> int:
    return int(np.unique(patient[rows]).size)
