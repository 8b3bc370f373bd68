"""How sure each metric of an evaluation is: its interval, by the method that the design of the study allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.compute_metrics import Evaluation, compute_metrics, with_synonyms
from overread.evaluation.metrics.definition import Cases, ClassMetric, Metric, MetricDefinition
from overread.evaluation.metrics.one_class import OneAgainstRest
from overread.evaluation.uncertainty.bootstrap import bootstrap
from overread.evaluation.uncertainty.interval import Interval, critical_value
from overread.evaluation.uncertainty.sample import Sample, number_patients

_FEWEST_RESAMPLES = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """The interval of each metric of an `Evaluation`, under the same names; `intervals` makes it.

    Args:
        metrics: by name, synonyms included.
        per_class: for each judged class or question, as `Evaluation.per_class`.
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
    interval by DeLong or the bootstrap is symmetric on the logit scale (loss, Brier and absolute error: the logarithmic
    one), so it holds the metric and stays in its range. In five simulated designs with 150 or 400 patients, 1,000
    studies each, 95 % intervals held the true values in 93.2 to 96.3 %. With 100 patients and an AUC of 0.976 it was
    still 92.5 % where percentiles of the same resamples reached 89.0 %.

    In twelve designs of grades and findings, 400 studies or more each, kappa was held in 93.6 to 95.4 %, other metrics
    of grades in 91.4 to 96.0 %, and means over findings in 93.0 to 98.2 %, but for average precision: 86 to 89 %, for
    it comes out too high where cases are few.

    A rate or AUC of exactly 0 or 1 is treated by `edge_interval`. Any other metric that never varies, or is undefined
    in more than 5 % of the resamples, has no interval but a reason, as has a metric that is undefined itself.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities, as for `compute_metrics`.
        evaluation: what `compute_metrics` made of them; its task, definitions and decisions are used.
        patients: the patient of each case; one that is None or "" counts as a patient of his own.
        level: above 0 and below 1.
        resamples: 100 or more.
        seed: 0 or more; the same one gives the same intervals.

    Raises:
        InvalidData: as `compute_metrics`, the evaluation is of other predictions, or there are not n patients.
        InvalidOption: level, resamples or seed is out of range.

    References:
        Davison AC, Hinkley DV. Bootstrap Methods and their Application. 1997. doi:10.1017/CBO9780511802843
    """
    critical_value(level)
    require_bootstrap(resamples, seed)
    task, predicted = evaluation.task, evaluation.predicted
    if evaluation.n != len(np.asarray(y_prob)) or not _same_result(
        compute_metrics(y_true, y_prob, task=task, decided=predicted), evaluation
    ):
        raise InvalidData("the evaluation is of other predictions: give the labels and probabilities it was made from")
    labels, probabilities = np.asarray(y_true).astype(np.int64), np.asarray(y_prob, dtype=np.float64)
    sample = Sample(number_patients(patients, len(probabilities)), level)
    drawn = bootstrap(
        labels, probabilities, evaluation=evaluation, patient=sample.patient, resamples=resamples, seed=seed
    )
    cases = Cases(task, labels, probabilities, predicted, sample.patient)
    per_class = {
        label: _of_class(one, evaluation, drawn.per_class[label], sample.of(one.rows))
        for label, one in cases.against_rest().items()
    }
    told = sample.of(np.flatnonzero(cases.told))
    overall = {
        found.name: _interval(found, evaluation[found.name], drawn.metrics[found.name], told, cases.too_few)
        for found in evaluation.definitions
    }
    if len(per_class) == 1:
        overall |= next(iter(per_class.values()))
    if not evaluation.per_class:
        return Intervals(with_synonyms(overall, evaluation.definitions), {})
    each = {label: with_synonyms(found, evaluation.definitions) for label, found in per_class.items()}
    return Intervals(with_synonyms(overall, evaluation.definitions), each)


def _same_result(one: Evaluation, other: Evaluation) -> bool:
    return np.array_equal(one.confusion, other.confusion) and one["loss"] == other["loss"]


def _interval(
    defined: MetricDefinition, metric: Metric, values: FloatArray, sample: Sample, too_few: str | None
) -> Interval:
    if reason := metric.reason or (too_few if defined.is_mean else None):
        return Interval.none(sample.level, "none", reason)
    return defined.interval(metric, values, sample)


def _of_class(
    one: OneAgainstRest, evaluation: Evaluation, drawn: Mapping[str, FloatArray], sample: Sample
) -> dict[str, Interval]:
    metrics = evaluation.per_class.get(one.name, evaluation.metrics)
    return {
        found.name: Interval.none(sample.level, "none", reason)
        if (reason := metrics[found.name].reason)
        else found.interval_class(metrics[found.name], drawn[found.name], one, sample)
        for found in evaluation.definitions
        if isinstance(found, ClassMetric)
    }


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


class Estimate(NamedTuple):
    """A metric and how sure it is."""

    metric: Metric
    interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Give the fields of the metric as JSON values, its interval among them."""
        return {**self.metric.to_dict(), "interval": self.interval.to_dict()}


@dataclasses.dataclass(frozen=True, eq=False)
class Estimates:
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
