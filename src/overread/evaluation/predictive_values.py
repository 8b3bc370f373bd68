"""What a positive and a negative reading mean where the disease is as common as in the clinic."""

from __future__ import annotations

import math

from overread.evaluation.decision_curve import require_prevalence
from overread.evaluation.estimates import Estimate
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.uncertainty.interval import Interval

_METHOD = "square-and-add on the log likelihood ratio"


def predictive_values(sensitivity: Estimate, specificity: Estimate, *, prevalence: float) -> dict[str, Estimate]:
    """Give PPV and NPV where this share of cases is positive, by Bayes' theorem.

    Sensitivity and specificity are taken to hold there too; where the clinic sees milder disease, they do not. The
    interval joins theirs by Newcombe's square-and-add on the logarithm of the likelihood ratio, and the prevalence is
    taken as known. Where a rate of exactly 0 or 1 has no logarithm, the ends of both are taken at once, which is wider.

    Args:
        sensitivity: of the test set, at the operating point.
        specificity: likewise, with an interval of the same level.
        prevalence: above 0 and below 1.

    Returns:
        "ppv" and "npv", each resting on the cases of both; NaN with the reason where a rate is undefined or no case
        would be called positive (negative).

    Raises:
        InvalidOption: the prevalence is out of range.

    References:
        Altman DG, Bland JM. BMJ 1994;309:102. doi:10.1136/bmj.309.6947.102
        Zou GY, Donner A. Stat Med 2008;27:1693-1702 (square-and-add). doi:10.1002/sim.3095
    """
    require_prevalence(prevalence)
    odds = prevalence / (1 - prevalence)
    return {
        "ppv": _posterior("ppv", odds, sensitivity, specificity, "No case was predicted positive."),
        "npv": _posterior("npv", 1 / odds, specificity, sensitivity, "Every case was predicted positive."),
    }


def _posterior(name: str, odds: float, rate: Estimate, other: Estimate, if_none: str) -> Estimate:
    """The probability that a call is right: right calls come at `rate`, wrong ones at 1 - `other`."""
    level, n = rate.interval.level, rate.metric.n + other.metric.n
    reasons = dict.fromkeys(given.metric.reason for given in (rate, other) if given.metric.reason)
    right, wrong = rate.metric.value, 1 - other.metric.value
    if reasons or right + wrong == 0:
        reason = " ".join(reasons) or if_none
        return Estimate(Metric(name, math.nan, n, reason), Interval.none(level, "none", reason))
    metric = Metric(name, _probability(odds, right, wrong), n)
    missing = rate.interval.reason or other.interval.reason
    if missing:
        return Estimate(metric, Interval.none(level, _METHOD, missing))
    rights, wrongs = (rate.interval.low, rate.interval.high), (1 - other.interval.high, 1 - other.interval.low)
    if right == 0 or wrong == 0:
        low = 0.0 if right == 0 else _probability(odds, rights[0], wrongs[1])
        high = 1.0 if wrong == 0 else _probability(odds, rights[1], wrongs[0])
        return Estimate(metric, Interval(low, high, level, "ends of sensitivity and specificity at once"))
    down = math.hypot(_log(right) - _log(rights[0]), _log(wrongs[1]) - _log(wrong))
    up = math.hypot(_log(rights[1]) - _log(right), _log(wrong) - _log(wrongs[0]))
    low, high = _probability(odds, right, wrong * math.exp(down)), _probability(odds, right, wrong * math.exp(-up))
    return Estimate(metric, Interval(low, high, level, _METHOD))


def _probability(odds: float, right: float, wrong: float) -> float:
    return odds * right / (odds * right + wrong)


def _log(rate: float) -> float:
    return math.log(rate) if rate > 0 else -math.inf
