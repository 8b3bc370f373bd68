"""Every metric again and again on patients drawn with replacement, without copying a case or looping over the draws.

A draw is a weight for each patient: how often it was taken. Rates, loss and Brier follow from sums kept for each
patient, AUC and average precision from running sums of the weights along the sorted scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import SMALLEST_PROBABILITY
from overread.errors import InvalidData
from overread.evaluation.metrics import Evaluation

# Cases times draws worked on at once: small enough for a processor's cache, which halved the time of 2,000,000.
_CELLS = 250_000
_OVERALL = ("loss", "brier", "correct", "cases")


class Resampled(NamedTuple):
    """Each metric in each resample, NaN where it is undefined, under the names an `Evaluation` has (no synonyms)."""

    metrics: dict[str, FloatArray]
    per_class: dict[str, dict[str, FloatArray]]


def number_patients(patients: Sequence[str | None] | None, n: int) -> IntArray:
    """Number the patients from 0, for each case; without a patient a case stands for itself.

    Args:
        patients: n names in the order of the cases, None or "" for an unknown one; None if no patient is known.
        n: the number of cases.

    Raises:
        InvalidData: there are not n of them.
    """
    if patients is None:
        return np.arange(n)
    if len(patients) != n:
        raise InvalidData(f"there are {len(patients)} patients for {n} cases: name one for each case, or none at all")
    names = [f"patient {name}" if name else f"case {row}" for row, name in enumerate(patients)]
    return np.unique(names, return_inverse=True)[1]


def bootstrap(
    labels: IntArray, probabilities: FloatArray, *, evaluation: Evaluation, patient: IntArray, resamples: int, seed: int
) -> Resampled:
    """Draw as many patients as there are, with replacement, `resamples` times, and compute every metric of each draw.

    All cases of a patient come or stay away together. The draws depend on the number of cases and patients,
    `resamples` and the seed alone, so two readers of the same cases meet the same resamples. They are not stratified
    by class: that holds the class mix fixed, which the next cohort will not, and covered too little. In simulated
    cohorts of 60 to 300 patients stratified 95 % percentile intervals held the true NPV in 81 to 87 % and the average
    precision in 87 to 91 %, unstratified ones in 90 to 95 % and 91 to 94 %; AUC and sensitivity fared alike.

    Args:
        labels: `(n,)` the index of the true class.
        probabilities: `(n, K)`, checked by `evaluate`.
        evaluation: of these predictions; its classes and decisions are used.
        patient: `(n,)` numbers from 0 without a gap, as `number_patients` gives them.
        resamples: the number of draws.
        seed: 0 or more.
    """
    names = tuple(evaluation.per_class) or evaluation.classes[1:]
    columns = [evaluation.classes.index(name) for name in names]
    sums = _patient_sums(labels, probabilities, evaluation.predicted, columns, patient)
    rankings = [_Ranking.of(labels == column, probabilities[:, column], patient) for column in columns]
    random = np.random.default_rng(seed)
    rows = max(1, _CELLS // len(labels))
    totals, areas = [], []
    for start in range(0, resamples, rows):
        weight = draw_patients(random, sums.shape[1], min(rows, resamples - start))
        # Not a matrix product: on a busy machine its threads wait for one another, and all took six times as long.
        totals.append(np.einsum("ij,kj->ik", weight.astype(np.float64), sums))
        areas.append([ranking.areas(weight) for ranking in rankings])
    return _assemble(names, np.concatenate(totals), np.concatenate(areas, axis=2), bool(evaluation.per_class))


def draw_patients(random: np.random.Generator, n_patients: int, rows: int) -> IntArray:
    """Draw patients with replacement: `(rows, n_patients)`, how often each was taken in each draw."""
    taken = random.integers(0, n_patients, (rows, n_patients)) + n_patients * np.arange(rows)[:, None]
    # 32 bits hold any count here and halve the memory traffic that running sums are bound by.
    return np.bincount(taken.ravel(), minlength=rows * n_patients).reshape(rows, n_patients).astype(np.int32)


def _patient_sums(
    labels: IntArray, probabilities: FloatArray, predicted: IntArray, columns: list[int], patient: IntArray
) -> FloatArray:
    n, n_classes = probabilities.shape
    true_probability = np.maximum(probabilities[np.arange(n), labels], SMALLEST_PROBABILITY)
    squared = np.square(probabilities - np.eye(n_classes)[labels])
    terms = [
        -np.log(true_probability),
        squared[:, 1] if n_classes == 2 else squared.sum(axis=1),
        labels == predicted,
        np.ones(n),
    ]
    for column in columns:
        actual, called = labels == column, predicted == column
        terms += [actual, called, actual & called]
    return np.stack([np.bincount(patient, weights=term) for term in terms])


class _Ranking(NamedTuple):
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
    def of(cls, actual: npt.NDArray[np.bool_], score: FloatArray, patient: IntArray) -> _Ranking:
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

    def areas(self, weight: IntArray) -> tuple[FloatArray, FloatArray]:
        """AUC and average precision under each row of weights."""
        rows = len(weight)
        if not (self.positive.size and self.negative.size):
            return np.full(rows, np.nan), np.full(rows, np.nan)
        taken = np.take(weight, self.positive, axis=1)
        negatives = np.zeros((rows, self.negative.size + 1), np.int32)
        np.cumsum(np.take(weight, self.negative, axis=1), axis=1, dtype=np.int32, out=negatives[:, 1:])
        positives = np.cumsum(taken, axis=1, dtype=np.int32)
        n_positive, n_negative = positives[:, -1].astype(np.float64), negatives[:, -1].astype(np.float64)
        below = np.take(negatives, self.below, axis=1)
        not_above = np.take(negatives, self.not_above, axis=1)
        outranked = np.einsum("ij,ij->i", taken, below + not_above, dtype=np.float64) / 2
        true_positives = np.take(positives, self.last_tied, axis=1)
        called = true_positives + (negatives[:, -1:] - below)
        # Nothing is called only where a case of weight 0 leads, which adds 0.
        precision = np.einsum("ij,ij->i", taken, true_positives / np.maximum(called, 1))
        with np.errstate(invalid="ignore"):
            one_class = np.where(n_positive * n_negative > 0, 0.0, np.nan)
            return outranked / (n_positive * n_negative), precision / n_positive + one_class


def _assemble(names: tuple[str, ...], totals: FloatArray, areas: FloatArray, several: bool) -> Resampled:
    overall = dict(zip(_OVERALL, totals.T[: len(_OVERALL)], strict=True))
    n = overall["cases"]
    per_class = {}
    for row, name in enumerate(names):
        start = len(_OVERALL) + 3 * row
        per_class[name] = _rates(n, *totals.T[start : start + 3])
        per_class[name] |= {"auc": areas[row, 0], "average_precision": areas[row, 1]}
    first = per_class[names[0]]
    macro = {metric: np.mean([rates[metric] for rates in per_class.values()], axis=0) for metric in first}
    halves = macro["sensitivity"] if several else (first["sensitivity"] + first["specificity"]) / 2
    metrics = {
        "loss": overall["loss"] / n,
        "accuracy": overall["correct"] / n,
        "balanced_accuracy": halves,
        "brier": overall["brier"] / n,
        **macro,
    }
    return Resampled(metrics, per_class if several else {})


def _rates(n: FloatArray, actual: FloatArray, called: FloatArray, both: FloatArray) -> dict[str, FloatArray]:
    neither = n - actual - called + both
    with np.errstate(invalid="ignore"):
        return {
            "sensitivity": both / actual,
            "specificity": neither / (n - actual),
            "ppv": both / called,
            "npv": neither / (n - called),
            "f1": np.where(actual > 0, 2 * both / (actual + called), np.nan),
        }
