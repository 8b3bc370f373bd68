"""Results as tables on a terminal, or as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from overread.machine.files import to_json
from overread.machine.terminal import data_output
from overread.words import level_of, low_to_high

if TYPE_CHECKING:
    from overread.auditing import Audit
    from overread.decision.task import Task
    from overread.evaluation import Assessment, Comparison, Estimate, Interval
    from overread.monitoring.watch import Monitoring
    from overread.reading import Failure, Reading
    from overread.study.crossvalidate import CrossValidation


def print_audit(audit: Audit, as_json: bool) -> None:
    """Print each finding with what to do about it."""
    if as_json:
        _print_json(audit.to_dict())
        return
    styles = {"block": "bold red", "warn": "yellow", "info": ""}
    table = Table("finding", "what was found", "what to do", title=f"{audit.n} images", title_justify="left")
    for found in audit.findings:
        name = Text(f"{found.code}\n({found.severity})", style=styles[found.severity])
        table.add_row(name, Text(found.sentence), Text(found.fix))
    Console().print(table if audit.findings else f"{audit.n} images: nothing was found")


def print_assessment(assessment: Assessment, as_json: bool) -> None:
    """Print the metrics of a test side, each with its interval."""
    if as_json:
        _print_json(assessment.to_dict())
        return
    evaluation = assessment.evaluation
    decided = f", operating point {evaluation.threshold:.4g}" if evaluation.threshold is not None else ""
    table = _table(
        f"test side, {evaluation.n} images of {assessment.n_patients} patients{decided}",
        "metric", "value", f"{level_of(assessment.options.level)} interval", "n",
    )  # fmt: skip
    for name in evaluation.metrics:
        table.add_row(name, *_estimate(assessment[name]), str(evaluation[name].n))
    for name, estimate in assessment.predictive_values.items():
        prevalence = f"{name} at prevalence {assessment.options.prevalence:g}"
        table.add_row(prevalence, *_estimate(estimate), str(estimate.metric.n))
    Console().print(table)


def print_comparison(comparison: Comparison, as_json: bool) -> None:
    """Print the difference of each metric between two readers."""
    if as_json:
        _print_json(comparison.to_dict())
        return
    level = next(iter(comparison.differences.values())).interval.level
    table = _table(
        f"{comparison.n} images of {comparison.n_patients} patients",
        "metric", "A", "B", "B less A", f"{level_of(level)} interval", "p",
    )  # fmt: skip
    for name, found in comparison.differences.items():
        numbers = _number(found.first), _number(found.second), _number(found.difference, "+.3f")
        table.add_row(name, *numbers, _interval(found.interval, "+.3f"), _number(found.p, ".3g"))
    Console().print(table)


def print_crossvalidation(result: CrossValidation, as_json: bool) -> None:
    """Print the pooled metrics of each seed, and how much they vary across folds and seeds."""
    if as_json:
        _print_json(result.to_dict())
        return
    for seed, assessment in result.pooled.items():
        folds, level = len(result.folds[seed]), assessment.options.level
        table = _table(
            f"{folds} folds pooled, seed {seed}: {assessment.evaluation.n} images of {assessment.n_patients} patients",
            "metric", "pooled", f"{level_of(level)} interval", "SD across folds", "SD across seeds",
        )  # fmt: skip
        for name in assessment.evaluation.metrics:
            spread = result.spread(name)
            table.add_row(name, *_estimate(assessment[name]), *(_number(value) for value in spread.values()))
        Console().print(table)


def print_monitoring(found: Monitoring, as_json: bool) -> None:
    """Print what a stretch of the log tells: shares, latency, and what was tested for a change."""
    if as_json:
        _print_json(found.to_dict())
        return
    title = f"{found.n_images} images in {found.n_readings} readings since {found.since:%Y-%m-%d}"
    table = _table(title, "share", "value", f"{level_of(found.rates['referred'].interval.level)} interval", "n")
    for name, estimate in found.rates.items():
        table.add_row(name, *_estimate(estimate), str(estimate.metric.n))
    for name, value in found.latency_ms.items():
        table.add_row(f"latency {name}, ms", _number(value, ".1f"), "", str(found.rates["referred"].metric.n))
    Console().print(table)
    tests = _table("tests for a change", "what", "n", "p, adjusted", "result")
    for check in found.checks:
        if check.reason is None:
            said = "changed" if check.found else "no change found"
            tests.add_row(Text(check.name), str(check.n), _number(check.adjusted_p, ".3g"), said)
    if tests.row_count:
        Console().print(tests)
    for reason, count in Counter(check.reason for check in found.checks if check.reason).items():
        Console(soft_wrap=True).print(f"not tested, {count} of {len(found.checks)}: {reason}", highlight=False)


def print_readings(readings: Iterable[Reading | Failure], task: Task) -> int:
    """Print a reading a row; returns how many images could not be read."""
    from overread.reading import Failure
    from overread.reading.sentences import READS_AS, REFERRAL, probability_heading, rounded, short_reasons

    table = Table(Column("Image", overflow="fold"), READS_AS, probability_heading(task), REFERRAL)
    failures = 0
    for reading in readings:
        if isinstance(reading, Failure):
            failures += 1
            table.add_row(Text(reading.path), Text(reading.error, style="red"), "", "")
        else:
            probability, refer = rounded(reading.probability, 3), Text(short_reasons(reading), style="yellow")
            table.add_row(Text(reading.path), Text(reading.predicted_label), probability, refer)
    Console().print(table)
    return failures


def _print_json(values: dict[str, Any]) -> None:
    typer.echo(to_json(values), data_output())


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    return table


def _estimate(estimate: Estimate) -> tuple[str, str]:
    return estimate.metric.reason or f"{estimate.metric.value:.3f}", _interval(estimate.interval)


def _interval(interval: Interval, style: str = ".3f") -> str:
    return interval.reason or low_to_high(interval.low, interval.high, style)


def _number(value: float | None, style: str = ".3f") -> str:
    return "" if value is None or math.isnan(value) else f"{value:{style}}"
