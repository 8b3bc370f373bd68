"""Logistic regression of a few columns without a penalty, by Newton's method on NumPy alone."""

from __future__ import annotations

import numpy as np

from overread.decision.cuts import FloatArray
from overread.decision.probability import to_probabilities

_MOST_STEPS = 100


def fit_logistic(columns: FloatArray, target: FloatArray, offset: FloatArray | float = 0.0) -> FloatArray:
    """Find the coefficients of greatest likelihood of `target ~ sigmoid(offset + columns @ coefficients)`.

    Where the columns separate targets of 0 and 1 no finite coefficients are best: those of the last step are given,
    finite, large and of the right sign. Of equally good coefficients (collinear columns) the smallest are given.

    Args:
        columns: `(n, d)` finite; a column of ones for an intercept.
        target: `(n,)` 0 to 1.
        offset: `(n,)`, added with coefficient 1.
    """
    coefficients = np.zeros(columns.shape[1])
    loss = _loss(columns @ coefficients + offset, target)
    for _ in range(_MOST_STEPS):
        complement, probability = to_probabilities((columns @ coefficients + offset)[:, None]).T
        gradient = columns.T @ (probability - target)
        # The complement is not 1 - probability, which is 0 from a score of 37 on, and the search would stop there.
        curvature = columns.T @ (columns * (probability * complement)[:, None])
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        # Far from the optimum a full Newton step overshoots; halving it until the loss falls always ends.
        while (new_loss := _loss(columns @ (coefficients - step) + offset, target)) > loss and np.any(step):
            step = step / 2 if np.abs(step).max() > 1e-12 else np.zeros_like(step)
        coefficients = coefficients - step
        if loss - new_loss <= 1e-14 * loss and np.abs(step).max() <= 1e-9 * (1 + np.abs(coefficients).max()):
            break
        loss = new_loss
    return coefficients


def _loss(score: FloatArray, target: FloatArray) -> float:
    return float(np.sum(np.logaddexp(0, score) - target * score))
