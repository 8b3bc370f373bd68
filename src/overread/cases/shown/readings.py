"""The ways to understand the rows of a table: a column of labels, columns of 0 and 1, or lists of findings."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from overread.cases.labelling.roles import as_number, is_about, is_label, plain, tells_classes, tells_sides
from overread.cases.shown.labels import Labels
from overread.cases.tables.table import Table
from overread.decision.tasks.findings import DOUBT

_TRUE = frozenset({"1", "1.0", "true", "yes", "y", "positive", "pos", "present", "x"})
_FALSE = frozenset({"0", "0.0", "false", "no", "n", "negative", "neg", "absent"})
_UNCERTAIN = frozenset({"-1", "-1.0", "uncertain"})
_LIST = re.compile(r"\[(.*)\]", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
RANGE = ".."


def every_reading(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> list[Labels]:
    """All ways to understand what the rows show.

    Args:
        table: of the rows.
        columns: that may tell.
        relabel: names labels and cells anew.
    """
    said_by_network = set(probability_columns(table))
    telling = [
        column
        for column in columns
        if is_label(column) or not (is_about(column) or tells_sides(table[column]) or column in said_by_network)
    ]
    found, grouped = [], set[str]()
    for run in _runs(table, telling, relabel):
        group = group_of(table, run, relabel)
        if not group.exclusive and (others := [column for column in run if not is_label(column)]) != list(run):
            group = group_of(table, others, relabel) if others else group
        if len(group.columns) > 1 or group.exclusive:
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
        return group_of(table, table.columns[first : last + 1], relabel)
    return list_of(table[name], name, relabel)


def list_of(cells: Sequence[str], name: str, relabel: Callable[[str], str]) -> Labels:
    """What the cells of a column say, each of which names a class or lists findings.

    Args:
        cells: of the column.
        name: of the column.
        relabel: names labels anew; of findings in a list, those without a name are left out, and those with a question
            mark before them are uncertain.
    """
    parts = _parted({cell: _plain_list(cell) for cell in set(cells)})
    lists = any(len(found) != 1 or found[0].startswith(DOUBT) for cell, found in parts.items() if cell)
    named, doubted = {}, {}
    for cell, found in parts.items():
        sure = [item for item in found or [""] * (not cell) if not item.startswith(DOUBT)]
        named[cell] = frozenset(filter(None, map(relabel, sure)))
        doubted[cell] = frozenset(relabel(item[1:]) for item in found if item.startswith(DOUBT)) - named[cell] - {""}
    # A list without a finding shows none; an empty cell, or a class without a name, tells nothing.
    meant = {cell: found or (found if lists and cell else None) for cell, found in named.items()}
    shown = tuple(meant[cell] for cell in cells)
    return Labels(
        name=name,
        columns=(name,),
        shown=shown,
        exclusive=not any(doubted.values()) and all(row is None or len(row) == 1 for row in shown),
        is_sure=is_label(name) or any("|" in cell for cell in meant),
        uncertain=tuple(doubted[cell] for cell in cells),
    )


def finding_column(table: Table, finding: str, columns: Sequence[str], relabel: Callable[[str], str]) -> Labels | None:
    """The column of 0 and 1 that is called like a finding, if there is one."""
    called = [column for column in columns if plain(column) == plain(finding)]
    return group_of(table, called, relabel) if called and are_states(table, called, relabel) else None


def are_states(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> bool:
    """True for columns that each say yes or no, and perhaps that nobody is sure."""
    for column in columns:
        cells = {relabel(cell).lower() for cell in set(table[column])}
        if not (cells & (_TRUE | _FALSE) and cells <= _TRUE | _FALSE | _UNCERTAIN | {""}):
            return False
    return True


def probability_columns(table: Table) -> list[str]:
    """Columns side by side of numbers from 0 to 1, most of them between: what a network said, and no labels."""
    runs: list[list[tuple[str, bool]]] = [[]]
    for column in table.columns:
        numbers = [as_number(cell) for cell in table[column]]
        if all(number is not None and 0 <= number <= 1 for number in numbers):
            runs[-1].append((column, any(number not in (0, 1) for number in numbers)))
        else:
            runs.append([])
    found = [run for run in runs if 2 * sum(between for _, between in run) > len(run) > 1]
    return [column for run in found for column, _ in run]


def group_of(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> Labels:
    """What columns of 0 and 1 say together; of those that are called alike, that it is there where any does."""
    named: dict[str, list[list[bool | None]]] = defaultdict(list)
    uncertain, blank = ([set[str]() for _ in table.rows] for _ in range(2))
    for column in columns:
        cells, name = table[column], relabel(column)
        meant = {cell: _truth(relabel(cell)) for cell in set(cells)}
        named[name].append([meant[cell] for cell in cells])
        for row, cell in enumerate(cells):
            if meant[cell] is None:
                (uncertain if relabel(cell).lower() in _UNCERTAIN else blank)[row].add(name)
    shown: list[frozenset[str] | None] = []
    is_whole = True
    for told in zip(*(map(_any_of, zip(*truths, strict=True)) for truths in named.values()), strict=True):
        is_whole &= None not in told or not any(truth is not None for truth in told)
        positive = frozenset(name for name, truth in zip(named, told, strict=True) if truth and name)
        shown.append(None if not positive and None in told else positive)
    exclusive = all(row is None or len(row) == 1 for row in shown)
    return Labels(
        name=columns[0] if len(columns) == 1 else RANGE.join((columns[0], columns[-1])),
        columns=tuple(columns),
        shown=tuple(shown),
        exclusive=exclusive and is_whole and any(shown),
        is_sure=True,
        names=tuple(filter(None, named)),
        uncertain=tuple(frozenset(names - {""} - (row or set())) for names, row in zip(uncertain, shown, strict=True)),
        blank=tuple(
            frozenset(b - u - {""} - (row or set())) for b, u, row in zip(blank, uncertain, shown, strict=True)
        ),
    )


def _runs(table: Table, columns: Sequence[str], relabel: Callable[[str], str]) -> list[list[str]]:
    """Two columns of 0 and 1 or more that stand one after the other, but for empty ones between them."""
    runs: list[list[str]] = [[]]
    for column in table.columns:
        if column in columns and are_states(table, [column], relabel):
            runs[-1].append(column)
        elif any(table[column]) or column not in columns:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _any_of(truths: Sequence[bool | None]) -> bool | None:
    """Whether any is true; None where none is, and not all are known."""
    return True if True in truths else None if None in truths else False


def _truth(cell: str) -> bool | None:
    return True if cell.lower() in _TRUE else False if cell.lower() in _FALSE else None


def _plain_list(cell: str) -> str:
    """The items of a list as programs print it, `['N', 'D']`, as `N|D`; other cells as they are."""
    inner = _LIST.fullmatch(cell)
    # A list of NumPy has no commas.
    quoted = _QUOTED.findall(inner[1]) if inner else []
    parts = [one or other for one, other in quoted] or ([part.strip() for part in inner[1].split(",")] if inner else [])
    parts = [part.strip() for part in parts]
    return "|".join(filter(None, parts)) or "|" if any(as_number(part) is None for part in parts) else cell


def _parted(cells: Mapping[str, str]) -> dict[str, list[str]]:
    """The findings that each cell lists; the cell itself where none lists any.

    A bar always separates; a semicolon or a comma does where the parts of lists are cells of their own elsewhere, most
    of them, and the others stand in several lists.

    Args:
        cells: as they stand, to what they read as.
    """
    alone = set(cells.values()) - {""}
    for separator in "|;,":
        parts = {cell: [part.strip() for part in text.split(separator) if part.strip()] for cell, text in cells.items()}
        lists = [set(found) for found in parts.values() if len(found) > 1]
        several = Counter(part for found in lists for part in found)
        rest = several.keys() - alone
        if separator == "|" and any("|" in text for text in cells.values()):
            return parts
        if several and len(rest) <= len(several) / 2 and all(several[part] > 1 for part in rest):
            return parts
    return {cell: [text] for cell, text in cells.items()}
