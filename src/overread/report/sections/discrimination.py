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
from overread.report.judged import each_of, operating_points_of, sized
from overread.report.tables import metrics_table, per_class_table
from overread.words import clause, level_of


def discrimination_section(predictions: Predictions, assessment: Assessment, folder: Path) -> Section:
    """Say how well the probabilities rank the images.

    Args:
        predictions: of the test images.
        assessment: of these predictions.
        folder: of the figures.
    """
    of, another = ("with it", "without") if assessment.task.questions else ("of the class", "of another")
    share = "such images among them" if assessment.task.questions else "the class in these images"
    text = (
        f"These figures need no threshold. The AUC is the chance that an image {of} gets a higher probability "
        f"than one {another}: 0.5 is a coin, 1 is perfect. Average precision sums up the precision-recall curve; what "
        f"chance would give is the share of {share}, so it cannot be compared between data sets. "
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
            thresholds=operating_points_of(assessment),
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
    """Find the band of each curve; a figure leaves out one that is undefined, or of which no answer is known."""
    task, found = predictions.task, dict[str, Band]()
    for name in task.judged:
        known = np.flatnonzero(task.known(predictions.y_true, name)).tolist()
        if not known:
            continue
        found[name] = find(
            task.shows(predictions.y_true, name)[known],
            task.score(predictions.y_prob, name)[known],
            patients=None if predictions.patients is None else [predictions.patients[row] for row in known],
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
    return found


def _tables(assessment: Assessment) -> tuple[Table, ...]:
    caption, level = f"At any threshold, {assessment.evaluation.n:,} test images", assessment.options.level
    plain = {LABELS[name]: assessment[name] for name in LOSSES}
    judged = assessment.evaluation.per_class
    if not judged:
        ranked = {LABELS[name]: assessment[name] for name in RANKING}
        return (metrics_table(caption, {**ranked, **plain}, level=level),)
    macro = {f"{LABELS[name]}, mean": assessment[name] for name in RANKING if len(judged) > 1}
    micro = {f"{LABELS[name]}, micro average": assessment.micro[name] for name in RANKING if assessment.micro}
    each = {
        sized(name, assessment): {LABELS[metric]: assessment.estimates.of_class(name, metric) for metric in RANKING}
        for name in judged
    }
    one = assessment.task.judged_noun[0]
    return (
        metrics_table(caption, {**macro, **micro, **plain}, level=level),
        per_class_table(each_of(assessment.task), each, level=level, heading=one.capitalize()),
    )


def _in_alt(assessment: Assessment, area: str, rates: tuple[str, str]) -> str:
    if assessment.evaluation.per_class:
        judged = assessment.evaluation.per_class
        each = [(name, assessment.estimates.of_class(name, area)) for name in judged]
        return " ".join(f"{name}: {_area(area, estimate)}." for name, estimate in each)
    found = assessment[area]
    marked = "; ".join(f"{LABELS[rate]} {in_words(assessment[rate])}" for rate in rates)
    return f"{_area(area, found)}. At the operating point: {marked}."


def _area(name: str, estimate: Estimate) -> str:
    return f"{LABELS[name]} {in_words(estimate)}"
