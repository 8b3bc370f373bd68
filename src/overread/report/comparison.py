"""The report of a comparison: each metric of two readers, their difference and how sure it is."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from overread.evaluation import Comparison, Difference
from overread.evaluation.metrics.built_in import LOWER_IS_BETTER
from overread.evaluation.wording import ends_of, p_of
from overread.report.document import ReportContext, Section, Table
from overread.report.html import write_report
from overread.run import ComparisonRun, RunFolder
from overread.words import clause, count, level_of

IDENTICAL = (
    "Both gave every image the same probabilities and the same decision, so there is nothing to compare: it may be one "
    "bundle that was evaluated twice."
)
# The first two of ordered grades only.
_FIRST = ("quadratic_kappa", "within_one_grade", "auc", "sensitivity", "specificity", "accuracy")
_OF_EACH = ("auc", "sensitivity", "specificity")


def write_comparison_report(out: Path, comparison: Comparison, *, run: ComparisonRun) -> Path:
    """Write `report.html` of a comparison of two evaluations.

    Args:
        out: its folder.
        comparison: of the two.
        run: in which they were compared.
    """
    made = (comparison_section(comparison, run),)
    verdict, leading = comparison_verdict(comparison), len(comparison.parts) or 1
    context = ReportContext("Comparison of two readers", verdict, made, leading=leading)
    return write_report(RunFolder(out).report, context)


def comparison_verdict(comparison: Comparison) -> tuple[str, ...]:
    """Say whether the second reader differs from the first in AUC, sensitivity, specificity and accuracy."""
    n, n_patients = comparison.n, comparison.n_patients
    whose = "" if n == n_patients else f" of {count(n_patients, 'patient')}"
    if comparison.identical:
        return (f"Two readers read the same {count(n, 'image')}{whose}. {IDENTICAL}",)
    told = tuple(
        f"{name}: {_differences(part)}" if name else _differences(part)
        for name, part in (comparison.parts or {"": comparison}).items()
    )
    return (
        f"Two readers read the same {count(n, 'image')}{whose}. {told[0]}",
        *told[1:],
        f"The p values are not adjusted for the {len(comparison.differences)} metrics that are compared: the more one "
        "looks at, the sooner one of them differs by chance. An interval that holds 0 does not show that the readers "
        "are alike; its ends say how far apart they may be.",
    )


def comparison_section(comparison: Comparison, run: ComparisonRun) -> Section:
    """Lay out every metric of a comparison.

    Args:
        comparison: of two readers.
        run: in which they were compared.
    """
    readers = (("First", run.first), ("Second", run.second), ("Command", run.command))
    tables = [
        dataclasses.replace(table, caption=f"{name}: {table.caption}" if name else table.caption)
        for name, part in (comparison.parts or {"": comparison}).items()
        for table in (_overall(part), *_of_each(part))
    ]
    text = "A difference is the second less the first. The test of each difference stands beside it."
    compared = Table("What was compared", ("What", "Value"), readers)
    return Section("Metrics", paragraphs=(text,), items=(compared, *tables))


def _overall(comparison: Comparison) -> Table:
    level = next(iter(comparison.differences.values())).interval.level
    header = ("Metric", "First", "Second", "Difference", f"{level_of(level)} interval", "p", "Test")
    rows = tuple(
        (
            f"{comparison.labels[name]}{' (lower is better)' if name in LOWER_IS_BETTER else ''}",
            *_cells(found),
            found.test,
        )
        for name, found in ((name, comparison[name]) for name in comparison.labels if name in comparison.differences)
    )
    return Table("Differences", header, rows)


def _of_each(comparison: Comparison) -> tuple[Table, ...]:
    """The differences of each finding, or of what else is judged apart."""
    shown = [(name, found[metric]) for name, found in comparison.each.items() for metric in _OF_EACH if metric in found]
    if not shown:
        return ()
    level = level_of(shown[0][1].interval.level)
    header = ("What", "Metric", "First", "Second", "Difference", f"{level} interval", "p")
    rows = tuple((name, comparison.labels[found.name], *_cells(found)) for name, found in shown)
    return (Table("Differences of each by itself, at its own operating point", header, rows),)


def _cells(found: Difference) -> tuple[str, ...]:
    return (
        _value(found.first),
        _value(found.second),
        "undefined" if math.isnan(found.difference) else f"{found.difference:+.3f}",
        ends_of(found.interval, "+.3f"),
        p_of(found.p),
    )


def _value(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _differences(comparison: Comparison) -> str:
    shown = [name for name in _FIRST if name in comparison.differences]
    return " ".join(_difference(comparison[name], comparison.labels[name]) for name in shown)


def _difference(found: Difference, name: str) -> str:
    interval = found.interval
    values = f"{found.first:.3f} with the first and {found.second:.3f} with the second"
    if interval.reason:
        return f"{name}: {values}; how sure the difference is cannot be told ({clause(interval.reason)})."
    told = "the images do not tell the two apart"
    if 0 not in interval:
        told = f"it is {'higher' if found.difference > 0 else 'lower'} with the second"
    return (
        f"{name}: {values}, a difference of {found.difference:+.3f} ({level_of(interval.level)} interval "
        f"{ends_of(interval, '+.3f')}, p {_related(found.p)}, {found.test}): {told}."
    )


def _related(p: float) -> str:
    return p_of(p) if p < 0.001 else f"= {p_of(p)}"
