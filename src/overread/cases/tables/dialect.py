"""Rows of cells from text, whatever separates them."""

from __future__ import annotations

import csv
import io
import itertools
import re

from overread.errors import InvalidData
from overread.machine.content.cells import unguarded
from overread.machine.content.text import restored

Rows = list[tuple[int, list[str]]]
_SEPARATORS = ",;\t|"
_NAMED_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[ \t]*(\r\n|\r|\n|$)', re.IGNORECASE)
_SAMPLE_ROWS = 50
# Of a million rows of twenty; in memory a cell takes 8 bytes, and 60 where it holds something.
_MOST_CELLS = 20_000_000


def rows_of(text: str, name: str) -> Rows:
    """The rows that hold anything, each with its number, from 1; cells have no blanks around them.

    The separator is the one that a first line `sep=;` names, else the one of comma, semicolon, tab and bar by which the
    first rows have most evenly as many cells as the header. Spaces separate only where nothing else does.

    Args:
        text: of the file.
        name: of the file, for errors.

    Raises:
        InvalidData: a quote that is never closed, or a cell that is too long to be one.
    """
    named = _NAMED_SEPARATOR.match(text)
    separator = named[1] if named else _separator_of(text)
    body = text[named.end() :] if named else text
    try:
        # Strict reading alone tells a quote that is never closed, which takes in all rows that follow.
        found = list(_reader(body, separator, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise InvalidData(f"{name} has a quotation mark that is never closed: close it or remove it") from None
        found = _leniently(body, separator, name)
    stripped = [[restored(unguarded(cell.strip())) for cell in row] for row in found]
    return [(number, cells) for number, cells in enumerate(stripped, start=2 if named else 1) if any(cells)]


def require_size(cells: int, name: str) -> None:
    """Refuse a table of more cells than any table of images has, before they are made.

    Raises:
        InvalidData: there are more.
    """
    if cells > _MOST_CELLS:
        raise InvalidData(f"{name} has more than {_MOST_CELLS:,} cells: give a table of the columns that are needed")


def _leniently(body: str, separator: str, name: str) -> list[list[str]]:
    try:
        return list(_reader(body, separator))
    except csv.Error as error:
        raise InvalidData(f"{name} is no table ({error}): save it as 'CSV UTF-8'") from None


def _separator_of(text: str) -> str:
    sample = {separator: _sample(text, separator) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: _evenness(sample[separator]))
    if _evenness(sample[best]) > (0, 0):
        return best
    return " " if _evenness(_sample(text, " "))[0] == 1 else ","


def _sample(text: str, separator: str) -> list[int]:
    """How many cells the first rows have."""
    try:
        rows: list[list[str]] = list(itertools.islice(_reader(text, separator), _SAMPLE_ROWS))
    except csv.Error:
        return []
    return [len(row) for row in rows if any(map(str.strip, row))]


def _evenness(widths: list[int]) -> tuple[float, int]:
    """The share of rows that are as wide as the first, and this width; nothing where it has one cell only."""
    if not widths or widths[0] < 2:
        return 0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def _reader(text: str, separator: str, *, strict: bool = False) -> csv.reader:  # type: ignore[valid-type]
    # Iterated by the lines of a stream, not by splitlines(), which breaks at U+2028 and form feeds too.
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, strict=strict, skipinitialspace=separator != " ")
