"""The plots of a study: each a PNG, with the numbers it shows beside it as CSV.

`path` is where to write, without a suffix: `.png` and `.csv` are added, and the path of the PNG is returned. Every
function that writes also raises OutputUnwritable where it cannot, and MissingExtra where matplotlib is not installed.
"""

from overread.report.figures.calibration import reliability_diagram
from overread.report.figures.confusion_matrix import confusion_matrix
from overread.report.figures.decision_curve import net_benefit
from overread.report.figures.discrimination import precision_recall, roc
from overread.report.figures.images import (
    ImageWithEvidence,
    augmented_previews,
    image_rows,
    mean_maps,
    mistakes,
    sample_images,
)
from overread.report.figures.subgroups import subgroup_forest
from overread.report.figures.training import training_curves

__all__ = [
    "ImageWithEvidence",
    "augmented_previews",
    "confusion_matrix",
    "image_rows",
    "mean_maps",
    "mistakes",
    "net_benefit",
    "precision_recall",
    "reliability_diagram",
    "roc",
    "sample_images",
    "subgroup_forest",
    "training_curves",
]
