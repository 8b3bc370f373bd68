"""Cases from a table of labels whose rows name files."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from overread.cases.case import SPLIT_ALIASES, Case
from overread.cases.relabel import Relabel
from overread.cases.source import Source
from overread.cases.tables.files import Files, spellings_of
from overread.cases.tables.labels import RANGE, Labels, every_reading, finding_column, probability_columns, reading_of
from overread.cases.tables.matched import Matched, column_called, require_one_file_each
from overread.cases.tables.roles import (
    as_number,
    column_named,
    is_index,
    is_label,
    is_patient,
    patient_columns,
    perhaps_patient,
    plain,
    split_columns,
)
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.words import count, listed

_PATIENT_FOLDER = re.compile(r"(patient|subject|subj|sub|pat|case|pid|p)[ _-]?\d+", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roles:
    """What the columns beside that of the image are for.

    Args:
        patient: the column that tells whose the image is, if one does.
        split: the column that tells the side, if one does.
        perhaps_patient: columns that may tell whose it is and are not used for it.
        free: the others, of which the label may be one.
    """

    patient: str | None
    split: str | None
    perhaps_patient: tuple[str, ...]
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
    left = [column for column in columns if column not in (patient, split) and not is_index(table, column)]
    also = dict.fromkeys([*(column for column in who if column != patient), *perhaps_patient(table, left)])
    return Roles(
        patient=patient,
        split=split,
        perhaps_patient=tuple(also),
        free=tuple(column for column in left if column not in also),
    )


def find_labels(matched: Matched, free: Sequence[str], source: Source, relabel: Relabel) -> Labels:
    """What the rows show, as the source says or as names and cells of columns tell.

    Raises:
        Undecided: several columns may tell it.
        InvalidOption: the source names a column or a finding that is not there.
        InvalidData: no column tells it.
    """
    table = matched.table
    if source.label_column is not None:
        parts = [source.label_column]
        if RANGE in source.label_column and source.label_column not in table.columns:
            parts = source.label_column.split(RANGE, 1)
        name = RANGE.join(column_called(table, part.strip(), "label_column") for part in parts)
        own = finding_column(table, name, [name], relabel) if plain(name) == plain(source.finding or "") else None
        return own or reading_of(table, name, relabel)
    readings = every_reading(table, free, relabel)
    if source.finding is not None:
        readings = _with_finding(matched, free, readings, source.finding, relabel)
    return _the_one(matched, [reading for reading in readings if reading.is_sure] or readings)


def cases_of(
    matched: Matched, files: Files, source: Source, relabel: Relabel, *, named: Collection[int]
) -> tuple[list[Case], list[str]]:
    """The cases of the files that rows name, and in three lines what was understood.

    Rows without a label are left out and counted. Of a file that several rows name, all must say the same, but a
    finding is shown where any of them shows it.

    Args:
        matched: the table.
        files: that it names.
        source: that says how to understand it.
        relabel: names labels anew.
        named: files that this or another table names.

    Raises:
        Undecided: a choice is open.
        InvalidOption: the source names what is not there.
        InvalidData: a row cannot be used; the message cites it.
    """
    require_one_file_each(matched, files)
    roles = find_roles(matched, source)
    labels = find_labels(matched, roles.free, source, relabel)
    given = labels.of(source.finding)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(given):
        for at in matched.images.named_in(row) if label else ():
            rows_of[at].append(row)
    readings = every_reading(matched.table, roles.free, relabel)
    alike = [one for one in readings if one.is_sure or one.says_the_same_as(labels)]
    carried = carried_columns(roles, [labels, *alike])
    cases = [
        Case(
            path=files.paths[at],
            name=files.names[at],
            label=_label_of(matched, rows, given, source.finding),
            **facts_of(matched, roles, carried, rows[0]),
        )
        for at, rows in sorted(rows_of.items())
    ]
    shown = ", ".join(f"{name} {number:,}" for name, number in sorted(Counter(case.label for case in cases).items()))
    told = f"{labels.sentence}, finding {source.finding}" if source.finding else labels.sentence
    notes = [
        matched.images.sentence(matched.table, files, named),
        f"the label is {told} ({shown})",
        said_of_roles(matched, roles, carried, len({case.patient_id for case in cases} - {None})),
    ]
    return cases, notes + _left_out(matched, given)


def carried_columns(roles: Roles, labels: Sequence[Labels]) -> list[str]:
    """The further columns, which cases carry along: none that tells the label."""
    telling = {column for one in labels for column in one.columns}
    return [column for column in roles.free if column not in telling]


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
    said += f"; not used: {', '.join(carried)}" if carried else ""
    if roles.perhaps_patient and roles.patient:
        return f"{said}; nor {listed(roles.perhaps_patient)}, which may tell the patient too"
    if roles.perhaps_patient:
        option = shlex.quote(roles.perhaps_patient[0])
        return f"{said}; {listed(roles.perhaps_patient)} may tell the patient: --patient-column {option}"
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


def _with_finding(
    matched: Matched, free: Sequence[str], readings: Sequence[Labels], finding: str, relabel: Relabel
) -> list[Labels]:
    own = finding_column(matched.table, finding, free, relabel)
    found = [own] if own else []
    # A column of several that are read together is the same once more.
    found += [one for one in readings if one.finding_called(finding) and not (own and own.columns[0] in one.columns)]
    if not found:
        known = ", ".join(f"{name} {n:,}" for one in readings for name, n in one.counts.most_common())
        raise InvalidOption(f"{matched.table.name} tells no finding {finding!r}: expected one of {known or 'none'}")
    return found


def _the_one(matched: Matched, readings: Sequence[Labels]) -> Labels:
    """The one that is left of readings that say the same, the one in words first."""
    wordy = sorted(readings, key=lambda one: any(as_number(name) is not None for name in one.counts))
    different: list[Labels] = []
    for one in wordy:
        if not any(one.says_the_same_as(other) for other in different):
            different.append(one)
    if len(different) == 1:
        return different[0]
    table = matched.table
    if different:
        in_order = [one.name for one in readings if one in different]
        raise Undecided(
            f"several columns of {table.name} may be the label: {listed(in_order)}",
            option="label_column",
            choices=in_order,
        )
    if probabilities := probability_columns(table):
        raise InvalidData(
            f"the columns {listed(probabilities)} of {table.name} hold probabilities, which are no labels: expected a "
            "column of labels, or a 1 for the class and 0 for all else"
        )
    for column in filter(is_label, table.columns):
        if len(found := sorted(set(table[column]) - {""})) < 2:
            held = f"the label {found[0]} only" if found else "no label"
            raise InvalidData(f"{column_named(column)} of {table.name} holds {held}: expected two classes or more")
    raise InvalidData(
        f"no column of {table.name} reads as a label, with a few values that recur: name one of "
        f"{', '.join(table.columns)} with --label-column"
    )


def _label_of(matched: Matched, rows: Sequence[int], given: Sequence[str], finding: str | None) -> str:
    found = list(dict.fromkeys(given[row] for row in rows))
    if len(found) == 1:
        return found[0]
    if finding is not None:
        return next(label for label in found if not label.startswith("no "))
    first, second = (next(row for row in rows if given[row] == label) for label in found[:2])
    numbers = matched.table.numbers
    raise InvalidData(
        f"rows {numbers[first]} and {numbers[second]} of {matched.table.name} give one image two labels, {found[0]} "
        f"and {found[1]}: keep one of them, or count it with --finding {shlex.quote(found[0])} where any row says so"
    )


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


def _left_out(matched: Matched, given: Sequence[str]) -> list[str]:
    table, notes = matched.table, []
    if blank := sum(not label for label in given):
        are = "has no label and is" if blank == 1 else "have no label and are"
        notes.append(f"{count(blank, 'row')} of {table.name} {are} left out (--map '=NAME' gives them one)")
    if table.encoding:
        notes.append(
            f"{table.name} is no UTF-8 and is read as {table.encoding}: save it as 'CSV UTF-8' if that is wrong"
        )
    return notes
