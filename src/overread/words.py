"""Numbers, lists and reasons as a sentence has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def count(number: int, noun: str) -> str:
    """Give a number with its noun, in the plural where there is not one."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does: "a, b and c", or with another word before the last."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def first_of(words: Sequence[str], most: int = 6) -> str:
    """Join the first of many words as a sentence does, and say how many more there are."""
    rest = len(words) - most
    return listed([*words[:most], f"{rest:,} more"] if rest > 0 else words)


def paired(values: Mapping[str, Any]) -> str:
    """Give each name with its value: "python 3.12.1, keras 3.15.1"."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def percent(share: float) -> str:
    """Give a share of 1 that was measured, as a percentage to one digit."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def level_of(share: float) -> str:
    """Give a share of 1 that was asked for, such as the level of an interval: "95 %"."""
    return f"{100 * share:g} %"


def one_in(share: float) -> str:
    """Give a small share as people count: "1 in 20", "15 in 100"."""
    times = round(1 / share, 6)
    return f"1 in {times:,.0f}" if times == round(times) else f"{100 * share:.4g} in 100"


def low_to_high(low: float, high: float, style: str = ".3f") -> str:
    """Give the ends of an interval: "0.812 to 0.934"."""
    return f"{low:{style}} to {high:{style}}"


def duration(seconds: float) -> str:
    """Give a time to two figures or to the second, whichever is coarser: "40 s", "12 min", "2.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def moment(time: str) -> str:
    """Give a time in ISO 8601 to the minute."""
    return time[:16].replace("T", " ")


def clause(sentence: str | None) -> str:
    """Give a reason without capital and full stop, to stand inside a sentence; a name in capitals keeps them."""
    text = (sentence or "").rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
