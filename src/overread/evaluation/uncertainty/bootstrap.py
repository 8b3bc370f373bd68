"""Every metric again and again on patients drawn with replacement, without copying a case or looping over the draws.

A draw is a weight for each patient: how often it was taken. Rates, loss, Brier and kappa follow from sums kept for each
patient, AUC and average precision from running sums of the weights along the sorted scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.compute_metrics import Evaluation
from overread.evaluation.metrics.definition import Cases, ClassMetric, MetricDefinition
from overread.evaluation.metrics.one_class import ClassDraws, Counts, OneAgainstRest, Ranking

# Numbers times draws worked on at once: small enough for a processor's cache, which halved the time of 2,000,000.
_CELLS = 250_000


class Resampled(NamedTuple):
    """Each metric in each resample, NaN where it is undefined, by name (no synonyms); `per_class` of judged classes."""

    metrics: dict[str, FloatArray]
    per_class: dict[str, dict[str, FloatArray]]


def bootstrap(
    y_true: IntArray, y_prob: FloatArray, *, evaluation: Evaluation, patient: IntArray, resamples: int, seed: int
) -> Resampled:
    """Draw as many patients as there are, with replacement, `resamples` times, and compute every metric of each draw.

    All cases of a patient come or stay away together. The draws depend on the number of cases and patients,
    `resamples` and the seed alone, so two readers of the same cases meet the same resamples. They are not stratified
    by class: that holds the class mix fixed, which the next cohort will not, and covered too little. In simulated
    cohorts of 60 to 300 patients stratified 95 % percentile intervals held the true NPV in 81 to 87 % and the average
    precision in 87 to 91 %, unstratified ones in 90 to 95 % and 91 to 94 %; AUC and sensitivity fared alike.

    Args:
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)`, checked by `compute_metrics`.
        evaluation: of these predictions; its task, definitions and decisions are used.
        patient: `(n,)` numbers from 0 without a gap, as `number_patients` gives them.
        resamples: the number of draws.
        seed: 0 or more.
    """
    cases = Cases(evaluation.task, y_true, y_prob, evaluation.predicted, patient)
    against_rest = cases.against_rest()
    rankings = {name: Ranking.of(one, patient[one.rows]) for name, one in against_rest.items()}
    overall = _sums_of_cases(cases, evaluation.definitions, patient)
    sums = np.stack([*overall.values(), *_sums_of_classes(against_rest, patient)])
    found = []
    for weight in draw_patients(int(patient.max()) + 1, resamples, seed, width=len(cases)):
        # Not a matrix product: on a busy machine its threads wait for one another, and all took six times as long.
        totals = np.einsum("ij,kj->ik", weight.astype(np.float64), sums).T
        of_cases = dict(zip(overall, totals[: len(overall)], strict=True))
        of_classes = totals[len(overall) :].reshape(len(against_rest), 4, len(weight))
        draws = [
            ClassDraws(
                one=one,
                patient=patient[one.rows],
                weight=weight,
                counts=_counts(*of_class),
                ranking=rankings[name],
            )
            for (name, one), of_class in zip(against_rest.items(), of_classes, strict=True)
        ]
        found.append(_resample(evaluation, of_cases, cases, draws))
    return _joined(found)


def draw_patients(n_patients: int, resamples: int, seed: int, *, width: int) -> Iterator[IntArray]:
    """Draw as many patients as there are, with replacement, again and again.

    Args:
        n_patients: how many there are.
        resamples: the number of draws.
        seed: 0 or more.
        width: numbers that are worked on for each draw, such as the cases.

    Yields:
        Of some draws at once, `(rows, n_patients)` how often each patient was taken in each.
    """
    random, most = np.random.default_rng(seed), max(1, _CELLS // width)
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        taken = random.integers(0, n_patients, (rows, n_patients)) + n_patients * np.arange(rows)[:, None]
        # 32 bits hold any count here and halve the memory traffic that running sums are bound by.
        yield np.bincount(taken.ravel(), minlength=rows * n_patients).reshape(rows, n_patients).astype(np.int32)


def _resample(
    evaluation: Evaluation, totals: Mapping[str, FloatArray], cases: Cases, draws: Sequence[ClassDraws]
) -> Resampled:
    task, definitions = evaluation.task, evaluation.definitions
    per_class = {
        one.one.name: {found.name: found.resample_class(one) for found in definitions if isinstance(found, ClassMetric)}
        for one in draws
    }
    overall = {}
    for found in definitions:
        metric = evaluation[found.name]
        kept = {name: values for name, values in per_class.items() if name not in metric.left_out}
        overall[found.name] = found.resample(task, totals, kept)
        if found.is_mean and len(kept) > 1 and task.questions:
            wider = _wider([cases.fewer[name] for name in kept])
            overall[found.name] = metric.value + wider * (overall[found.name] - metric.value)
    return Resampled(overall, per_class)


def _wider(patients: Sequence[int]) -> float:
    """What the deviation of a mean over questions is multiplied by, where each rests on so many patients or more.

    Drawing m patients with replacement shows (m - 1) / m of the variance that m new ones would have.
    """
    few = np.asarray(patients, dtype=np.float64)
    return float(np.sqrt(np.sum(1 / np.maximum(few - 1, 1)) / np.sum(1 / np.maximum(few, 1))))


def _joined(parts: Sequence[Resampled]) -> Resampled:
    first = parts[0]
    return Resampled(
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in first.metrics},
        {
            label: {name: np.concatenate([part.per_class[label][name] for part in parts]) for name in metrics}
            for label, metrics in first.per_class.items()
        },
    )


def _sums_of_cases(
    cases: Cases, definitions: Sequence[MetricDefinition], patient: IntArray
) -> dict[str, npt.NDArray[np.number]]:
    """For each patient the sum over its cases of what the metrics are made of, by name, and how many "cases" count."""
    terms = {name: term for one in definitions for name, term in one.numbers(cases).items()}
    terms["cases"] = cases.told
    return {name: np.bincount(patient, weights=term) for name, term in terms.items()}


def _sums_of_classes(against_rest: Mapping[str, OneAgainstRest], patient: IntArray) -> Iterator[npt.NDArray[np.number]]:
    """For each patient the cases that count for each class, those of it, those called so, and those that are both."""
    n_patients = int(patient.max()) + 1
    for one in against_rest.values():
        for term in (np.ones(len(one.rows)), one.actual, one.called, one.cells.tp):
            yield np.bincount(patient[one.rows], weights=term, minlength=n_patients)


def _counts(n: FloatArray, actual: FloatArray, called: FloatArray, both: FloatArray) -> Counts[FloatArray]:
    return Counts(tp=both, fp=called - both, fn=actual - both, tn=n - actual - called + both)
