"""Tests for drift: whether new values are drawn as the reference values were."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def kolmogorov_smirnov(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[float, float]:
    """Test whether two samples come from one distribution; give the largest distance of their shares, and p.

    The p is that of the limit of many values, which is slightly too high for few: 0.012 in place of the exact 0.0115
    for 50 and 50. Ties make it higher still.

    Args:
        first: `(n,)` finite numbers, one or more.
        second: `(m,)` likewise.

    References:
        Smirnov N. Ann Math Stat 1948;19:279-281. doi:10.1214/aoms/1177730256
    """
    a, b = np.sort(np.asarray(first, dtype=float)), np.sort(np.asarray(second, dtype=float))
    both = np.concatenate([a, b])
    shares = [np.searchsorted(sample, both, side="right") / len(sample) for sample in (a, b)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    scaled = math.sqrt(len(a) * len(b) / (len(a) + len(b))) * distance
    if scaled < 0.2:  # p is 1 to twelve digits, and the sum converges slowly
        return distance, 1.0
    terms = (math.copysign(math.exp(-2 * (k * scaled) ** 2), k % 2 - 0.5) for k in range(1, 101))
    return distance, min(1.0, max(0.0, 2 * math.fsum(terms)))


def exceedances_p(above: int, n: int, *, reference_above: int, n_reference: int) -> float:
    """Give the chance of so many or more new values above a limit that was taken from a reference sample.

    It allows for the limit's own uncertainty (beta-binomial), which a binomial test against 1 % does not: a 99th
    percentile of 400 images is exceeded by anything from 0.3 to 2.2 % of images.

    Args:
        above: new values above the limit.
        n: new values, all drawn as the reference was.
        reference_above: values of the reference at the limit or above, 1 or more.
        n_reference: values of the reference.

    References:
        Gumbel EJ, von Schelling H. Ann Math Stat 1950;21:247-262. doi:10.1214/aoms/1177729842
    """
    alpha, beta = reference_above, n_reference + 1 - reference_above
    whole = _log_beta(alpha, beta)
    chances = (math.exp(_log_ways(n, k) + _log_beta(k + alpha, n - k + beta) - whole) for k in range(above, n + 1))
    return min(1.0, math.fsum(chances))


def fewer_p(later: tuple[int, int], earlier: tuple[int, int]) -> float:
    """Test whether the share of successes has fallen: Fisher's exact test, one-sided.

    Args:
        later: successes, and trials.
        earlier: likewise.
    """
    successes, n = later[0] + earlier[0], later[1] + earlier[1]
    whole = _log_ways(n, later[1])
    chances = (
        math.exp(_log_ways(successes, k) + _log_ways(n - successes, later[1] - k) - whole)
        for k in range(max(0, later[1] - (n - successes)), later[0] + 1)
    )
    return min(1.0, math.fsum(chances))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that any below alpha is a false alarm, of all tests together, with chance alpha at most.

    References:
        Holm S. Scand J Stat 1979;6:65-70.
    """
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = highest
    return adjusted


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
