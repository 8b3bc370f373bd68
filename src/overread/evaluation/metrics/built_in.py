"""Every metric that is reported, defined once; another one is one more entry."""

from __future__ import annotations

import math

from overread.evaluation.metrics.definition import ClassMetric, MetricDefinition
from overread.evaluation.metrics.kinds import F1, Auc, AveragePrecision, BalancedAccuracy, CaseMean, Proportion

# In the order of a table: what is asked first stands first.
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
# By name, in the same order: of the ranking, of the decisions, of the probabilities (lower is better).
RANKING = tuple(found.name for found in METRICS if isinstance(found, Auc | AveragePrecision))
RATES = tuple(found.name for found in METRICS if isinstance(found, Proportion))
LOSSES = tuple(found.name for found in METRICS if isinstance(found, CaseMean) and not found.is_share)
OF_ONE_CLASS = tuple(found.name for found in METRICS if isinstance(found, ClassMetric))
LABELS = {defined.name: defined.label for defined in METRICS}
# Those whose patients can be counted, so that one knows whether they rest on enough of them.
COUNTING_PATIENTS = tuple(defined.name for defined in METRICS if defined.counts_patients)
