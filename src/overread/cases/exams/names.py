"""What names the exam of each image: a column, a folder, a pattern, the patient, or a row of a table."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from overread.cases.case import Case, pseudonym
from overread.cases.exams.dicom_keys import names_by_header
from overread.cases.exams.gathering import (
    COLUMN,
    EXAM_ID,
    FILE,
    FOLDER,
    PATIENT,
    PATTERN,
    Gathering,
)
from overread.cases.labelling.roles import is_called_exam, plain
from overread.cases.manifest import Manifest
from overread.cases.patients.pattern import path_of
from overread.errors import InvalidData, InvalidOption
from overread.words import count

# Exams that are numbered by themselves in each patient share their numbers.
_NUMBERED_ANEW = 0.5
# Of fewer folders a class, they may be batches.
_FEWEST_FOLDERS = 3


class Named(NamedTuple):
    """What the exams are called.

    Args:
        names: of the exam of each image; None where none is known, so that the image is by itself.
        notes: on what was decided.
        column: that names them, if one does.
    """

    names: tuple[str | None, ...]
    notes: tuple[str, ...] = ()
    column: str | None = None

    def __bool__(self) -> bool:
        """Whether any exam is named."""
        return any(name is not None for name in self.names)


def name_exams(manifest: Manifest, gathering: Gathering | None, column: str | None) -> Named:
    """Name the exam of each image.

    Numbers of exams that begin anew in each patient, or on each side, are told apart by these.

    Args:
        manifest: with its patients.
        gathering: what is said to belong together; None for a column `exam_id`, or what rows of a table are about.
        column: that the gathering is by, where it is by one.

    Raises:
        InvalidOption: there is no such column.
        InvalidData: no exam is known of some images, or folders are classes and no exams.
    """
    if gathering is None:
        column = _called(manifest.columns, EXAM_ID)
        if column is None:
            return Named(tuple(case.exam for case in manifest.cases))
        return _apart(manifest, _cells(manifest, column))._replace(column=column)
    if gathering.by == FILE:
        return Named((None,) * len(manifest))
    if gathering.by == COLUMN and plain(column or "") != "patientid":
        found = _called(manifest.columns, column or "")
        if found is None:
            have = f"one of its columns {', '.join(manifest.columns)}, or " if manifest.columns else ""
            raise InvalidOption(
                f"--exams {column} is no column of the table: expected {have}file, folder, patient, series or study"
            )
        return _apart(manifest, _cells(manifest, found))._replace(column=found)
    if gathering.by == PATTERN and gathering.pattern is not None:
        names = [gathering.named_in(path_of(case)) for case in manifest.cases]
        return _apart(manifest, _all_named(names, "the pattern of exams matches no part of the names of"))
    if gathering.by == FOLDER:
        return Named(tuple(_folders(manifest.cases)))
    if gathering.by in (PATIENT, COLUMN):
        names = [pseudonym(case.patient_id) for case in manifest.cases]  # names are shown, and these may not be
        return Named(tuple(_all_named(names, "exams are by patient, and no patient is known of")))
    return Named(tuple(names_by_header(manifest.cases, gathering.by)))


def suggest_column(manifest: Manifest) -> tuple[str, ...]:
    """Say which column may name exams, where one is called so and several images share its cells."""
    for column in manifest.columns:
        if not is_called_exam(column):
            continue
        cells = Counter(filter(None, (case.extra.get(column) for case in manifest.cases)))
        if len(cells) > 1 and cells.total() > len(cells):
            option = f"--exams {shlex.quote(column)}"
            return (
                f"column {column} may name exams ({len(cells):,} of {count(cells.total(), 'image')}): {option} gives "
                "each one answer",
            )
    return ()


def suggest_folders(cases: Sequence[Case]) -> tuple[str, ...]:
    """Say that folders below those of classes may be exams, where there are many, each with several images."""
    if any(case.row is not None or "/" not in case.name for case in cases):
        return ()
    folders = Counter(case.name.rpartition("/")[0] for case in cases)
    names = {folder.rpartition("/")[2] for folder in folders}
    classes = {case.label for case in cases}
    few, many = min(folders.values()), max(folders.values())
    if names & classes or len(cases) < 2 * len(folders) or len(folders) < _FEWEST_FOLDERS * len(classes):
        return ()
    each = f"{few}" if few == many else f"{few} to {many}"
    folders_of = f"{len(folders):,} folders of {each}"
    return (f"the images lie in {folders_of}: if each is one exam, --exams folder gives each one answer",)


def _called(columns: Sequence[str], name: str) -> str | None:
    alike = [column for column in columns if plain(column) == plain(name) != ""]
    return name if name in columns else alike[0] if len(alike) == 1 else None


def _cells(manifest: Manifest, column: str) -> list[str | None]:
    """The cells of a column; None for an empty one."""
    return [case.extra.get(column, "").strip() or None for case in manifest.cases]


def _folders(cases: Sequence[Case]) -> list[str]:
    """The folder of each image, with all those above it.

    Raises:
        InvalidData: images lie in none, or the folders are those of classes.
    """
    names = _all_named([case.name.rpartition("/")[0] for case in cases], "exams are folders, and none holds")
    kinds = {(case.label, case.split) for case in cases}
    as_classes = all(name.split("/")[-1] == case.label for name, case in zip(names, cases, strict=True))
    if as_classes and len(set(names)) <= len(kinds) < len(names):
        raise InvalidData(
            f"the {count(len(set(names)), 'folder')} of the images are the classes, and no exams: put each exam into a "
            "folder of its own, or name the exams with --exam-pattern or a column"
        )
    return names


def _all_named(names: Sequence[str | None], what: str) -> list[str]:
    found = [name for name in names if name]
    if len(found) < len(names):
        first = next(number for number, name in enumerate(names, start=1) if not name)
        raise InvalidData(
            f"{what} {len(names) - len(found):,} of {count(len(names), 'image')}, the first in case {first}: name it, "
            "or gather exams otherwise (--exams, --exam-pattern)"
        )
    return found


def _apart(manifest: Manifest, names: Sequence[str | None]) -> Named:
    """The names, with the patient or side before them where the exams of each are numbered by themselves."""
    keys = [*names]
    notes = []
    patients = [pseudonym(case.patient_id) for case in manifest.cases]
    for values, said in ((patients, "patient"), ([case.split or "" for case in manifest.cases], "side")):
        if _are_numbered_anew(keys, values):
            keys = [name and f"{value}/{name}" if value else name for name, value in zip(keys, values, strict=True)]
            notes.append(f"exams are numbered anew for each {said}, so those of one number are different ones")
    alike = {" ".join(name.split()).casefold() for name in keys if name}
    if differing := len(set(filter(None, keys))) - len(alike):
        one = differing == 1
        notes.append(
            f"{count(differing, 'exam')} {'is' if one else 'are'} called as another but for capitals, and "
            f"{'counts' if one else 'count'} as a different one"
        )
    return Named(tuple(keys), tuple(notes))


def _are_numbered_anew(names: Sequence[str | None], values: Sequence[str]) -> bool:
    """Whether most images of exams are of one whose name occurs with several values."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, value in zip(names, values, strict=True):
        if name is not None:
            found[name][value] += 1
    every = sum(counts.total() for counts in found.values())
    shared = sum(counts.total() for counts in found.values() if len(set(filter(None, counts))) > 1)
    return shared > _NUMBERED_ANEW * every > 0
