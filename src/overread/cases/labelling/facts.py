"""What rows tell of their images beside the label: patients, sides, and columns that cases carry along."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Sequence
from typing import Any

from overread.cases.case import SPLIT_ALIASES
from overread.cases.exams.gathering import COLUMN, EXAM_ID
from overread.cases.labelling.files import spellings_of
from overread.cases.labelling.matched import Matched, column_called
from overread.cases.labelling.roles import (
    column_named,
    is_called_exam,
    is_index,
    is_label,
    is_patient,
    patient_columns,
    perhaps_patient,
    plain,
    split_columns,
)
from overread.cases.persons.columns import personal_kind
from overread.cases.shown.labels import Labels
from overread.cases.source import Source
from overread.errors import InvalidData, Undecided
from overread.words import listed

_PATIENT_FOLDER = re.compile(r"(patient|subject|subj|sub|pat|case|pid|p)[ _-]?\d+", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roles:
    """What the columns beside that of the image are for.

    Args:
        patient: the column that tells whose the image is, if one does.
        split: the column that tells the side, if one does.
        personal: columns that tell who the patients are, which are no labels.
        perhaps_patient: columns that may tell whose it is and are not used for it.
        free: the others, of which the label may be one.
    """

    patient: str | None
    split: str | None
    personal: tuple[str, ...]
    perhaps_patient: tuple[str, ...]
    exam: str | None
    free: tuple[str, ...]


def find_roles(matched: Matched, source: Source) -> Roles:
    """What the columns are for, as the source says or as their names and cells tell.

    Raises:
        Undecided: several columns tell sides that differ.
        InvalidOption: the source names a column that is not there.
    """
    table, columns = matched.table, matched.others
    who = patient_columns(table, columns)
    patient: str | None
    if source.patient_column is not None:
        patient = column_called(table, source.patient_column, "patient_column")
    else:
        patient = who[0] if who else matched.images.column if is_patient(matched.images.column) else None
    split = _split_column(matched, source)
    exam = _exam_column(matched, source)
    left = [column for column in columns if column not in (patient, split, exam) and not is_index(table, column)]
    personal = [column for column in left if not is_label(column) and personal_kind(column, table[column])]
    left = [column for column in left if column not in personal]
    also = dict.fromkeys([*(column for column in who if column in left), *perhaps_patient(table, left)])
    return Roles(
        patient=patient,
        split=split,
        personal=tuple(personal),
        perhaps_patient=tuple(also),
        exam=exam,
        free=tuple(column for column in left if column not in also),
    )


def carried_columns(roles: Roles, labels: Sequence[Labels]) -> list[str]:
    """The further columns, which cases carry along: none that tells the label."""
    telling = {column for one in labels for column in one.columns}
    exam = (roles.exam,) if roles.exam else ()
    return [column for column in (*roles.free, *roles.personal, *exam) if column not in telling]


def facts_of(matched: Matched, roles: Roles, carried: Sequence[str], row: int) -> dict[str, Any]:
    """What a row tells of its images beside the label: patient, side and further columns, as a case has them."""
    record = dict(zip(matched.table.columns, matched.table.rows[row], strict=True))
    return {
        "patient_id": _patient_of(record, matched, roles) or None,
        "split": _side_of(record, matched, roles, row),
        "extra": {column: record[column] for column in carried},
    }


def said_of_roles(matched: Matched, roles: Roles, carried: Sequence[str], patients: int) -> str:
    """Say what tells patients and sides, and which columns are used for neither."""
    who = f"{column_named(roles.patient)} ({patients:,})" if roles.patient else "none named"
    if not roles.patient and matched.images.names_several:
        who = f"{column_named(matched.images.column)}, a row for all images of each ({patients:,})"
    side = matched.side and f"{matched.side}, as the table is called"
    said = f"patients: {who}; sides: {column_named(roles.split) if roles.split else side or 'none named'}"
    unused = [column for column in carried if column not in (*roles.personal, roles.exam)]
    said += f"; not used: {', '.join(unused)}" if unused else ""
    if roles.perhaps_patient and roles.patient:
        said = f"{said}; nor {listed(roles.perhaps_patient)}, which may tell the patient too"
    elif roles.perhaps_patient:
        option = shlex.quote(roles.perhaps_patient[0])
        said = f"{said}; {listed(roles.perhaps_patient)} may tell the patient: --patient-column {option}"
    if exams := [column for column in roles.perhaps_patient if is_called_exam(column)]:
        return f"{said}; {exams[0]} may name exams: --exams {shlex.quote(exams[0])} gives each one answer"
    return said


def _split_column(matched: Matched, source: Source) -> str | None:
    if source.split_column is not None:
        return column_called(matched.table, source.split_column, "split_column")
    found = split_columns(matched.table, matched.others)
    different = {tuple(cell.lower() for cell in matched.table[column]) for column in found}
    if len(different) > 1 and not source.ignore_sides:
        raise Undecided(
            f"the columns {listed(found)} of {matched.table.name} tell sides of a split that differ "
            "(--ignore-sides takes none of them)",
            option="split_column",
            choices=found,
        )
    return found[0] if found else None


def _exam_column(matched: Matched, source: Source) -> str | None:
    """The column that names the exam: the one that the source names, or one that is called exam_id."""
    gathering = source.gathering
    if gathering is not None and gathering.by == COLUMN and source.exams is not None:
        return column_called(matched.table, source.exams, "exams")
    own = [column for column in matched.others if plain(column) == plain(EXAM_ID)]
    return own[0] if own and gathering is None else None


def _patient_of(record: dict[str, str], matched: Matched, roles: Roles) -> str:
    """The patient of a row; where it is about several images, these at least are of one."""
    if roles.patient is not None:
        return record[roles.patient]
    if not matched.images.names_several:
        return ""
    parts = next(iter(spellings_of(record[matched.images.column])), ())
    return next((part for part in parts if _PATIENT_FOLDER.fullmatch(part)), "/".join(parts))


def _side_of(record: dict[str, str], matched: Matched, roles: Roles, row: int) -> str | None:
    if roles.split is None:
        return matched.side
    cell = record[roles.split].lower()
    if cell and cell not in SPLIT_ALIASES:
        raise InvalidData(
            f"row {matched.table.numbers[row]} of {matched.table.name} has the unknown split {record[roles.split]!r}; "
            "expected train, val or test"
        )
    return SPLIT_ALIASES.get(cell)
