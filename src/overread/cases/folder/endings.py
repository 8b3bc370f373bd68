"""Classes that the names of folders end with, as study1_positive does: each such folder is an exam."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from overread.cases.case import SPLIT_ALIASES, Case
from overread.cases.note import Note
from overread.decision.negative_names import reads_as_negative
from overread.words import count, listed

_ENDING = re.compile(r".*\d[\W_]+(?P<word>[^\W\d_]+)")
_MOST_CLASSES, _FEWEST_FOLDERS = 5, 2


def cases_by_endings(root: Path, images: Sequence[Path]) -> tuple[list[Case], list[str]]:
    """The cases of images in folders that are numbered and end with a class; none unless all are.

    One of the classes must be a negative one, since folders end with sides and views too. The label is that of the
    folder, which is an exam.

    Args:
        root: the folder of the data.
        images: below it.
    """
    words = {}
    for folder in {path.parent for path in images}:
        match = _ENDING.fullmatch(folder.name)
        if match is None or folder == root:
            return [], []
        words[folder] = match["word"]
    folders = Counter(words.values())
    negative = [word for word in folders if reads_as_negative(word)]
    if not 2 <= len(folders) <= _MOST_CLASSES or min(folders.values()) < _FEWEST_FOLDERS or len(negative) != 1:
        return [], []
    cases = [
        Case(
            path=path,
            name=path.relative_to(root).as_posix(),
            label=words[path.parent],
            split=_side_of(path.parent.relative_to(root)),
            exam=path.parent.relative_to(root).as_posix(),
        )
        for path in images
    ]
    said = f"the class is what the names of {count(len(words), 'folder')} end with ({listed(sorted(folders))})"
    example = next(iter(sorted(folder.name for folder in words)))
    return cases, [Note(f"{said}, as {example}: each is an exam", f"{said}: each is an exam")]


def _side_of(folder: Path) -> str | None:
    """The side of a split that a folder lies on."""
    sides = {SPLIT_ALIASES[part.lower()] for part in folder.parts if part.lower() in SPLIT_ALIASES}
    return sides.pop() if len(sides) == 1 else None
