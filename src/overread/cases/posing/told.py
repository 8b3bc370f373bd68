"""What was found in data: cases, how their labels are told, and notes on what was understood."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from overread.cases.case import Case


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """How a label is told.

    Args:
        heading: of the column that tells it; empty for class folders.
        lists: it lists findings, any number of which an image may show; else it names one class or grade.
        columns: the findings that have a column each, so that all others are not known; None where a list names those
            that are there and all others are absent.
    """

    heading: str = ""
    lists: bool = False
    columns: frozenset[str] | None = None


class Found(NamedTuple):
    """The cases of data.

    Args:
        cases: in the order in which the data have them.
        notes: on what was understood and left out.
        told: how their labels are; of several tasks, each of its own, in the form that `SeveralTasks` reads.
    """

    cases: list[Case]
    notes: list[str]
    told: tuple[Told, ...] = (Told(),)
