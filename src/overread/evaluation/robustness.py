"""What readings of the same images are worth after the images were changed, against the unchanged ones."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from overread.decision.referral import Abstentions
from overread.evaluation.compare import Difference, compare
from overread.evaluation.compute_metrics import compute_metrics
from overread.evaluation.estimates import Estimate, intervals
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.predictions import Predictions
from overread.evaluation.uncertainty.interval import Interval
from overread.evaluation.uncertainty.proportions import proportions
from overread.evaluation.uncertainty.sample import number_patients

COMPARED = ("auc", "balanced_accuracy", "sensitivity", "specificity")
# Their deviation is all that is taken of them.
_RESAMPLES = 500


class Read(NamedTuple):
    """What a reader said of images, and which of them it referred."""

    predictions: Predictions
    abstentions: Abstentions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """What was done to images.

    Args:
        name: as files have it.
        label: the same for people.
        strength: such as "mild".
        amount: how much it was, in words.
    """

    name: str
    label: str
    strength: str
    amount: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class UnderChange:
    """What readings are worth after one change.

    Args:
        change: that was made.
        differences: of the metrics in `COMPARED`, those of the changed images less those of the unchanged ones.
        shares: of images: "referred", and "unnoticed", which are decided wrongly and not referred.
    """

    change: Change
    differences: Mapping[str, Difference]
    shares: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            **dataclasses.asdict(self.change),
            "differences": {name: found.to_dict() for name, found in self.differences.items()},
            "shares": {name: found.to_dict() for name, found in self.shares.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> UnderChange:
        """The inverse of `to_dict`."""
        return cls(
            change=Change(**{field.name: values[field.name] for field in dataclasses.fields(Change)}),
            differences={name: _difference(found) for name, found in values["differences"].items()},
            shares={name: _estimate(found) for name, found in values["shares"].items()},
        )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Robustness:
    """How readings bear up when images change; `assess_robustness` makes it.

    Args:
        images: what they are, such as "validation images".
        n: their number.
        n_patients: the number of patients, an image without one counting as its own.
        level: of all intervals.
        unchanged: the metrics in `COMPARED` and the shares "referred" and "unnoticed" of the images as they are.
        changes: the one that costs most balanced accuracy first, those that leave it undefined last.
    """

    images: str
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
            **{name: getattr(self, name) for name in ("images", "n", "n_patients", "level")},
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
    unchanged: Read, changed: Mapping[Change, Read], *, images: str, level: float = 0.95, seed: int = 0
) -> Robustness:
    """Hold what is said of changed images against what is said of the same images as they are.

    Differences come with paired intervals by patient, as `compare` makes them.

    Args:
        unchanged: the images as they are.
        changed: the same images after each change, one or more.
        images: what they are, such as "validation images".
        level: of the intervals.
        seed: of their bootstrap.

    Raises:
        InvalidData: as `compare`.
        InvalidOption: as `compare`.
    """
    options: dict[str, Any] = {"level": level, "resamples": _RESAMPLES, "seed": seed}
    predictions = unchanged.predictions
    labels, y_prob = np.asarray(predictions.y_true), np.asarray(predictions.y_prob)
    task, patients = predictions.task, predictions.patients
    evaluation = compute_metrics(labels, y_prob, task=task, decided=predictions.decisions, patients=patients)
    sure = intervals(labels, y_prob, evaluation=evaluation, patients=patients, **options)
    compared = {change: compare(predictions, read.predictions, **options) for change, read in changed.items()}
    found = [
        UnderChange(
            change=change,
            differences={name: compared[change][name] for name in COMPARED},
            shares=_shares(read, options),
        )
        for change, read in changed.items()
    ]
    return Robustness(
        images=images,
        n=len(labels),
        n_patients=int(number_patients(predictions.patients, len(labels)).max()) + 1,
        level=level,
        unchanged={
            **{name: Estimate(evaluation[name], sure[name]) for name in COMPARED},
            **_shares(unchanged, options),
        },
        changes=tuple(sorted(found, key=_cost)),
    )


def _shares(read: Read, options: Mapping[str, Any]) -> dict[str, Estimate]:
    predictions, referred = read.predictions, read.abstentions.referred
    wrong = ~predictions.task.is_right(np.asarray(predictions.y_true), predictions.decisions)
    every = np.ones(len(wrong), dtype=bool)
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
