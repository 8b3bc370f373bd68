"""A table of labels whose rows name files, and which of its columns do."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Sequence

from overread.cases.labelling.files import Files
from overread.cases.labelling.images import ImageColumn, image_columns
from overread.cases.labelling.roles import are_views, plain
from overread.cases.labelling.views import joined_columns
from overread.cases.source import Source
from overread.cases.tables.table import Table
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.words import listed

# Between the names of columns that name images of one exam.
TOGETHER = "+"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matched:
    """A table whose rows name files.

    Args:
        table: of the rows.
        images: the column that names them.
        side: of the split on which all rows stand, as the name of the table says; else None.
    """

    table: Table
    images: ImageColumn
    side: str | None = None

    @property
    def others(self) -> list[str]:
        """The columns that do not name the image."""
        return [column for column in self.table.columns if column not in (self.images.column, *self.images.also)]


def match(table: Table, files: Files, source: Source, side: str | None = None) -> Matched | None:
    """The table with the column that names its images; None where no column does.

    Columns that differ by a side or a view alone name images of one exam each; so do those that the source names.

    Raises:
        Undecided: two columns name different images.
        InvalidOption: it has no such column as the source names.
    """
    named = _columns_named(table, source.image_column)
    found = _found(table, files, named, side)
    if found and _has_no_header(table, found[0], files):
        named = [f"column {table.columns.index(one.column) + 1}" for one in (found if named else found[:1])]
        table = table.without_header()
        found = _found(table, files, named, side)
    if len(found) > 1 and (named or are_views([one.column for one in found])):
        for one in found:
            require_one_file_each(Matched(table=table, images=one), files)
        found = [joined_columns(found)]
    if len(found) > 1:
        names = [one.column for one in found]
        raise Undecided(
            f"{table.name} names several images in a row, in the columns {listed(names)} (--image-column "
            f"{shlex.quote(TOGETHER.join(names[:2]))} takes those of both as one exam)",
            option="image_column",
            choices=names,
        )
    return Matched(table=table, images=found[0], side=side) if found else None


def _columns_named(table: Table, name: str | None) -> list[str]:
    """The columns that a user names, one or several with a plus between them."""
    if name is None:
        return []
    parts = [name] if name in table.columns or TOGETHER not in name else name.split(TOGETHER)
    return [column_called(table, part.strip(), "image_column") for part in parts]


def _found(table: Table, files: Files, named: Sequence[str], side: str | None) -> list[ImageColumn]:
    """The columns that name images: those that are named, else those that do it best."""
    if not named:
        return image_columns(table, files, side=side)
    each = {column: image_columns(table, files, named=column, side=side) for column in named}
    for column, found in each.items():
        if not found and len(each) > 1:
            raise InvalidOption(f"column {column} of {table.name} names no image: name those that do")
    return [one for found in each.values() for one in found]


def column_called(table: Table, name: str, option: str) -> str:
    """The column that a user means: by its name in any case, or as `column N`, counted from 1.

    Raises:
        InvalidOption: there is none.
    """
    alike = [column for column in table.columns if plain(column) == plain(name) != ""]
    if name in table.columns or len(alike) == 1:
        return name if name in table.columns else alike[0]
    number = re.fullmatch(r"column (\d{1,4})", name)
    if number and 1 <= int(number[1]) <= len(table.columns):
        return table.columns[int(number[1]) - 1]
    raise InvalidOption(
        f"--{option.replace('_', '-')} {name!r} is no column of {table.name}: expected one of "
        f"{', '.join(table.columns)}, or column 1 to {len(table.columns)}"
    )


def require_one_file_each(matched: Matched, files: Files) -> None:
    """Refuse rows whose cell several files go by.

    Raises:
        InvalidData: there are some; the message cites the first.
    """
    if rows := matched.images.ambiguous:
        cell = matched.table[matched.images.column][rows[0]]
        names = [files.names[at] for at in matched.images.found[rows[0]]]
        raise InvalidData(
            f"{len(rows):,} rows of {matched.table.name} name an image that several files are called, the first in row "
            f"{matched.table.numbers[rows[0]]} ({cell} is {' or '.join(names[:3])}): give --images the folder that is "
            "meant, or write the names in full, with folder and suffix"
        )


def no_match(tables: Sequence[Table], files: Files, left_out: Sequence[str]) -> InvalidData:
    """The error that no column of tables names the files, with what both look like.

    Args:
        tables: without such a column.
        files: the images that there are.
        left_out: sentences on files that are no images.
    """
    if not len(files):
        found = f": {'; '.join(left_out)}" if left_out else ""
        return InvalidData(
            f"{files.root} holds no image{found}; give --images the folder that holds those of the table"
        )
    said = []
    for table in tables:
        likeliest = max(
            table.columns, key=lambda column: (_sounds_like_images(column), len(set(table[column]))), default=""
        )
        cell = next(filter(None, table[likeliest]), "") if likeliest else ""
        said.append(
            f"in {table.name} column {likeliest} has cells like {_masked(cell)}" if cell else f"{table.name} is empty"
        )
    return InvalidData(
        f"no column names the images below {files.root}: {'; '.join(said)} (letters and digits are masked), while "
        f"a file is {files.names[0]}; give --images the folder that holds them, or name the column with --image-column"
    )


def _has_no_header(table: Table, images: ImageColumn, files: Files) -> bool:
    """True where the first cell of the column that names images is such a name as well."""
    first = table.header[1][table.columns.index(images.column)]
    cells = table[images.column]
    if files.called(first, files.by_name) or (
        first and first.replace("\\", "/").rstrip("/") != first and files.below(first)
    ):
        return True
    return bool(first) and sum(_form(cell) == _form(first) for cell in cells) > 0.5 * len(cells)


def _form(cell: str) -> str:
    """A cell without what tells it from its like: its digits, and of a path all but its depth."""
    path = cell.replace("\\", "/")
    return str(path.count("/")) if "/" in path else re.sub(r"\d+", "0", path.casefold())


def _masked(cell: str) -> str:
    """What a cell looks like, without what it says."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", cell))[:80]


def _sounds_like_images(column: str) -> bool:
    return re.search(r"image|img|file|path|name|id", plain(column)) is not None
