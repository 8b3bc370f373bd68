"""The rules that place a threshold, each on many weightings of the same cases at once.

A rule is held to what it gives on patients that it has not seen, for which the threshold that did best on those at
hand is a poor guide: a few cases decide which of many that do about as well comes first.
`benchmarks/operating_point.py` measures the rules on real images.

References:
    Youden WJ. Cancer 1950;3:32-35. doi:10.1002/1097-0142(1950)3:1<32::aid-cncr2820030106>3.0.co;2-3
    Syring N, Martin R. J Stat Plan Inference 2017;187:67-77. doi:10.1016/j.jspi.2017.03.001 (a threshold weighed by its
        errors).
    Vovk V. Mach Learn 2013;92:349-376. doi:10.1007/s10994-013-5355-6 (order statistics of cases not seen).
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple, Protocol

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidOption
from overread.words import count

# How far in log odds thresholds may lie from one another and still count as one place: .22 to .78, say.
WIDE = 2.5
# What an error takes from the log of a threshold's weight: the same cases have had their say in the calibration. On ten
# real sets 1/3 lost less on unseen patients than 1, 1/2 or 0, the share of positive cases (November 2026).
_SAY = 1 / 3
# The loss in balanced accuracy that nobody minds.
_ALIKE = 0.0025
_SMALLEST = 1e-12
# Of one case, the part at least that a threshold beyond all may stand for: the tail is not known further out.
_FURTHEST = 0.25


class Draws(NamedTuple):
    """Cases weighed in several ways, such as once each, or as often as a patient was drawn.

    Args:
        score: `(m,)` the different probabilities, from the highest down.
        true_positives: `(draws, m)` the weight of the positive cases at or above each.
        false_positives: `(draws, m)` likewise of the negative ones.
    """

    score: FloatArray
    true_positives: FloatArray
    false_positives: FloatArray

    @property
    def positives(self) -> FloatArray:
        """`(draws, 1)` the weight of all positive cases."""
        return self.true_positives[:, -1:]

    @property
    def negatives(self) -> FloatArray:
        """`(draws, 1)` the weight of all negative cases."""
        return self.false_positives[:, -1:]


class Rule(Protocol):
    """What an operating point is asked for."""

    def thresholds(self, draws: Draws) -> FloatArray:
        """`(draws,)` the threshold on each; both classes have weight there."""

    def note(self, draws: Draws, threshold: float) -> str | None:
        """What is to be said of the threshold that the first of the draws gave."""


@dataclasses.dataclass(frozen=True)
class Fixed:
    """A threshold given beforehand."""

    threshold: float

    def thresholds(self, draws: Draws) -> FloatArray:
        return np.full(len(draws.true_positives), self.threshold)

    def note(self, draws: Draws, threshold: float) -> str | None:
        return None


@dataclasses.dataclass(frozen=True)
class FewestErrors:
    """The mean over all thresholds, each weighed by exp(-errors / 3): by how well it does on the cases.

    A missed positive case and a false alarm count as `costs` has them, or, without, so that both classes count alike;
    together 1. Before a case is seen every threshold is as likely as another, on the scale of the probability that a
    case would have if a miss were as dear as a false alarm. So where many thresholds do about as well their middle is
    taken, few cases leave it near the one that calibrated probabilities ask for, and with many the best is found.
    """

    costs: tuple[float, float] | None = None

    def thresholds(self, draws: Draws) -> FloatArray:
        miss, alarm = self._weights(draws)
        even = self._even(draws)
        upper = np.concatenate([np.ones_like(miss), even], axis=1)
        lower = np.concatenate([even, np.zeros_like(miss)], axis=1)
        width, errors = upper - lower, self._errors(draws)
        # Of the thresholds that have a width: where all others are ruled out, theirs must not vanish with them.
        least = np.where(width > 0, errors, np.inf).min(axis=1, keepdims=True)
        weight = np.exp(_SAY * np.minimum(least - errors, 0)) * width
        middle = (weight * (upper + lower)).sum(axis=1, keepdims=True) / (2 * weight.sum(axis=1, keepdims=True))
        return np.asarray(middle * alarm / (middle * alarm + (1 - middle) * miss))[:, 0]

    def note(self, draws: Draws, threshold: float) -> str | None:
        errors, score = self._errors(draws)[0], draws.score
        called = int(np.count_nonzero(score >= threshold))
        if self.costs is not None and errors[called] > errors[0]:
            return "Calling no case positive would cost less."
        alike = errors <= errors.min() + self._negligible(draws)
        unlike = np.flatnonzero(~alike)
        start = unlike[unlike < called].max(initial=-1) + 1
        end = unlike[unlike > called].min(initial=len(errors))
        edges = np.concatenate([score[:1], score, score[-1:]])
        low, high = float(edges[end]), float(edges[start])
        if not (alike[called] and is_wide(low, high)):
            return None
        return f"These cases cannot place the threshold: anything from {low:.2g} to {high:.2g} does as well on them."

    def _weights(self, draws: Draws) -> tuple[FloatArray, FloatArray]:
        """`(draws, 1)` what a miss and a false alarm count."""
        if self.costs is None:
            n = draws.positives + draws.negatives
            return draws.negatives / n, draws.positives / n
        miss, alarm = (np.full((len(draws.positives), 1), cost / sum(self.costs)) for cost in self.costs)
        return miss, alarm

    def _errors(self, draws: Draws) -> FloatArray:
        """`(draws, m + 1)` what the errors count where none, one, ... and all of the scores are called."""
        miss, alarm = self._weights(draws)
        none = np.zeros_like(miss)
        found = np.concatenate([none, draws.true_positives], axis=1)
        return miss * (draws.positives - found) + alarm * np.concatenate([none, draws.false_positives], axis=1)

    def _even(self, draws: Draws) -> FloatArray:
        """`(draws, m)` the probability of each score if a miss were as dear as a false alarm."""
        miss, alarm = self._weights(draws)
        positive, negative = draws.score * miss, (1 - draws.score) * alarm
        return np.asarray(positive / (positive + negative))

    def _negligible(self, draws: Draws) -> float:
        """Errors that nobody minds: a quarter of a point of balanced accuracy, or a case."""
        miss, alarm = self._weights(draws)
        of_all = miss * draws.positives + alarm * draws.negatives
        return max(_ALIKE * float(of_all[0, 0]), float(miss[0, 0]), float(alarm[0, 0]))


@dataclasses.dataclass(frozen=True)
class Reach:
    """The threshold with which, on average, the share asked for of the unseen cases of one class will be right.

    Of n cases that were drawn as the unseen ones are, the k-th highest has k/(n + 1) of the unseen above it on average;
    between two of them the log odds are interpolated. Where that asks for more than all n, the threshold lies beyond
    them, as far as the tail of their log odds, taken for exponential, asks.

    Args:
        target: above 0, at most 1.
        positive: whether the positive cases are to be right (sensitivity), or the negative ones (specificity).
    """

    target: float
    positive: bool

    def thresholds(self, draws: Draws) -> FloatArray:
        right, score = self._towards(draws)
        odds, n = _log_odds(score), right[:, -1]
        # Decimal fractions are not exact: (9 + 1) * 0.9 must not become 10.
        place = np.round((n + 1) * self.target, 9)
        within = np.clip(place, 1, n)
        inner, outer = _first(right, np.floor(within)), _first(right, np.ceil(within))
        found = odds[inner] + (within - np.floor(within)) * (odds[outer] - odds[inner])
        furthest, middle = odds[_first(right, n)], odds[_first(right, n / 2)]
        # Of n cases with an exponential tail the furthest lies log(n / 2) scales beyond their median.
        scale = (middle - furthest) / np.log(np.maximum(n / 2, 2))
        found = np.where(place > n, furthest + scale * np.log(np.maximum(n + 1 - place, _FURTHEST)), found)
        # Cases of one probability fall on the same side, whatever rounding made of it.
        if self.positive:
            return np.minimum(_probability(found), score[inner])
        return np.clip(_probability(found), np.nextafter(score[inner], 2), 1)

    def note(self, draws: Draws, threshold: float) -> str | None:
        n, kind = int(self._towards(draws)[0][0, -1]), "positive" if self.positive else "negative"
        enough = math.ceil(round(self.target / (1 - self.target), 9)) if self.target < 1 else None
        if enough is not None and n >= enough:
            return None
        what = f"A {'sensitivity' if self.positive else 'specificity'} of {self.target:g} cannot be promised"
        return f"{what} by {count(n, f'{kind} case')}" + ("." if enough is None else f": it takes {enough}.")

    def _towards(self, draws: Draws) -> tuple[FloatArray, FloatArray]:
        """The weight of the cases that are to be right as each score is added, and the scores in that order."""
        if self.positive:
            return draws.true_positives, draws.score
        above = np.concatenate([np.zeros_like(draws.negatives), draws.false_positives[:, :-1]], axis=1)
        return (draws.negatives - above)[:, ::-1], draws.score[::-1]


def parse_rule(rule: str | float) -> Rule:
    """Make a rule of what was asked for.

    Raises:
        InvalidOption: it is unknown.
    """
    text = str(rule)
    name, _, target = text.partition("=")
    miss, _, alarm = target.partition(":")
    if text == "youden":
        return FewestErrors()
    if name in ("sensitivity", "specificity") and 0 < _number(target) <= 1:
        return Reach(_number(target), positive=name == "sensitivity")
    if name == "cost" and 0 < _number(miss) < math.inf and 0 < _number(alarm) < math.inf:
        return FewestErrors((_number(miss), _number(alarm)))
    if 0 <= _number(text) <= 1:
        return Fixed(_number(text))
    raise InvalidOption(
        f"operating point rule {rule!r} is unknown: use 'sensitivity=0.95', 'specificity=0.9', 'cost=5:1' (a miss : a "
        "false alarm), 'youden' or a threshold from 0 to 1"
    )


def is_wide(low: float, high: float) -> bool:
    """Whether two thresholds lie so far apart that nobody would call it one place."""
    below, above = _log_odds(np.array([low, high]))
    return bool(above - below > WIDE)


def _first(right: FloatArray, needed: FloatArray) -> IntArray:
    """`(draws,)` the first score down to which as many are right."""
    return np.argmax(right >= needed[:, None], axis=1)


def _log_odds(probability: FloatArray) -> FloatArray:
    bounded = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(bounded) - np.log1p(-bounded))


def _probability(log_odds: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-np.logaddexp(0, -log_odds)))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
