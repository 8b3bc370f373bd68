"""What an assessment shows first, as rows of text in one order: terminal and report take them from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from overread.evaluation.assessment import Assessment
from overread.evaluation.estimates import Estimate, Estimates
from overread.evaluation.metrics.built_in import LABELS, LOSSES, RANKING
from overread.evaluation.metrics.definition import ClassMetric, MetricDefinition
from overread.evaluation.wording import briefly
from overread.words import clause, count, level_of, listed

_OF_A_CLASS = ("auc", "sensitivity", "specificity")
_THE_SAME = "the same"
_MEAN = "Mean: over the classes, each against the rest; that of sensitivity (recall) is the balanced accuracy."
_MOST_REASONS = 3
# A class with a smaller share of the images is rare: AUC says little of how many of those called would be right.
_RARE = 0.1


class Rows(NamedTuple):
    """A table of text: its caption, what heads its columns, and rows of as many cells, the first naming the row."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Summary(NamedTuple):
    """Tables, and what is to be said below them."""

    tables: tuple[Rows, ...]
    notes: tuple[str, ...]


def summarise(assessment: Assessment) -> Summary:
    """Say how good a reader is: AUC, sensitivity, specificity and accuracy first, then the rest.

    With a positive class, at the operating point and at 0.5; with several classes, on the whole and for each.
    """
    brackets = f"In brackets: {level_of(assessment.options.level)} intervals."
    if assessment.task.positive:
        return Summary(_of_positive(assessment), (brackets, *_gaps(assessment)))
    return Summary(_of_several(assessment), (brackets, _MEAN, *_gaps(assessment)))


def shown_metrics(assessment: Assessment) -> tuple[MetricDefinition, ...]:
    """The metrics of an assessment, each number under one name; where a class is rare, average precision beside AUC."""
    # Where several classes are judged, balanced accuracy is their mean sensitivity.
    left_out = () if assessment.task.positive else ("balanced_accuracy",)
    shown = [found for found in assessment.evaluation.definitions if found.name not in left_out]
    if rare_classes(assessment):
        shown.sort(key=lambda found: found.name not in RANKING)
    return tuple(shown)


def label_of(found: MetricDefinition, assessment: Assessment) -> str:
    """Name a metric as it is meant on the whole."""
    if assessment.task.positive or not isinstance(found, ClassMetric):
        return found.label
    return LABELS["balanced_accuracy"] if found.name == "sensitivity" else f"{found.label}, mean"


def point_of(assessment: Assessment) -> str:
    """Say which operating point decided."""
    threshold = assessment.evaluation.threshold
    return "Own point (of each network)" if threshold is None else f"At {threshold:.4g} (operating point)"


def rare_classes(assessment: Assessment) -> tuple[str, ...]:
    """The judged classes that are rare among the images, whose average precision is to be told beside their AUC."""
    evaluation = assessment.evaluation
    return tuple(name for name in assessment.task.judged if evaluation.class_counts[name] < _RARE * evaluation.n)


def _title(assessment: Assessment) -> str:
    evaluation, n_patients = assessment.evaluation, assessment.n_patients
    whose = "" if n_patients == evaluation.n else f" of {count(n_patients, 'patient')}"
    of_class = listed([f"{n:,} {name}" for name, n in evaluation.class_counts.items()])
    return f"{count(evaluation.n, 'test image')}{whose}: {of_class}"


def _of_positive(assessment: Assessment) -> tuple[Rows, ...]:
    columns = {point_of(assessment): assessment.estimates}
    if assessment.at_half is not None and assessment.at_half is not assessment.estimates:
        columns["At 0.5"] = assessment.at_half
    rows = tuple((found.label, *_cells(found.name, columns.values())) for found in shown_metrics(assessment))
    tables = [Rows(_title(assessment), ("Metric", *columns), rows)]
    if assessment.predictive_values:
        where = (
            f"Where {level_of(assessment.options.prevalence or 0)} of images are {assessment.task.positive}, as stated"
        )
        stated = tuple((LABELS[name], briefly(found)) for name, found in assessment.predictive_values.items())
        tables.append(Rows(where, ("Metric", point_of(assessment)), stated))
    return tuple(tables)


def _cells(name: str, columns: Iterable[Estimates]) -> Iterator[str]:
    first, *others = columns
    yield briefly(first[name])
    for other in others:
        yield _THE_SAME if name in (*RANKING, *LOSSES) else briefly(other[name])


def _of_several(assessment: Assessment) -> tuple[Rows, ...]:
    shown = shown_metrics(assessment)
    overall = tuple((label_of(found, assessment), briefly(assessment[found.name])) for found in shown)
    of_a_class = (*RANKING, *_OF_A_CLASS[1:]) if rare_classes(assessment) else _OF_A_CLASS
    each = tuple(
        (name, f"{n:,}", *(briefly(assessment.estimates.of_class(name, metric)) for metric in of_a_class))
        for name, n in assessment.evaluation.class_counts.items()
    )
    header = ("Class", "Images", *(LABELS[name] for name in of_a_class))
    return (
        Rows(_title(assessment), ("Metric", f"Decided on ({assessment.task.decided_on})"), overall),
        Rows("Each class against the rest", header, each),
    )


def _gaps(assessment: Assessment) -> tuple[str, ...]:
    """Why values and intervals are missing, each reason once."""
    found = [
        f"{'Undefined' if metric.reason else 'No interval'}: {clause(metric.reason or interval.reason)}."
        for metric, interval in _estimates(assessment)
        if metric.reason or interval.reason
    ]
    reasons = [*dict.fromkeys(found)]
    if len(reasons) <= _MOST_REASONS:
        return tuple(reasons)
    rest = count(len(reasons) - _MOST_REASONS, "further reason")
    return (*reasons[:_MOST_REASONS], f"{rest} for a missing number: see the tables of the report.")


def _estimates(assessment: Assessment) -> Iterator[Estimate]:
    for name in (found.name for found in shown_metrics(assessment)):
        yield from (found[name] for found in (assessment.estimates, assessment.at_half) if found is not None)
    for label in assessment.evaluation.per_class:
        yield from (assessment.estimates.of_class(label, name) for name in _OF_A_CLASS)
    yield from assessment.predictive_values.values()
