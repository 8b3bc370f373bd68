"""Shares of cases with their intervals, where patients may have several cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.estimates import Estimate
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.uncertainty.bootstrap import draw_patients
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.evaluation.uncertainty.sample import Sample, number_patients

Mask = npt.NDArray[np.bool_]


def proportions(
    counted: Mapping[str, tuple[Mask, Mask]],
    *,
    patients: Sequence[str | None] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Give for each pair of masks the share of the cases of the second that are in the first, too.

    Wilson where each case has its own patient, else a bootstrap of patients, symmetric on the logit scale; at 0 and 1
    each patient is one trial. A share of no case is NaN with its reason.

    Args:
        counted: by name, `(n,)` hits and `(n,)` those among which they are counted.
        patients: of each case, None or "" for an unknown one; None if no patient is known.
        level: of the intervals, above 0 and below 1.
        resamples: of the bootstrap.
        seed: likewise.
    """
    pairs = {name: (hits & among, among) for name, (hits, among) in counted.items()}
    sample = Sample(number_patients(patients, len(next(iter(pairs.values()))[0])), level)
    drawn = {} if sample.alone else _draw(pairs, sample.patient, resamples, seed)
    found = {}
    for name, (hits, among) in pairs.items():
        k, n = int(hits.sum()), int(among.sum())
        if not n:
            metric = Metric(name, math.nan, 0, "There is no case in the denominator.")
            found[name] = Estimate(metric, Interval.none(level, "none", metric.reason or ""))
            continue
        metric = Metric(name, k / n, n)
        if sample.alone:
            interval = wilson(k, n, level=level)
        else:
            interval = sample.resampled(k / n, drawn[name], (0.0, 1.0), np.unique(sample.patient[among]).size)
        found[name] = Estimate(metric, interval)
    return found


def _draw(
    pairs: Mapping[str, tuple[Mask, Mask]], patient: IntArray, resamples: int, seed: int
) -> dict[str, FloatArray]:
    sums = np.stack([np.bincount(patient, weights=mask) for pair in pairs.values() for mask in pair])
    n_patients = sums.shape[1]
    draws = draw_patients(n_patients, resamples, seed, width=n_patients)
    totals = np.concatenate([np.einsum("ij,kj->ik", weight, sums) for weight in draws])
    with np.errstate(invalid="ignore"):
        return {name: totals[:, 2 * i] / totals[:, 2 * i + 1] for i, name in enumerate(pairs)}
