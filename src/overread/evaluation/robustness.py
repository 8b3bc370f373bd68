"""What readings of the same images are worth after the images were changed, against the unchanged ones."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from overread.decision.referral import Abstentions
from overread.evaluation.compare import Difference, compare
from overread.evaluation.compute_metrics import compute_metrics
from overread.evaluation.estimates import Estimate, intervals
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.predictions import Predictions
from overread.evaluation.uncertainty.bootstrap import number_patients
from overread.evaluation.uncertainty.interval import Interval
from overread.evaluation.uncertainty.proportions import proportions

COMPARED = ("auc", "balanced_accuracy", "sensitivity", "specificity")
# Their deviation is all that is taken of them.
_RESAMPLES = 500


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Changed:
    """Images after one change.

    Args:
        name: of the change.
        label: the same for people.
        strength: such as "mild".
        amount: what was done, in words.
        predictions: of the changed images.
        abstentions: likewise.
    """

    name: str
    label: str
    strength: str
    amount: str
    predictions: Predictions
    abstentions: Abstentions


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class UnderChange:
    """What readings are worth after one change.

    Args:
        name: of the change.
        label: the same for people.
        strength: such as "mild".
        amount: what was done, in words.
        differences: of the metrics in `COMPARED`, those of the changed images less those of the unchanged ones.
        shares: of images: "referred", and "unnoticed", which are decided wrongly and not referred.
    """

    name: str
    label: str
    strength: str
    amount: str
    differences: Mapping[str, Difference]
    shares: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            **{name: getattr(self, name) for name in ("name", "label", "strength", "amount")},
            "differences": {name: found.to_dict() for name, found in self.differences.items()},
            "shares": {name: found.to_dict() for name, found in self.shares.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> UnderChange:
        """The inverse of `to_dict`."""
        differences = {name: _difference(found) for name, found in values["differences"].items()}
        shares = {name: _estimate(found) for name, found in values["shares"].items()}
        return cls(**{**values, "differences": differences, "shares": shares})


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Robustness:
    """How readings bear up when images change; `assess_robustness` makes it.

    Args:
        n: the number of images.
        n_patients: the number of patients, an image without one counting as its own.
        level: of all intervals.
        unchanged: the metrics in `COMPARED` and the shares "referred" and "unnoticed" of the images as they are.
        changes: the one that costs most balanced accuracy first, those that leave it undefined last.
    """

    n: int
    n_patients: int
    level: float
    unchanged: Mapping[str, Estimate]
    changes: tuple[UnderChange, ...]

    @property
    def worst(self) -> UnderChange:
        """The change that costs most balanced accuracy."""
        return self.changes[0]

    def mean_change(self, name: str) -> float:
        """The mean difference of a metric over all changes; NaN where one is undefined."""
        return statistics.fmean(found.differences[name].difference for found in self.changes)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            **{name: getattr(self, name) for name in ("n", "n_patients", "level")},
            "unchanged": {name: found.to_dict() for name, found in self.unchanged.items()},
            "changes": [found.to_dict() for found in self.changes],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Robustness:
        """The inverse of `to_dict`."""
        unchanged = {name: _estimate(found) for name, found in values["unchanged"].items()}
        changes = tuple(UnderChange.from_dict(found) for found in values["changes"])
        return cls(**{**values, "unchanged": unchanged, "changes": changes})


def assess_robustness(
    predictions: Predictions,
    abstentions: Abstentions,
    changed: Sequence[Changed],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Robustness:
    """Hold what is said of changed images against what is said of the same images as they are.

    Differences come with paired intervals by patient, as `compare` makes them.

    Args:
        predictions: of the images as they are.
        abstentions: likewise.
        changed: the same images after each change, one or more.
        level: of the intervals.
        seed: of their bootstrap.

    Raises:
        InvalidData: as `compare`.
        InvalidOption: as `compare`.
    """
    options: dict[str, Any] = {"level": level, "resamples": _RESAMPLES, "seed": seed}
    labels, y_prob = np.asarray(predictions.y_true), np.asarray(predictions.y_prob)
    evaluation = compute_metrics(labels, y_prob, task=predictions.task, decided=predictions.decisions)
    sure = intervals(labels, y_prob, evaluation=evaluation, patients=predictions.patients, **options)
    found = []
    for each in changed:
        compared = compare(predictions, each.predictions, **options)
        found.append(
            UnderChange(
                **{name: getattr(each, name) for name in ("name", "label", "strength", "amount")},
                differences={name: compared[name] for name in COMPARED},
                shares=_shares(each.predictions, each.abstentions, options),
            )
        )
    return Robustness(
        n=len(labels),
        n_patients=int(number_patients(predictions.patients, len(labels)).max()) + 1,
        level=level,
        unchanged={
            **{name: Estimate(evaluation[name], sure[name]) for name in COMPARED},
            **_shares(predictions, abstentions, options),
        },
        changes=tuple(sorted(found, key=_cost)),
    )


def _shares(predictions: Predictions, abstentions: Abstentions, options: Mapping[str, Any]) -> dict[str, Estimate]:
    wrong = ~predictions.task.is_right(np.asarray(predictions.y_true), predictions.decisions)
    every, referred = np.ones(len(wrong), dtype=bool), abstentions.referred
    counted = {"referred": (referred, every), "unnoticed": (wrong & ~referred, every)}
    return proportions(counted, patients=predictions.patients, **options)


def _cost(found: UnderChange) -> tuple[float, ...]:
    lost = (found.differences[name].difference for name in ("balanced_accuracy", "auc"))
    return tuple(math.inf if math.isnan(each) else each for each in lost)


def _estimate(values: Mapping[str, Any]) -> Estimate:
    metric = {name: value for name, value in values.items() if name != "interval"}
    return Estimate(Metric(**_with_nan(metric)), Interval(**_with_nan(values["interval"])))


def _difference(values: Mapping[str, Any]) -> Difference:
    return Difference(**{**_with_nan(values), "interval": Interval(**_with_nan(values["interval"]))})


def _with_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    """A reason is the only field that may be None; any other None was a NaN."""
    return {name: math.nan if value is None and name != "reason" else value for name, value in values.items()}
