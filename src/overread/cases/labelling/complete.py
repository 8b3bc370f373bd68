"""Class folders and tables of the same images: what the folders say, with what the tables know besides."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.cases.case import Case
from overread.cases.labelling.facts import Roles, carried_columns, facts_of, find_roles, said_of_roles
from overread.cases.labelling.files import Files
from overread.cases.labelling.matched import Matched
from overread.cases.labelling.roles import as_number
from overread.cases.note import Note
from overread.cases.posing.told import Found, Told
from overread.cases.relabel import Relabel
from overread.cases.rows import rows_about
from overread.cases.shown.labels import Labels
from overread.cases.shown.readings import every_reading
from overread.cases.source import FOLDERS, Source
from overread.errors import Undecided
from overread.words import count


def complete(cases: Sequence[Case], tables: Sequence[Matched], files: Files, source: Source, relabel: Relabel) -> Found:
    """The cases of class folders with patients, sides and further columns of tables, whose labels must agree.

    Where they call the classes by other names, these count unless they are numbers. Sides that the folders tell stay.

    Raises:
        Undecided: a table tells other classes than the folders.
    """
    label_of = {case.path: case.label for case in cases}
    known: dict[Path, dict[str, Any]] = {}
    called: dict[str, str] = {}
    heading = ""
    notes: list[str] = []
    for matched in tables:
        if matched.images.ambiguous:
            notes.append(f"{matched.table.name} is not used: several files go by the names in it")
            continue
        roles = find_roles(matched, source)
        readings = every_reading(matched.table, roles.free, relabel)
        agreeing = {one.name: names for one in readings if (names := _names_of(one, matched, files, label_of))}
        if readings and not agreeing:
            raise Undecided(
                f"the class folders of {files.root} and {matched.table.name} tell different labels",
                option="labels",
                choices=(matched.table.reference, FOLDERS),
            )
        carried = carried_columns(roles, [one for one in readings if one.is_sure or one.name in agreeing])
        said = "the label is the class folder"
        if agreeing:
            column, names = next(iter(agreeing.items()))
            heading = heading or column
            said = f"the label is column {column}, with which the class folders agree ({_as_pairs(names)})"
            if any(as_number(name) is not None for name in names.values()):
                said = f"the label is the class folder, with which column {column} agrees"
            else:
                called = called or names
        named = matched.images.sentence(matched.table, files, matched.images.files)
        notes.append(Note(f"{said}; {named}", f"{said}; {named.public}"))
        patients = {facts_of(matched, roles, carried, row)["patient_id"] for row in range(len(matched.table.rows))}
        notes.append(said_of_roles(matched, roles, carried, len(patients - {None})))
        for path, facts in _facts_by_image(matched, files, roles, carried).items():
            known.setdefault(path, facts)
    sides = [(case.split, known[case.path]["split"]) for case in cases if case.path in known]
    if contrary := sum(None not in pair and pair[0] != pair[1] for pair in sides):
        notes.append(f"{count(contrary, 'image')} on another side in the table than in the folders: the folders count")
    cases = [dataclasses.replace(case, label=called.get(case.label, case.label)) for case in cases]
    return Found([_with_facts(case, known.get(case.path)) for case in cases], notes, (Told(heading=heading),))


def _facts_by_image(matched: Matched, files: Files, roles: Roles, carried: Sequence[str]) -> dict[Path, dict[str, Any]]:
    """What the first row about each image tells of it, and the rows where there are several."""
    rows_of: dict[Path, list[int]] = defaultdict(list)
    for row in range(len(matched.table.rows)):
        for at in matched.images.named_in(row):
            rows_of[files.paths[at]].append(row)
    found = {}
    for path, rows in rows_of.items():
        facts = [facts_of(matched, roles, carried, row) for row in rows]
        numbers = [matched.table.numbers[row] for row in rows]
        found[path] = {**facts[0], "rows": rows_about(numbers, [(None, f["patient_id"], f["split"]) for f in facts])}
    return found


def _with_facts(case: Case, facts: Mapping[str, Any] | None) -> Case:
    return case if facts is None else dataclasses.replace(case, **{**facts, "split": case.split or facts["split"]})


def _as_pairs(names: Mapping[str, str]) -> str:
    return ", ".join(f"{folder} is {name}" if folder != name else name for folder, name in names.items())


def _names_of(labels: Labels, matched: Matched, files: Files, label_of: Mapping[Path, str]) -> dict[str, str]:
    """What a table calls the class of each folder; nothing unless each has one, and the other way round."""
    pairs: dict[tuple[str, str], None] = {}
    for row, shown in enumerate(labels.shown if labels.exclusive else ()):
        for at in matched.images.named_in(row) if shown else ():
            if shown and (label := label_of.get(files.paths[at])) is not None:
                pairs[label, next(iter(shown))] = None
    names = dict([*pairs])
    return names if len(pairs) == len(names) == len(set(names.values())) > 1 else {}
