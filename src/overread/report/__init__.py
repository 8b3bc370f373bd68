"""What is told of a result: figures, self-contained HTML reports, and documents.

`pages` composes the reports, each from `sections`; a section draws its own figures, by `figures`, and shows them.
Matplotlib and Jinja2 are imported on first use.
"""

from overread.report.document import FigureItem, ReportContext, Section, Table
from overread.report.figures import (
    ImageWithEvidence,
    draw_augmentation,
    draw_confusion_matrix,
    draw_decision_curve,
    draw_image_rows,
    draw_mean_maps,
    draw_mistakes,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
    draw_samples,
    draw_subgroups,
    draw_training_curves,
)
from overread.report.html import write_report
from overread.report.tables import metrics_table, per_class_table

__all__ = [
    "FigureItem",
    "ImageWithEvidence",
    "ReportContext",
    "Section",
    "Table",
    "draw_augmentation",
    "draw_confusion_matrix",
    "draw_decision_curve",
    "draw_image_rows",
    "draw_mean_maps",
    "draw_mistakes",
    "draw_precision_recall",
    "draw_reliability",
    "draw_roc",
    "draw_samples",
    "draw_subgroups",
    "draw_training_curves",
    "metrics_table",
    "per_class_table",
    "write_report",
]
