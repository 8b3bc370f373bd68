"""The threshold at which a probability becomes a decision, chosen on validation data and never on test data."""

from overread.decision.operating_point.choose import (
    check_operating_point_rule,
    choose_operating_point,
    choose_operating_points,
)
from overread.decision.operating_point.point import OperatingPoint

__all__ = ["OperatingPoint", "check_operating_point_rule", "choose_operating_point", "choose_operating_points"]
