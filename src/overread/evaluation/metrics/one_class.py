"""One class against the rest: its cases, the counts of right and wrong decisions, and both under resampling."""

from __future__ import annotations

import dataclasses
import functools
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray

T = TypeVar("T")


class Counts(NamedTuple, Generic[T]):
    """True and false positives, false and true negatives: whole numbers, or arrays of them."""

    tp: T
    fp: T
    fn: T
    tn: T


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class OneAgainstRest:
    """The cases as one class, or one judged question, sees them: those of which the truth tells whether they are of it.

    Args:
        name: of the class.
        rows: `(n,)` of these cases among all.
        actual: `(n,)` of the class.
        score: `(n,)` its probability.
        called: `(n,)` decided to be of the class.
    """

    name: str
    rows: IntArray
    actual: BoolArray
    score: FloatArray
    called: BoolArray

    @functools.cached_property
    def cells(self) -> Counts[BoolArray]:
        """The cases of each count, `(n,)`."""
        actual, called = self.actual, self.called
        return Counts(actual & called, ~actual & called, actual & ~called, ~actual & ~called)

    @functools.cached_property
    def counts(self) -> Counts[int]:
        """How many cases each count has."""
        return Counts(*(int(cases.sum()) for cases in self.cells))


class Ranking(NamedTuple):
    """The cases of one class by falling score and those of the rest by rising score, as the numbers of their patients.

    Args:
        positive: `(P,)` patients.
        negative: `(N,)` patients.
        below: `(P,)` how many negative cases score lower than each positive one.
        not_above: `(P,)` how many score lower or the same.
        last_tied: `(P,)` the row of the last positive case with the same score.
    """

    positive: IntArray
    negative: IntArray
    below: IntArray
    not_above: IntArray
    last_tied: IntArray

    @classmethod
    def of(cls, one: OneAgainstRest, patient: IntArray) -> Ranking:
        """Rank the cases of a class, whose patients are numbered."""
        actual, score = one.actual, one.score
        falling, rising = np.argsort(-score, kind="stable"), np.argsort(score, kind="stable")
        positive, negative = falling[actual[falling]], rising[~actual[rising]]
        above, under = score[positive], score[negative]
        return cls(
            positive=patient[positive],
            negative=patient[negative],
            below=np.searchsorted(under, above, side="left"),
            not_above=np.searchsorted(under, above, side="right"),
            last_tied=np.searchsorted(-above, -above, side="right") - 1,
        )


class RankedDraws:
    """A ranking under each row of weights: running sums that AUC and average precision share."""

    def __init__(self, ranking: Ranking, weight: IntArray) -> None:
        self._one_class = not (ranking.positive.size and ranking.negative.size)
        self._rows, self._ranking = len(weight), ranking
        if self._one_class:
            return
        self._taken = np.take(weight, ranking.positive, axis=1)
        negatives = np.zeros((self._rows, ranking.negative.size + 1), np.int32)
        np.cumsum(np.take(weight, ranking.negative, axis=1), axis=1, dtype=np.int32, out=negatives[:, 1:])
        self._positives = np.cumsum(self._taken, axis=1, dtype=np.int32)
        self._last_negative = negatives[:, -1:]
        self._n_positive = self._positives[:, -1].astype(np.float64)
        self._n_negative = negatives[:, -1].astype(np.float64)
        self._below = np.take(negatives, ranking.below, axis=1)
        self._not_above = np.take(negatives, ranking.not_above, axis=1)

    def auc(self) -> FloatArray:
        """The AUC of each row, NaN where it holds one class only."""
        if self._one_class:
            return np.full(self._rows, np.nan)
        outranked = np.einsum("ij,ij->i", self._taken, self._below + self._not_above, dtype=np.float64) / 2
        with np.errstate(invalid="ignore"):
            return np.asarray(outranked / (self._n_positive * self._n_negative))

    def average_precision(self) -> FloatArray:
        """The average precision of each row, NaN where it holds one class only."""
        if self._one_class:
            return np.full(self._rows, np.nan)
        true_positives = np.take(self._positives, self._ranking.last_tied, axis=1)
        called = true_positives + (self._last_negative - self._below)
        # Nothing is called only where a case of weight 0 leads, which adds 0.
        precision = np.einsum("ij,ij->i", self._taken, true_positives / np.maximum(called, 1))
        with np.errstate(invalid="ignore"):
            one_class = np.where(self._n_positive * self._n_negative > 0, 0.0, np.nan)
            return np.asarray(precision / self._n_positive + one_class)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ClassDraws:
    """One class against the rest in some draws of patients.

    Args:
        one: the cases themselves.
        patient: `(n,)` the number of the patient of each, among all patients.
        weight: `(rows, patients)` how often each patient was taken in each draw.
        counts: of the cases taken, `(rows,)` each.
        ranking: of the cases.
    """

    one: OneAgainstRest
    patient: IntArray
    weight: IntArray
    counts: Counts[FloatArray]
    ranking: Ranking

    @functools.cached_property
    def ranked(self) -> RankedDraws:
        """The ranking of the cases taken."""
        return RankedDraws(self.ranking, self.weight)

    def rows(self, draw: int) -> IntArray:
        """The cases that one draw took, each as often as its patient was taken."""
        return np.repeat(np.arange(len(self.patient)), self.weight[draw][self.patient])
