"""How a plan names what is to be read: an image by its path, an exam by its name and files."""

from __future__ import annotations

from pathlib import Path

from overread.cases.exams.exam import Exam
from overread.errors import InvalidData
from overread.formats import Instance
from overread.machine.files import from_json, to_json
from overread.machine.remote import place, public_name
from overread.reading import Reader


def written(source: Path | Exam) -> str:
    """In a cell of the plan; `from_cell` gives it back."""
    if not isinstance(source, Exam):
        return str(source)
    files = [[str(one.path), one.frame] if one.frame else str(one.path) for one in source.instances]
    return to_json({"name": source.name, "files": files})


def from_cell(cell: str, reader: Reader) -> str | Exam:
    """What a cell of the plan names, as the reader takes it.

    Raises:
        InvalidData: it names nothing.
    """
    if not reader.reads_exams:
        return cell
    try:
        told = from_json(cell.encode())
        pairs = [one if isinstance(one, list) else [one, None] for one in told["files"]]
        return Exam(name=told["name"], instances=tuple(Instance(place(path), frame) for path, frame in pairs))
    except (ValueError, KeyError, TypeError):
        raise InvalidData("the plan of the readings is damaged: give another --out") from None


def name_of_cell(cell: str, reader: Reader) -> str:
    """What a reading of it goes by."""
    found = from_cell(cell, reader)
    return found.name if isinstance(found, Exam) else public_name(found)
