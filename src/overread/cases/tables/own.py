"""Tables of the program's own form: path,label[,frame][,exam_id][,patient_id][,split][,anything]."""

from __future__ import annotations

import dataclasses
import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from overread.cases.case import SPLIT_ALIASES, Case, pseudonym
from overread.cases.exams.gathering import EXAM_ID
from overread.cases.rows import require_one_exam, rows_about
from overread.cases.tables.dialect import rows_of
from overread.cases.tables.encoding import text_of
from overread.cases.tables.table import read_tables
from overread.decision import SeveralFindings, SeveralTasks, Task
from overread.errors import InvalidData, MissingPath
from overread.machine.content.text import with_ends
from overread.machine.files import open_regular
from overread.machine.remote import is_remote, place

_HEAD_BYTES = 65_536
# Of the column of labels, as tasks have it.
HEADINGS = (Task.heading, SeveralFindings.heading, SeveralTasks.heading)


def is_manifest(table: Path) -> bool:
    """True for a text file whose first row names the columns path and label."""
    try:
        with open_regular(table) as stream:
            text, _ = text_of(stream.read(_HEAD_BYTES), table.name)
        lines = io.StringIO(text, newline="")
        first = lines.readline()
        rows = rows_of(first + (lines.readline() if "sep=" in first.lower() else ""), table.name)
    except (OSError, InvalidData):
        return False
    header = {cell.lower() for cell in rows[0][1]} if rows else set()
    return "path" in header and bool(header & {*HEADINGS})


def read_table(table: Path, task: Task | None = None) -> tuple[list[Case], str]:
    """The cases of a table `path,label[,...]`, whose paths are absolute or relative to its folder.

    In place of `label` there may be `findings`, as `SeveralFindings` reads them, or `labels`, as `SeveralTasks` does.
    An empty frame, patient_id or split is the file's only frame, no patient, no split; rows with the same `exam_id` are
    images of one exam, gathered later. With a task, a label
    that it does not have is refused. Of several rows about one image the first counts, and the case knows
    what all say.

    Returns:
        The cases, and the heading of their labels.

    Raises:
        MissingPath: the file is not there.
        InvalidData: no such columns, no table, a row that is too long, an empty cell, an unknown label or split, a
            frame that is no number, an image in two exams; the message cites the row (the header is row 1).
    """
    if not table.exists():
        raise MissingPath(f"{table} is not there: expected a CSV with the columns path,label")
    found = next(iter(read_tables(str(table))), None)
    header = [column.lower() for column in found.columns] if found else []
    heading = next((name for name in header if name in HEADINGS), None)
    if found is None or heading is None or "path" not in header:
        raise InvalidData(f"{table.name} has the columns {', '.join(header) or 'none'}; expected at least path,label")
    cases: dict[str, list[Case]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    for row, cells in zip(found.numbers, found.rows, strict=True):
        where = f"row {row} of {table.name}"
        case = _case(dict(zip(header, cells, strict=True)), heading, table.parent, where)
        if task is not None:
            task.require_label(case.label, where)
        cases[case.full_name].append(dataclasses.replace(case, row=row))
        numbers[case.full_name].append(row)
    require_one_exam(
        ((numbers[name], [case.extra.get(EXAM_ID) for case in same]) for name, same in cases.items()), table.name
    )
    read = [
        dataclasses.replace(
            same[0], rows=rows_about(numbers[name], [(case.label, case.patient_id, case.split) for case in same])
        )
        for name, same in cases.items()
    ]
    return read, heading


def _case(values: dict[str, str], heading: str, folder: Path, where: str) -> Case:
    name, label, split = values.pop("path", ""), values.pop(heading, ""), values.pop("split", "")
    for column, value in (("path", name), (heading, label)):
        if not value:
            raise InvalidData(f"{where} has an empty {column}: fill it or remove the row")
    if not is_remote(name):
        if "\\" in name and not (folder / name).exists():  # a path of Windows, unless a file is called so
            name = name.replace("\\", "/")
        name = PurePosixPath(name).as_posix()
    if split and split.lower() not in SPLIT_ALIASES:
        raise InvalidData(f"{where} has the unknown split {split!r}; expected train, val or test")
    frame = values.pop("frame", "")
    if frame and not (frame.isdecimal() and int(frame) >= 1):
        raise InvalidData(f"{where} has the frame {frame!r}; expected a number from 1, or nothing for the only frame")
    return Case(
        path=place(name) if is_remote(name) else folder / name,
        name=name,
        label=label,
        patient_id=values.pop("patient_id", "") or None,
        split=SPLIT_ALIASES.get(split.lower()),
        frame=int(frame) if frame else None,
        extra=values,
    )


def table_of(cases: Sequence[Case], columns: Sequence[str], heading: str) -> list[list[str]]:
    """The rows of a CSV that `read_table` reads, its header first; patients go under pseudonyms.

    Args:
        cases: a row each, an exam a row for each of its files and frames; the columns `frame` and `exam_id` are there
            if any of them needs one.
        columns: the further columns.
        heading: of the labels, as their task has it.
    """
    parts = [(part, part.exam if _needs_name(case) else None) for case in cases for part in case.parts]
    frame = ["frame"] if any(part.frame is not None for part, _ in parts) else []
    exam = [EXAM_ID] if any(name is not None for _, name in parts) else []
    columns = [name for name in columns if not exam or name != EXAM_ID]
    rows = [["path", heading, "patient_id", "split", *frame, *exam, *columns]]
    for case, name in parts:
        row = [with_ends(case.name), with_ends(case.label), pseudonym(case.patient_id), case.split or ""]
        further = [with_ends(name or "") for _ in exam] + [case.extra.get(name, "") for name in columns]
        rows.append([*row, *(str(case.frame or "") for _ in frame), *further])
    return rows


def _needs_name(case: Case) -> bool:
    """Whether an exam has to be told by name: a file that is one by itself is not."""
    return len(case.instances) > 1 or any(name != case.name for name in case.files)
