"""What may stand for a number or a text in a value that was read from a file."""

from __future__ import annotations

# Beyond any number that a fit gives; squares and sums of it are finite.
LARGEST = 1e100


def is_number(value: object, low: float = -LARGEST, high: float = LARGEST) -> bool:
    """Whether a value is a finite number, no bool, from `low` to `high`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def is_count(value: object, least: int = 0) -> bool:
    """Whether a value is a whole number, no bool, of `least` or more, that 64 bits hold."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63


def is_text(value: object) -> bool:
    """Whether a value is a text without a null character, which no file name and no database can hold."""
    return isinstance(value, str) and "\0" not in value
