"""The sections of a report, each built from plain results; it draws its own figures, into a folder that is there."""

from overread.report.sections.activation_maps import activation_maps_section
from overread.report.sections.by_patient import by_patient_section
from overread.report.sections.calibration import calibration_section
from overread.report.sections.data import evaluated_data_section, training_data_section
from overread.report.sections.decision_curve import decision_curve_section
from overread.report.sections.discrimination import discrimination_section
from overread.report.sections.errors import errors_section
from overread.report.sections.exams import exams_section
from overread.report.sections.operating_point import operating_point_section
from overread.report.sections.out_of_fold import out_of_fold_section
from overread.report.sections.provenance import lock_section, reproducibility_section
from overread.report.sections.referral import referral_of_all_section, referral_section
from overread.report.sections.result import result_section
from overread.report.sections.robustness import robustness_section
from overread.report.sections.subgroups import subgroups_section
from overread.report.sections.together import together_sections
from overread.report.sections.training import training_section
from overread.report.sections.tried import tried_section

__all__ = [
    "activation_maps_section",
    "by_patient_section",
    "calibration_section",
    "decision_curve_section",
    "discrimination_section",
    "errors_section",
    "evaluated_data_section",
    "exams_section",
    "lock_section",
    "operating_point_section",
    "out_of_fold_section",
    "referral_of_all_section",
    "referral_section",
    "reproducibility_section",
    "result_section",
    "robustness_section",
    "subgroups_section",
    "together_sections",
    "training_data_section",
    "training_section",
    "tried_section",
]
