"""The rows of a table that name one image, where several do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from overread.words import first_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """Several rows about one image, and all that they say of it; empty cells say nothing.

    Args:
        numbers: of the rows; the first counts.
        labels: that they give.
        patients: likewise.
        sides: likewise.
    """

    numbers: tuple[int, ...]
    labels: tuple[str, ...]
    patients: tuple[str, ...]
    sides: tuple[str, ...]

    @classmethod
    def of(cls, numbers: Sequence[int], told: Iterable[tuple[str | None, str | None, str | None]]) -> Rows | None:
        """The rows with the label, patient and side that each tells; None for a single row."""
        if len(numbers) < 2:
            return None
        labels, patients, sides = (tuple(filter(None, dict.fromkeys(cells))) for cells in zip(*told, strict=True))
        return cls(numbers=tuple(numbers), labels=labels, patients=patients, sides=sides)

    @property
    def differ_in(self) -> tuple[str, ...]:
        """What they contradict each other in: label, patient, side."""
        told = (("label", self.labels), ("patient", self.patients), ("side", self.sides))
        return tuple(what for what, said in told if len(said) > 1)

    @property
    def cited(self) -> str:
        """Such as "rows 3, 17 and 20"."""
        return f"rows {first_of([f'{number}' for number in self.numbers])}"
