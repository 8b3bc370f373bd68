"""How well a score ranks cases: ROC and precision-recall curves, their areas, and the cuts all of them share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import CutTable, FloatArray, checked_scores, cut_table
from overread.errors import InvalidData


class RocCurve(NamedTuple):
    """Points of a ROC curve from (0, 0) to (1, 1); the first threshold is infinite."""

    fpr: FloatArray
    tpr: FloatArray
    thresholds: FloatArray


class PrecisionRecallCurve(NamedTuple):
    """Points by falling recall, closed by (precision 1, recall 0), which has no threshold."""

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


def roc_curve(y_true: npt.ArrayLike, score: npt.ArrayLike) -> RocCurve:
    """Trace sensitivity against 1 - specificity over every distinct score, dropping none.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        score: `(n,)` finite numbers, higher for positive; ties make one sloping segment.

    Raises:
        InvalidData: as `cut_table`, or only one class is present.
    """
    cuts = _two_classes(cut_table(y_true, score))
    return RocCurve(
        fpr=np.append(0.0, cuts.false_positives / cuts.n_negative),
        tpr=np.append(0.0, cuts.true_positives / cuts.n_positive),
        thresholds=np.append(np.inf, cuts.score),
    )


def precision_recall_curve(y_true: npt.ArrayLike, score: npt.ArrayLike) -> PrecisionRecallCurve:
    """Trace precision against recall over every distinct score, lowest first.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        score: `(n,)` finite numbers, higher for positive.

    Raises:
        InvalidData: as `cut_table`, or only one class is present.
    """
    cuts = _two_classes(cut_table(y_true, score))
    precision = cuts.true_positives / (cuts.true_positives + cuts.false_positives)
    recall = cuts.true_positives / cuts.n_positive
    return PrecisionRecallCurve(np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), cuts.score[::-1])


def midranks(values: npt.ArrayLike) -> FloatArray:
    """Rank from 1 upwards, lowest first; tied values share the mean of the ranks they take up."""
    _, group, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    rank: FloatArray = np.cumsum(count) - (count - 1) / 2
    return rank[group]


def roc_auc(y_true: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Give the chance that a positive case scores above a negative one, a tie counting half (Mann-Whitney).

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        score: `(n,)` finite numbers, higher for positive.

    Raises:
        InvalidData: as `cut_table`, or only one class is present.

    References:
        Hanley JA, McNeil BJ. Radiology 1982;143:29-36. doi:10.1148/radiology.143.1.7063747
    """
    positive, values = checked_scores(y_true, score)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    _require_two_classes(n_positive, n_negative)
    mann_whitney_u = midranks(values)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(mann_whitney_u / (n_positive * n_negative))


def average_precision(y_true: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Give the mean precision weighted by the recall each distinct score adds; nothing is interpolated.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1.
        score: `(n,)` finite numbers, higher for positive.

    Raises:
        InvalidData: as `cut_table`, or only one class is present.
    """
    curve = precision_recall_curve(y_true, score)
    return float(-np.sum(np.diff(curve.recall) * curve.precision[:-1]))


def _two_classes(cuts: CutTable) -> CutTable:
    _require_two_classes(cuts.n_positive, cuts.n_negative)
    return cuts


def _require_two_classes(n_positive: int, n_negative: int) -> None:
    if not (n_positive and n_negative):
        raise InvalidData(
            f"there are {n_positive} positive and {n_negative} negative cases: a ranking needs at least one of each"
        )
