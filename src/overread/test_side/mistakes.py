"""The mistakes that a bundle was surest of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from overread.decision.cuts import FloatArray
from overread.decision.task import SMALLEST_PROBABILITY
from overread.evaluation import Predictions
from overread.reading.reading import Reading

_SHOWN = 12


class Mistake(NamedTuple):
    """A wrong decision on an image.

    Args:
        position: of the image, from 0.
        reading: of it.
        question: the finding that was decided wrongly, where several are; else None.
    """

    position: int
    reading: Reading
    question: str | None = None


def surest_mistakes(predictions: Predictions) -> list[tuple[int, str | None]]:
    """Choose the mistakes to show: of each the position and, where findings are decided on one by one, the finding.

    Of two classes these are up to 6 missed positives and up to 6 false alarms, the surest first; so of all findings
    together, the furthest from their operating points first; of ordered grades 12 that are furthest off; of more
    classes 12 of the highest probability. Several tasks have none: each has its own.
    """
    task = predictions.task
    if task.parts:
        return []
    if task.positive is not None or not task.exclusive:
        return _missed_and_alarms(predictions)
    wrong = np.flatnonzero(~task.is_right(predictions.y_true, predictions.decisions))
    order = -np.asarray(predictions.y_prob)[wrong].max(axis=1)
    if task.ordered:
        order = order - np.abs(np.asarray(predictions.y_true) - predictions.decisions)[wrong]
    return [(int(i), None) for i in wrong[np.argsort(order, kind="stable")][:_SHOWN]]


def _missed_and_alarms(predictions: Predictions) -> list[tuple[int, str | None]]:
    """As many of both, the furthest from the operating point of its question first."""
    task, wrong = predictions.task, []
    for name, threshold in task.thresholds_in_force(predictions.thresholds).items():
        score, known = task.score(predictions.y_prob, name), task.known(predictions.y_true, name)
        actual, called = (task.shows(cases, name) for cases in (predictions.y_true, predictions.decisions))
        beyond = score if task.positive else _beyond(score, threshold)
        mistaken = None if task.positive else name
        wrong += [(beyond[i], actual[i], (int(i), mistaken)) for i in np.flatnonzero(known & (actual != called))]
    rising = [wrong[i] for i in np.argsort([far for far, _, _ in wrong], kind="stable")]
    missed = [found for _, actual, found in rising if actual]
    alarms = [found for _, actual, found in rising[::-1] if not actual]
    return missed[: _SHOWN // 2] + alarms[: _SHOWN // 2]


def _beyond(score: FloatArray, threshold: float) -> FloatArray:
    """From -1 to 1, which part of the way from the threshold to certainty a probability lies."""
    way = np.where(score < threshold, threshold, 1 - threshold)
    return np.asarray((score - threshold) / np.maximum(way, SMALLEST_PROBABILITY))
