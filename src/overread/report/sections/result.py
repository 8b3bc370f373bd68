"""The result at a glance: the tables that the terminal shows too, and all of each finding or cut in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from overread.decision import OperatingPoint
from overread.evaluation import LABELS, Assessment
from overread.evaluation.summary import each_judged, summarise
from overread.evaluation.wording import briefly
from overread.report.document import Section, Table
from overread.report.judged import operating_points_of
from overread.words import low_to_high, percent

_SHOWN = ("auc", "sensitivity", "specificity", "ppv", "average_precision")


def result_section(assessment: Assessment, points: Mapping[str, OperatingPoint] | None = None) -> Section:
    """Say how good the reader is, before anything is told of how that was found.

    Args:
        assessment: of the test images.
        points: frozen on validation, by what is judged; none where each fold of a cross-validation had its own.
    """
    assessment = dataclasses.replace(assessment, by_patient=None)  # which has a section of its own
    parts, points = assessment.parts or {"": assessment}, points or {}
    items = []
    for name, part in parts.items():
        of_part = assessment.task.of_part(name, points) if name else points
        items += [_under(name, table) for table in _tables(part, of_part)]
    return Section("Result", paragraphs=summarise(assessment).notes, items=tuple(items))


def _under(part: str, table: Table) -> Table:
    return dataclasses.replace(table, caption=f"{part}: {table.caption}") if part else table


def _tables(assessment: Assessment, points: Mapping[str, OperatingPoint]) -> tuple[Table, ...]:
    tables = tuple(Table(*table) for table in summarise(assessment).tables)
    if not assessment.task.questions:
        return tables
    # The terminal has no room for more than a few columns.
    overall, in_short, *others = tables
    return (overall, _each(in_short.caption, assessment, points), *others)


def _each(caption: str, assessment: Assessment, points: Mapping[str, OperatingPoint]) -> Table:
    """All of what is judged, a row each: how common it is, how well it is told, and from which probability on."""
    evaluation, thresholds = assessment.evaluation, operating_points_of(assessment)
    open_to = any(evaluation.positives(name)[1] < evaluation.n for name in evaluation.per_class)
    header = (
        assessment.task.judged_noun[0].capitalize(),
        *("Present", "Absent", *["Not known"] * open_to, "Prevalence"),
        *(LABELS[name] for name in _SHOWN),
        *["Threshold"] * bool(thresholds),
    )
    rows = []
    for name, found in each_judged(assessment).items():
        present, known = evaluation.positives(name)
        counted = (f"{present:,}", f"{known - present:,}", *[f"{evaluation.n - known:,}"] * open_to)
        share = percent(present / known) if known else "undefined"
        at = [_threshold(thresholds[name], points.get(name))] if name in thresholds else [""] * bool(thresholds)
        rows.append((name, *counted, share, *(briefly(found[metric]) for metric in _SHOWN), *at))
    return Table(caption, header, tuple((name, *map(_whole, cells)) for name, *cells in rows), is_dense=True)


def _whole(cell: str) -> str:
    """A cell that is broken before its brackets only."""
    value, bracket, rest = cell.partition(" (")
    return value + bracket + rest.replace(" ", "\N{NO-BREAK SPACE}")


def _threshold(value: float, point: OperatingPoint | None) -> str:
    ends = f" ({low_to_high(*point.interval, '.2g')})" if point and point.interval else ""
    return f"{value:.3g}{ends}"
