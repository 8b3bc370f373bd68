"""A column of numbers, such as an age, as two classes: below a number, and from it on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from overread.cases.labelling.matched import Matched
from overread.cases.labelling.roles import as_number, column_named
from overread.cases.relabel import Relabel
from overread.cases.shown.labels import Labels
from overread.cases.shown.readings import list_of
from overread.errors import InvalidOption

MEDIAN = "median"


def cut_column(matched: Matched, column: str, at: str, relabel: Relabel) -> Labels:
    """The two classes of a column, of the rows that have a file; a cell that is no number has none.

    Args:
        matched: the table.
        column: of numbers.
        at: the number, or "median" for that of the rows.
        relabel: names the classes anew.

    Raises:
        InvalidOption: the column has no two numbers, or all lie on one side.
    """
    cells = matched.table[column]
    numbers = [as_number(cell) for cell in cells]
    own = [number for row, number in enumerate(numbers) if number is not None and matched.images.named_in(row)]
    if len(set(own)) < 2:
        raise InvalidOption(
            f"{column_named(column)} of {matched.table.name} has no two numbers to cut between: name a column of "
            "numbers with --label-column"
        )
    edge = _median(own) if at == MEDIAN else float(at)
    if not min(own) < edge <= max(own):
        raise InvalidOption(
            f"all numbers of {column_named(column)} lie on one side of --cut-at {at}: they go from {min(own):g} to "
            f"{max(own):g}; choose one between, or median"
        )
    called = (f"below {edge:g}", f"from {edge:g} on")
    told = ["" if number is None else called[number >= edge] for number in numbers]
    return list_of(told, column, relabel)


def _median(numbers: Sequence[float]) -> float:
    """The number that halves them best among those that are there, so that it can be said to the last digit."""
    middle = statistics.median_high(numbers)
    return middle if middle > min(numbers) else min(number for number in numbers if number > middle)
