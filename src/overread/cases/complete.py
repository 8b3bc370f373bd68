"""Class folders and tables of the same images: what the folders say, with what the tables know besides."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.cases.case import Case
from overread.cases.note import Note
from overread.cases.source import FOLDERS, Source
from overread.cases.tables.files import Files
from overread.cases.tables.labelled import carried_columns, facts_of, find_roles, said_of_roles
from overread.cases.tables.labels import Labels, every_reading
from overread.cases.tables.matched import Matched, require_one_file_each
from overread.errors import Undecided
from overread.words import count


def complete(
    cases: Sequence[Case], tables: Sequence[Matched], files: Files, source: Source
) -> tuple[list[Case], list[str]]:
    """The cases of class folders with patients, sides and further columns of tables, whose labels must agree.

    Sides that the folders tell stay.

    Raises:
        Undecided: a table tells other classes than the folders.
    """
    label_of = {case.path: case.label for case in cases}
    known: dict[Path, dict[str, Any]] = {}
    notes: list[str] = []
    for matched in tables:
        require_one_file_each(matched, files)
        roles = find_roles(matched, source)
        readings = every_reading(matched.table, roles.free, lambda label: label)
        agreeing = [one for one in readings if _agrees(one, matched, files, label_of)]
        if readings and not agreeing:
            raise Undecided(
                f"the class folders of {files.root} and {matched.table.name} tell different labels",
                option="labels",
                choices=(matched.table.reference, FOLDERS),
            )
        carried = carried_columns(roles, [one for one in readings if one.is_sure or one in agreeing])
        agreed = f", and its column {agreeing[0].name} agrees" if agreeing else ""
        named = matched.images.sentence(matched.table, files, matched.images.files)
        said = f"the label is the class folder{agreed}"
        notes.append(Note(f"{said}; {named}", f"{said}; {named.public}"))
        patients = {facts_of(matched, roles, carried, row)["patient_id"] for row in range(len(matched.table.rows))}
        notes.append(said_of_roles(matched, roles, carried, len(patients - {None})))
        for row in range(len(matched.table.rows)):
            for at in matched.images.named_in(row):
                known.setdefault(files.paths[at], facts_of(matched, roles, carried, row))
    sides = [(case.split, known[case.path]["split"]) for case in cases if case.path in known]
    if contrary := sum(None not in pair and pair[0] != pair[1] for pair in sides):
        notes.append(f"{count(contrary, 'image')} on another side in the table than in the folders: the folders count")
    return [_with_facts(case, known.get(case.path)) for case in cases], notes


def _with_facts(case: Case, facts: Mapping[str, Any] | None) -> Case:
    return case if facts is None else dataclasses.replace(case, **{**facts, "split": case.split or facts["split"]})


def _agrees(labels: Labels, matched: Matched, files: Files, label_of: Mapping[Path, str]) -> bool:
    """True where each class of the table is that of one folder, and the other way round."""
    if not labels.exclusive:
        return False
    pairs = Counter[tuple[str, str]]()
    for row, shown in enumerate(labels.shown):
        for at in matched.images.named_in(row) if shown else ():
            if (label := label_of.get(files.paths[at])) is not None and shown:
                pairs[label, next(iter(shown))] += 1
    one_way, other_way = defaultdict(set), defaultdict(set)
    for folder, label in pairs:
        one_way[folder].add(label)
        other_way[label].add(folder)
    return len(pairs) > 1 and all(len(found) == 1 for found in (*one_way.values(), *other_way.values()))
