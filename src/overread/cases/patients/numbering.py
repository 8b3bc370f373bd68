"""Whether two kinds of images number their patients as one, or each anew."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection

# Where patients are counted, at least this part of the numbers is there.
_GAPLESS = 0.5
_UNLIKELY = math.log(1e-3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbering:
    """How the patient numbers of two kinds of images compare.

    Args:
        shared: how many numbers both have.
        gapless: whether each kind has most of the numbers between its first and its last.
        from_one: whether each has most of the numbers up to its last, as where it is counted by itself.
        ends_early: whether one ends earlier than chance allows, if the numbers were shared.
        end_ratio: the last number of one by the last of the other.
        paired: whether most numbers that could be in both are, far more than chance would bring there.
    """

    shared: int
    gapless: bool
    from_one: bool
    ends_early: bool
    end_ratio: float
    paired: bool


def compare_numbering(first: Collection[int], second: Collection[int]) -> Numbering:
    """Compare the patient numbers of two kinds of images, each of one number or more."""
    first, second = set(first), set(second)
    shared = len(first & second)
    low, high = max(min(first), min(second)), min(max(first), max(second))
    inside = [sum(low <= number <= high for number in numbers) for numbers in (first, second)]
    expected = inside[0] * inside[1] / max(high - low + 1, 1)
    room = min(len(first), len(second)) - expected
    (end, count), (last, _) = sorted((max(numbers), len(numbers)) for numbers in (first, second))
    return Numbering(
        shared=shared,
        gapless=all(len(numbers) >= _GAPLESS * (max(numbers) - min(numbers) + 1) for numbers in (first, second)),
        from_one=all(len(numbers) >= _GAPLESS * max(numbers) for numbers in (first, second)),
        # Were the numbers shared, all `count` of them would have to lie below `end` by chance.
        ends_early=count * math.log(max(end, 1) / max(last, 1)) < _UNLIKELY,
        end_ratio=end / max(last, 1),
        paired=first == second or (room >= 1 and shared - expected >= room / 2),
    )
