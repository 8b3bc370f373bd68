"""Readings as CSV and JSON lines, one image a row, failures among them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from overread.errors import OutputUnwritable
from overread.reading.reading import Failure, Reading

_LAST = ("positive", "threshold", "prediction_set", "unfamiliarity", "refer", "error")


def write_csv(target: Path | TextIO, readings: Iterable[Reading | Failure], classes: Sequence[str]) -> int:
    """Write path, predicted label, a probability for each class, decision, threshold, referral and error, whole or not.

    Returns:
        How many images could not be read.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    if not isinstance(target, Path):
        return _write_rows(target, readings, classes)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            failures = _write_rows(stream, readings, classes)
        temporary.replace(target)
    except OSError as error:
        raise OutputUnwritable(f"{target} cannot be written ({error.strerror}): choose another file") from None
    finally:
        temporary.unlink(missing_ok=True)
    return failures


def write_json_lines(target: TextIO, readings: Iterable[Reading | Failure]) -> int:
    """Write a JSON object a line; returns how many images could not be read."""
    failures = 0
    for reading in readings:
        failures += isinstance(reading, Failure)
        target.write(json.dumps(reading.to_dict(), ensure_ascii=False) + "\n")
    return failures


def _write_rows(stream: TextIO, readings: Iterable[Reading | Failure], classes: Sequence[str]) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(csv_header(classes))
    failures = 0
    for reading in readings:
        failures += isinstance(reading, Failure)
        writer.writerow(csv_row(reading, classes))
    return failures


def csv_header(classes: Sequence[str]) -> list[str]:
    """The columns of readings by a bundle with these classes."""
    return ["path", "predicted_label", *(f"probability_{name}" for name in classes), *_LAST]


def csv_row(reading: Reading | Failure, classes: Sequence[str]) -> list[Any]:
    """One reading under `csv_header`."""
    if isinstance(reading, Failure):
        return [reading.path, "", *[""] * len(classes), *[""] * (len(_LAST) - 1), reading.error]
    probabilities = [f"{reading.probabilities[name]:.6f}" for name in classes]
    positive = "" if reading.positive is None else str(reading.positive).lower()
    threshold = "" if reading.threshold is None else f"{reading.threshold:.6f}"
    referral = ";".join(reading.prediction_set), f"{reading.unfamiliarity:.4f}", ";".join(reading.refer)
    return [reading.path, reading.predicted_label, *probabilities, positive, threshold, *referral, ""]
