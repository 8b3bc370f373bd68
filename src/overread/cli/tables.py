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
    from overread.evaluation import Comparison, Estimate, Interval
    from overread.monitoring.watch import Monitoring
    from overread.reading import Failure, Reading

_STYLES = {"block": "bold red", "warn": "yellow", "info": ""}


def print_audit(audit: Audit, as_json: bool, *, details: bool) -> None:
    """Print a line a finding, or each in full with what to do about it."""
    if as_json:
        print_json(audit.to_dict())
        return
    # Loads NumPy, which `--help` need not wait for.
    from overread.auditing import brief_lines, gravity, totals

    console = Console()
    console.print(Text(totals(audit)))
    if details:
        for found in audit.findings:
            console.print(Text(f"\n{gravity(found, audit)}: {found.code}", style=_STYLES[found.severity]))
            console.print(Text(found.sentence))
            console.print(Text(f"What to do: {found.fix}"))
        return
    for line in brief_lines(audit):
        console.print(Text(line.text, style=_STYLES[line.severity]))
    if audit.findings:
        console.print("what each means and what to do: --details, or --out FOLDER for a page with thumbnails")


def print_comparison(comparison: Comparison, as_json: bool) -> None:
    """Print the difference of each metric between two readers."""
    if as_json:
        print_json(comparison.to_dict())
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


def print_monitoring(found: Monitoring, as_json: bool) -> None:
    """Print what a stretch of the log tells: shares, latency, and what was tested for a change."""
    if as_json:
        print_json(found.to_dict())
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


def print_json(values: dict[str, Any]) -> None:
    """Print values as one line of JSON."""
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
