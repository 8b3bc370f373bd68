"""The rows of a table that name one image, where several do: which, and all that they say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from overread.errors import InvalidData
from overread.words import count, first_of

# What is told of an image, in the order in which rows tell it.
_FACTS = ("label", "patient", "side")
Rows = Mapping[str, tuple[str, ...]]


def rows_about(numbers: Sequence[int], told: Iterable[tuple[str | None, str | None, str | None]]) -> Rows:
    """Give the numbers of the rows and each label, patient and side that they tell; nothing for a single row.

    Args:
        numbers: of the rows that name an image.
        told: label, patient and side by each row; empty cells tell nothing.
    """
    if len(numbers) < 2:
        return {}
    facts = zip(_FACTS, zip(*told, strict=True), strict=True)
    said = {what: tuple(filter(None, dict.fromkeys(cells))) for what, cells in facts}
    return {"row": tuple(map(str, numbers)), **said}


def merged_rows(each: Iterable[Rows]) -> Rows:
    """What rows tell of several images that belong together, as those of one."""
    each = list(each)
    return {
        what: tuple(filter(None, dict.fromkeys(cell for rows in each for cell in rows.get(what, ()))))
        for what in ("row", *_FACTS)
    }


def differ_in(rows: Rows) -> tuple[str, ...]:
    """What rows contradict each other in: label, patient, side."""
    return tuple(what for what in _FACTS if len(rows.get(what, ())) > 1)


def cite(rows: Rows) -> str:
    """Such as "rows 3, 17 and 20"."""
    return f"rows {first_of(rows['row'])}"


def require_one_exam(named: Iterable[tuple[Sequence[int], Sequence[object]]], table: str) -> None:
    """Refuse images that rows put into different exams.

    Args:
        named: of each image the numbers of its rows, and the exam that each of these tells, or nothing.
        table: its name.

    Raises:
        InvalidData: there are some; the message counts them and cites the rows of the first.
    """
    torn = [numbers for numbers, exams in named if len(set(filter(None, exams))) > 1]
    if torn:
        raise InvalidData(
            f"rows {first_of([str(number) for number in torn[0]])} of {table} put one image into different exams, and "
            f"so are {count(len(torn), 'image')}: an image belongs to one exam, so keep it in one"
        )
