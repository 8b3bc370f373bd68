"""How sure each metric of an evaluation is: its interval, by the method that the design of the study allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.metrics import Evaluation, Metric, evaluate
from overread.evaluation.uncertainty.bootstrap import bootstrap, number_patients
from overread.evaluation.uncertainty.interval import (
    Interval,
    auc_interval,
    critical_value,
    edge_interval,
    resampled_interval,
    wilson,
)

_FEWEST_RESAMPLES = 100
_NOT_BOUNDED_BY_ONE = ("loss", "brier")


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """The interval of each metric of an `Evaluation`, under the same names; `intervals` makes it.

    Args:
        metrics: by name, synonyms included.
        per_class: for each class by name; empty with two classes.
    """

    metrics: Mapping[str, Interval]
    per_class: Mapping[str, Mapping[str, Interval]]

    def __getitem__(self, name: str) -> Interval:
        """Give an interval by the name of its metric."""
        return self.metrics[name]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; ends that are not there are None beside the reason."""
        return {
            "metrics": {name: interval.to_dict() for name, interval in self.metrics.items()},
            "per_class": {
                label: {name: interval.to_dict() for name, interval in found.items()}
                for label, found in self.per_class.items()
            },
        }


def intervals(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    evaluation: Evaluation,
    patients: Sequence[str | None] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Intervals:
    """Give the interval of every metric of an evaluation.

    With one case for each patient: Wilson for accuracy, sensitivity, specificity, PPV and NPV, DeLong for the AUC, a
    bootstrap of the cases for the rest. With several cases of some patient, all comes from a bootstrap of patients. An
    interval by DeLong or the bootstrap is symmetric on the logit scale (loss and Brier: the logarithmic one), so it
    holds the metric and stays in its range. In five simulated designs with 150 or 400 patients, 1,000 studies each,
    95 % intervals held the true values in 93.2 to 96.3 %. With 100 patients and an AUC of 0.976 it was still 92.5 %
    where percentiles of the same resamples reached 89.0 %.

    A rate or AUC of exactly 0 or 1 is treated by `edge_interval`. Any other metric that never varies, or is undefined
    in more than 5 % of the resamples, has no interval but a reason, as has a metric that is undefined itself.

    Args:
        y_true: `(n,)` integers, the index of the true class.
        y_prob: `(n, K)` probabilities, as for `evaluate`.
        evaluation: what `evaluate` made of them; its classes and decisions are used.
        patients: the patient of each case; one that is None or "" counts as a patient of his own.
        level: above 0 and below 1.
        resamples: 100 or more.
        seed: 0 or more; the same one gives the same intervals.

    Raises:
        InvalidData: as `evaluate`, the evaluation is of other predictions, or there are not n patients.
        InvalidOption: level, resamples or seed is out of range.

    References:
        Davison AC, Hinkley DV. Bootstrap Methods and their Application. 1997. doi:10.1017/CBO9780511802843
    """
    critical_value(level)
    require_bootstrap(resamples, seed)
    if evaluation.n != np.size(y_true) or not _same_result(
        evaluate(y_true, y_prob, classes=evaluation.classes, decided=evaluation.predicted), evaluation
    ):
        raise InvalidData("the evaluation is of other predictions: give the labels and probabilities it was made from")
    labels, probabilities = np.asarray(y_true).astype(np.int64), np.asarray(y_prob, dtype=np.float64)
    patient = number_patients(patients, len(labels))
    drawn = bootstrap(labels, probabilities, evaluation=evaluation, patient=patient, resamples=resamples, seed=seed)
    study = _Study(labels, probabilities, evaluation.predicted, patient, level)
    overall = study.overall(evaluation.metrics, drawn.metrics)
    if not evaluation.per_class:
        return Intervals(overall | study.one_versus_rest(1, evaluation.metrics, drawn.metrics), {})
    per_class = {
        name: study.one_versus_rest(evaluation.classes.index(name), metrics, drawn.per_class[name])
        for name, metrics in evaluation.per_class.items()
    }
    return Intervals(_with_synonyms(overall), per_class)


def _same_result(one: Evaluation, other: Evaluation) -> bool:
    return np.array_equal(one.confusion, other.confusion) and one["loss"] == other["loss"]


def require_bootstrap(resamples: int, seed: int) -> None:
    """Refuse a bootstrap that cannot be drawn or would say little.

    Raises:
        InvalidOption: fewer than 100 resamples, or a negative seed.
    """
    if resamples < _FEWEST_RESAMPLES or seed < 0:
        raise InvalidOption(
            f"resamples={resamples!r}, seed={seed!r} make no bootstrap: give {_FEWEST_RESAMPLES} resamples or more "
            "(2000 is usual) and a seed of 0 or more"
        )


class _Study(NamedTuple):
    """The cases behind an evaluation, checked, decided and numbered by patient."""

    labels: IntArray
    probabilities: FloatArray
    predicted: IntArray
    patient: IntArray
    level: float

    @property
    def n_patients(self) -> int:
        return int(self.patient.max()) + 1

    @property
    def alone(self) -> bool:
        return self.n_patients == self.patient.size

    def overall(self, metrics: Mapping[str, Metric], drawn: Mapping[str, FloatArray]) -> dict[str, Interval]:
        found = {name: self._resampled(metrics[name], values) for name, values in drawn.items()}
        return found | {"accuracy": self._proportion(metrics["accuracy"], drawn["accuracy"], self.n_patients)}

    def one_versus_rest(
        self, column: int, metrics: Mapping[str, Metric], drawn: Mapping[str, FloatArray]
    ) -> dict[str, Interval]:
        actual, called = self.labels == column, self.predicted == column
        denominators = {"sensitivity": actual, "specificity": ~actual, "ppv": called, "npv": ~called}
        trials = {name: np.unique(self.patient[rows]).size for name, rows in denominators.items()}
        found = {name: self._resampled(metrics[name], drawn[name]) for name in ("average_precision", "f1")}
        found |= {name: self._proportion(metrics[name], drawn[name], trials[name]) for name in trials}
        smaller_class = min(trials["sensitivity"], trials["specificity"])
        return _with_synonyms(found | {"auc": self._auc(column, metrics["auc"], drawn["auc"], smaller_class)})

    def _proportion(self, metric: Metric, values: FloatArray, trials: int) -> Interval:
        if self.alone and not metric.reason:
            return wilson(round(metric.value * metric.n), metric.n, level=self.level)
        return self._resampled(metric, values, trials)

    def _auc(self, column: int, metric: Metric, values: FloatArray, trials: int) -> Interval:
        if self.alone and not metric.reason:
            return auc_interval(self.labels == column, self.probabilities[:, column], level=self.level)
        return self._resampled(metric, values, trials)

    def _resampled(self, metric: Metric, values: FloatArray, trials: int = 0) -> Interval:
        if metric.reason:
            return Interval.none(self.level, "none", metric.reason)
        if trials and metric.value in (0, 1):
            return edge_interval(metric.value, trials, level=self.level)
        bounded = metric.name not in _NOT_BOUNDED_BY_ONE
        return resampled_interval(metric.value, values, level=self.level, alone=self.alone, bounded=bounded)


def _with_synonyms(found: dict[str, Interval]) -> dict[str, Interval]:
    return {**found, "precision": found["ppv"], "recall": found["sensitivity"]}


class Estimate(NamedTuple):
    """A metric and how sure it is."""

    metric: Metric
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Give the fields of the metric as JSON values, its interval among them."""
        return {**self.metric.to_dict(), "interval": self.interval.to_dict()}


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """An evaluation with the interval of each of its metrics."""

    evaluation: Evaluation
    intervals: Intervals

    def __getitem__(self, name: str) -> Estimate:
        """Give a metric with its interval, by name."""
        return Estimate(self.evaluation[name], self.intervals[name])

    def of_class(self, label: str, name: str) -> Estimate:
        """Give a metric of one class against the rest."""
        return Estimate(self.evaluation.per_class[label][name], self.intervals.per_class[label][name])

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values, each metric with its interval."""
        return {
            **self.evaluation.to_dict(),
            "metrics": {name: self[name].to_dict() for name in self.evaluation.metrics},
            "per_class": {
                label: {name: self.of_class(label, name).to_dict() for name in metrics}
                for label, metrics in self.evaluation.per_class.items()
            },
        }
