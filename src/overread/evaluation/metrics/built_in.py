"""Every metric that is reported, defined once; another one is one more entry."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from overread.decision.task import Task
from overread.evaluation.metrics.definition import ClassMetric, MetricDefinition
from overread.evaluation.metrics.kinds import (
    F1,
    Auc,
    AveragePrecision,
    BalancedAccuracy,
    CaseMean,
    Proportion,
    QuadraticKappa,
)

# Of every task, in the order of a table: what is asked first stands first.
METRICS: tuple[MetricDefinition, ...] = (
    Auc(name="auc", label="AUC"),
    Proportion(
        name="sensitivity",
        label="Sensitivity (recall)",
        synonym="recall",
        right="tp",
        wrong="fn",
        if_none="No case is {}.",
    ),
    Proportion(name="specificity", label="Specificity", right="tn", wrong="fp", if_none="Every case is {}."),
    CaseMean(
        name="accuracy",
        label="Accuracy",
        of_cases=lambda cases: cases.task.is_right(cases.y_true, cases.decided),
        is_share=True,
    ),
    Proportion(
        name="ppv",
        label="PPV (precision)",
        synonym="precision",
        right="tp",
        wrong="fp",
        if_none="No case was predicted {}.",
    ),
    Proportion(name="npv", label="NPV", right="tn", wrong="fn", if_none="Every case was predicted {}."),
    F1(name="f1", label="F1"),
    BalancedAccuracy(name="balanced_accuracy", label="Balanced accuracy"),
    AveragePrecision(name="average_precision", label="Average precision"),
    CaseMean(
        name="brier",
        label="Brier score",
        limits=(0.0, math.inf),
        of_cases=lambda cases: cases.task.brier_scores(cases.y_true, cases.y_prob),
    ),
    CaseMean(
        name="loss",
        label="Log loss",
        limits=(0.0, math.inf),
        of_cases=lambda cases: cases.task.log_losses(cases.y_true, cases.y_prob),
    ),
)
# Of grades besides, before the others.
OF_GRADES: tuple[MetricDefinition, ...] = (
    QuadraticKappa(name="quadratic_kappa", label="Quadratic weighted kappa", limits=(-1.0, 1.0)),
    CaseMean(
        name="within_one_grade",
        label="Within one grade",
        of_cases=lambda cases: np.abs(cases.y_true - cases.decided) <= 1,
        is_share=True,
    ),
    CaseMean(
        name="mean_absolute_error",
        label="Mean absolute error (grades)",
        limits=(0.0, math.inf),
        of_cases=lambda cases: np.abs(cases.y_true - cases.decided),
    ),
)
# By name, in the same order: of the ranking, of the decisions, of the probabilities (lower is better).
RANKING = tuple(found.name for found in METRICS if isinstance(found, Auc | AveragePrecision))
RATES = tuple(found.name for found in METRICS if isinstance(found, Proportion))
LOSSES = tuple(found.name for found in METRICS if isinstance(found, CaseMean) and not found.is_share)
OF_ONE_CLASS = tuple(found.name for found in METRICS if isinstance(found, ClassMetric))
LABELS = {defined.name: defined.label for defined in METRICS}
# Of every other metric more is better.
LOWER_IS_BETTER = (*LOSSES, "mean_absolute_error")


def metrics_of(task: Task) -> tuple[MetricDefinition, ...]:
    """The metrics of a task, in the order of a table."""
    if task.exclusive:
        return (*OF_GRADES, *METRICS) if task.ordered else METRICS
    # A case counts as right only if all that is known of it is.
    all_right = f"All {task.noun[1]} right (exact match)"
    return tuple(dataclasses.replace(one, label=all_right) if one.name == "accuracy" else one for one in METRICS)
