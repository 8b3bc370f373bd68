"""Text and values as Markdown that shows them as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from overread.evaluation import Estimate, Interval, Metric
from overread.evaluation.wording import ends_of, in_cell, value_or_reason


def escaped(text: str) -> str:
    """Give text in one line, as Markdown that shows it as it is."""
    return re.sub(r"([\\`*\[\]<>&|~#$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", " ".join(text.split()))


def shown(value: Any) -> str:
    """Give a value in words: a number rounded, an undefined metric or a missing interval with its reason."""
    match value:
        case Estimate():
            return in_cell(value)
        case Metric():
            return value_or_reason(value)
        case Interval():
            return f"no interval: {value.reason}" if value.reason else ends_of(value)
        case bool() | str():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3f}"
        case _:
            return "" if value is None else str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Give a Markdown table of values as `shown` gives them."""
    lines = [[escaped(cell) for cell in header], ["---"] * len(header)]
    lines += [[escaped(shown(cell)) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(texts: Iterable[str]) -> str:
    """Give a list, a text an item."""
    return "\n".join(f"- {escaped(text)}" for text in texts)
