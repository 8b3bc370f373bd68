"""Averages over all decisions on (case, class), where several classes or findings are judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.estimates import Estimate, Estimates
from overread.evaluation.metrics.built_in import OF_ONE_CLASS
from overread.evaluation.metrics.definition import Cases, Metric

# Of cases by their rows, of which one may stand several times: answers 0 and 1, their probabilities and the decisions.
Evaluate = Callable[[IntArray, IntArray, FloatArray, IntArray], Estimates]


def micro_averages(cases: Cases, accuracy: Estimate, evaluate: Evaluate) -> dict[str, Estimate]:
    """Pool every question "is this case of that class?" whose answer is known, and evaluate the answers.

    Where each case is of one class, micro-averaged sensitivity, PPV and F1 are the accuracy, and specificity and NPV
    are 1 - (1 - accuracy) / (K - 1).

    Args:
        cases: of a task that judges every class.
        accuracy: of the decisions.
        evaluate: evaluates answers with intervals.

    Returns:
        auc, average_precision, sensitivity, specificity, ppv, npv, f1; of findings accuracy, too, which is the share of
        all single decisions that are right. Empty where no answer is known.
    """
    task, n_classes = cases.task, len(cases.task.classes)
    known = np.stack([task.known(cases.y_true, name) for name in task.classes], axis=1)
    if not known.any():
        return {}
    answers, decided = task.indicators(cases.y_true)[known], task.indicators(cases.decided)[known]
    pooled = evaluate(np.nonzero(known)[0], answers, cases.y_prob[known], decided)
    if not task.exclusive:
        return {name: pooled[name] for name in ("accuracy", *OF_ONE_CLASS)}

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
