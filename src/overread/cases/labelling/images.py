"""Which column of a table names the image: the one whose cells are what files are called."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from overread.cases.labelling.files import Cores, Files, Positions, spellings_of, stem_of
from overread.cases.labelling.roles import are_views, column_named, is_index
from overread.cases.note import Note
from overread.cases.tables.table import Table
from overread.words import count, listed

# What tells best is asked first.
_WAYS = ("name", "folder", "core", "start")
_OF_SEVERAL = ("folder", "start", "columns")
_ENOUGH = 0.5
_SAMPLE = 500
_SHOWN = 3
# Words that are left of names may be classes too; numbers tell images apart.
_DIGIT = re.compile(r"\d")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageColumn:
    """A column whose cells name files.

    Args:
        column: its name.
        way: how they do: by name or id, as the folder of the files, by what tells names from one another, or as what
            the names of several begin with, or together with further columns.
        found: the files of each row; none where the cell names none, several where it names a folder or is ambiguous.
        share: of its different cells, or of the files if that is more, that go with one another.
        also: further columns that name images of the same rows.
    """

    column: str
    way: str
    found: tuple[Positions, ...]
    share: float
    also: tuple[str, ...] = ()

    @property
    def files(self) -> set[int]:
        """All files that rows name."""
        return {at for positions in self.found for at in positions}

    @property
    def names_several(self) -> bool:
        """True where a row is about all files of a folder, of one beginning, or of several columns."""
        return self.way in _OF_SEVERAL

    @property
    def ambiguous(self) -> list[int]:
        """The rows whose cell several files go by."""
        return [] if self.names_several else [row for row, found in enumerate(self.found) if len(found) > 1]

    def named_in(self, row: int) -> Positions:
        """The files that a row is about: none where it cannot be told which."""
        found = self.found[row]
        return found if self.names_several or len(found) == 1 else ()

    def sentence(self, table: Table, files: Files, named: Collection[int]) -> Note:
        """Say which column it is, how well it goes with the files, and what is left over on both sides.

        Args:
            table: of the column.
            files: that it names.
            named: those that any table names.
        """
        rows = [row for row in range(len(table.rows)) if self.named_in(row)]
        column, example = f"{column_named(self.column)} names the image", files.names[self.named_in(rows[0])[0]]
        if self.also:
            column = f"columns {listed([self.column, *self.also])} name the images"
        missing = [table.numbers[row] for row in range(len(table.rows)) if not self.found[row]]
        matched = f"{len(rows):,} of {count(len(table.rows), 'row')} {'has' if len(rows) == 1 else 'have'} a file"
        matched += f" (none: {_some('row', missing)})" if missing else ""
        surplus = [name for at, name in enumerate(files.names) if at not in named]
        text = f"{table.name}: {column} ({table[self.column][rows[0]]} is {example}); {matched}"
        public = f"a table's {column}; {matched}"
        if not surplus:
            return Note(text, public)
        left = f"{count(len(surplus), 'file')} of {len(files):,}"
        return Note(f"{text}, {left} {_some('', surplus)} have no row", f"{public}, {left} have no row")


def image_columns(
    table: Table, files: Files, *, named: str | None = None, side: str | None = None
) -> list[ImageColumn]:
    """The columns that name files, those that do it best first: no more than one, unless they name different files.

    Args:
        table: whose rows are looked at.
        files: that they may name.
        named: the one column to look at, which may name few files.
        side: of the split, on which all rows stand.
    """
    found = [
        match
        for column in (table.columns if named is None else [named])
        if (match := _best_way(table, column, files, side)) and match.share >= (_ENOUGH if named is None else 0)
    ]
    if any(not is_index(table, match.column) for match in found):
        found = [match for match in found if not is_index(table, match.column)]
    found.sort(key=lambda match: (_WAYS.index(match.way), -len(match.files)))
    return [match for at, match in enumerate(found) if at == 0 or _is_another(match, found[0])]


def _best_way(table: Table, column: str, files: Files, side: str | None) -> ImageColumn | None:
    """The way in which a column names most files; of equal ones, and where names are contradicted, the first."""
    best: ImageColumn | None = None
    for way in _WAYS:
        match = _match(table, column, files, way, side)
        if match and (best is None or (len(match.files) > len(best.files) and not _contradicts(match, best))):
            best = match
        if best and best.share == 1:
            break
    return best


def _contradicts(one: ImageColumn, other: ImageColumn) -> bool:
    return any(a and b and a != b for a, b in zip(one.found, other.found, strict=True))


def _is_another(match: ImageColumn, best: ImageColumn) -> bool:
    """True for a column that names as many files as the best one, as well, but others; of another view, if fewer."""
    alike = len(match.files) >= 0.8 * len(best.files) or are_views([match.column, best.column])
    return alike and match.way == best.way and _contradicts(match, best)


def _match(table: Table, column: str, files: Files, way: str, side: str | None) -> ImageColumn | None:
    cells = table[column]
    different = sorted({cell for cell in cells if cell})
    looks_up = _look_up(way, files, different, side)
    step = max(1, len(different) // _SAMPLE)
    if not any(looks_up(cell, ()) for cell in different[::step]):
        return None
    meant = {"": (), **{cell: looks_up(cell, ()) for cell in different}}
    found = [meant[cell] for cell in cells]
    if way != "folder":
        around = set(map(str.casefold, files.leading_to(table.path)))
        for row in (row for row, positions in enumerate(found) if len(positions) > 1):
            found[row] = looks_up(cells[row], around | {cell.casefold() for cell in table.rows[row]})
        found = _consistent(cells, found, files)
    named = {cell for cell, positions in zip(cells, found, strict=True) if positions}
    rows = sum(map(bool, found))
    # A class or an age may be what a folder or a number is called: ids differ from row to row.
    if not rows or (way != "name" and len(named) < 0.5 * rows):
        return None
    different_files = {at for positions in found for at in positions}
    covered = (len(different_files) if way in _OF_SEVERAL else min(len(different_files), rows)) / len(files)
    share = max(covered, len(named) / len(different) if len(named) >= 0.1 * rows else 0)
    return ImageColumn(column=column, way=way, found=tuple(found), share=share)


def _consistent(cells: Sequence[str], found: Sequence[Positions], files: Files) -> list[Positions]:
    """Without files whose folders contradict the cell.

    Where paths of some cells and files agree as far as both go, all must. Else the paths of the table begin elsewhere:
    then what they begin with, and what the paths of files do, is much the same from row to row.
    """
    before = {(row, at): files.before(cells[row], at) for row, positions in enumerate(found) for at in positions}
    agreeing = any(not (ours and theirs) for theirs, ours in before.values())
    often = Counter(before.values())
    least = max(*often.values(), sum(map(bool, found)), 0) / 10 if often else 0
    return [
        tuple(at for at in positions if (not all(before[row, at]) if agreeing else often[before[row, at]] >= least))
        for row, positions in enumerate(found)
    ]


def _look_up(
    way: str, files: Files, different: Sequence[str], side: str | None
) -> Callable[[str, Collection[str]], Positions]:
    """What finds the files of a cell, given what else stands in its row."""
    if way == "folder":
        return lambda cell, hints: files.below(cell)
    if way == "start":
        return lambda cell, hints: tuple(files.by_start.get(cell.casefold(), ()))
    if way == "name":
        return lambda cell, hints: (
            files.called(cell, files.by_name, side=side, hints=hints)
            or files.called(cell, files.by_stem, side=side, hints=hints)
        )
    last = {cell: parts[-1] for cell in different if (parts := spellings_of(cell))}
    cores = Cores([stem_of(parts[-1]).casefold() for parts in last.values()])
    paths = {
        cell: "/".join([*parts[:-1], core])
        for (cell, parts), core in zip(last.items(), cores.found, strict=True)
        if _DIGIT.search(core) and len(last) > 1 and cores.goes_with(files.cores)
    }
    return lambda cell, hints: files.called(paths[cell], files.by_core, side=side, hints=hints) if cell in paths else ()


def _some(noun: str, values: Sequence[object]) -> str:
    """Name the first few of many."""
    shown = ", ".join(map(str, values[:_SHOWN])) + (", ..." if len(values) > _SHOWN else "")
    return f"{noun}{'s' * (len(values) != 1)} {shown}" if noun else f"({shown})"
