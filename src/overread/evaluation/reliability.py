"""Is 0.9 really 90 %: predicted against observed frequencies, the Brier score taken apart, calibration slope."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray, cut_table
from overread.decision.logistic import fit_logistic
from overread.decision.task import SMALLEST_PROBABILITY
from overread.errors import InvalidOption
from overread.evaluation.metrics.definition import Metric


class ReliabilityBin(NamedTuple):
    """One point of a reliability diagram: the cases between two probabilities, and how many are positive."""

    lowest: float
    highest: float
    mean_probability: float
    observed: float
    n: int
    n_positive: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reliability:
    """How far probabilities can be taken at their word; `measure_reliability` makes it.

    The Brier score is exactly brier_reliability - brier_resolution + brier_uncertainty + brier_within_bins. The first
    three are Murphy's, on the means of the bins; the last (the variance of the probabilities within bins less twice
    their covariance with the outcome) is 0 where a bin holds one probability only.

    Args:
        n: the number of cases.
        bins: by rising probability.
        ece: expected calibration error, the mean over cases of |mean probability - observed share| of their bin. Its
            expectation is above 0 even for perfect probabilities, by up to 0.4 sqrt(bins / n).
        brier: the mean of (p - y)^2.
        brier_reliability: lower is better, 0 is calibrated.
        brier_resolution: higher is better, at most the uncertainty.
        brier_uncertainty: prevalence * (1 - prevalence), whatever the probabilities.
        brier_within_bins: what binning leaves out.
        slope: of the logistic regression of the outcome on logit p; 1 is ideal, below 1 the probabilities are too
            extreme, above 1 too timid.
        intercept: of the same regression; 0 is ideal.
        in_the_large: the intercept with the slope held at 1; above 0 the probabilities are too low on the whole.
    """

    n: int
    bins: tuple[ReliabilityBin, ...]
    ece: float
    brier: float
    brier_reliability: float
    brier_resolution: float
    brier_uncertainty: float
    brier_within_bins: float
    slope: Metric
    intercept: Metric
    in_the_large: Metric

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "bins": [point._asdict() for point in self.bins],
            **{name: getattr(self, name).to_dict() for name in _REGRESSION},
        }


def measure_reliability(y_true: npt.ArrayLike, y_prob_positive: npt.ArrayLike, *, bins: int = 10) -> Reliability:
    """Compare the probabilities of an outcome with how often it came.

    The bins hold about as many cases each; cases of one probability are never parted, so that there may be fewer
    bins, and each distinct probability is a bin of its own where there are no more of them than bins. With more than
    two classes ask it of each class against the rest, or of the decision: whether the most probable class is right,
    with its probability.

    The regression takes probabilities outside 1e-7 to 1 - 1e-7 as those. One class only leaves it undefined; equal
    probabilities, or ones that part the classes without error, leave slope and intercept so: NaN with a reason.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        y_prob_positive: `(n,)` 0 to 1.
        bins: 1 or more.

    Raises:
        InvalidOption: fewer than one bin.
        InvalidData: no case, shapes that differ, labels other than 0 and 1, or probabilities that are not 0 to 1.

    Example:
        >>> round(measure_reliability([0, 1, 1, 1], [0.5, 0.5, 0.9, 0.9]).ece, 3)
        0.05

    References:
        Naeini MP, Cooper GF, Hauskrecht M. Proc. AAAI 2015:2901-2907 (calibration error in bins of equal mass).
        Murphy AH. J Appl Meteorol 1973;12:595-600. doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2
        Stephenson DB, Coelho CAS, Jolliffe IT. Weather Forecast 2008;23:752-757. doi:10.1175/2007WAF2006116.1
        Cox DR. Biometrika 1958;45:562-565 (slope and intercept). doi:10.1093/biomet/45.3-4.562
        Van Calster B et al. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7
    """
    if not (isinstance(bins, int) and bins >= 1):
        raise InvalidOption(f"bins={bins!r} is not a whole number of 1 or more: 10 is usual")
    cuts = cut_table(y_true, y_prob_positive)
    cuts.require_probabilities()
    positive, probability = np.asarray(y_true, dtype=np.float64), np.asarray(y_prob_positive, dtype=np.float64)
    group = _bin_of_each(probability, cuts.score[::-1], bins)
    count = np.bincount(group)
    expected, observed = np.bincount(group, probability) / count, np.bincount(group, positive) / count
    prevalence, share = positive.mean(), count / count.sum()
    from_expected, from_observed = probability - expected[group], positive - observed[group]
    return Reliability(
        n=len(positive),
        bins=_points(group, probability, positive),
        ece=float(share @ np.abs(expected - observed)),
        brier=float(np.mean(np.square(probability - positive))),
        brier_reliability=float(share @ np.square(expected - observed)),
        brier_resolution=float(share @ np.square(observed - prevalence)),
        brier_uncertainty=float(prevalence * (1 - prevalence)),
        brier_within_bins=float(np.mean(np.square(from_expected) - 2 * from_expected * from_observed)),
        **_regression(positive, probability),
    )


def _bin_of_each(probability: FloatArray, distinct: FloatArray, bins: int) -> IntArray:
    if distinct.size <= bins:
        return np.searchsorted(distinct, probability)
    edges = np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1])
    # Ties can leave a bin empty; the second step numbers those that are not.
    return np.unique(np.searchsorted(edges, probability), return_inverse=True)[1]


def _points(group: IntArray, probability: FloatArray, positive: FloatArray) -> tuple[ReliabilityBin, ...]:
    points = []
    for number in range(int(group.max()) + 1):
        inside, n_positive = probability[group == number], int(positive[group == number].sum())
        mean, observed = float(inside.mean()), n_positive / inside.size
        points.append(ReliabilityBin(float(inside.min()), float(inside.max()), mean, observed, inside.size, n_positive))
    return tuple(points)


def _regression(positive: FloatArray, probability: FloatArray) -> dict[str, Metric]:
    n, bounded = positive.size, np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    logit = np.log(bounded) - np.log1p(-bounded)
    one_class = "No case is positive." if not positive.any() else "Every case is positive." if positive.all() else None
    reason = one_class or _no_slope(logit, positive == 1)
    ones = np.ones((n, 1))
    intercept = slope = in_the_large = math.nan
    if one_class is None:
        in_the_large = float(fit_logistic(ones, positive, logit)[0])
    if reason is None:
        intercept, slope = map(float, fit_logistic(np.column_stack([ones, logit]), positive))
    return {
        "slope": Metric("slope", slope, n, reason),
        "intercept": Metric("intercept", intercept, n, reason),
        "in_the_large": Metric("in_the_large", in_the_large, n, one_class),
    }


def _no_slope(logit: FloatArray, positive: npt.NDArray[np.bool_]) -> str | None:
    high, low = logit[positive], logit[~positive]
    if logit.min() == logit.max():
        return "All probabilities are equal."
    if low.max() <= high.min() or high.max() <= low.min():
        return "The probabilities part the classes without error, so the slope has no finite value."
    return None


_REGRESSION = ("slope", "intercept", "in_the_large")
