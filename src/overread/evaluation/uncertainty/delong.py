"""How far the area under a ROC curve would vary between samples, for one reader or for two on the same cases."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.evaluation.curves import midranks, roc_auc


class Placements(NamedTuple):
    """Where each case falls among the cases of the other class; the mean over either class is the AUC.

    Those of two readers of the same cases are subtracted case by case, and the variance of what remains is that of
    the difference between their areas, correlation included.

    Args:
        positive: for each positive case the share of the negative ones that score lower, a tie counting half.
        negative: for each negative case the share of the positive ones that score higher, a tie counting half.

    References:
        DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. doi:10.2307/2531595
        Sun X, Xu W. IEEE Signal Processing Letters 2014;21:1389-1393. doi:10.1109/LSP.2014.2337313
    """

    positive: FloatArray
    negative: FloatArray

    @property
    def variance(self) -> float:
        """DeLong's variance of the mean; NaN with fewer than two cases of a class."""
        if min(self.positive.size, self.negative.size) < 2:
            return math.nan
        return float(sum(np.var(side, ddof=1) / side.size for side in self))

    def minus(self, other: Placements) -> Placements:
        """Give the differences, case by case, to another reader's placements of the same cases."""
        return Placements(self.positive - other.positive, self.negative - other.negative)


def placements(y_true: npt.ArrayLike, score: npt.ArrayLike) -> Placements:
    """Place each case among those of the other class, by sorting (no pair is formed).

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        score: `(n,)` finite numbers, higher for positive.

    Raises:
        InvalidData: as `roc_auc`: no case, one class only, shapes that differ or a score that is not finite.
    """
    roc_auc(y_true, score)
    positive, values = np.asarray(y_true).astype(bool), np.asarray(score, dtype=np.float64)
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    rank = midranks(values)
    negatives_below = rank[positive] - midranks(values[positive])
    positives_below = rank[~positive] - midranks(values[~positive])
    return Placements(negatives_below / n_negative, (n_positive - positives_below) / n_positive)
