"""Decisions: how the threshold was chosen, and what it gives on the test images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from overread.decision import OperatingPoint
from overread.decision.task import Task
from overread.evaluation import LABELS, LOSSES, OF_ONE_CLASS, RANKING, RATES, Assessment, Estimate, Estimates
from overread.evaluation.summary import label_of, shown_metrics
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_confusion_matrix
from overread.report.judged import each_of, sized
from overread.report.operating_points import operating_point_warnings, threshold_interval, unplaced_sentences
from overread.report.tables import metrics_table, per_class_table, side_by_side_table
from overread.words import level_of, listed, percent

_OF_DECISIONS = tuple(name for name in LABELS if name not in (*RANKING, *LOSSES))
_AVERAGED = tuple(name for name in OF_ONE_CLASS if name in _OF_DECISIONS)


def operating_point_section(
    assessment: Assessment,
    points: Mapping[str, OperatingPoint],
    folder: Path,
    *,
    chosen_on: str = "validation images",
) -> Section:
    """Say how decisions are made and how often they are right.

    Args:
        assessment: of the test images.
        points: frozen on validation, by class; none where each fold of a cross-validation had its own.
        folder: of the figures.
        chosen_on: the images that placed them, in words.
    """
    task = assessment.task
    one = task.positive is not None
    chosen = (_chosen(points, task, chosen_on),) if points else ()
    tables = (_of_positive if one else _of_several)(assessment)
    # Which images are taken for which only tells something where each is one.
    confused = (_confusion(assessment, folder),) if task.exclusive else ()
    far = (mistakes_by_distance(assessment),) if task.ordered else ()
    return Section(
        "Operating point",
        paragraphs=(_choice(points, task, chosen_on), *_unplaced(points, task, chosen_on), _meaning(task)),
        items=(*chosen, *tables, *_own(assessment), *far, *confused),
        warnings=operating_point_warnings(assessment, points, chosen_on),
    )


def rule_in_words(rule: str) -> str:
    """Say what a rule asks for."""
    name, _, target = rule.partition("=")
    if name == "youden":
        return "the largest sum of sensitivity and specificity that unseen patients can be expected to have (Youden)"
    if name == "sensitivity":
        return f"a sensitivity of {target} on average over unseen patients"
    if name == "specificity":
        return f"a specificity of {target} on average over unseen patients"
    if name == "cost":
        miss, _, alarm = target.partition(":")
        return f"the lowest cost to be expected of unseen patients where a miss counts {miss} and a false alarm {alarm}"
    return "a threshold given beforehand"


def _choice(points: Mapping[str, OperatingPoint], task: Task, chosen_on: str) -> str:
    if not points:
        return "Each network decided by a threshold of its own, chosen on its own validation images."
    rules = listed(list(dict.fromkeys(rule_in_words(point.rule) for point in points.values())))
    frozen = "was frozen before the test images were opened"
    if task.positive:
        (point,) = points.values()
        if point.is_given:
            return f"The threshold {point.threshold:.4g} was given beforehand: no image had a say in it."
        interval = threshold_interval(point)
        drawn = f" Had other patients been drawn, it would lie from {interval} in 95 of 100." if interval else ""
        return (
            f"The threshold {point.threshold:.4g} {frozen}. The rule was: {rules}, judged by {chosen_on}.{drawn} "
            "Sensitivity and specificity there flatter, because the threshold suits those images; quote the ones of "
            "the test."
        )
    rule = f"The rule was: {rules}, judged by {chosen_on}, whose sensitivity and specificity flatter."
    if task.thresholds_in_force():
        return f"Each {task.judged_noun[0]} is decided on by a threshold of its own, which {frozen}. {rule}"
    asked = f"each {task.judged_noun[0]}{'' if task.questions else ' against the rest'}"
    alone = f"one {task.judged_noun[0]} only"
    return (
        f"{task.decided_on.capitalize()} is decided on. Beside that, a threshold of {asked} "
        f"{frozen}, for whoever asks about {alone}. {rule}"
    )


def _unplaced(points: Mapping[str, OperatingPoint], task: Task, chosen_on: str) -> tuple[str, ...]:
    names = [name for name in task.questions if name not in points]
    return unplaced_sentences(names, chosen_on) if points else ()


def _meaning(task: Task) -> str:
    mixture = "both hold for the mixture of classes in these images only."
    if task.positive:
        ill, called = "diseased images that are called so", "diseased"
    elif task.ordered:
        ill, called = "images at or above a cut that are called so", "so"
        mixture = "both hold for the mixture of grades in these images only."
    elif task.questions:
        ill, called = "images with a finding that are called so", "so"
        mixture = "both hold for how common each finding is in these images only."
    else:
        ill, called = "images of a class that are called so", "so"
    return (
        f"Sensitivity is the share of {ill}, specificity that of the others that are not. PPV is the share of right "
        f"ones among the images called {called}, NPV among the others; {mixture}"
    )


def _chosen(points: Mapping[str, OperatingPoint], task: Task, chosen_on: str) -> Table:
    noted = bool(task.questions) and any(point.note for point in points.values())
    of_each = ("Images with it", "Images without") if task.questions else ("Images of the class", "Other images")
    header = (
        task.judged_noun[0].capitalize(),
        "Threshold",
        "Interval (95 of 100)",
        "Rule",
        "Sensitivity there",
        "Specificity there",
        *of_each,
        *["Note"] * noted,
    )
    rows = tuple(
        (
            name,
            f"{point.threshold:.4g}",
            threshold_interval(point),
            point.rule,
            f"{point.sensitivity:.3f}",
            f"{point.specificity:.3f}",
            f"{point.n_positive:,}",
            f"{point.n_negative:,}",
            *[point.note or ""] * noted,
        )
        for name, point in points.items()
    )
    return Table(f"The threshold, and what it gave on the {chosen_on}", header, rows)


def _of_positive(assessment: Assessment) -> tuple[Table, ...]:
    evaluation, level = assessment.evaluation, assessment.options.level
    caption, frozen = f"Decisions on {evaluation.n:,} test images", _by_label(assessment.estimates)
    at = "At the frozen points" if evaluation.threshold is None else f"At {evaluation.threshold:.4g}, frozen"
    if assessment.at_half is None or assessment.at_half is assessment.estimates:
        table = metrics_table(f"{caption}, {at[0].lower()}{at[1:]}", frozen, level=level)
    else:
        half = ("At 0.5, for comparison", _by_label(assessment.at_half))
        table = side_by_side_table(caption, (at, frozen), half, level=level)
    if not assessment.predictive_values:
        return (table,)
    found = {LABELS[name]: estimate for name, estimate in assessment.predictive_values.items()}
    where = f"Where {level_of(assessment.options.prevalence or 0)} of images are {assessment.task.positive}, as stated"
    return (table, metrics_table(f"{where}, at the frozen point", found, level=level))


def _of_several(assessment: Assessment) -> tuple[Table, ...]:
    estimates, level, rule = assessment.estimates, assessment.options.level, assessment.task.decided_on
    own = [found.name for found in assessment.options.metrics]
    rows = {
        label_of(found, assessment): estimates[found.name]
        for found in shown_metrics(assessment)
        if found.name not in (*RANKING, *LOSSES, *own)
    }
    rows |= {f"{LABELS[name]}, micro average": assessment.micro[name] for name in _AVERAGED if assessment.micro}
    judged, one = estimates.evaluation.per_class, assessment.task.judged_noun[0].capitalize()
    each = {
        sized(name, assessment): {LABELS[metric]: estimates.of_class(name, metric) for metric in RATES}
        for name in judged
    }
    against, decided = each_of(assessment.task), "" if estimates.evaluation.thresholds else f", {rule} decided on"
    tables = [
        metrics_table(f"{rule.capitalize()}, {estimates.evaluation.n:,} test images", rows, level=level),
        per_class_table(f"{against}{decided}", each, level=level, heading=one),
    ]
    # Where such thresholds decide, that was it.
    if assessment.at_class_points and not estimates.evaluation.thresholds:
        at_points = {
            f"{sized(name, assessment)}, at {found.evaluation.threshold:.4g}": {
                LABELS[metric]: found[metric] for metric in RATES
            }
            for name, found in assessment.at_class_points.items()
        }
        tables.append(per_class_table(f"{against}, at its frozen threshold", at_points, level=level, heading=one))
    return tuple(tables)


def mistakes_by_distance(assessment: Assessment) -> Table:
    """Count how far off the decided grade is, and to which side."""
    evaluation = assessment.evaluation
    n, (one, several) = evaluation.n, assessment.task.noun
    rows = []
    for off in range(len(evaluation.classes)):
        below, above = (int(np.trace(evaluation.confusion, offset)) for offset in (-off, off))
        total = below + above if off else below
        name = "right" if not off else f"{off} {one if off == 1 else several} off"
        sides = (f"{below:,}", f"{above:,}") if off else ("", "")
        rows.append((name, f"{total:,}", percent(total / n), *sides))
    header = ("Decision", "Images", "Share", "Too low", "Too high")
    return Table(f"How far the decided {one} is from the true one", header, tuple(rows))


def _own(assessment: Assessment) -> tuple[Table, ...]:
    """The metrics that the user defined."""
    evaluation = assessment.evaluation
    rows = {found.label: assessment[found.name] for found in assessment.options.metrics}
    caption = f"Further metrics, {evaluation.n:,} test images"
    return (metrics_table(caption, rows, level=assessment.options.level),) if rows else ()


def _by_label(estimates: Estimates) -> dict[str, Estimate]:
    return {LABELS[name]: estimates[name] for name in _OF_DECISIONS}


def _confusion(assessment: Assessment, folder: Path) -> FigureItem:
    evaluation = assessment.evaluation
    counts = "; ".join(
        f"of {evaluation.class_counts[name]:,} {name}, "
        + ", ".join(f"{n:,} read as {read}" for n, read in zip(row, evaluation.classes, strict=True))
        for name, row in zip(evaluation.classes, evaluation.confusion.tolist(), strict=True)
    )
    one = assessment.task.noun[0]
    path = draw_confusion_matrix(evaluation.confusion, evaluation.classes, path=folder / "confusion", noun=one)
    return FigureItem(path, f"Confusion matrix: a row a true {one}", f"Confusion matrix: {counts}.")
