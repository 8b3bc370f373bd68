"""Figures and one self-contained HTML report; matplotlib and Jinja2 are imported on first use."""

from overread.report.document import FigureItem, ReportContext, Section, Table
from overread.report.figures import (
    ImageWithEvidence,
    augmented_previews,
    confusion_matrix,
    mistakes,
    net_benefit,
    precision_recall,
    reliability_diagram,
    roc,
    sample_images,
    subgroup_forest,
    training_curves,
)
from overread.report.html import write_report
from overread.report.tables import metrics_table, per_class_table

__all__ = [
    "FigureItem",
    "ImageWithEvidence",
    "ReportContext",
    "Section",
    "Table",
    "augmented_previews",
    "confusion_matrix",
    "metrics_table",
    "mistakes",
    "net_benefit",
    "per_class_table",
    "precision_recall",
    "reliability_diagram",
    "roc",
    "sample_images",
    "subgroup_forest",
    "training_curves",
    "write_report",
]
