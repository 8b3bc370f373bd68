"""What readers are worth, on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overread.cli.layout import print_json, print_lines, print_table
from overread.words import count, level_of, low_to_high

if TYPE_CHECKING:
    from overread.evaluation import Assessment, Comparison, Difference
    from overread.evaluation.summary import Rows
    from overread.study.crossvalidation import CrossValidation


_OF_EACH = ("auc", "sensitivity", "specificity")


def print_assessment(assessment: Assessment, as_json: bool) -> None:
    """Print the metrics of a test side, each with its interval."""
    if as_json:
        print_json(assessment.to_dict())
        return
    _print_summary(assessment)


def print_crossvalidation(result: CrossValidation, as_json: bool) -> None:
    """Print the pooled metrics of each seed, and how much they vary across folds and seeds."""
    if as_json:
        print_json(result.to_dict())
        return
    for seed, assessment in result.pooled.items():
        print_lines(f"{len(result.folds[seed])} folds pooled, seed {seed}")
        _print_summary(assessment, result)


def print_comparison(comparison: Comparison, as_json: bool, *, readers: Sequence[str]) -> None:
    """Print the difference of each metric between two readers, A and B."""
    if as_json:
        print_json(comparison.to_dict())
        return
    # Loads NumPy, which `--help` need not wait for.
    from overread.report.comparison import IDENTICAL

    whose = "" if comparison.n == comparison.n_patients else f" of {count(comparison.n_patients, 'patient')}"
    print_lines(f"{count(comparison.n, 'image')}{whose}", *map(" is ".join, zip("AB", readers, strict=True)), "")
    if comparison.identical:
        print_lines(IDENTICAL)
        return
    for name, part in comparison.parts.items():
        print_lines(f"{name}: {count(part.n, 'image')}")
        _print_differences(part)
        print_lines("")
    if not comparison.parts:
        _print_differences(comparison)


def _print_differences(comparison: Comparison) -> None:
    header = ("A", "B", f"B less A ({level_of(comparison['auc'].interval.level)} interval)", "p")
    labels = {name: label for name, label in comparison.labels.items() if name in comparison.differences}
    print_table(("Metric", *header), [(label, *_cells(comparison[name])) for name, label in labels.items()])
    rows = [
        (question, comparison.labels[name], *_cells(found[name]))
        for question, found in comparison.each.items()
        for name in _OF_EACH
    ]
    if rows:
        print_lines("")
        print_table(("", "Metric", *header), rows)


def _cells(found: Difference) -> tuple[str, ...]:
    from overread.evaluation.wording import p_of

    values = ["undefined" if math.isnan(value) else f"{value:.3f}" for value in (found.first, found.second)]
    if math.isnan(found.difference):
        return (*values, "", "")
    ends = "no interval" if found.interval.reason else low_to_high(found.interval.low, found.interval.high, "+.3f")
    return (*values, f"{found.difference:+.3f} ({ends})", "" if math.isnan(found.p) else p_of(found.p))


def _print_summary(assessment: Assessment, folds: CrossValidation | None = None) -> None:
    # Loads NumPy, which `--help` need not wait for.
    from overread.evaluation.summary import shown_metrics, summarise

    summary = summarise(assessment)
    first, *others = summary.tables
    if folds is not None:
        first = _with_spread(first, [folds.spread(found.name) for found in shown_metrics(assessment)])
    for table in (first, *others):
        print_lines(table.caption)
        print_table(table.header, table.rows)
        print_lines("")
    print_lines(*summary.notes)


def _with_spread(table: Rows, spread: Sequence[dict[str, float | None]]) -> Rows:
    """Add how much each metric varies, leaving out what no metric has."""
    headings = {"folds_sd": "SD (across folds)", "seeds_sd": "SD (across seeds)"}
    shown = [name for name in headings if any(found[name] is not None for found in spread)]
    rows = tuple(
        (*row, *("" if found[name] is None else f"{found[name]:.3f}" for name in shown))
        for row, found in zip(table.rows, spread, strict=True)
    )
    return table._replace(header=(*table.header, *(headings[name] for name in shown)), rows=rows)
