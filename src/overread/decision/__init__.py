"""Logits to decisions: what is told apart, probabilities, calibration, operating points, referral; on NumPy alone."""

from overread.decision.calibration import CALIBRATION_METHODS, Calibration, check_calibration_method, fit_calibration
from overread.decision.cuts import CutTable, FloatArray, IntArray, cut_table
from overread.decision.familiarity import Familiarity, Normal, limit_of, measure_traits
from overread.decision.operating_point import (
    OperatingPoint,
    check_operating_point_rule,
    choose_operating_point,
    choose_operating_points,
)
from overread.decision.prediction_sets import Referral, check_coverage, choose_referral
from overread.decision.probability import to_probabilities
from overread.decision.referral import UNCERTAIN, UNFAMILIAR, Abstentions
from overread.decision.task import BoolArray, SeveralClasses, Task, TwoClasses

__all__ = [
    "CALIBRATION_METHODS",
    "UNCERTAIN",
    "UNFAMILIAR",
    "Abstentions",
    "BoolArray",
    "Calibration",
    "CutTable",
    "Familiarity",
    "FloatArray",
    "IntArray",
    "Normal",
    "OperatingPoint",
    "Referral",
    "SeveralClasses",
    "Task",
    "TwoClasses",
    "check_calibration_method",
    "check_coverage",
    "check_operating_point_rule",
    "choose_operating_point",
    "choose_operating_points",
    "choose_referral",
    "cut_table",
    "fit_calibration",
    "limit_of",
    "measure_traits",
    "to_probabilities",
]
