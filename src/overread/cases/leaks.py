"""What it does to a result that the same patients, or pictures, stand on two sides of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from overread.cases.case import SPLITS

# The gravest first; what stands on all three sides counts as the first.
_MEANING = {
    frozenset({"train", "test"}): "the network would be tested on what it has learnt from, and the result better than "
    "the truth",
    frozenset({"val", "test"}): "the network would be tested on what it was tuned by, and the result better than the "
    "truth",
    frozenset({"train", "val"}): "the network would be tuned by what it has learnt from, and validation flatter; the "
    "test side is not touched",
}


def said_of_leaks(sides: Iterable[Collection[str]]) -> str:
    """Say how many stand on which two sides, and what follows.

    Args:
        sides: on which each stands, two or three of train, val and test.
    """
    found = Counter(next(pair for pair in _MEANING if pair <= set(of_one)) for of_one in sides)
    return "; ".join(
        f"{found[pair]:,} on {' and '.join(side for side in SPLITS if side in pair)}: {meaning}"
        for pair, meaning in _MEANING.items()
        if found[pair]
    )
