"""Groups of patients: each metric in each group, its gap to the rest, and the judgement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from overread.decision.task import Task
from overread.evaluation import Assessment, SubgroupMetric, Subgroups
from overread.evaluation.wording import value_of, value_or_reason
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_subgroups
from overread.words import clause, count, first_of, level_of, listed, low_to_high

_DRAWN, _DRAWN_OF_GRADES = ("auc", "sensitivity", "specificity"), ("quadratic_kappa", "within_one_grade", "auc")
_SHORT = {"sensitivity": "sensitivity"}


def subgroups_section(assessment: Assessment, folder: Path) -> Section:
    """Say whether the result holds for every group that was asked for.

    Args:
        assessment: of the test images.
        folder: of the figures.
    """
    if not assessment.subgroups:
        text = (
            "No groups were compared, so whether the result holds alike for every kind of patient, device or hospital "
            "is not known. Name columns of the table of cases to have their groups compared."
        )
        return Section("Subgroups", paragraphs=(text,))
    level, labels = assessment.options.level, assessment.evaluation.labels
    drawn = _DRAWN_OF_GRADES if assessment.task.ordered else _DRAWN
    items: list[Table | FigureItem] = []
    for number, found in enumerate(assessment.subgroups, start=1):
        path = folder / f"subgroups_{number}"
        items += [*_sizes(found, assessment.task), _forest(path, found, level, {name: labels[name] for name in drawn})]
        items += [_table(found, level, labels), *_of_each(found, level, assessment.task)]
    said = (_gaps(assessment), *_gaps_of_each(assessment), _caution(assessment))
    return Section("Subgroups", paragraphs=said, items=tuple(items))


def _gaps(assessment: Assessment) -> str:
    flagged = [
        f"{assessment.evaluation.labels[name]} of {found.column} {group}"
        for found in assessment.subgroups
        for group, name in found.flagged
    ]
    if not _judged(assessment):
        return "No gap could be judged; the reason stands beside each."
    if not flagged:
        return "No gap is flagged. That does not show that the groups fare alike; small groups hide large gaps."
    return f"{count(len(flagged), 'gap')} {'is' if len(flagged) == 1 else 'are'} flagged: {listed(flagged)}."


def _gaps_of_each(assessment: Assessment) -> tuple[str, ...]:
    """Which findings, or what else is judged apart, differ in their AUC."""
    gaps = [
        (f"{name} in {found.column} {group.label}", group.metrics["auc"].flagged)
        for found in assessment.subgroups
        for name, own in found.each.items()
        for group in own.groups
    ]
    judged = sum(flagged is not None for _, flagged in gaps)
    flagged = [what for what, is_flagged in gaps if is_flagged]
    if not judged:
        return ()
    of = f"Of {count(judged, 'gap')} in the AUC of each {assessment.task.judged_noun[0]} that could be judged"
    by_chance = f"{judged * (1 - assessment.options.level):.1f}"
    if not flagged:
        return (f"{of}, none is flagged.",)
    return (f"{of}, {len(flagged)} are flagged, where chance alone would flag about {by_chance}: {first_of(flagged)}.",)


def _caution(assessment: Assessment) -> str:
    judged = _judged(assessment)
    by_chance = f"{judged * (1 - assessment.options.level):.1f}"
    expected = f": of {count(judged, 'gap')} judged here, about {by_chance} would be flagged by chance alone"
    return (
        "A gap is the metric in a group less that in all other images; it is flagged where its interval leaves out 0. "
        f"Nothing corrects for how many are looked at{expected if judged else ''}. PPV, NPV and accuracy also differ "
        f"where only the share of the {assessment.task.noun[1]} does. A flag asks a question; it does not answer it."
    )


def _judged(assessment: Assessment) -> int:
    """The number of gaps that were judged."""
    metrics = (m for found in assessment.subgroups for group in found.groups for m in group.metrics.values())
    return sum(metric.flagged is not None for metric in metrics)


def _sizes(found: Subgroups, task: Task) -> tuple[Table, ...]:
    """How large the groups are and what they show; many findings a row each."""
    caption, classes = f"Groups of {found.column}", tuple(found.groups[0].class_counts)
    if task.exclusive:
        rows = tuple(
            (group.label, f"{group.n:,}", f"{group.patients:,}", *(f"{group.class_counts[name]:,}" for name in classes))
            for group in found.groups
        )
        return (Table(caption, (found.column, "Images", "Patients", *classes), rows),)
    sizes = tuple((group.label, f"{group.n:,}", f"{group.patients:,}") for group in found.groups)
    shown = tuple((name, *(f"{group.class_counts[name]:,}" for group in found.groups)) for name in classes)
    header = (task.noun[0].capitalize(), *(group.label for group in found.groups))
    return (
        Table(caption, (found.column, "Images", "Patients"), sizes),
        Table(f"Images that show each {task.noun[0]}, by {found.column}", header, shown),
    )


def _table(found: Subgroups, level: float, labels: Mapping[str, str]) -> Table:
    header = (found.column, "Metric", "Value", "n", "Gap to the rest", "Judgement", "Method")
    rows = tuple(
        (group.label, labels[name], _value(one), f"{one.metric.n:,}", _gap(one), _judgement(one), one.method or "none")
        for group in found.groups
        for name, one in group.metrics.items()
    )
    return Table(f"Metrics by {found.column}; in brackets {level_of(level)} intervals", header, rows)


def _of_each(found: Subgroups, level: float, task: Task) -> tuple[Table, ...]:
    """The AUC of each finding, or of what else is judged apart, in each group."""
    if not found.each:
        return ()
    labels, one = [group.label for group in found.groups], task.judged_noun[0]
    rows = []
    for name, own in found.each.items():
        there = {group.label: group for group in own.groups}
        rows.append((name, *(_flagged(there[label].metrics["auc"]) if label in there else "" for label in labels)))
    caption = f"AUC of each {one} by {found.column}; in brackets {level_of(level)} intervals"
    return (Table(caption, (one.capitalize(), *labels), tuple(rows)),)


def _flagged(one: SubgroupMetric) -> str:
    if one.metric.reason:
        return "undefined"
    return f"{_value(one)}{', flagged' if one.flagged else ', not judged' if one.flagged is None else ''}"


def _value(one: SubgroupMetric) -> str:
    if one.metric.reason:
        return value_or_reason(one.metric)
    return f"{value_of(one.metric)} ({low_to_high(*one.interval) if one.interval else 'no interval'})"


def _gap(one: SubgroupMetric) -> str:
    if one.gap is None:
        return "none"
    return f"{one.gap:+.3f} ({low_to_high(*one.gap_interval, '+.3f') if one.gap_interval else 'no interval'})"


def _judgement(one: SubgroupMetric) -> str:
    if one.flagged is None:
        return f"not judged: {clause(one.not_judged).removeprefix('too small to judge: ')}"
    return "flagged" if one.flagged else "not flagged"


def _forest(path: Path, found: Subgroups, level: float, drawn: Mapping[str, str]) -> FigureItem:
    said = [
        f"{group.label}: " + ", ".join(f"{label} {_value(group.metrics[name])}" for name, label in drawn.items())
        for group in found.groups
    ]
    names = listed([clause(_SHORT.get(name, label)) for name, label in drawn.items()])
    return FigureItem(
        draw_subgroups(found, path=path, names=tuple(drawn)),
        f"{names[:1].upper()}{names[1:]} by {found.column}, with {level_of(level)} intervals",
        f"Forest plot by {found.column}. {'; '.join(said)}.",
    )
