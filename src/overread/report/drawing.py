"""The figures of a result, under the names that the sections of a report look for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from overread.evaluation import Assessment, AssessmentOptions, Predictions
from overread.evaluation.bands import Band, precision_recall_band, roc_band
from overread.reading import Outcome
from overread.report import figures
from overread.report.sections import diagram_names, mistakes_of


def draw_outcome(folder: Path, outcome: Outcome) -> None:
    """Draw the result of a bundle, and its mistakes if there are any."""
    draw_result(folder, outcome.predictions, outcome.assessment)
    if outcome.mistakes:
        figures.mistakes(mistakes_of(outcome), path=folder / "mistakes")


def draw_result(folder: Path, predictions: Predictions, assessment: Assessment) -> None:
    """Draw what is to be seen of a set of predictions.

    Confusion matrix, ROC and precision-recall curves with bands; for the positive class of two, or each of more, the
    reliability diagram and the decision curve; the forest plot of each column.
    """
    folder.mkdir(parents=True, exist_ok=True)
    evaluation, level = assessment.evaluation, assessment.options.level
    options: dict[str, Any] = {"classes": evaluation.classes, "threshold": evaluation.threshold}
    figures.confusion_matrix(evaluation.confusion, evaluation.classes, path=folder / "confusion")
    for draw, find_band, name in (
        (figures.roc, roc_band, "roc"),
        (figures.precision_recall, precision_recall_band, "precision_recall"),
    ):
        bands = _bands(predictions, assessment.options, find_band)
        draw(predictions.y_true, predictions.y_prob, path=folder / name, bands=bands, **options)
    for name, stem in diagram_names(assessment, "reliability").items():
        before, after = assessment.reliability[name]
        figures.reliability_diagram(before, after, path=folder / stem, level=level)
    for name, stem in diagram_names(assessment, "net_benefit").items():
        threshold = evaluation.threshold if evaluation.positive else predictions.class_thresholds.get(name)
        figures.net_benefit(assessment.decision_curves[name], path=folder / stem, threshold=threshold)
    for number, found in enumerate(assessment.subgroups, start=1):
        figures.subgroup_forest(found, path=folder / f"subgroups_{number}")


def _bands(predictions: Predictions, options: AssessmentOptions, find: Callable[..., Band]) -> dict[str, Band]:
    """Find the band of each curve; a figure leaves out one that is undefined."""
    labels, y_prob = np.asarray(predictions.y_true), np.asarray(predictions.y_prob)
    classes = tuple(predictions.classes)
    return {
        name: find(
            labels == classes.index(name),
            y_prob[:, classes.index(name)],
            patients=predictions.patients,
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
        for name in (classes[1:] if len(classes) == 2 else classes)
    }
