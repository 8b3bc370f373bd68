"""Logits to decisions: what is told apart, probabilities, calibration, operating points, referral; on NumPy alone.

What chooses on validation images is loaded on first use: reading applies what was chosen.
"""

from typing import TYPE_CHECKING

from overread.decision.calibration import Calibration
from overread.decision.cuts import CutTable, FloatArray, IntArray, cut_table
from overread.decision.familiarity import Familiarity, Normal, limit_of, measure_traits
from overread.decision.operating_point import OperatingPoint
from overread.decision.prediction_sets import Referral, check_coverage, choose_referral
from overread.decision.probability import to_probabilities
from overread.decision.referral import UNCERTAIN, UNFAMILIAR, Abstentions
from overread.decision.task import BoolArray, Task
from overread.decision.tasks import OrderedGrades, SeveralClasses, SeveralFindings, SeveralTasks, TwoClasses
from overread.lazy import on_first_use

_HOMES = {
    "CALIBRATION_METHODS": "overread.decision.calibration",
    "check_calibration_method": "overread.decision.calibrating.fit",
    "check_operating_point_rule": "overread.decision.choosing.choose",
    "choose_operating_point": "overread.decision.choosing.choose",
    "choose_operating_points": "overread.decision.choosing.choose",
    "fit_calibration": "overread.decision.calibrating.fit",
}
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
    "OrderedGrades",
    "Referral",
    "SeveralClasses",
    "SeveralFindings",
    "SeveralTasks",
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
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.decision.calibrating.fit import check_calibration_method, fit_calibration
    from overread.decision.calibration import CALIBRATION_METHODS
    from overread.decision.choosing.choose import (
        check_operating_point_rule,
        choose_operating_point,
        choose_operating_points,
    )
