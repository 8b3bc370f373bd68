"""Whether two readers decide the same cases rightly equally often: McNemar's test and Newcombe's interval."""

from __future__ import annotations

import math

from overread.evaluation.uncertainty.interval import Interval, wilson

# From so many cases on which just one reader is right the chi-squared approximation is taken.
_ENOUGH_DISCORDANT = 25


def mcnemar(only_first: int, only_second: int) -> tuple[float, str]:
    """Test whether two readers are right equally often, from the cases on which just one of them is.

    Exact (binomial) below 25 such cases, else chi-squared with Edwards' continuity correction; 1 if there is none.

    Args:
        only_first: cases that only the first reader decides rightly, 0 or more.
        only_second: cases that only the second one does.

    Returns:
        The two-sided p, and the test in words.

    Example:
        >>> mcnemar(1, 7)
        (0.0703125, 'McNemar, exact binomial')

    References:
        McNemar Q. Psychometrika 1947;12:153-157. doi:10.1007/BF02295996
        Edwards AL. Psychometrika 1948;13:185-187. doi:10.1007/BF02289261
    """
    discordant = only_first + only_second
    if discordant < _ENOUGH_DISCORDANT:
        tail = sum(math.comb(discordant, k) for k in range(min(only_first, only_second) + 1))
        return min(1.0, 2 * tail / 2**discordant), "McNemar, exact binomial"
    chi_squared = max(abs(only_first - only_second) - 1, 0) ** 2 / discordant
    return math.erfc(math.sqrt(chi_squared / 2)), "McNemar, continuity-corrected"


def paired_interval(both: int, only_first: int, only_second: int, neither: int, *, level: float = 0.95) -> Interval:
    """Give Newcombe's square-and-add interval of the second reader's share of right decisions less the first's.

    It joins Wilson's intervals of the two shares, allowing for their correlation, and has a width even where no
    decision differs.

    Args:
        both: cases decided rightly by both readers.
        only_first: by the first one only.
        only_second: by the second one only.
        neither: by none.
        level: above 0 and below 1.

    References:
        Newcombe RG. Stat Med 1998;17:2635-2650 (method 10).
        doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C
    """
    n = both + only_first + only_second + neither
    first, second = wilson(both + only_first, n, level=level), wilson(both + only_second, n, level=level)
    share_first, share_second = (both + only_first) / n, (both + only_second) / n
    covariance = both * neither - only_first * only_second
    # Newcombe's correction for few cases, on the side of no correlation.
    corrected = max(covariance - n / 2, 0.0) if covariance > 0 else covariance
    margins = math.sqrt(share_first * (1 - share_first) * share_second * (1 - share_second)) * n * n
    phi = corrected / margins if margins else 0.0

    def reach(down: float, up: float) -> float:
        return math.sqrt(max(down * down - 2 * phi * down * up + up * up, 0.0))

    difference = share_second - share_first
    low = difference - reach(share_second - second.low, first.high - share_first)
    high = difference + reach(second.high - share_second, share_first - first.low)
    return Interval(low, high, level, "Newcombe, paired")
