"""Groups of cases by the values of a manifest column, numbers cut at their quartiles."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray
from overread.errors import InvalidData, InvalidOption

MOST_GROUPS = 50
# Numbers with more different values than this are a measure, such as an age; with fewer a code or a grade.
MOST_NUMERIC_CODES = 8
MISSING = "(missing)"


@dataclasses.dataclass(frozen=True, eq=False)
class Grouping:
    """Which group each case belongs to; `group_cases` makes it.

    Args:
        column: the name of the manifest column.
        labels: the name of each group.
        index: `(n,)` the group of each case.
    """

    column: str
    labels: tuple[str, ...]
    index: IntArray

    def among(self, chosen: BoolArray) -> Grouping:
        """That of the chosen cases, without the groups that none of them belongs to."""
        left, index = np.unique(self.index[chosen], return_inverse=True)
        return Grouping(self.column, tuple(self.labels[group] for group in left), index)


def group_cases(values: Sequence[str], *, column: str) -> Grouping:
    """Group cases by the values of a manifest column.

    A column of numbers with more than 8 different values is cut at its quartiles, each group named by the lowest and
    highest number in it ("18 to 43"); equal numbers are never parted. Otherwise each value is a group, sorted. An
    empty value belongs to the group "(missing)", the last.

    Args:
        values: `(n,)` cells.
        column: its name.

    Raises:
        InvalidData: no case.
        InvalidOption: more than 50 groups.
    """
    cells = [value.strip() for value in values]
    if not cells:
        raise InvalidData(f"there is no case to group by {column}: give at least one")
    distinct = sorted({cell for cell in cells if cell})
    numbers = _numbers(distinct)
    names = dict(zip(distinct, distinct, strict=True))
    if numbers is not None:
        distinct.sort(key=lambda cell: (numbers[cell], cell))
        first: dict[float, str] = {}
        names = {cell: first.setdefault(numbers[cell], cell) for cell in distinct}
        if len(first) > MOST_NUMERIC_CODES:
            names = _quartile_names(np.array([numbers[cell] for cell in cells if cell]), distinct, numbers)
    labels = [*dict.fromkeys(names[cell] for cell in distinct), *([MISSING] if "" in cells else [])]
    if len(labels) > MOST_GROUPS:
        raise InvalidOption(
            f"column {column} has {len(labels)} different values: choose one of at most {MOST_GROUPS}, or of numbers"
        )
    number = {label: index for index, label in enumerate(labels)}
    index = np.array([number[names[cell] if cell else MISSING] for cell in cells], dtype=np.int64)
    return Grouping(column, tuple(labels), index)


def _numbers(cells: Sequence[str]) -> dict[str, float] | None:
    """The number each cell stands for, None unless all are finite numbers."""
    try:
        numbers = {cell: float(cell) for cell in cells}
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None


def _quartile_names(values: FloatArray, rising: Sequence[str], numbers: Mapping[str, float]) -> dict[str, str]:
    edges = np.quantile(values, [0.25, 0.5, 0.75])
    quartiles: dict[int, list[str]] = {}
    for cell in rising:
        quartiles.setdefault(int(np.searchsorted(edges, numbers[cell])), []).append(cell)
    names: dict[str, str] = {}
    for cells in quartiles.values():
        same = numbers[cells[0]] == numbers[cells[-1]]
        names |= dict.fromkeys(cells, cells[0] if same else f"{cells[0]} to {cells[-1]}")
    return names
