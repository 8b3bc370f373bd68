"""Readings in a file, an image a row: Parquet with typed columns, or the CSV of `write_readings`."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.decision.cuts import FloatArray
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption, MissingExtra, MissingPath
from overread.machine.content.text import restored, storable_values
from overread.machine.files import open_regular, open_text, read_rows
from overread.reading.columns import ANSWER, PROBABILITY
from overread.reading.fields import column_names, reading_columns
from overread.reading.output import values_of, write_readings
from overread.reading.reading import Failure, Reading

if TYPE_CHECKING:
    import pyarrow

# Under the folder of `overread predict --out`.
PARTS = "parts"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What a file of readings says of its n images, as much of it as is counted.

    Args:
        labels: the class decided on; None of an image that could not be read.
        probabilities: by class or question, `(n,)`, NaN of an image that could not be read.
        unfamiliarity: `(n,)` likewise.
        referred: `(n,)`, whether a human should read it.
        errors: why it could not be read; None of one that was.
        answers: by finding or cut, what was answered; None likewise.
    """

    labels: Sequence[str | None]
    probabilities: Mapping[str, FloatArray]
    unfamiliarity: FloatArray
    referred: np.ndarray
    errors: Sequence[str | None]
    answers: Mapping[str, Sequence[str | None]]


def default_kind() -> str:
    """The kind of file that this installation writes: Parquet where it has pyarrow, else CSV."""
    return "parquet" if importlib.util.find_spec("pyarrow") else "csv"


def require_kind(kind: str) -> None:
    """Refuse a kind of file that cannot be written here.

    Raises:
        InvalidOption: there is no such kind.
        MissingExtra: pyarrow is not installed.
    """
    if kind not in _KINDS:
        raise InvalidOption(f"readings are not written as {kind!r}: expected one of {', '.join(_KINDS)}")
    if kind == "parquet":
        _require_pyarrow()


def to_table(
    readings: Iterable[Reading | Failure], task: Task, kind: str, *, of_exams: bool = False
) -> tuple[bytes, int]:
    """The content of a file of readings by one bundle, and how many images could not be read.

    Args:
        readings: taken one after the other, so that their pixels need no memory.
        task: of the bundle.
        kind: as `require_kind` allows.
        of_exams: whether the bundle reads exams.
    """
    return _KINDS[kind](readings, task, of_exams)


def from_table(path: Path) -> Table:
    """Read a file that `to_table` or `write_readings` made.

    Raises:
        InvalidData: it is no such file.
    """
    try:
        return _from_parquet(path) if path.suffix == ".parquet" else _from_csv(path)
    except (KeyError, ValueError, OSError):
        raise InvalidData(
            f"{path.name} is no file of readings, or is damaged: expected what overread predict --out wrote"
        ) from None


def files_of_readings(path: Path) -> list[Path]:
    """The files in a folder of readings, or in that of its parts, in the order of their names.

    Raises:
        MissingPath: it is not there, or holds none.
    """
    for folder in (path / PARTS, path):
        if folder.is_dir():
            found = sorted(
                (one for one in folder.iterdir() if one.suffix in (".parquet", ".csv") and one.name[0] != "."),
                key=lambda one: one.name,
            )
            if found:
                return found
    raise MissingPath(f"{path} holds no readings: expected the folder of overread predict --out")


def _require_pyarrow() -> None:
    if default_kind() != "parquet":
        raise MissingExtra("Parquet needs pyarrow, which is not installed: run pip install pyarrow, or choose CSV")


def _to_csv(readings: Iterable[Reading | Failure], task: Task, of_exams: bool) -> tuple[bytes, int]:
    stream = io.StringIO(newline="")
    failures = write_readings(stream, readings, task, of_exams=of_exams)
    return stream.getvalue().encode(), failures


def _to_parquet(readings: Iterable[Reading | Failure], task: Task, of_exams: bool) -> tuple[bytes, int]:
    import pyarrow
    import pyarrow.parquet

    columns = reading_columns(task, of_exams=of_exams)
    names = storable_values(column_names(task, of_exams=of_exams))
    cells: list[list[Any]] = [[] for _ in names]
    failures = 0
    for found in readings:
        error = found.error if isinstance(found, Failure) else None
        failures += error is not None
        for column, value in zip(cells, (found.path, *values_of(found, columns), error), strict=True):
            column.append(storable_values(value))
    types = [pyarrow.string(), *(_arrow_type(column.kind) for column in columns), pyarrow.string()]
    arrays = [pyarrow.array(column, kind) for column, kind in zip(cells, types, strict=True)]
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=names), stream, compression="zstd")
    return stream.getvalue(), failures


def _arrow_type(kind: str) -> pyarrow.DataType:
    """How Parquet holds what JSON holds as a type."""
    import pyarrow

    return {
        "string": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "number": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "array": pyarrow.list_(pyarrow.string()),
    }[kind]


def _from_parquet(path: Path) -> Table:
    _require_pyarrow()
    import pyarrow.parquet

    with open_regular(path) as stream:
        found = pyarrow.parquet.read_table(stream)
    texts = {name: found.column(name).to_pylist() for name in found.column_names if _is_text(name)}
    numbers = {name: found.column(name).to_numpy().astype(float) for name in found.column_names if _is_number(name)}
    return _table(texts, numbers)


def _from_csv(path: Path) -> Table:
    with open_text(path) as stream:
        header, *rows = read_rows(stream)
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row is cut")
    columns = {name: [row[i] or None for row in rows] for i, name in enumerate(header)}
    numbers = {name: np.array(cells, dtype=float) for name, cells in columns.items() if _is_number(name)}
    return _table(columns, numbers)


def _is_number(column: str) -> bool:
    return column == "unfamiliarity" or column.startswith(PROBABILITY)


def _is_text(column: str) -> bool:
    return column in ("predicted_label", "refer", "error") or column.startswith(ANSWER)


def _table(texts: Mapping[str, Sequence[Any]], numbers: Mapping[str, FloatArray]) -> Table:
    """A table of columns of text or lists, and columns of numbers, in each of which what is missing is None or NaN."""
    probabilities = {
        restored(name.removeprefix(PROBABILITY)): values
        for name, values in numbers.items()
        if name.startswith(PROBABILITY)
    }
    answers = {name: cells for name, cells in texts.items() if name.startswith(ANSWER)}
    return Table(
        labels=[label and restored(label) for label in texts["predicted_label"]],
        probabilities=probabilities,
        unfamiliarity=numbers["unfamiliarity"],
        referred=np.array([bool(reasons) for reasons in texts["refer"]], dtype=bool),
        errors=texts["error"],
        answers={restored(name.removeprefix(ANSWER)): cells for name, cells in answers.items()},
    )


_KINDS: dict[str, Callable[[Iterable[Reading | Failure], Task, bool], tuple[bytes, int]]] = {
    "parquet": _to_parquet,
    "csv": _to_csv,
}
