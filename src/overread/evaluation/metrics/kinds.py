"""The kinds of metrics there are, each with the interval that its kind allows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray
from overread.evaluation.curves import average_precision, roc_auc
from overread.evaluation.metrics.definition import Cases, ClassMetric, Metric, MetricDefinition, PerClass
from overread.evaluation.metrics.one_class import ClassDraws, OneAgainstRest
from overread.evaluation.uncertainty.interval import Interval, auc_interval, wilson
from overread.evaluation.uncertainty.sample import Sample


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaseMean(MetricDefinition):
    """The mean of a number that every case has for itself.

    Args:
        of_cases: gives the `(n,)` numbers of cases.
        is_share: they are 0 and 1, so that the metric is a share of the cases.
    """

    of_cases: Callable[[Cases], npt.NDArray[Any]]
    is_share: bool = False

    @property
    def counts_patients(self) -> bool:
        return self.is_share

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        return Metric(self.name, float(self.of_cases(cases).mean()), len(cases))

    def resample(self, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        return np.asarray(totals[self.name] / totals["cases"])

    def interval(self, metric: Metric, values: FloatArray, sample: Sample) -> Interval:
        if not self.is_share:
            return super().interval(metric, values, sample)
        if sample.alone:
            return _share_interval(metric, sample)
        return sample.resampled(metric.value, values, self.limits, sample.n_patients)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(MetricDefinition):
    """The mean share of each class that is found."""

    def estimate(self, cases: Cases, per_class: PerClass[Metric]) -> Metric:
        return Metric.mean(self.name, _shares_found(per_class), len(cases))

    def resample(self, totals: Mapping[str, FloatArray], per_class: PerClass[FloatArray]) -> FloatArray:
        return np.asarray(np.mean(_shares_found(per_class), axis=0))


def _shares_found(per_class: PerClass[Any]) -> list[Any]:
    # Where one class alone is judged, the other is its rest, and the share of that found is the specificity.
    rates = ("sensitivity", "specificity") if len(per_class) == 1 else ("sensitivity",)
    return [one[rate] for one in per_class.values() for rate in rates]


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
            return Metric(self.name, math.nan, 0, self.if_none.format(one.name))
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
    return f"No case is {one.name}."


def _share_interval(metric: Metric, sample: Sample) -> Interval:
    return wilson(round(metric.value * metric.n), metric.n, level=sample.level)


def _patients_in(rows: BoolArray, patient: IntArray) -> int:
    return int(np.unique(patient[rows]).size)
