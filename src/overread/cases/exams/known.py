"""How the exams of a study were told, where nothing was said."""

from __future__ import annotations

from collections.abc import Sequence

from overread.cases.case import Case
from overread.cases.exams.gathering import COLUMN, FILE, FOLDER, Gathering


def gathering_of(cases: Sequence[Case]) -> Gathering:
    """How new files are to be gathered, so that they make exams such as these.

    Each by itself where every exam is one file; by folder where each exam has a folder of its own; else a table tells.
    """
    if all(len(case.instances) < 2 for case in cases):
        return Gathering(by=FILE)
    folders = [{part.path.parent for part in case.parts} for case in cases]
    own = {folder for several in folders for folder in several}
    is_by_folder = all(len(several) == 1 for several in folders) and len(own) == len(cases)
    return Gathering(by=FOLDER if is_by_folder else COLUMN)
