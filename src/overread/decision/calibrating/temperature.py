"""Temperature scaling, and the way back to the true shares of classes that counted alike in training."""

from __future__ import annotations

import math

import numpy as np

from overread.decision.calibration import Calibration
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.probability import to_probabilities

SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.05, 20.0
SEPARATED = "The logits separate the validation classes without error, so smoothed labels were fitted in their place."
# Standard deviations of what is expected before a case is seen: the log of the temperature about 0, the offset about
# the log of the shares. On ten real sets, 40 to 1,500 cases, temperature alone and free offsets had more log loss; see
# benchmarks/RESULTS.md (November 2026).
_OF_LOG_TEMPERATURE, _OF_OFFSET = 0.5, 0.5
_MOST_STEPS, _MOST_HALVINGS = 100, 30


def fit_temperature(labels: IntArray, scores: FloatArray) -> Calibration:
    """Fit the temperature of greatest likelihood.

    Args:
        labels: `(m,)` which alternative is true.
        scores: `(m, alternatives)` of which softmax makes probabilities.
    """
    rows = np.arange(labels.size)
    others = scores.copy()
    others[rows, labels] = -np.inf
    margin = scores[rows, labels] - others.max(axis=1)
    separated = bool(margin.min() >= 0 and margin.max() > 0)
    target = smoothed(labels, scores.shape[1]) if separated else np.eye(scores.shape[1])[labels]
    temperature = 1 / _best_factor(scores, target)
    note = SEPARATED if separated else None
    if temperature in (SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE):
        side = "below" if temperature < 1 else "above"
        note = f"The best temperature lies {side} {temperature:g}, and it was held there."
    return Calibration(method="temperature", temperature=temperature, n=labels.size, note=note)


def fit_temperature_and_offset(
    labels: IntArray, scores: FloatArray, *, effect: FloatArray, expected: FloatArray
) -> Calibration:
    """Fit temperature and offset, of greatest probability after the cases and what was expected before them.

    Few cases move them little from temperature 1 and the expected offset, many as far as they must, also where the
    classes are separated without error.

    Args:
        labels: `(m,)` which alternative is true.
        scores: `(m, alternatives)`.
        effect: `(outputs, alternatives)` what 1 more in each logit adds to the scores.
        expected: `(outputs,)` the offset.
    """
    centre = np.concatenate([[0.0], expected])
    precision = 1 / np.square([_OF_LOG_TEMPERATURE, *(_OF_OFFSET for _ in expected)])
    rows = np.arange(labels.size)

    def moved(point: FloatArray) -> FloatArray:
        return np.asarray(math.exp(point[0]) * scores + point[1:] @ effect)

    def loss(point: FloatArray) -> float:
        found = moved(point)
        likelihood = np.logaddexp.reduce(found, axis=1).sum() - found[rows, labels].sum()
        return float(likelihood + precision @ np.square(point - centre) / 2)

    point, best = centre, loss(centre)
    for _ in range(_MOST_STEPS):
        probability, stretched = to_probabilities(moved(point)), math.exp(point[0]) * scores
        error = probability.copy()
        error[rows, labels] -= 1
        gradient = np.concatenate([[(error * stretched).sum()], effect @ error.sum(axis=0)])
        step = np.linalg.solve(
            _curvature(probability, stretched, effect) + np.diag(precision), gradient + precision * (point - centre)
        )
        # The curvature leaves out a term, so that a full step may overshoot.
        for _ in range(_MOST_HALVINGS):
            if (following := loss(point - step)) <= best:
                break
            step = step / 2
        else:
            break
        point, best = point - step, following
        if np.abs(step).max() <= 1e-10:
            break
    return Calibration(
        method="temperature", temperature=math.exp(-point[0]), offset=tuple(point[1:].tolist()), n=labels.size
    )


def smoothed(labels: IntArray, n_classes: int) -> FloatArray:
    """Give labels as Laplace's rule has them: of n cases of a class, (n + 1) / (n + classes) for it."""
    counts = np.bincount(labels, minlength=n_classes)
    return ((np.eye(n_classes) * counts[:, None] + 1) / (counts[:, None] + n_classes))[labels]


def _curvature(probability: FloatArray, stretched: FloatArray, effect: FloatArray) -> FloatArray:
    """The second derivatives of the loss by the log of the factor and the offsets, all else held linear."""
    around = stretched - (probability * stretched).sum(axis=1, keepdims=True)
    among = np.diag(probability.sum(axis=0)) - probability.T @ probability
    mixed = effect @ (probability * around).sum(axis=0)
    own = (probability * np.square(around)).sum()
    return np.block([[own, mixed[None, :]], [mixed[:, None], effect @ among @ effect.T]])


def _best_factor(scores: FloatArray, target: FloatArray) -> float:
    """The factor of the scores (1 / temperature) of greatest likelihood; its loss is convex, so Newton is safe."""

    def slope(factor: float) -> tuple[float, float]:
        probability = to_probabilities(factor * scores)
        mean = (probability * scores).sum(axis=1)
        curvature = (probability * np.square(scores - mean[:, None])).sum()
        return float(mean.sum() - (target * scores).sum()), float(curvature)

    low, high, factor = 1 / LARGEST_TEMPERATURE, 1 / SMALLEST_TEMPERATURE, 1.0
    if slope(low)[0] > 0:
        return low
    if slope(high)[0] < 0:
        return high
    for _ in range(100):
        gradient, curvature = slope(factor)
        low, high = (low, factor) if gradient > 0 else (factor, high)
        newton = factor - gradient / curvature if curvature > 0 else factor
        # A converged or flat step may land on the bracket itself; only one beyond it is replaced by bisection.
        following = newton if low <= newton <= high else (low + high) / 2
        if abs(following - factor) <= 1e-12 * factor:
            break
        factor = following
    return factor
