"""Averages over all decisions on (case, class), where several classes are judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.estimates import Estimate, Estimates
from overread.evaluation.metrics.built_in import OF_ONE_CLASS
from overread.evaluation.metrics.definition import Cases, Metric


def micro_averages(
    cases: Cases, accuracy: Estimate, evaluate: Callable[[IntArray, FloatArray, IntArray], Estimates]
) -> dict[str, Estimate]:
    """Pool every question "is this case of that class?" and evaluate the answers.

    Where each case is of one class, micro-averaged sensitivity, PPV and F1 are the accuracy, and specificity and NPV
    are 1 - (1 - accuracy) / (K - 1).

    Args:
        cases: of a task that judges every class.
        accuracy: of the decisions.
        evaluate: evaluates `(n * K,)` answers 0 and 1, with the probability and the decision of each, with intervals.

    Returns:
        auc, average_precision, sensitivity, specificity, ppv, npv, f1.
    """
    task, n_classes = cases.task, len(cases.task.classes)
    answers, decided = task.indicators(cases.y_true).ravel(), task.indicators(cases.decided).ravel()
    pooled = evaluate(answers, cases.y_prob.ravel(), decided)
    if not task.exclusive:
        return {name: pooled[name] for name in OF_ONE_CLASS}

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
