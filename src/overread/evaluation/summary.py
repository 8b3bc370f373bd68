"""What an assessment shows first, as rows of text in one order: terminal and report take them from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from overread.decision.task import HIGHEST, MEAN
from overread.evaluation.assessment import Assessment
from overread.evaluation.compute_metrics import Evaluation
from overread.evaluation.estimates import Estimate, Estimates
from overread.evaluation.metrics.built_in import LABELS, LOSSES, RANKING
from overread.evaluation.metrics.definition import MetricDefinition
from overread.evaluation.wording import briefly
from overread.words import clause, count, first_of, level_of, listed

_OF_A_CLASS = ("auc", "sensitivity", "specificity")
_THE_SAME = "the same"
_MEAN = "Mean: over the classes, each against the rest; that of sensitivity (recall) is the balanced accuracy."
_MOST_REASONS = 3
_JOINED = {MEAN: "mean", HIGHEST: "highest"}
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

    With a positive class, at the operating point and at 0.5; with several classes, findings or grades, on the whole and
    for each that is judged; of several tasks, all of this for one after the other.
    """
    brackets = f"In brackets: {level_of(assessment.options.level)} intervals."
    parts = assessment.parts or {"": assessment}
    tables = tuple(
        table._replace(caption=f"{name}: {table.caption}" if name else table.caption)
        for name, part in parts.items()
        for table in (_of_positive(part) if part.task.positive else _of_several(part))
    )
    untold = (name for name in assessment.task.parts if name not in assessment.parts)
    notes = [f"No test image tells anything of {name}." for name in untold]
    notes += [f"{name}: {note}" if name else note for name, part in parts.items() for note in _of_means(part)]
    notes += [note for part in parts.values() for note in (*_of_prevalence(part), *_gaps(part))]
    if assessment.by_patient is not None:
        own = summarise(assessment.by_patient)
        tables += tuple(table._replace(caption=f"By patient: {table.caption}") for table in own.tables)
        notes += [*said_of_patients(assessment, assessment.by_patient), *own.notes[1:]]
    return Summary(tables, (brackets, *dict.fromkeys(notes)))


def said_of_patients(images: Assessment, patients: Assessment) -> tuple[str, ...]:
    """What it means to judge by patient: how images make one answer, at which operating point, and who is left out."""
    way = images.options.by_patient
    joined = f"the {_JOINED[way or MEAN]} of what was said of the {images.unit}s of each"
    said = f"By patient: {joined}, who is ill where any {images.unit} is."
    if not images.points:
        said += " Each was decided on at the operating point of its fold."
    elif patients.points != images.points:
        said += f" The operating point was chosen on validation patients, their {images.unit}s put together alike."
    else:
        sooner = ": who has more of them is called sooner" if way == HIGHEST else ""
        said += f" The operating point is that of {images.unit}s{sooner}."
    left = images.n_patients - patients.evaluation.n
    if left <= 0:
        return (said,)
    return (said, f"Left out by patient: {count(left, 'patient')}, whose {images.unit}s are of several classes.")


def shown_metrics(assessment: Assessment) -> tuple[MetricDefinition, ...]:
    """The metrics of an assessment, each number under one name; where a class is rare, average precision beside AUC."""
    # Of several classes, balanced accuracy is their mean sensitivity.
    left_out = () if assessment.task.positive or assessment.task.questions else ("balanced_accuracy",)
    shown = [found for found in assessment.evaluation.definitions if found.name not in left_out]
    if rare_classes(assessment):
        ranking = [found for found in shown if found.name in RANKING]
        first = shown.index(ranking[0])
        shown = [*shown[:first], *ranking, *(found for found in shown[first:] if found not in ranking)]
    return tuple(shown)


def label_of(found: MetricDefinition, assessment: Assessment) -> str:
    """Name a metric as it is meant on the whole."""
    task = assessment.task
    if task.positive or not found.is_mean:
        return found.label
    if len(task.judged) == 1:
        return f"{found.label}, {task.judged[0]}"
    if not task.questions and found.name == "sensitivity":
        return LABELS["balanced_accuracy"]
    return f"{found.label}, mean"


def point_of(assessment: Assessment) -> str:
    """Say which operating point decided, where one of a positive class did."""
    threshold = assessment.evaluation.threshold
    return "Own point (of each network)" if threshold is None else f"At {threshold:.4g} (operating point)"


def rare_classes(assessment: Assessment) -> tuple[str, ...]:
    """What is judged and rare among the images, so that its average precision is to be told beside its AUC."""
    shares = {name: assessment.evaluation.positives(name) for name in assessment.task.judged}
    return tuple(name for name, (positive, known) in shares.items() if positive < _RARE * known)


def _title(assessment: Assessment) -> str:
    evaluation, n_patients = assessment.evaluation, assessment.n_patients
    whose = "" if n_patients == evaluation.n else f" of {count(n_patients, 'patient')}"
    of = f"of {assessment.task.noun[0]} " if assessment.task.ordered else ""
    counts = [f"{n:,} {of}{name}" for name, n in evaluation.class_counts.items()]
    # Findings may be dozens, and each has a row of its own below.
    of_class = listed(counts) if assessment.task.exclusive else first_of(counts)
    return f"{count(evaluation.n, f'test {assessment.unit}')}{whose}: {of_class}"


def _of_positive(assessment: Assessment) -> tuple[Rows, ...]:
    columns = {point_of(assessment): assessment.estimates}
    if assessment.at_half is not None and assessment.at_half is not assessment.estimates:
        columns["At 0.5"] = assessment.at_half
    rows = tuple((found.label, *_cells(found.name, columns.values())) for found in shown_metrics(assessment))
    return (Rows(_title(assessment), ("Metric", *columns), rows), *_stated(assessment, point_of(assessment)))


def _stated(assessment: Assessment, point: str) -> Iterator[Rows]:
    """What calls mean at the stated prevalence, if one was stated and one question alone is judged."""
    if assessment.predictive_values:
        share, (name,) = level_of(assessment.options.prevalence or 0), assessment.task.judged
        stated = tuple((LABELS[metric], briefly(found)) for metric, found in assessment.predictive_values.items())
        yield Rows(f"Where {share} of {assessment.unit}s are {name}, as stated", ("Metric", point), stated)


def _cells(name: str, columns: Iterable[Estimates]) -> Iterator[str]:
    first, *others = columns
    yield briefly(first[name])
    for other in others:
        yield _THE_SAME if name in (*RANKING, *LOSSES) else briefly(other[name])


def _of_several(assessment: Assessment) -> tuple[Rows, ...]:
    shown = shown_metrics(assessment)
    overall = tuple((label_of(found, assessment), briefly(assessment[found.name])) for found in shown)
    of_a_class = (*RANKING, *_OF_A_CLASS[1:]) if rare_classes(assessment) else _OF_A_CLASS
    task = assessment.task
    each = tuple(
        (name, _images(name, assessment.evaluation), *(briefly(found[metric]) for metric in of_a_class))
        for name, found in each_judged(assessment).items()
    )
    one = task.judged_noun[0]
    header = (one.capitalize(), f"{assessment.unit.capitalize()}s", *(LABELS[name] for name in of_a_class))
    placed = bool(assessment.evaluation.thresholds or assessment.at_class_points)
    way = ", at its operating point" if placed else ", as it was decided"
    caption = f"Each {one}{way}" if task.questions else f"Each {one} against the rest"
    return (
        Rows(_title(assessment), ("Metric", f"Decided on ({task.decided_on})"), overall),
        Rows(caption, header, each),
        *_stated(assessment, "At its operating point"),
    )


def each_judged(assessment: Assessment) -> dict[str, Mapping[str, Estimate]]:
    """By name the estimates of each judged question as it is decided in use.

    A class of several, as all are decided together; what is judged apart, at its own operating point, where it has one.
    """
    evaluation, at_points = assessment.evaluation, assessment.at_class_points
    # Findings are decided at these points anyway.
    apart = at_points if assessment.task.questions and not evaluation.thresholds else {}
    return {
        name: {
            metric: apart[name][metric] if name in apart else assessment.estimates.of_class(name, metric)
            for metric in metrics
        }
        for name, metrics in evaluation.per_class.items()
    }


def _images(name: str, evaluation: Evaluation) -> str:
    """How many images show it; of how many, where that is not known of all."""
    positive, known = evaluation.positives(name)
    return f"{positive:,}" if known == evaluation.n else f"{positive:,} of {known:,}"


def _of_means(assessment: Assessment) -> tuple[str, ...]:
    task = assessment.task
    if len(task.judged) == 1:
        return ()
    if not task.questions:
        return (_MEAN,)
    left_out = dict.fromkeys(name for metric in assessment.evaluation.metrics.values() for name in metric.left_out)
    absent = f"; left out where rare or undefined: {listed([*left_out])}" if left_out else ""
    return (f"Mean: over the {task.judged_noun[1]}{absent}.",)


def _of_prevalence(assessment: Assessment) -> Iterator[str]:
    task, stated = assessment.task, assessment.options.prevalence
    if task.questions and stated is not None and not assessment.predictive_values:
        whose = f"{len(task.judged)} {task.judged_noun[1]}"
        yield f"The stated prevalence of {level_of(stated)} is not used: each of the {whose} has one of its own."


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
    for found in each_judged(assessment).values():
        yield from (found[name] for name in _OF_A_CLASS)
    yield from assessment.predictive_values.values()
