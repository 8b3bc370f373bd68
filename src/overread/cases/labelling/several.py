"""Several tables at once: one for each side of a split, parts of one, or some that tell more of the same images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from overread.cases.case import Case
from overread.cases.labelling.cases_of_table import cases_of
from overread.cases.labelling.files import Files, sides_in
from overread.cases.labelling.matched import Matched, match
from overread.cases.labelling.one_each import joined_findings, one_finding_each
from overread.cases.labelling.roles import plain
from overread.cases.labelling.understand import Understood, understand
from overread.cases.posing.told import Found, Told
from overread.cases.relabel import Relabel
from overread.cases.shown.cut import MEDIAN
from overread.cases.shown.words import tells_findings
from overread.cases.source import Source
from overread.cases.tables.table import Table
from overread.decision import Task
from overread.decision.tasks.findings import BAR, DOUBT, NO_FINDING
from overread.errors import InvalidData, InvalidOption


def match_all(tables: Sequence[Table], files: Files, source: Source) -> list[Matched | None]:
    """Each table with the column that names its images, on the side that its name or folder says where these differ."""
    sides = [sides_in([table.sheet or table.path.stem]) or sides_in(files.leading_to(table.path)) for table in tables]
    told = len({side for side in sides if len(side) == 1}) > 1
    return [
        match(table, files, source, next(iter(side)) if told and len(side) == 1 else None)
        for table, side in zip(tables, sides, strict=True)
    ]


def cases_of_all(
    matched: Sequence[Matched], files: Files, source: Source, relabel: Relabel, task: Task | None = None
) -> Found:
    """The cases of all tables; those that name the same images are read as one, with the columns of all.

    Args:
        matched: the tables.
        files: that they name.
        source: that says how to understand them.
        relabel: names labels anew.
        task: that was trained, which tells what is looked for.

    Raises:
        InvalidData: no row that names an image has a label, or tables tell different tasks; and as `cases_of`.
        Undecided: as `cases_of`.
        InvalidOption: as `cases_of`; or numbers of several tables are to be cut at their median.
    """
    groups: list[Matched] = []
    said: list[str] = []
    if tables := one_finding_each(matched, relabel):
        joined, sentence = joined_findings(tables, relabel)
        matched, said = [joined], [sentence]
        source = source if source.names_label else dataclasses.replace(source, label_column=tuple(tables))
    for one in matched:
        shared = next((at for at, group in enumerate(groups) if _about_the_same(group, one)), None)
        if shared is None:
            groups.append(one)
        else:
            groups[shared] = _joined(groups[shared], one)
    if len(groups) > 1 and source.cut_at == MEDIAN:
        raise InvalidOption("the tables of several sides have no one median: name the number with --cut-at")
    read = [understand(group, files, source, relabel, task) for group in groups]
    named = {at for group in groups for at in group.images.files}
    found = [cases_of(one, files, source, lists=_lists(read, task), named=named) for one in read]
    every, told = [case for one in found for case in one.cases], said + [note for one in found for note in one.notes]
    if not every:
        raise InvalidData(f"no image has a label: {'; '.join(told)}; name another column with --label-column")
    if len({tuple(one.heading for one in group.told) for group in found}) > 1 and len(found[0].told) > 1:
        raise InvalidData("the tables tell different tasks: expected the same columns of labels in each")
    if len(found) == 1 or any(one.columns is None for group in found for one in group.told):
        return Found(every, told, found[0].told)
    columns = frozenset().union(*(group.told[0].columns or () for group in found))
    cases = [_without_other_columns(case, group.told[0], columns) for group in found for case in group.cases]
    return Found(cases, told, (dataclasses.replace(found[0].told[0], columns=columns),))


def _lists(read: Sequence[Understood], task: Task | None) -> tuple[bool, ...]:
    """Whether the labels of each task list findings: where those of any table do, or what was trained tells such."""
    parts = [] if task is None else [*task.parts.values()] or [task]
    several = [
        any(not one.exclusive for one in labels) for labels in zip(*(group.labels for group in read), strict=False)
    ]
    trained = [*map(tells_findings, parts)] if len(parts) == len(several) else [False] * len(several)
    return tuple(one or other for one, other in zip(several, trained, strict=True))


def _without_other_columns(case: Case, told: Told, columns: frozenset[str]) -> Case:
    """A case of a table without some of the columns of findings, of which nothing is known then."""
    missing = sorted(columns - (told.columns or columns))
    items = [item for item in case.label.split(BAR) if item != NO_FINDING]
    return dataclasses.replace(case, label=BAR.join([*items, *(DOUBT + name for name in missing)]) or NO_FINDING)


def _about_the_same(one: Matched, other: Matched) -> bool:
    return one.side == other.side and bool(one.images.files & other.images.files)


def _joined(one: Matched, other: Matched) -> Matched:
    """The rows of one, with the columns of another that it has not."""
    known = {plain(column) for column in one.table.columns}
    new = [at for at, column in enumerate(other.table.columns) if plain(column) not in known and column in other.others]
    row_of = {at: row for row, found in enumerate(other.images.found) for at in found}
    added = [
        [other.table.rows[row_of[found[0]]][at] for at in new] if found and found[0] in row_of else [""] * len(new)
        for found in one.images.found
    ]
    table = dataclasses.replace(
        one.table,
        columns=(*one.table.columns, *(other.table.columns[at] for at in new)),
        rows=tuple((*row, *more) for row, more in zip(one.table.rows, added, strict=True)),
    )
    return dataclasses.replace(one, table=table)
