"""What audit, reader and monitor found, on a terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from overread.cli.layout import print_json, print_lines, print_table
from overread.words import count, level_of, low_to_high

if TYPE_CHECKING:
    from overread.auditing import Audit
    from overread.decision.task import Task
    from overread.evaluation import Estimate
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

    print_lines(totals(audit))
    if details:
        for found in audit.findings:
            print_lines("", f"{gravity(found, audit)}: {found.code}", style=_STYLES[found.severity])
            print_lines(found.sentence, f"What to do: {found.fix}")
        return
    for line in brief_lines(audit):
        print_lines(line.text, style=_STYLES[line.severity])
    if audit.findings:
        print_lines("what each means and what to do: --details, or --out FOLDER for a page with thumbnails")


def print_monitoring(found: Monitoring, as_json: bool) -> None:
    """Print what a stretch of the log tells: shares, latency, and what was tested for a change."""
    if as_json:
        print_json(found.to_dict())
        return
    images = count(found.n_images, "image")
    if found.since is None:
        print_lines(f"{images} in {count(found.n_readings, 'part')}")
    else:
        print_lines(f"{images} in {count(found.n_readings, 'reading')} since {found.since:%Y-%m-%d}")
    n = str(found.rates["referred"].metric.n)
    rows = [(name, *_estimate(estimate), str(estimate.metric.n)) for name, estimate in found.rates.items()]
    rows += [(f"latency {name}, ms", _number(value, ".1f"), "", n) for name, value in found.latency_ms.items()]
    print_table(("share", "value", f"{level_of(found.rates['referred'].interval.level)} interval", "n"), rows)
    if found.questions:
        print_lines("", "answers")
        answers = list(dict.fromkeys(answer for counts in found.questions.values() for answer in sorted(counts)))
        told = [(name, *(str(counts.get(one, 0)) for one in answers)) for name, counts in found.questions.items()]
        print_table(("question", *answers), told)
    tested = [check for check in found.checks if check.reason is None]
    if tested:
        print_lines("", "tests for a change")
        outcome = {True: "changed", False: "no change found"}
        cells = [(c.name, str(c.n), _number(c.adjusted_p, ".3g"), outcome[bool(c.found)]) for c in tested]
        print_table(("what", "n", "p, adjusted", "result"), cells)
    for reason, number in Counter(check.reason for check in found.checks if check.reason).items():
        print_lines(f"not tested, {number} of {len(found.checks)}: {reason}")


def print_readings(readings: Iterable[Reading | Failure], task: Task, *, of_exams: bool = False) -> int:
    """Print a reading a row; returns how many images or exams could not be read."""
    from overread.reading import Failure
    from overread.reading.sentences import column_headings, columns_of

    headings = (*column_headings(task), *(("Best frame",) if of_exams else ()))
    rows: list[tuple[str, ...]] = []
    failures = 0
    for reading in readings:
        if isinstance(reading, Failure):
            failures += 1
            rows.append((reading.path, f"Not read: {reading.error}", *("" for _ in headings[1:])))
        else:
            best = reading.best_frame
            shown = () if best is None else (f"{best.index + 1:,} of {len(reading.frames):,}",)
            rows.append((reading.path, *columns_of(reading), *shown))
    print_table(("Exam" if of_exams else "Image", *headings), rows)
    return failures


def _estimate(estimate: Estimate) -> tuple[str, str]:
    metric, interval = estimate
    ends = interval.reason or low_to_high(interval.low, interval.high)
    return metric.reason or f"{metric.value:.3f}", ends


def _number(value: float | None, style: str = ".3f") -> str:
    return "" if value is None or math.isnan(value) else f"{value:{style}}"
