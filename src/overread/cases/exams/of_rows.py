"""Rows of a table that name several images, which are one exam with the labels of its row."""

from __future__ import annotations

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from overread.cases.labelling.files import Files, Positions
from overread.cases.labelling.matched import Matched
from overread.errors import InvalidData
from overread.formats import is_exam
from overread.words import count, listed

_PROBED = 8
_END = re.compile(r"[ _.\-]+$")


def exams_of(matched: Matched, files: Files, rows: Sequence[int]) -> dict[int, str]:
    """The exam of each file, where rows name several; nothing where each names one.

    Volumes and slides in a folder that a row names are exams by themselves, as are those of two sessions.

    Args:
        matched: the table.
        files: that it names.
        rows: those that tell a label.

    Raises:
        InvalidData: rows put one image into different exams.
    """
    images = matched.images
    sets = {row: images.named_in(row) for row in rows if images.named_in(row)}
    if not images.names_several or all(len(found) < 2 for found in sets.values()):
        return {}
    if images.way != "columns" and _are_exams([at for found in sets.values() if len(found) > 1 for at in found], files):
        return {}
    of_file: dict[int, dict[Positions, int]] = defaultdict(dict)
    for row, found in sets.items():
        for at in found:
            of_file[at].setdefault(tuple(sorted(found)), row)
    if torn := [exams for exams in of_file.values() if len(exams) > 1]:
        numbers = sorted(matched.table.numbers[row] for row in torn[0].values())
        raise InvalidData(
            f"rows {listed([str(number) for number in numbers])} of {matched.table.name} put one image into different "
            f"exams, and so are {count(len(torn), 'image')}: an image belongs to one exam, so name it in one row, or "
            "give --labels-of image"
        )
    names = _names({next(iter(exams)) for exams in of_file.values()}, files, by_folder=images.way == "folder")
    return {at: names[next(iter(exams))] for at, exams in of_file.items()}


def said_of_rows(matched: Matched, exams: Mapping[int, str], *, of_image: bool) -> list[str]:
    """Say what is made of rows that name several images, and how many name some that are not there.

    Args:
        matched: the table.
        exams: of its files, as `exams_of` gives them.
        of_image: whether each image is to have the label of its row instead.
    """
    several = matched.images.names_several and any(len(found) > 1 for found in matched.images.found)
    if not several:
        return []
    if not exams and not of_image:
        what = "are about several files each that are exams by themselves"
        return [f"rows of {matched.table.name} {what}: each has the label of its row"]
    what = f"rows of {matched.table.name} are about several images each"
    if of_image:
        said = [f"{what}, and each has the label of its row (--labels-of image): wrong for those that do not show it"]
    else:
        said = [f"{what}: these are one exam, with the label of the row (--labels-of image copies it to each)"]
    columns = (matched.images.column, *matched.images.also)
    named = [sum(bool(record[column]) for column in columns) for _, record in matched.table.records()]
    lacking = sum(0 < len(found) < n for found, n in zip(matched.images.found, named, strict=True))
    if lacking and matched.images.also:
        verb = "names" if lacking == 1 else "name"
        said.append(f"{count(lacking, 'row')} {verb} an image that is not there, beside one that is")
    return said


def _are_exams(positions: Sequence[int], files: Files) -> bool:
    """Whether files are exams by themselves, as far as some of them tell."""
    return all(is_exam(files.paths[at]) for at in positions[:: max(1, len(positions) // _PROBED)])


def _names(exams: set[Positions], files: Files, *, by_folder: bool) -> dict[Positions, str]:
    """A name for each: what the names of its images begin with, else all of them."""
    short = {exam: _name([files.names[at] for at in exam], by_folder=by_folder) for exam in exams}
    taken = [*short.values()]
    return {
        exam: name if name and taken.count(name) == 1 else " + ".join(files.names[at] for at in exam)
        for exam, name in short.items()
    }


def _name(names: Sequence[str], *, by_folder: bool) -> str:
    if len(names) == 1:
        return names[0]
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    start = "".join(letters[0] for letters in same)
    folder = os.path.commonpath([PurePosixPath(name).parent.as_posix() for name in names])
    if by_folder:
        return folder
    return _END.sub("", start) if _END.search(start) else ("" if folder == "." else folder)
