"""Averages over all decisions on (case, class), for more than two classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.estimates import Estimate, Judged
from overread.evaluation.metrics import Metric


def micro_averages(
    labels: IntArray, y_prob: FloatArray, accuracy: Estimate, judge: Callable[[IntArray, FloatArray], Judged]
) -> dict[str, Estimate]:
    """Pool every question "is this case of that class?" and evaluate the answers.

    With one class decided for each case, micro-averaged sensitivity, PPV and F1 are the accuracy, and specificity and
    NPV are 1 - (1 - accuracy) / (K - 1).

    Args:
        labels: `(n,)` the index of the true class.
        y_prob: `(n, K)` probabilities, K above 2.
        accuracy: of the decisions.
        judge: evaluates `(n * K,)` answers 0 and 1 with `(n * K, 2)` probabilities, K rows a case, with intervals.

    Returns:
        auc, average_precision, sensitivity, specificity, ppv, npv, f1.
    """
    n_classes = y_prob.shape[1]
    pooled = judge(np.eye(n_classes, dtype=np.int64)[labels].ravel(), y_prob.ravel())

    def widened(name: str) -> Estimate:
        """Of accuracy a and its ends: 1 - (1 - a) / (K - 1)."""
        metric, interval = accuracy
        low, high = (1 - (1 - end) / (n_classes - 1) for end in (interval.low, interval.high))
        value = 1 - (1 - metric.value) / (n_classes - 1)
        count = metric.n * (n_classes - 1)
        return Estimate(Metric(name, value, count), dataclasses.replace(interval, low=low, high=high))

    def same(name: str) -> Estimate:
        return Estimate(dataclasses.replace(accuracy.metric, name=name), accuracy.interval)

    return {
        "auc": pooled["auc"],
        "average_precision": pooled["average_precision"],
        "sensitivity": same("sensitivity"),
        "specificity": widened("specificity"),
        "ppv": same("ppv"),
        "npv": widened("npv"),
        "f1": same("f1"),
    }
