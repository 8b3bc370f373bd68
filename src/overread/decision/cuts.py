"""What calling cases positive at or above each score gives: the cuts that curves and operating points share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class CutTable(NamedTuple):
    """What calling every case at or above a score positive gives, one row for each distinct score, highest first.

    The last row calls every case positive, so it holds the number of positive and of negative cases.
    """

    score: FloatArray
    true_positives: IntArray
    false_positives: IntArray

    @property
    def n_positive(self) -> int:
        """The number of positive cases."""
        return int(self.true_positives[-1])

    @property
    def n_negative(self) -> int:
        """The number of negative cases."""
        return int(self.false_positives[-1])

    def require_probabilities(self) -> None:
        """Refuse scores that are no probabilities.

        Raises:
            InvalidData: one lies outside 0 to 1.
        """
        if self.score[0] > 1 or self.score[-1] < 0:
            raise InvalidData(
                f"scores run from {self.score[-1]:g} to {self.score[0]:g}: give probabilities from 0 to 1, not logits"
            )


def cut_table(y_true: npt.ArrayLike, score: npt.ArrayLike) -> CutTable:
    """Count true and false positives at each distinct score; tied cases always fall on the same side of a cut.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1; True is positive.
        score: `(n,)` finite numbers, higher for positive.

    Raises:
        InvalidData: no case, shapes that differ, labels other than 0 and 1, or a score that is not finite.
    """
    positive, values = checked_scores(y_true, score)
    distinct, group = np.unique(values, return_inverse=True)
    positives = np.bincount(group[positive], minlength=distinct.size)[::-1]
    negatives = np.bincount(group[~positive], minlength=distinct.size)[::-1]
    return CutTable(distinct[::-1], np.cumsum(positives), np.cumsum(negatives))


def checked_scores(y_true: npt.ArrayLike, score: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Give labels as bool and scores as float64, once they are found to fit.

    Raises:
        InvalidData: no case, shapes that differ, labels other than 0 and 1, or a score that is not finite.
    """
    labels, values = np.asarray(y_true), np.asarray(score, dtype=np.float64)
    if labels.ndim != 1 or values.shape != labels.shape:
        raise InvalidData(
            f"y_true has shape {labels.shape} and the scores {values.shape}: give one label and one score a case"
        )
    if labels.size == 0:
        raise InvalidData("there is no case to rank: give at least one positive and one negative case")
    if labels.dtype.kind not in "biu" or not np.isin(labels, (0, 1)).all():
        raise InvalidData(
            "y_true holds something other than 0 and 1: give True or 1 for positive, False or 0 otherwise"
        )
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise InvalidData(f"the score of row {row} (from 0) is {values[row]}: give a finite score for each case")
    return labels.astype(bool), values
