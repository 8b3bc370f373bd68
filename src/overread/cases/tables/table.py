"""A table as rows of text under the names of their columns."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from overread.cases.tables.dialect import Rows, require_size, rows_of
from overread.cases.tables.encoding import text_of
from overread.cases.tables.workbook import ZIP, sheets_of
from overread.errors import InvalidData, MissingPath, UnfitFile
from overread.formats import kind_of_other
from overread.machine.files import read_regular
from overread.machine.remote import place

_SHEET = "#"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text, each as long as there are columns.

    Args:
        path: of the file.
        sheet: of the workbook; None where the file is none.
        columns: their names, each once; those without one are called `column N`, from 1.
        header: the row that the names were made of, with its number.
        rows: of cells.
        numbers: of the rows, as an editor counts them.
        encoding: that was guessed; None where it is known.
    """

    path: Path
    sheet: str | None
    columns: tuple[str, ...]
    header: tuple[int, tuple[str, ...]]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    encoding: str | None = None

    @property
    def name(self) -> str:
        """What a user calls it."""
        return self.path.name if self.sheet is None else f"{self.path.name}, sheet {self.sheet}"

    @property
    def reference(self) -> str:
        """What names it on the command line."""
        return str(self.path) if self.sheet is None else f"{self.path}{_SHEET}{self.sheet}"

    def __getitem__(self, column: str) -> list[str]:
        """The cells of a column."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows]

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its number, by the names of the columns."""
        for number, row in zip(self.numbers, self.rows, strict=True):
            yield number, dict(zip(self.columns, row, strict=True))

    def without_header(self) -> Table:
        """The same table where the first row is no header but a row as the others."""
        number, cells = self.header
        return dataclasses.replace(
            self,
            columns=_names([""] * len(cells)),
            rows=(cells, *self.rows),
            numbers=(number, *self.numbers),
        )


def read_tables(reference: str) -> list[Table]:
    """The table of a text file, whatever its separators and encoding, or one for each sheet of a workbook.

    What the file is, its content decides.

    Args:
        reference: the path of the file; `book.xlsx#Sheet` names one sheet.

    Raises:
        MissingPath: the file is not there.
        InvalidData: it is no table, or a row has more cells than the header; the message cites it.
    """
    path, sheet = place(reference), None
    if not path.exists() and _SHEET in reference:
        name, sheet = reference.rsplit(_SHEET, 1)
        path = place(name)
    expected = "expected a table of labels, as CSV, TSV or XLSX"
    try:
        content = read_regular(path)
    except UnfitFile as error:
        raise InvalidData(f"{path} is {error.kind}: {expected}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPath(f"{path} is not there: {expected}") from None
    except OSError as error:
        raise InvalidData(f"{path.name} cannot be read ({error.strerror}): check its permissions") from None
    if content.startswith(ZIP):
        sheets = sheets_of(content, path.name)
        if sheet is not None and sheet not in sheets:
            raise InvalidData(f"{path.name} has no sheet {sheet!r}: expected one of {', '.join(sheets) or 'none'}")
        if len(sheets) < 2:
            return [_table(path, rows) for rows in sheets.values()]
        return [_table(path, rows, sheet=title) for title, rows in sheets.items() if sheet in (None, title)]
    _refuse_other_kinds(path)
    text, encoding = text_of(content, path.name)
    return [_table(path, rows_of(text, path.name), encoding=encoding)]


def _refuse_other_kinds(path: Path) -> None:
    """Refuse a file that is known as another kind of file than a table."""
    kind = kind_of_other(path)
    noun = "image" if kind is None else kind.noun
    if noun:
        raise InvalidData(f"{path.name} is no table ({noun}): expected CSV, TSV or XLSX, or a folder of images")


def _table(path: Path, rows: Rows, *, sheet: str | None = None, encoding: str | None = None) -> Table:
    width = max((_filled(cells) for _, cells in rows), default=0)
    # A title above the table fills a single cell.
    titles = sum(1 for _ in itertools.takewhile(lambda row: width > 1 and sum(map(bool, row[1])) == 1, rows))
    (first, header), *rest = rows[titles if titles < len(rows) else 0 :] or [(1, [])]
    for number, cells in rest:
        if _filled(cells) > len(header):
            raise InvalidData(
                f"row {number} of {path.name} has {len(cells)} cells; expected {len(header)}: quote cells that hold "
                "the separator"
            )
    width = max((_filled(cells) for _, cells in rows), default=0)
    require_size(width * len(rows), path.name)
    padded = [tuple((cells + [""] * width)[:width]) for cells in (header, *(cells for _, cells in rest))]
    return Table(
        path=path,
        sheet=sheet,
        columns=_names(padded[0]),
        header=(first, padded[0]),
        rows=tuple(padded[1:]),
        numbers=tuple(number for number, _ in rest),
        encoding=encoding,
    )


def _filled(cells: Sequence[str]) -> int:
    """How many cells there are without the empty ones at the end."""
    return max((at for at, cell in enumerate(cells, start=1) if cell), default=0)


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """Names for all columns: of those that share one, the later ones are numbered."""
    seen = Counter[str]()
    names: dict[str, None] = {}  # a list would be gone through for each
    for number, cell in enumerate(header, start=1):
        name = " ".join(cell.split()) or f"column {number}"
        seen[name] += 1
        while name in names:
            name = f"{name} ({seen[name]})"
        names[name] = None
    return tuple(names)
