"""Readings as CSV, JSON lines and data frames, one image a row, failures among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from overread.errors import OutputUnwritable
from overread.machine.files import replacing, to_json, write_rows
from overread.machine.frames import data_frame
from overread.machine.remote import is_remote
from overread.reading.fields import FIELDS, column_names
from overread.reading.reading import Failure, Reading

if TYPE_CHECKING:
    import pandas


def write_readings(target: Path | TextIO, readings: Iterable[Reading | Failure], classes: Sequence[str]) -> int:
    """Write path, predicted label, a probability for each class and the other `FIELDS`, and error; whole or not.

    Returns:
        How many images could not be read.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    if not (isinstance(target, Path) or is_remote(target)):
        return _write_rows(target, readings, classes)
    try:
        with replacing(cast(Path, target)) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            return _write_rows(stream, readings, classes)
    except OSError as error:
        raise OutputUnwritable(f"{target} cannot be written ({error.strerror}): choose another file") from None


def write_json_lines(target: TextIO, readings: Iterable[Reading | Failure]) -> int:
    """Write a JSON object a line; returns how many images could not be read."""
    failures = 0
    for reading in readings:
        failures += isinstance(reading, Failure)
        target.write(to_json(reading.to_dict()) + "\n")
    return failures


def to_frame(readings: Iterable[Reading | Failure]) -> pandas.DataFrame:
    """A data frame of readings by one bundle, with the columns of the CSV.

    Args:
        readings: such as `Reader.read_many` gives them; where none was read, the frame has no probabilities.

    Raises:
        MissingExtra: pandas is not installed.

    Example:
        >>> to_frame(reader.read_many(paths)).sort_values("unfamiliarity")  # doctest: +SKIP
    """
    found = list(readings)
    classes = next((reading.task.classes for reading in found if isinstance(reading, Reading)), ())
    rows = [
        [reading.path, *(value for field in FIELDS for value in field.values(reading, classes)), _error_of(reading)]
        for reading in found
    ]
    return data_frame({name: [row[i] for row in rows] for i, name in enumerate(column_names(classes))})


def csv_row(reading: Reading | Failure, classes: Sequence[str]) -> list[str]:
    """One reading under `fields.column_names`."""
    cells = (cell for field in FIELDS for cell in field.cells(reading, classes))
    return [reading.path, *cells, _error_of(reading) or ""]


def _write_rows(stream: TextIO, readings: Iterable[Reading | Failure], classes: Sequence[str]) -> int:
    failures = 0

    def rows() -> Iterator[list[str]]:
        nonlocal failures
        yield column_names(classes)
        for reading in readings:
            failures += isinstance(reading, Failure)
            yield csv_row(reading, classes)

    write_rows(stream, rows())
    return failures


def _error_of(reading: Reading | Failure) -> str | None:
    return reading.error if isinstance(reading, Failure) else None
