"""The report as one HTML file that needs nothing beside it: no network, no script, no other file."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from overread.errors import InvalidData, MissingExtra, MissingPath
from overread.evaluation import Evaluation, Metric
from overread.files import replace_file

TEMPLATES = Path(__file__).parent / "templates"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LABELS = {
    "loss": "Loss (negative log likelihood)",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "brier": "Brier score",
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity (recall)",
    "specificity": "Specificity",
    "ppv": "PPV (precision)",
    "npv": "NPV",
    "f1": "F1",
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells as text; the first of each row names the row.

    Raises:
        InvalidData: a row is longer or shorter than the header.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise InvalidData(
                    f"row {number} (from 0) of table {self.caption!r} has {len(row)} cells: "
                    f"give {len(self.header)}, one under each heading"
                )


@dataclasses.dataclass(frozen=True)
class FigureItem:
    """A PNG, what it shows, and the same in words for who cannot see it.

    Raises:
        InvalidData: the words are missing.
    """

    path: Path
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InvalidData(f"figure {self.path.name} has no alt text: say in a sentence what it shows")


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading and what stands under it: warnings first, then paragraphs, then tables beside figures."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[FigureItem, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReportContext:
    """All a report says: its title, the verdict in one paragraph and the sections. Text is plain, never markup."""

    title: str
    summary: str
    sections: tuple[Section, ...] = ()


def write_report(path: str | Path, context: ReportContext) -> Path:
    """Write the report, replacing one that is there; the figures are embedded.

    Args:
        path: the `.html` file.
        context: what it says.

    Returns:
        The path.

    Raises:
        MissingPath: a figure is not there.
        InvalidData: a figure is no PNG.
        OutputUnwritable: the file cannot be written.
        MissingExtra: Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra(
            "the report is written with Jinja2, which is not installed: run pip install 'overread[report]'"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(report=context, png=_embedded)
    return replace_file(Path(path), page.encode())


def metrics_table(evaluation: Evaluation) -> Table:
    """Lay out the metrics of an evaluation; synonyms share a row, and an undefined value gives its reason."""
    averaged: Mapping[str, Metric] = next(iter(evaluation.per_class.values()), {})
    rows = tuple(
        (f"{label}, macro average" if name in averaged else label, _value(evaluation[name]), f"{evaluation[name].n:,}")
        for name, label in LABELS.items()
    )
    decided = f" at threshold {evaluation.threshold:.4g}" if evaluation.threshold is not None else ""
    return Table(f"Metrics of {evaluation.n:,} cases{decided}", ("Metric", "Value", "Cases"), rows)


def per_class_table(evaluation: Evaluation) -> Table:
    """Lay out each class against the rest, a row a class; empty with two classes, whose metrics are in one table."""
    names = ("auc", "average_precision", "sensitivity", "specificity", "ppv", "npv", "f1")
    rows = tuple(
        (label, f"{metrics['sensitivity'].n:,}", *(_value(metrics[name]) for name in names))
        for label, metrics in evaluation.per_class.items()
    )
    return Table("Each class against the rest", ("Class", "Cases", *(LABELS[name] for name in names)), rows)


def _value(metric: Metric) -> str:
    return f"{metric.value:.3f}" if metric.reason is None else f"undefined: {metric.reason}"


def _embedded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingPath(f"figure {path} cannot be read ({error.strerror}): draw it before the report") from error
    if not content.startswith(PNG_SIGNATURE):
        raise InvalidData(f"figure {path} is not a PNG: give the PNG that overread.report drew")
    return base64.b64encode(content).decode("ascii")
