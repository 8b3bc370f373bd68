"""The threshold at which a probability becomes a decision, as a bundle keeps it."""

from __future__ import annotations

import dataclasses
from typing import Any

from overread.decision.numbers import is_count, is_number, is_text
from overread.errors import InvalidData


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A threshold, the rule that chose it and what it gave on the cases it was chosen on.

    A case is positive where its probability, as float64, is at or above the threshold.

    Args:
        threshold: 0 to 1.
        rule: the rule as it was asked for, such as "youden" or "0.5".
        sensitivity: on the cases it was chosen on, so an optimistic figure; quote the test set's instead.
        specificity: likewise.
        n_positive: positive cases it was chosen on.
        n_negative: negative cases it was chosen on.
        note: a sentence where the rule could not be met, or only by a point of no use, or the cases cannot place it.
        interval: where the threshold would lie, in 95 of 100, had other patients been drawn; None if it was given
            beforehand, or chosen on too few, or by an overread that did not ask.

    Raises:
        InvalidData: a value lies outside 0 to 1 or is no such value, or a class had no case.
    """

    threshold: float
    rule: str
    sensitivity: float
    specificity: float
    n_positive: int
    n_negative: int
    note: str | None = None
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("threshold", "sensitivity", "specificity"):
            value = getattr(self, name)
            if not is_number(value, 0, 1):
                raise InvalidData(
                    f"operating point {name}={value!r} is not a number from 0 to 1: choose the point again"
                )
        for name in ("n_positive", "n_negative"):
            value = getattr(self, name)
            if not is_count(value, 1):
                raise InvalidData(
                    f"operating point {name}={value!r} is not a count of 1 or more: choose the point again"
                )
        if not is_text(self.rule) or not (self.note is None or is_text(self.note)):
            raise InvalidData("an operating point has a rule, and may have a note, in words: choose the point again")
        if self.interval is not None and not _is_interval(self.interval):
            raise InvalidData(f"operating point interval={self.interval!r} is none from 0 to 1: choose the point again")

    @property
    def is_given(self) -> bool:
        """Whether the threshold was given beforehand, so that no case had a say in it."""
        try:
            return bool(float(self.rule) == self.threshold)
        except ValueError:
            return False

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values, an interval only where there is one.

        So a point without one is written as before there were intervals, and an older bundle keeps its fingerprint.
        """
        fields = dataclasses.asdict(self)
        interval = fields.pop("interval")
        return fields if interval is None else {**fields, "interval": list(interval)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> OperatingPoint:
        """Rebuild what `to_dict` gave; note and interval may be missing.

        Raises:
            InvalidData: a field is missing, unknown or outside its range.
        """
        expected = {field.name for field in dataclasses.fields(cls)}
        if set(fields) | _MAY_BE_MISSING != expected:
            wrong = sorted(expected ^ (set(fields) | _MAY_BE_MISSING))
            raise InvalidData(f"an operating point has exactly {sorted(expected)}: add or remove {wrong}")
        interval = fields.get("interval")
        return cls(**{**fields, "interval": tuple(interval) if isinstance(interval, list) else interval})


def _is_interval(value: object) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    low, high = value
    return is_number(low, 0, 1) and is_number(high, 0, 1) and bool(low <= high)


_MAY_BE_MISSING = {"note", "interval"}
