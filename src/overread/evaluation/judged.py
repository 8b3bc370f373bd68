"""Metrics together with their intervals."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from overread.evaluation.interval import Interval
from overread.evaluation.intervals import Intervals
from overread.evaluation.metrics import Evaluation, Metric


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
