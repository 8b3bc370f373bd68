"""What predictions are worth: metrics, curves and the operating point, on NumPy alone."""

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
from overread.evaluation.metrics import Evaluation, Metric, evaluate
from overread.evaluation.operating_point import OperatingPoint, choose_operating_point
from overread.evaluation.probability import to_probabilities

__all__ = [
    "CutTable",
    "Evaluation",
    "Metric",
    "OperatingPoint",
    "PrecisionRecallCurve",
    "RocCurve",
    "average_precision",
    "choose_operating_point",
    "cut_table",
    "evaluate",
    "midranks",
    "precision_recall_curve",
    "roc_auc",
    "roc_curve",
    "to_probabilities",
]
