"""What a cross-validation found: each fold, all folds pooled, and how much both vary."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import Bundle
from overread.evaluation import Assessment, AssessmentOptions, Evaluation, Predictions, compute_metrics
from overread.evaluation.metrics.built_in import OF_GRADES
from overread.run import RunFolder

_REPORTED = ("auc", "sensitivity", "specificity", "accuracy", "ppv", "npv", "brier", "loss")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """A finished cross-validation.

    Args:
        out: its folder.
        folds: the evaluation of each fold, at its own operating point, by seed.
        pooled: all folds of a seed together, each case with the decision of the network that had not seen it, by seed.
        bundle: the ensemble of all networks, if it was asked for.
        parts: of several tasks what was found of each, by its name; without folds that tell nothing about it.
    """

    out: Path
    folds: Mapping[int, tuple[Evaluation, ...]]
    pooled: Mapping[int, Assessment]
    bundle: Bundle | None
    parts: Mapping[str, CrossValidation] = dataclasses.field(default_factory=dict)

    @property
    def report(self) -> Path:
        """The page to open first."""
        return RunFolder(self.out).report

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the metrics that are told of each fold."""
        (first, *_), *_ = self.folds.values()
        return (*(found.name for found in OF_GRADES if found.name in first.metrics), *_REPORTED)

    def spread(self, name: str) -> dict[str, float | None]:
        """Standard deviation of a metric across the folds (mean over seeds), and of the pooled one across seeds.

        None where a fold leaves the metric undefined, or there is one seed only.
        """
        across_folds = [_deviation([fold[name].value for fold in found]) for found in self.folds.values()]
        pooled = [assessment.evaluation[name].value for assessment in self.pooled.values()]
        found = {"folds_sd": statistics.fmean(across_folds), "seeds_sd": _deviation(pooled)}
        return {key: None if np.isnan(value) else value for key, value in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; parts only where there are some."""
        parts = {name: part.to_dict() for name, part in self.parts.items()}
        return {
            "folds": {
                str(seed): [{name: fold[name].to_dict() for name in self.reported} for fold in found]
                for seed, found in self.folds.items()
            },
            "pooled": {str(seed): assessment.to_dict() for seed, assessment in self.pooled.items()},
            "spread": {name: self.spread(name) for name in self.reported},
            **({"parts": parts} if parts else {}),
        }


def judge_folds(
    out: Path,
    found: Mapping[int, Sequence[Predictions]],
    pooled: Mapping[int, Assessment],
    options: AssessmentOptions,
) -> CrossValidation:
    """Judge each fold by itself; of several tasks, each by itself, too.

    Args:
        out: the folder of the cross-validation.
        found: what was said of each fold, by seed.
        pooled: what all folds of a seed are worth together.
        options: with the metrics of one's own.
    """
    first = next(iter(pooled.values()))
    return CrossValidation(
        out=out,
        folds={seed: tuple(_evaluated(fold, options) for fold in folds) for seed, folds in found.items()},
        pooled=pooled,
        bundle=None,
        parts={
            name: judge_folds(
                out,
                {seed: _telling(folds, name) for seed, folds in found.items()},
                {seed: whole.parts[name] for seed, whole in pooled.items()},
                options,
            )
            for name in first.parts
        },
    )


def _telling(folds: Sequence[Predictions], part: str) -> list[Predictions]:
    """What is said of a part in the folds that tell anything about it."""
    return [own for fold in folds if len((own := fold.of_part(part)).cases)]


def _evaluated(fold: Predictions, options: AssessmentOptions) -> Evaluation:
    return compute_metrics(
        fold.y_true,
        fold.y_prob,
        task=fold.task,
        thresholds=fold.thresholds,
        decided=fold.decided,
        own=options.metrics,
        patients=fold.patients,
    )


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 and np.isfinite(values).all() else float("nan")
