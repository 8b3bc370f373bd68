"""Discrimination: how well probabilities tell the classes apart, whatever the threshold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from overread.evaluation import LABELS, LOSSES, RANKING, Assessment, AssessmentOptions, Estimate, Predictions
from overread.evaluation.uncertainty.bands import Band, precision_recall_band, roc_band
from overread.evaluation.wording import in_words
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_precision_recall, draw_roc
from overread.report.tables import metrics_table, per_class_table
from overread.words import clause, level_of


def discrimination_section(predictions: Predictions, assessment: Assessment, folder: Path) -> Section:
    """Say how well the probabilities rank the images.

    Args:
        predictions: of the test images.
        assessment: of these predictions.
        folder: of the figures.
    """
    text = (
        "These figures need no threshold. The AUC is the chance that an image of the class gets a higher probability "
        "than one of another: 0.5 is a coin, 1 is perfect. Average precision sums up the precision-recall curve; what "
        "chance would give is the share of the class in these images, so it cannot be compared between data sets. "
        "Brier score and loss are lower the better. n counts the images behind a number."
    )
    curves = _curves(predictions, assessment, folder)
    if undefined := _no_curve(assessment):
        none = f"There is no ROC and no precision-recall curve: {clause(undefined)}."
        return Section("Discrimination", paragraphs=(text, none), items=_tables(assessment))
    return Section("Discrimination", paragraphs=(text,), items=(*_tables(assessment), *curves))


def _no_curve(assessment: Assessment) -> str | None:
    """The reason why no class at all has a curve."""
    per_class = assessment.evaluation.per_class
    found = [metrics["auc"] for metrics in per_class.values()] or [assessment["auc"].metric]
    return None if any(metric.reason is None for metric in found) else found[0].reason


def _curves(predictions: Predictions, assessment: Assessment, folder: Path) -> tuple[FigureItem, FigureItem]:
    drawn = []
    for draw, find_band, name in (
        (draw_roc, roc_band, "roc"),
        (draw_precision_recall, precision_recall_band, "precision_recall"),
    ):
        path = draw(
            predictions.y_true,
            predictions.y_prob,
            task=assessment.task,
            path=folder / name,
            threshold=assessment.evaluation.threshold,
            bands=_bands(predictions, assessment.options, find_band),
        )
        drawn.append(path)
    roc, precision_recall = drawn
    level = level_of(assessment.options.level)
    band = f"shaded, where it can be told, the {level} interval of each point by itself"
    return (
        FigureItem(
            roc,
            f"Receiver operating characteristic; {band}",
            f"ROC curve. {_in_alt(assessment, 'auc', ('sensitivity', 'specificity'))}",
        ),
        FigureItem(
            precision_recall,
            f"Precision and recall; {band}",
            f"Precision-recall curve. {_in_alt(assessment, 'average_precision', ('sensitivity', 'ppv'))}",
        ),
    )


def _bands(predictions: Predictions, options: AssessmentOptions, find: Callable[..., Band]) -> dict[str, Band]:
    """Find the band of each curve; a figure leaves out one that is undefined."""
    task, y_prob = predictions.task, np.asarray(predictions.y_prob)
    return {
        name: find(
            task.shows(predictions.y_true, name),
            y_prob[:, task.column(name)],
            patients=predictions.patients,
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
        for name in task.judged
    }


def _tables(assessment: Assessment) -> tuple[Table, ...]:
    caption, level = f"At any threshold, {assessment.evaluation.n:,} test images", assessment.options.level
    plain = {LABELS[name]: assessment[name] for name in LOSSES}
    if not assessment.evaluation.per_class:
        ranked = {LABELS[name]: assessment[name] for name in RANKING}
        return (metrics_table(caption, {**ranked, **plain}, level=level),)
    macro = {f"{LABELS[name]}, mean": assessment[name] for name in RANKING}
    micro = {f"{LABELS[name]}, micro average": assessment.micro[name] for name in RANKING if assessment.micro}
    sizes = assessment.evaluation.class_counts
    each = {
        f"{name} (n = {n:,})": {LABELS[metric]: assessment.estimates.of_class(name, metric) for metric in RANKING}
        for name, n in sizes.items()
    }
    return (
        metrics_table(caption, {**macro, **micro, **plain}, level=level),
        per_class_table("Each class against the rest", each, level=level),
    )


def _in_alt(assessment: Assessment, area: str, rates: tuple[str, str]) -> str:
    if assessment.evaluation.per_class:
        each = [(name, assessment.estimates.of_class(name, area)) for name in assessment.evaluation.classes]
        return " ".join(f"{name}: {_area(area, estimate)}." for name, estimate in each)
    found = assessment[area]
    marked = "; ".join(f"{LABELS[rate]} {in_words(assessment[rate])}" for rate in rates)
    return f"{_area(area, found)}. At the operating point: {marked}."


def _area(name: str, estimate: Estimate) -> str:
    return f"{LABELS[name]} {in_words(estimate)}"
