"""What decisions are worth: metrics, intervals, reliability, comparison; on NumPy alone."""

from overread.evaluation.assessment import Assessment, AssessmentOptions, BeforeAfter, assess, with_patients
from overread.evaluation.compare import Comparison, Difference, compare
from overread.evaluation.compute_metrics import Evaluation, compute_metrics
from overread.evaluation.curves import (
    PrecisionRecallCurve,
    RocCurve,
    average_precision,
    midranks,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from overread.evaluation.decision_curve import DecisionCurve, decision_curve
from overread.evaluation.estimates import Estimate, Estimates, Intervals, intervals
from overread.evaluation.metrics.built_in import LABELS, LOSSES, METRICS, OF_ONE_CLASS, RANKING, RATES
from overread.evaluation.metrics.definition import Metric, MetricDefinition
from overread.evaluation.metrics.own import OwnMetric
from overread.evaluation.predictions import Predictions, pool_folds
from overread.evaluation.predictive_values import predictive_values
from overread.evaluation.referral import ALL, ReferralAssessment, assess_referral
from overread.evaluation.reliability import Reliability, measure_reliability
from overread.evaluation.subgroups import SubgroupMetric, Subgroups
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.evaluation.uncertainty.proportions import proportions

__all__ = [
    "ALL",
    "LABELS",
    "LOSSES",
    "METRICS",
    "OF_ONE_CLASS",
    "RANKING",
    "RATES",
    "Assessment",
    "AssessmentOptions",
    "BeforeAfter",
    "Comparison",
    "DecisionCurve",
    "Difference",
    "Estimate",
    "Estimates",
    "Evaluation",
    "Interval",
    "Intervals",
    "Metric",
    "MetricDefinition",
    "OwnMetric",
    "PrecisionRecallCurve",
    "Predictions",
    "ReferralAssessment",
    "Reliability",
    "RocCurve",
    "SubgroupMetric",
    "Subgroups",
    "assess",
    "assess_referral",
    "average_precision",
    "compare",
    "compute_metrics",
    "decision_curve",
    "intervals",
    "measure_reliability",
    "midranks",
    "pool_folds",
    "precision_recall_curve",
    "predictive_values",
    "proportions",
    "roc_auc",
    "roc_curve",
    "wilson",
    "with_patients",
]
