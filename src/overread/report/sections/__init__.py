"""The sections of a report, each built from plain results; drawing and writing are elsewhere."""

from overread.report.sections.activation_maps import activation_maps
from overread.report.sections.calibration import calibration, diagram_names
from overread.report.sections.data import evaluated_data, split_data
from overread.report.sections.decision_curve import decision_curves
from overread.report.sections.discrimination import discrimination
from overread.report.sections.errors import errors, mistakes_of
from overread.report.sections.operating_point import operating_point
from overread.report.sections.provenance import lock_on_test, reproducibility
from overread.report.sections.referral import referral
from overread.report.sections.subgroups import subgroups
from overread.report.sections.training import recipe_table, training

__all__ = [
    "activation_maps",
    "calibration",
    "decision_curves",
    "diagram_names",
    "discrimination",
    "errors",
    "evaluated_data",
    "lock_on_test",
    "mistakes_of",
    "operating_point",
    "recipe_table",
    "referral",
    "reproducibility",
    "split_data",
    "subgroups",
    "training",
]
