"""Tests for drift: whether new values are drawn as the reference values were."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class AgainstSample:
    """Values that come one batch after the other, held against a sample in no more memory than the sample takes.

    Between two values of the sample its share is constant and that of the new values only grows, so that the largest
    distance of both lies at a value of the sample or just below one: there the new values are counted.

    Args:
        sample: `(m,)` finite numbers, one or more.
    """

    def __init__(self, sample: npt.ArrayLike) -> None:
        self._sample = np.sort(np.asarray(sample, dtype=float))
        self.n, self.m = 0, len(self._sample)
        self._at = np.unique(self._sample)
        self._below, self._up_to = np.zeros((2, len(self._at)), dtype=np.int64)

    def add(self, values: npt.ArrayLike) -> None:
        """Take in further values, `(n,)` finite numbers."""
        new = np.sort(np.asarray(values, dtype=float))
        self.n += len(new)
        self._below += np.searchsorted(new, self._at, side="left")
        self._up_to += np.searchsorted(new, self._at, side="right")

    def kolmogorov_smirnov(self) -> tuple[float, float]:
        """Test whether both come from one distribution; give the largest distance of their shares, and p.

        There is one new value or more. The p is that of the limit of many values, which is slightly too high for few:
        0.012 in place of the exact 0.0115 for 50 and 50. Ties make it higher still.

        References:
            Smirnov N. Ann Math Stat 1948;19:279-281. doi:10.1214/aoms/1177730256
        """
        below, up_to = (np.searchsorted(self._sample, self._at, side=side) / self.m for side in ("left", "right"))
        distances = np.abs([self._below / self.n - below, self._up_to / self.n - up_to])
        distance = float(distances.max())
        scaled = math.sqrt(self.n * self.m / (self.n + self.m)) * distance
        if scaled < 0.2:  # p is 1 to twelve digits, and the sum converges slowly
            return distance, 1.0
        terms = (math.copysign(math.exp(-2 * (k * scaled) ** 2), k % 2 - 0.5) for k in range(1, 101))
        return distance, min(1.0, max(0.0, 2 * math.fsum(terms)))


def kolmogorov_smirnov(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[float, float]:
    """Test two samples, `(n,)` and `(m,)`, as `AgainstSample.kolmogorov_smirnov` does."""
    against = AgainstSample(second)
    against.add(first)
    return against.kolmogorov_smirnov()


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
    # So many are above the limit just when, of as many of the highest of all values, fewer are of the reference than
    # are above the limit there: a sum over these few instead of over all n.
    highest = above + reference_above - 1
    whole = _log_ways(n + n_reference, highest)
    chances = (
        math.exp(_log_ways(n_reference, k) + _log_ways(n, highest - k) - whole)
        for k in range(max(0, highest - n), min(reference_above, highest + 1))
    )
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
