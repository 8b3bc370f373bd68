"""Cases from a CSV: path,label[,frame][,patient_id][,split][,anything]."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from overread.cases.case import SPLIT_ALIASES, Case, pseudonym
from overread.decision import Task
from overread.errors import InvalidData, MissingPath
from overread.machine.files import read_rows


def is_manifest(table: Path) -> bool:
    """True for a CSV that has the columns path and label."""
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return {"path", "label"} <= set(_cells(stream.readline()))


def read_table(table: Path, task: Task | None = None) -> list[Case]:
    """The cases of a CSV, whose paths are absolute or relative to its folder; the separator is a comma or a semicolon.

    An empty frame, patient_id or split is the file's only frame, no patient, no split. With a task, a label
    that it does not have is refused.

    Raises:
        MissingPath: the file is not there.
        InvalidData: no such columns, not UTF-8, a row that is too long, an empty cell, a path (or a frame of it) twice,
            an unknown label or split, a frame that is no number; the message cites the row (the header is row 1).
    """
    if not table.exists():
        raise MissingPath(f"{table} is not there: expected a CSV with the columns path,label")
    rows = _rows(table)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {"path", "label"} <= set(header):
        raise InvalidData(f"{table.name} has the columns {', '.join(header) or 'none'}; expected at least path,label")
    cases: list[Case] = []
    row_of: dict[str, int] = {}
    for row, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        where = f"row {row} of {table.name}"
        if len(cells) > len(header):
            raise InvalidData(f"{where} has {len(cells)} cells; expected {len(header)}: quote cells that hold commas")
        case = _case(dict(zip(header, (cell.strip() for cell in cells), strict=False)), table.parent, where)
        if task is not None:
            task.require_label(case.label, where)
        if case.full_name in row_of:
            raise InvalidData(f"rows {row_of[case.full_name]} and {row} of {table.name} name the same image: keep one")
        row_of[case.full_name] = row
        cases.append(case)
    return cases


def _rows(table: Path) -> list[list[str]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
        first = text.split("\n", 1)[0]
        return list(read_rows(io.StringIO(text, newline=""), delimiter=_delimiter(first)))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidData(f"{table.name} is no CSV in UTF-8: save it as 'CSV UTF-8'") from None


def _delimiter(line: str) -> str:
    return ";" if line.count(";") > line.count(",") else ","


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in line.split(_delimiter(line))]


def _case(values: dict[str, str], folder: Path, where: str) -> Case:
    name, label, split = values.pop("path", ""), values.pop("label", ""), values.pop("split", "")
    for column, value in (("path", name), ("label", label)):
        if not value:
            raise InvalidData(f"{where} has an empty {column}: fill it or remove the row")
    name = PurePosixPath(name.replace("\\", "/")).as_posix()
    if split and split.lower() not in SPLIT_ALIASES:
        raise InvalidData(f"{where} has the unknown split {split!r}; expected train, val or test")
    frame = values.pop("frame", "")
    if frame and not (frame.isdecimal() and int(frame) >= 1):
        raise InvalidData(f"{where} has the frame {frame!r}; expected a number from 1, or nothing for the only frame")
    return Case(
        path=folder / name,
        name=name,
        label=label,
        patient_id=values.pop("patient_id", "") or None,
        split=SPLIT_ALIASES.get(split.lower()),
        frame=int(frame) if frame else None,
        extra=values,
    )


def table_of(cases: Sequence[Case], columns: Sequence[str]) -> list[list[str]]:
    """The rows of a CSV that `read_table` reads, its header first; patients go under pseudonyms.

    Args:
        cases: a row each; the column `frame` is there if any of them names one.
        columns: the further columns.
    """
    frame = ["frame"] if any(case.frame is not None for case in cases) else []
    rows = [["path", "label", "patient_id", "split", *frame, *columns]]
    for case in cases:
        row = [case.name, case.label, pseudonym(case.patient_id), case.split or ""]
        rows.append([*row, *(str(case.frame or "") for _ in frame), *(case.extra.get(name, "") for name in columns)])
    return rows
