"""Probabilities that mean what they say: a map from logits, fitted on validation data and never on test data."""

from overread.decision.calibration.calibration import CALIBRATION_METHODS, Calibration
from overread.decision.calibration.fit import check_calibration_method, fit_calibration
from overread.decision.calibration.temperature import LARGEST_TEMPERATURE, SMALLEST_TEMPERATURE

__all__ = [
    "CALIBRATION_METHODS",
    "LARGEST_TEMPERATURE",
    "SMALLEST_TEMPERATURE",
    "Calibration",
    "check_calibration_method",
    "fit_calibration",
]
