"""Several tables at once: one for each side of a split, parts of one, or some that tell more of the same images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from overread.cases.case import Case
from overread.cases.labelling.cases_of_table import cases_of
from overread.cases.labelling.files import Files, sides_in
from overread.cases.labelling.matched import Matched, match
from overread.cases.labelling.roles import plain
from overread.cases.relabel import Relabel
from overread.cases.source import Source
from overread.cases.tables.table import Table
from overread.errors import InvalidData


def match_all(tables: Sequence[Table], files: Files, source: Source) -> list[Matched | None]:
    """Each table with the column that names its images, on the side that its name or folder says where these differ."""
    sides = [sides_in([table.sheet or table.path.stem]) or sides_in(files.leading_to(table.path)) for table in tables]
    told = len({side for side in sides if len(side) == 1}) > 1
    return [
        match(table, files, source, next(iter(side)) if told and len(side) == 1 else None)
        for table, side in zip(tables, sides, strict=True)
    ]


def cases_of_all(
    matched: Sequence[Matched], files: Files, source: Source, relabel: Relabel
) -> tuple[list[Case], list[str]]:
    """The cases of all tables; those that name the same images are read as one, with the columns of all.

    Raises:
        InvalidData: no row that names an image has a label; and as `cases_of`.
        Undecided, InvalidOption: as `cases_of`.
    """
    groups: list[Matched] = []
    for one in matched:
        shared = next((at for at, group in enumerate(groups) if _about_the_same(group, one)), None)
        if shared is None:
            groups.append(one)
        else:
            groups[shared] = _joined(groups[shared], one)
    named = {at for group in groups for at in group.images.files}
    found = [cases_of(group, files, source, relabel, named=named) for group in groups]
    every, told = [case for cases, _ in found for case in cases], [note for _, notes in found for note in notes]
    if not every:
        raise InvalidData(f"no image has a label: {'; '.join(told)}; name another column with --label-column")
    return every, told


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
