"""The plots of a study: each a PNG, with the numbers it shows beside it as CSV.

A module is called as the section of the report that shows what it draws. `path` is where to write, without a suffix:
`.png` and `.csv` are added, and the path of the PNG is returned. Every function that writes also raises
OutputUnwritable where it cannot, and MissingExtra where matplotlib is not installed.
"""

from overread.report.figures.activation_maps import draw_mean_maps
from overread.report.figures.calibration import draw_reliability, draw_reliability_of_each
from overread.report.figures.data import draw_augmentation, draw_samples
from overread.report.figures.decision_curve import draw_decision_curve, draw_decision_curves
from overread.report.figures.discrimination import draw_precision_recall, draw_roc
from overread.report.figures.errors import draw_mistakes
from overread.report.figures.images import ImageWithEvidence, draw_image_rows
from overread.report.figures.operating_point import draw_confusion_matrix
from overread.report.figures.robustness import draw_robustness
from overread.report.figures.subgroups import draw_subgroups
from overread.report.figures.together import draw_together
from overread.report.figures.training import draw_curves_of_networks, draw_training_curves

__all__ = [
    "ImageWithEvidence",
    "draw_augmentation",
    "draw_confusion_matrix",
    "draw_curves_of_networks",
    "draw_decision_curve",
    "draw_decision_curves",
    "draw_image_rows",
    "draw_mean_maps",
    "draw_mistakes",
    "draw_precision_recall",
    "draw_reliability",
    "draw_reliability_of_each",
    "draw_robustness",
    "draw_roc",
    "draw_samples",
    "draw_subgroups",
    "draw_together",
    "draw_training_curves",
]
