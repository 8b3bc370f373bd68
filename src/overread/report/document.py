"""What a page says, before it is one: sections of plain text, tables and figures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from overread.errors import InvalidData

# Where a page names images.
IMAGE_NUMBERS = (
    "Images go by numbers; private/images.csv in the folder of this run tells their names, and is not to go on."
)
# In characters: what fits across half a page, where the name of a row and other cells wrap, and between columns.
_HALF_PAGE, _NAME, _CELL, _GAP = 60, 20, 30, 3


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells as text; the first of each row names the row.

    Args:
        caption: what they are.
        header: over the columns.
        rows: of as many cells.
        is_dense: set long cells in several lines, so that many columns fit on the page.

    Raises:
        InvalidData: a row is longer or shorter than the header.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_dense: bool = False

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise InvalidData(
                    f"row {number} (from 0) of table {self.caption!r} has {len(row)} cells: "
                    f"give {len(self.header)}, one under each heading"
                )

    @property
    def is_wide(self) -> bool:
        """Whether it needs the width of the page, with nothing beside it."""
        widest = [max(map(len, heading.split()), default=0) for heading in self.header]
        for row in self.rows:
            widest = [max(pair) for pair in zip(widest, map(len, row), strict=True)]
        first, *others = widest
        return min(first, _NAME) + sum(min(width, _CELL) for width in others) + _GAP * len(widest) > _HALF_PAGE


@dataclasses.dataclass(frozen=True)
class FigureItem:
    """A PNG, what it shows, and the same in words for who cannot see it.

    Raises:
        InvalidData: the words are missing.
    """

    path: Path
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InvalidData(f"figure {self.path.name} has no alt text: say in a sentence what it shows")


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading and what stands under it: warnings, paragraphs, then tables and figures in the order given."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[Table | FigureItem, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReportContext:
    """All a report says. Text is never markup.

    Args:
        title: over the page.
        verdict: paragraph by paragraph.
        sections: after it.
        leading: how many paragraphs of the verdict are the result itself, and set larger than the others.
    """

    title: str
    verdict: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    leading: int = 1
