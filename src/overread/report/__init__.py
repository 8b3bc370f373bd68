"""Figures and one self-contained HTML report; matplotlib and Jinja2 are imported on first use."""

from overread.report.figures import (
    activation_overlay,
    augmented_previews,
    confusion_matrix,
    precision_recall,
    roc,
    sample_images,
    training_curves,
)
from overread.report.html import (
    FigureItem,
    ReportContext,
    Section,
    Table,
    metrics_table,
    per_class_table,
    write_report,
)

__all__ = [
    "FigureItem",
    "ReportContext",
    "Section",
    "Table",
    "activation_overlay",
    "augmented_previews",
    "confusion_matrix",
    "metrics_table",
    "per_class_table",
    "precision_recall",
    "roc",
    "sample_images",
    "training_curves",
    "write_report",
]
