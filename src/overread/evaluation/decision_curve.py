"""What acting on the probabilities is worth: net benefit against treating every case and treating none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, cut_table
from overread.errors import InvalidData, InvalidOption

USUAL_THRESHOLDS = tuple(percent / 100 for percent in range(1, 100))


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecisionCurve:
    """Net benefit at each threshold probability; `decision_curve` makes it.

    The unit is one true positive a case: 0.1 is worth finding ten more ill in a hundred without one false alarm.
    Treating none has net benefit 0 at every threshold.

    Args:
        thresholds: 0 or more and below 1, rising; whoever acts at 0.1 accepts nine false alarms for one case found.
        net_benefit: of acting where the probability is at or above the threshold.
        treat_all: of acting on every case.
        prevalence: the share of positive cases it holds for.
        n: the number of cases.

    Raises:
        InvalidData: lengths that differ, or thresholds out of order or range.
    """

    thresholds: tuple[float, ...]
    net_benefit: tuple[float, ...]
    treat_all: tuple[float, ...]
    prevalence: float
    n: int

    def __post_init__(self) -> None:
        rising = np.all(np.diff(self.thresholds) > 0) and self.thresholds[0] >= 0 and self.thresholds[-1] < 1
        if not len(self.thresholds) == len(self.net_benefit) == len(self.treat_all) or not rising:
            raise InvalidData("the decision curve has uneven or unordered columns: compute it again")

    @property
    def advantage(self) -> FloatArray:
        """Net benefit over the better of treating all and none; the probabilities help where it is above 0."""
        return np.array(self.net_benefit) - np.maximum(self.treat_all, 0.0)

    @property
    def avoided_per_100(self) -> FloatArray:
        """Needless interventions saved in 100 cases over treating all, as many ill found; NaN at threshold 0."""
        odds = _odds(np.array(self.thresholds))
        gained = np.array(self.net_benefit) - np.array(self.treat_all)
        return np.divide(100 * gained, odds, out=np.full(odds.shape, np.nan), where=odds > 0)

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}


def decision_curve(
    y_true: npt.ArrayLike,
    y_prob_positive: npt.ArrayLike,
    *,
    thresholds: Sequence[float] = USUAL_THRESHOLDS,
    prevalence: float | None = None,
) -> DecisionCurve:
    """Compute net benefit over thresholds: TP/n - FP/n * t/(1 - t), a case being acted on where p >= t.

    A curated data set has more ill than the clinic, and net benefit depends on how many there are. With a prevalence
    p the true and false positives are weighted to it: sensitivity * p - (1 - specificity) * (1 - p) * t/(1 - t).

    Args:
        y_true: `(n,)` bool, or integers 0 and 1. One class only is defined, without a prevalence.
        y_prob_positive: `(n,)` 0 to 1, calibrated: the threshold is compared with them.
        thresholds: 0 or more and below 1, rising; every per cent from 1 to 99 if left out.
        prevalence: above 0 and below 1; that of the cases if left out.

    Raises:
        InvalidOption: the thresholds or the prevalence are out of range.
        InvalidData: as `cut_table`, probabilities that are not 0 to 1, or one class only with a prevalence.

    Example:
        >>> decision_curve([0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9], thresholds=[0.5]).net_benefit
        (0.25,)

    References:
        Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361
        Vickers AJ, van Calster B, Steyerberg EW. Diagn Progn Res 2019;3:18. doi:10.1186/s41512-019-0064-7
    """
    at = np.asarray(thresholds, dtype=np.float64)
    if at.ndim != 1 or at.size == 0 or not (np.all(np.diff(at) > 0) and at[0] >= 0 and at[-1] < 1):
        raise InvalidOption("the thresholds of a decision curve rise from 0 or more to below 1: give such numbers")
    require_prevalence(prevalence)
    cuts = cut_table(y_true, y_prob_positive)
    cuts.require_probabilities()
    n_positive, n_negative = cuts.n_positive, cuts.n_negative
    if prevalence is not None and not (n_positive and n_negative):
        raise InvalidData(f"{n_positive} positive and {n_negative} negative cases cannot be weighted to a prevalence")
    share = n_positive / (n_positive + n_negative) if prevalence is None else prevalence
    # The scores fall, so that minus them rise as searchsorted needs; `called` counts the rows at or above a threshold.
    called = np.searchsorted(-cuts.score, -at, side="right")
    found = np.append(0, cuts.true_positives)[called] / max(n_positive, 1) * share
    alarms = np.append(0, cuts.false_positives)[called] / max(n_negative, 1) * (1 - share)
    return DecisionCurve(
        thresholds=tuple(at.tolist()),
        net_benefit=tuple((found - alarms * _odds(at)).tolist()),
        treat_all=tuple((share - (1 - share) * _odds(at)).tolist()),
        prevalence=float(share),
        n=n_positive + n_negative,
    )


def require_prevalence(prevalence: float | None) -> None:
    """Refuse a prevalence that is no share of cases; None, which is that of the cases, will do.

    Raises:
        InvalidOption: it is not above 0 and below 1.
    """
    if prevalence is not None and not 0 < prevalence < 1:
        raise InvalidOption(f"prevalence={prevalence!r} is no share of cases: choose one above 0 and below 1")


def _odds(probability: FloatArray) -> FloatArray:
    odds: FloatArray = probability / (1 - probability)
    return odds
