"""Several tables of the same images that tell one finding each."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Sequence

from overread.cases.labelling.matched import Matched
from overread.cases.labelling.roles import is_about, is_index, is_label, plain
from overread.cases.shown.readings import are_states
from overread.words import listed

# Tables that tell the same again, or of other images.
_NO_FINDING = re.compile(r"reader|rater|annot|observer|expert|grader|radiolog|doctor|fold|split|train|val|test|part")


def one_finding_each(tables: Sequence[Matched], relabel: Callable[[str], str]) -> dict[str, Matched]:
    """The tables by the finding that each tells; nothing unless every one has a single column of 0 and 1.

    The finding is called as the column, or as the file where the column says no more than that it is the label.
    """
    columns = [_states_of(one, relabel) for one in tables]
    if len(tables) < 2 or any(len(found) != 1 for found in columns) or not _share_images(tables):
        return {}
    headings = [found[0] for found in columns]
    if len({plain(name) for name in headings}) == len(headings) and not any(map(is_label, headings)):
        return dict(zip(headings, tables, strict=True))
    names = _own_parts([one.table.sheet or one.table.path.stem for one in tables])
    if len(set(names)) < len(names) or any(not name or _NO_FINDING.search(name.lower()) for name in names):
        return {}
    return dict(zip(names, tables, strict=True))


def joined_findings(tables: dict[str, Matched], relabel: Callable[[str], str]) -> tuple[Matched, str]:
    """One table with a column for each finding and a row for each image, and a sentence that says so.

    An image that a table does not name has an empty cell. Of other columns, the first table that has one fills it.

    Args:
        tables: by the finding that each tells.
        relabel: names cells anew.
    """
    first = next(iter(tables.values()))
    cells: dict[tuple[int, ...], dict[str, str]] = {}
    numbers: dict[tuple[int, ...], int] = {}
    others: dict[str, None] = {}
    for finding, one in tables.items():
        (own,) = _states_of(one, relabel)
        others |= dict.fromkeys(column for column in one.others if column != own)
        for found, (number, record) in zip(one.images.found, one.table.records(), strict=True):
            if found:
                numbers.setdefault(found, number)
                row = cells.setdefault(found, {first.images.column: record[one.images.column]})
                told = {column: record[column] for column in one.others if column != own}
                cells[found] = {**told, **{finding: record[own]}, **{name: cell for name, cell in row.items() if cell}}
    columns = (first.images.column, *(name for name in others if name not in tables), *tables)
    rows = tuple(tuple(row.get(column, "") for column in columns) for row in cells.values())
    table = dataclasses.replace(
        first.table, columns=columns, header=(1, columns), rows=rows, numbers=tuple(numbers[found] for found in cells)
    )
    images = dataclasses.replace(first.images, found=tuple(cells))
    names = [one.table.name for one in tables.values()]
    return dataclasses.replace(first, table=table, images=images), f"{listed(names)} tell one finding each"


def _states_of(matched: Matched, relabel: Callable[[str], str]) -> list[str]:
    table = matched.table
    return [
        column
        for column in matched.others
        if are_states(table, [column], relabel) and not (is_about(column) or is_index(table, column))
    ]


def _share_images(tables: Sequence[Matched]) -> bool:
    """Whether most images of each table are in the first as well."""
    first = tables[0].images.files
    return all(2 * len(one.images.files & first) > min(len(one.images.files), len(first)) for one in tables)


def _own_parts(names: Sequence[str]) -> list[str]:
    """The words of names without those that all begin and end with, as their writer parts them."""
    parts = [re.findall(r"[^\W_]+", name) for name in names]
    start = _alike(parts)
    end = _alike([words[start:][::-1] for words in parts])
    return [" ".join(words[start : len(words) - end]) for words in parts]


def _alike(parts: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    return sum(1 for _ in itertools.takewhile(lambda words: len(set(words)) == 1, zip(*parts, strict=False)))
