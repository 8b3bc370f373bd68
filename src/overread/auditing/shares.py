"""Whether a share of one class is larger than of the rest: surely, and by enough to matter."""

from __future__ import annotations

import math

from overread.evaluation import wilson

# A difference has to be sure and to matter. As images of a patient are no independent trials, and many columns and
# values are looked at, sure is meant strictly.
_LEVEL, _LEAST_DIFFERENCE = 0.999, 0.1


def surely_more(first: tuple[int, int], second: tuple[int, int], *, comparisons: int = 1) -> bool:
    """Whether the first share of trials exceeds the second surely and by much, by Newcombe's interval.

    Args:
        first: hits, and those among which they are counted.
        second: likewise.
        comparisons: that are made, any of which may come out so by chance.

    References:
        Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    level = 1 - (1 - _LEVEL) / comparisons
    one, other = first[0] / first[1], second[0] / second[1]
    unsure = math.hypot(one - wilson(*first, level=level).low, wilson(*second, level=level).high - other)
    return one - other >= _LEAST_DIFFERENCE and one - other > unsure
