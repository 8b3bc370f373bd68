"""Which of the files that were sent belong to one exam, by the way that the bundle's exams were gathered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from overread.cases.exams.dicom_keys import header_keys
from overread.cases.exams.gathering import FILE, PATTERN, SERIES, STUDY, Gathering
from overread.errors import OverreadError
from overread.formats import format_of
from overread.formats.source import head_of
from overread.machine.files import open_regular
from overread.service.room.exams.trays import Sent, lay_down
from overread.service.room.zips import Limits, zip_members

_NUMBER = re.compile(r"(\d{1,18})")
_LONGEST = 1000


def unpack_to(folder: Path, file: Sent, limits: Limits) -> list[Sent]:
    """Lay the files of a zip into a new folder; for a process that can be ended.

    Raises:
        UnreadableImage: as `zips.unpack`.
    """
    folder.mkdir(mode=0o700)
    with open_regular(file.path) as stream:
        return [
            lay_down(folder / f"{number}", name, [content], zip_name=file.name)
            for number, (name, content) in enumerate(zip_members(stream, limits))
        ]


def told_by_content(files: Sequence[Sent], by: str) -> list[str | None]:
    """What the content of each file says of where it belongs; for a process that can be ended.

    Returns:
        None for what no format reads; else the UID of series or study where that gathers, and empty without one.
    """
    paths = [file.path for file in files]
    keys: Sequence[str | None] = [None] * len(paths)
    if by in (SERIES, STUDY):
        keys = header_keys(paths, by)
    return [(key or "") if _is_read(path) else None for path, key in zip(paths, keys, strict=True)]


def _is_read(path: Path) -> bool:
    try:
        return format_of(head_of(path), path) is not None
    except (OverreadError, OSError):
        return False


def gathered_files(files: Sequence[Sent], told: Sequence[str | None], gathering: Gathering) -> list[list[Sent]]:
    """The files of each exam, by their names; what no format reads is by itself, to be told of.

    Without a table, which a column or a patient was named in, a folder is an exam, and so is all that came by itself.

    Args:
        files: as they were sent.
        told: `told_by_content` of each.
        gathering: of the bundle.
    """
    exams: dict[tuple[str | None, ...], list[Sent]] = {}
    for number, (file, said) in enumerate(zip(files, told, strict=True)):
        alone = ("alone", str(number))
        exams.setdefault(alone if said is None else _key(file, said, gathering) or alone, []).append(file)
    return [sorted(own, key=_in_order) for own in exams.values()]


def _in_order(file: Sent) -> list[tuple[int, str]]:
    """By which files are sorted as people count: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _NUMBER.split(file.name[:_LONGEST])]


def _key(file: Sent, said: str, gathering: Gathering) -> tuple[str | None, ...] | None:
    if gathering.by == FILE:
        return None
    if said:
        return ("uid", said)
    if gathering.by == PATTERN and gathering.pattern is not None:
        # As in training: in the path, or in the name where the pattern has no slash.
        folders, name = file.parts[:-1], PurePath(file.parts[-1]).stem
        found = re.search(gathering.pattern, "/".join((*folders, name)) if "/" in gathering.pattern else name)
        return None if found is None else ("pattern", *(found.groups() or (found[0],)))
    return ("folder", file.zip_name, *file.parts[:-1])


def name_of_exam(files: Sequence[Sent]) -> str:
    """What an exam is told by: its only file, else the folder that its files share, else its zip or first file."""
    first = files[0]
    if len(files) == 1:
        return "/".join(filter(None, (first.zip_name, *first.parts))) or first.name
    common: list[str] = []
    for together in zip(*(file.parts[:-1] for file in files), strict=False):
        if len(set(together)) > 1:
            break
        common.append(together[0])
    if common:
        return "/".join(filter(None, (first.zip_name, *common)))
    return first.zip_name or f"{first.name} and {len(files) - 1} more"
