"""A table that says which files are one exam."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from overread.cases.exams.exam import Exam
from overread.errors import InvalidData
from overread.formats import Instance
from overread.machine.files import open_text, read_rows
from overread.machine.remote import is_remote

_PATH, _EXAM, _FRAME = "path", "exam_id", "frame"


def is_table(source: str | Path) -> bool:
    """Whether a source is named as a table of this machine."""
    return not is_remote(source) and str(source).lower().endswith(".csv") and Path(source).is_file()


def exams_listed(table: Path) -> list[Exam]:
    """The exams of a table with the columns path and exam_id, in the order of their first rows.

    Paths are told from the folder of the table, and a column frame, counted from 1, may name one of a file.

    Raises:
        InvalidData: it has no such columns, a cell of theirs is empty, or a frame is no number.
    """
    try:
        with open_text(table) as stream:
            header, *rows = read_rows(stream)
    except (OSError, ValueError):
        raise InvalidData(f"{table} is no table of exams: expected a CSV with the columns path and exam_id") from None
    header = [name.removeprefix("\ufeff").strip().lower() for name in header]
    if not {_PATH, _EXAM} <= set(header):
        raise InvalidData(f"{table} has the columns {', '.join(header)}: expected path and exam_id")
    members: dict[str, list[Instance]] = defaultdict(list)
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=False))
        path, exam, frame = (cells.get(name, "").strip() for name in (_PATH, _EXAM, _FRAME))
        if not (path and exam) or (frame and not (frame.isdigit() and int(frame))):
            raise InvalidData(f"row {number} of {table} names no file with its exam: mend it, or leave the row out")
        members[exam].append(Instance(table.parent / path, int(frame) if frame else None))
    return [Exam(name=name, instances=tuple(own)) for name, own in members.items()]
