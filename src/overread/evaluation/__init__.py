"""What predictions are worth: metrics, intervals, calibration, operating points, comparison; on NumPy alone."""

from overread.evaluation.abstention import UNCERTAIN, UNFAMILIAR, Abstentions
from overread.evaluation.assessment import Assessment, AssessmentOptions, BeforeAfter, assess
from overread.evaluation.calibration import CALIBRATION_METHODS, Calibration, check_calibration_method, fit_calibration
from overread.evaluation.compare import Comparison, Difference, compare
from overread.evaluation.conformal import Referral, check_coverage, choose_referral
from overread.evaluation.curves import (
    CutTable,
    PrecisionRecallCurve,
    RocCurve,
    average_precision,
    cut_table,
    midranks,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from overread.evaluation.decision_curve import DecisionCurve, decision_curve
from overread.evaluation.familiarity import Familiarity, Normal, describe, limit_of
from overread.evaluation.interval import Interval, wilson
from overread.evaluation.intervals import Intervals, intervals
from overread.evaluation.judged import Estimate, Judged
from overread.evaluation.metrics import LABELS, Evaluation, Metric, decide, evaluate
from overread.evaluation.operating_point import (
    OperatingPoint,
    check_operating_point_rule,
    choose_operating_point,
    choose_operating_points,
)
from overread.evaluation.pooling import average_readers, pool_folds
from overread.evaluation.predictions import Predictions
from overread.evaluation.predictive_values import predictive_values
from overread.evaluation.probability import to_probabilities
from overread.evaluation.referral import ALL, ReferralAssessment, assess_referral
from overread.evaluation.reliability import Reliability, measure_reliability
from overread.evaluation.shares import shares
from overread.evaluation.subgroups import SubgroupMetric, Subgroups

__all__ = [
    "ALL",
    "CALIBRATION_METHODS",
    "LABELS",
    "UNCERTAIN",
    "UNFAMILIAR",
    "Abstentions",
    "Assessment",
    "AssessmentOptions",
    "BeforeAfter",
    "Calibration",
    "Comparison",
    "CutTable",
    "DecisionCurve",
    "Difference",
    "Estimate",
    "Evaluation",
    "Familiarity",
    "Interval",
    "Intervals",
    "Judged",
    "Metric",
    "Normal",
    "OperatingPoint",
    "PrecisionRecallCurve",
    "Predictions",
    "Referral",
    "ReferralAssessment",
    "Reliability",
    "RocCurve",
    "SubgroupMetric",
    "Subgroups",
    "assess",
    "assess_referral",
    "average_precision",
    "average_readers",
    "check_calibration_method",
    "check_coverage",
    "check_operating_point_rule",
    "choose_operating_point",
    "choose_operating_points",
    "choose_referral",
    "compare",
    "cut_table",
    "decide",
    "decision_curve",
    "describe",
    "evaluate",
    "fit_calibration",
    "intervals",
    "limit_of",
    "measure_reliability",
    "midranks",
    "pool_folds",
    "precision_recall_curve",
    "predictive_values",
    "roc_auc",
    "roc_curve",
    "shares",
    "to_probabilities",
    "wilson",
]
