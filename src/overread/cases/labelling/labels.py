"""What the rows of a table show: by a column of labels, by several columns of 0 and 1, or by lists of findings."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from overread.cases.labelling.roles import (
    as_number,
    column_named,
    is_about,
    is_label,
    plain,
    tells_classes,
    tells_sides,
)
from overread.cases.tables.table import Table
from overread.decision.negative_names import reads_as_negative
from overread.errors import InvalidOption, Undecided

_TRUE = frozenset({"1", "1.0", "true", "yes", "y", "positive", "pos", "present"})
_FALSE = frozenset({"0", "0.0", "false", "no", "n", "negative", "neg", "absent"})
_UNSURE = frozenset({"", "-1", "-1.0"})
_LIST = re.compile(r"\[(.*)\]", re.DOTALL)
RANGE = ".."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labels:
    """One way to understand what the rows of a table show.

    Args:
        name: of the column, or of the first and the last of several, as `MEL..UNK`.
        columns: that are read.
        shown: what each row shows; None where its cells are empty or say that nobody is sure.
        exclusive: each row shows one of them, so that they are classes; else they are findings, of any number.
        is_sure: names or cells say that this is the label; else it may be something else that is known of the image.
    """

    name: str
    columns: tuple[str, ...]
    shown: tuple[frozenset[str] | None, ...]
    exclusive: bool
    is_sure: bool

    @property
    def counts(self) -> Counter[str]:
        """In how many rows each class or finding stands."""
        return Counter(name for row in self.shown if row for name in sorted(row))

    @property
    def sentence(self) -> str:
        """How a user knows the columns."""
        return column_named(self.name) if len(self.columns) == 1 else f"columns {self.name}, a 1 for each class"

    def of(self, finding: str | None) -> list[str]:
        """The label of each row: its class, or whether it shows a finding; "" where it is not known.

        Raises:
            Undecided: no finding is named, and rows show several.
            InvalidOption: no row shows the finding.
        """
        if finding is None:
            if not self.exclusive:
                listed = ", ".join(f"{name} {count:,}" for name, count in self.counts.most_common())
                names = [name for name, _ in self.counts.most_common()]
                raise Undecided(
                    f"{self.sentence} may show several findings in an image ({listed}), and one is told apart from "
                    "all else",
                    option="finding",
                    choices=[name for name in names if not reads_as_negative(name)] or names,
                )
            return ["" if row is None else next(iter(row)) for row in self.shown]
        name = self.finding_called(finding)
        if name is None:
            listed = ", ".join(f"{name} {count:,}" for name, count in self.counts.most_common())
            raise InvalidOption(f"{self.sentence} has no finding {finding!r}: expected one of {listed}")
        return ["" if row is None else name if name in row else f"no {name}" for row in self.shown]

    def finding_called(self, finding: str) -> str | None:
        """The finding by its name in any case; None where there is none."""
        alike = [name for name in self.counts if plain(name) == plain(finding)]
        return finding if finding in alike else next(iter(alike), None)

    def says_the_same_as(self, other: Labels) -> bool:
        """True where both tell the same rows apart."""
        if not (self.exclusive and other.exclusive):
            return False
        pairs = {pair for pair in zip(self.shown, other.shown, strict=True) if None not in pair}
        return len(pairs) == len({one for one, _ in pairs}) == len({another for _, another in pairs}) > 1


def every_reading(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> list[Labels]:
    """All ways to understand what the rows show.

    Args:
        table: of the rows.
        columns: that may tell.
        relabel: names labels and cells anew.
    """
    telling = [column for column in columns if is_label(column) or not (is_about(column) or tells_sides(table[column]))]
    found, grouped = [], set[str]()
    for run in _runs(table, telling, relabel):
        group = _of_group(table, run, relabel)
        if not group.exclusive and (others := [column for column in run if not is_label(column)]) != list(run):
            group = _of_group(table, others, relabel) if others else group
        if len(group.columns) > 2 or group.exclusive:
            found.append(group)
            grouped |= set(group.columns)
    for column in telling:
        if column not in grouped:
            reading = reading_of(table, column, relabel)
            if not reading.exclusive or tells_classes(
                [next(iter(row)) if row else "" for row in reading.shown], named=reading.is_sure
            ):
                found.append(reading)
    return found


def reading_of(table: Table, name: str, relabel: Callable[[str], str]) -> Labels:
    """What the column of a name says, or the columns from a first to a last, as `MEL..UNK`."""
    if RANGE in name and name not in table.columns:
        first, last = sorted(table.columns.index(part.strip()) for part in name.split(RANGE, 1))
        return _of_group(table, table.columns[first : last + 1], relabel)
    cells = table[name]
    parts = _parted({cell: _plain_list(cell) for cell in set(cells)})
    meant = {cell: frozenset(filter(None, map(relabel, found))) or None for cell, found in parts.items()}
    shown = [meant[cell] for cell in cells]
    return Labels(
        name=name,
        columns=(name,),
        shown=tuple(shown),
        exclusive=all(row is None or len(row) == 1 for row in shown),
        is_sure=is_label(name) or any("|" in cell for cell in meant),
    )


def finding_column(table: Table, finding: str, columns: Sequence[str], relabel: Callable[[str], str]) -> Labels | None:
    """The column of 0 and 1 that is called like a finding, if there is one."""
    called = [column for column in columns if plain(column) == plain(finding)]
    return _of_group(table, called, relabel) if called and _runs(table, called, relabel, least=1) else None


def probability_columns(table: Table) -> list[str]:
    """Columns of a row whose numbers sum to 1: what a network said, and no labels."""
    numbers = {column: [as_number(cell) for cell in table[column]] for column in table.columns}
    between = [
        column
        for column, values in numbers.items()
        if any(value not in (0, 1, None) for value in values) and all(v is not None and 0 <= v <= 1 for v in values)
    ]
    sums = [sum(numbers[column][row] or 0 for column in between) for row in range(len(table.rows))]
    return between if len(between) > 1 and all(abs(total - 1) < 0.01 for total in sums) else []


def _runs(
    table: Table, columns: Sequence[str], relabel: Callable[[str], str], *, least: int = 2
) -> list[tuple[str, ...]]:
    """Columns of 0 and 1 that stand one after the other."""
    runs: list[tuple[str, ...]] = [()]
    for column in table.columns:
        cells = {relabel(cell).lower() for cell in set(table[column])}
        if column in columns and cells & _TRUE | cells & _FALSE and cells <= _TRUE | _FALSE | _UNSURE:
            runs[-1] += (column,)
        else:
            runs.append(())
    return [run for run in runs if len(run) >= least]


def _of_group(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> Labels:
    truths = []
    for cells in (table[column] for column in columns):
        meant = {cell: _truth(relabel(cell)) for cell in set(cells)}
        truths.append([meant[cell] for cell in cells])
    names = [relabel(column) for column in columns]
    shown: list[frozenset[str] | None] = []
    is_whole = True
    for row in zip(*truths, strict=True):
        is_whole &= None not in row or not any(truth is not None for truth in row)
        positive = frozenset(name for name, truth in zip(names, row, strict=True) if truth and name)
        shown.append(None if not positive and None in row else positive)
    exclusive = all(row is None or len(row) == 1 for row in shown)
    return Labels(
        name=columns[0] if len(columns) == 1 else RANGE.join((columns[0], columns[-1])),
        columns=tuple(columns),
        shown=tuple(shown),
        exclusive=exclusive and is_whole and any(shown),
        is_sure=True,
    )


def _truth(cell: str) -> bool | None:
    return True if cell.lower() in _TRUE else False if cell.lower() in _FALSE else None


def _plain_list(cell: str) -> str:
    """The items of a list as programs print it, `['N', 'D']`, as `N|D`; other cells as they are."""
    parts = [part.strip().strip("'\"") for part in inner[1].split(",")] if (inner := _LIST.fullmatch(cell)) else []
    return "|".join(filter(None, parts)) if any(as_number(part) is None for part in parts) else cell


def _parted(cells: Mapping[str, str]) -> dict[str, list[str]]:
    """The findings that each cell lists; the cell itself where none lists any.

    A bar always separates; a semicolon or a comma does where every part of a list is a cell of its own elsewhere.

    Args:
        cells: as they stand, to what they read as.
    """
    alone = set(cells.values()) - {""}
    for separator in "|;,":
        parts = {cell: [part.strip() for part in text.split(separator) if part.strip()] for cell, text in cells.items()}
        several = {part for found in parts.values() if len(found) > 1 for part in found}
        if several and (separator == "|" or several <= alone):
            return parts
    return {cell: [text] for cell, text in cells.items()}
