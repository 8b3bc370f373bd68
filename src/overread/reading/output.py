"""Readings as CSV, JSON lines and data frames, one image or exam a row, failures among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from overread.decision.task import Task
from overread.errors import OutputUnwritable
from overread.machine.files import replacing, to_json, write_rows
from overread.machine.frames import data_frame
from overread.machine.remote import is_remote
from overread.reading.columns import Column
from overread.reading.fields import column_names, reading_columns
from overread.reading.reading import Failure, Reading

if TYPE_CHECKING:
    import pandas


def write_readings(
    target: Path | TextIO, readings: Iterable[Reading | Failure], task: Task, *, of_exams: bool = False
) -> int:
    """Write path, predicted label, a probability for each class and the other `FIELDS`, and error; whole or not.

    Args:
        target: a file or an open one.
        readings: by one bundle.
        task: of the bundle.
        of_exams: whether the bundle reads exams, which have further columns.

    Returns:
        How many images could not be read.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    if not (isinstance(target, Path) or is_remote(target)):
        return _write_rows(target, readings, task, of_exams)
    try:
        with replacing(cast(Path, target)) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            return _write_rows(stream, readings, task, of_exams)
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
    task = next((reading.task for reading in found if isinstance(reading, Reading)), None)
    of_exams = any(isinstance(reading, Reading) and reading.frames for reading in found)
    columns = reading_columns(task, of_exams=of_exams)
    rows = [[reading.path, *values_of(reading, columns), _error_of(reading)] for reading in found]
    return data_frame({name: [row[i] for row in rows] for i, name in enumerate(column_names(task, of_exams=of_exams))})


def csv_row(reading: Reading | Failure, task: Task, *, of_exams: bool = False) -> list[str]:
    """One reading under `fields.column_names`."""
    columns = reading_columns(task, of_exams=of_exams)
    pairs = zip(columns, values_of(reading, columns), strict=True)
    cells = ("" if value is None else column.text(value) for column, value in pairs)
    return [reading.path, *cells, _error_of(reading) or ""]


def values_of(reading: Reading | Failure, columns: Sequence[Column]) -> list[Any]:
    """What a reading says in these columns; a failure says nothing."""
    return [None if isinstance(reading, Failure) else column.value(reading) for column in columns]


def _write_rows(stream: TextIO, readings: Iterable[Reading | Failure], task: Task, of_exams: bool) -> int:
    failures = 0

    def rows() -> Iterator[list[str]]:
        nonlocal failures
        yield column_names(task, of_exams=of_exams)
        for reading in readings:
            failures += isinstance(reading, Failure)
            yield csv_row(reading, task, of_exams=of_exams)

    write_rows(stream, rows())
    return failures


def _error_of(reading: Reading | Failure) -> str | None:
    return reading.error if isinstance(reading, Failure) else None
