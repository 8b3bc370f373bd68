"""The figures and the report of a training run and of an evaluation, composed from plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import Bundle
from overread.cases import Manifest, Split
from overread.evaluation import Comparison, Evaluation
from overread.reading import Outcome
from overread.report import figures
from overread.report.html import (
    FigureItem,
    ReportContext,
    Section,
    Table,
    metrics_table,
    per_class_table,
    write_report,
)


def draw_samples(
    folder: Path,
    take: Callable[[np.ndarray], np.ndarray],
    labels: Sequence[str],
    originals: np.ndarray,
    variants: np.ndarray,
) -> None:
    """Draw images of each class (see `sample_images`), and what augmentation makes of a few."""
    folder.mkdir(parents=True, exist_ok=True)
    figures.sample_images(take, labels, path=folder / "samples")
    figures.augmented_previews(originals, variants, path=folder / "augmented")


def draw_outcome(folder: Path, outcome: Outcome) -> None:
    """Draw the confusion matrix, the ROC and the precision-recall curves."""
    folder.mkdir(parents=True, exist_ok=True)
    evaluation, predictions = outcome.assessment.evaluation, outcome.predictions
    options: dict[str, Any] = {"classes": evaluation.classes, "threshold": evaluation.threshold}
    figures.confusion_matrix(evaluation.confusion, evaluation.classes, path=folder / "confusion")
    figures.roc(predictions.y_true, predictions.y_prob, path=folder / "roc", **options)
    figures.precision_recall(predictions.y_true, predictions.y_prob, path=folder / "precision_recall", **options)


def write_training_report(
    out: Path,
    *,
    bundle: Bundle,
    split: Split,
    failures: Mapping[str, str],
    rows: Sequence[Mapping[str, float]],
    outcome: Outcome,
    warnings: tuple[str, ...],
    run: Mapping[str, Any],
) -> Path:
    """Write `report.html` of a training run; its figures lie in `figures/` and `test/figures/`."""
    drawn, evaluation = out / "figures", outcome.assessment.evaluation
    figures.training_curves(rows, path=drawn / "training", best_epoch=run["best_epoch"])
    sections = (
        _test_section(out / "test" / "figures", bundle, evaluation),
        _data_section(drawn, split, failures),
        _training_section(drawn, rows, bundle, run),
        _reproducibility_section(bundle, run),
    )
    title = f"{' / '.join(bundle.classes)}: a reader trained on {sum(split.counts()['train'].values()):,} images"
    context = ReportContext(title=title, summary=_verdict(bundle, evaluation), sections=sections)
    return write_report(out / "report.html", context)


def write_evaluation_report(
    out: Path,
    *,
    bundle: Bundle,
    manifest: Manifest,
    failures: Mapping[str, str],
    outcome: Outcome,
    warnings: tuple[str, ...],
    run: Mapping[str, Any],
) -> Path:
    """Write `report.html` of an evaluation; its figures lie in `figures/`."""
    evaluation = outcome.assessment.evaluation
    data = Section("Data", paragraphs=manifest.notes, tables=_failure_tables(failures))
    sections = (_test_section(out / "figures", bundle, evaluation), data, _reproducibility_section(bundle, run))
    title = f"{' / '.join(bundle.classes)}: evaluation on {evaluation.n:,} images"
    context = ReportContext(title=title, summary=_verdict(bundle, evaluation), sections=sections)
    return write_report(out / "report.html", context)


def write_comparison_report(out: Path, comparison: Comparison, *, run: Mapping[str, Any]) -> Path:
    """Write `report.html` of a comparison of two evaluations."""
    rows = tuple(
        (name, f"{found.first:.3f}", f"{found.second:.3f}", f"{found.difference:+.3f}", f"{found.p:.3g}")
        for name, found in comparison.differences.items()
    )
    table = Table("Differences", ("Metric", "First", "Second", "Difference", "p"), rows)
    summary = f"Two readers of the same {comparison.n:,} images."
    context = ReportContext(
        title="Comparison of two readers", summary=summary, sections=(Section("Metrics", tables=(table,)),)
    )
    return write_report(out / "report.html", context)


def _verdict(bundle: Bundle, evaluation: Evaluation) -> str:
    def of(name: str, style: str = ".1%") -> str:
        metric = evaluation[name]
        return f"{metric.value:{style}}" if metric.reason is None else f"an undefined share ({metric.reason})"

    if evaluation.positive is None:
        return (
            f"On {evaluation.n:,} test images of {len(bundle.classes)} classes the reader was right in "
            f"{of('accuracy')} of cases (balanced accuracy {of('balanced_accuracy')}); the mean AUC of each class "
            f"against the rest is {of('auc', '.3f')}. Intervals are not computed yet."
        )
    return (
        f"On {evaluation.n:,} test images the reader told {evaluation.positive} from {bundle.classes[0]} with an AUC "
        f"of {of('auc', '.3f')}. At the operating point fixed beforehand on validation images (probability of "
        f"{evaluation.threshold:.3f} or more) it found {of('sensitivity')} of the {evaluation['sensitivity'].n:,} "
        f"{evaluation.positive} images (sensitivity) and cleared {of('specificity')} of the "
        f"{evaluation['specificity'].n:,} {bundle.classes[0]} images (specificity). Intervals are not computed yet."
    )


def _test_section(folder: Path, bundle: Bundle, evaluation: Evaluation) -> Section:
    tables = [metrics_table(evaluation)] + ([per_class_table(evaluation)] if evaluation.per_class else [])
    confusion = "; ".join(
        f"of {sum(row):,} {name}, "
        + ", ".join(f"{n:,} read as {read}" for n, read in zip(row, bundle.classes, strict=True))
        for name, row in zip(bundle.classes, evaluation.confusion.tolist(), strict=True)
    )
    paragraphs: tuple[str, ...] = ("Probabilities come from the bundle's ONNX graph, as they will for new images.",)
    if (point := bundle.operating_point) is not None:
        paragraphs += (
            f"The threshold {point.threshold:.4g} was chosen on validation (rule {point.rule}; {point.n_positive:,} "
            f"{bundle.positive} and {point.n_negative:,} other images; sensitivity {point.sensitivity:.3f} and "
            f"specificity {point.specificity:.3f} there), before the test images were opened.",
        )
    shown = (
        FigureItem(folder / "confusion.png", "Confusion matrix", f"Confusion matrix: {confusion}."),
        FigureItem(folder / "roc.png", "Receiver operating characteristic", f"ROC curve; {_area(evaluation, 'auc')}."),
        FigureItem(
            folder / "precision_recall.png",
            "Precision and recall",
            f"Precision-recall curve; {_area(evaluation, 'average_precision')}.",
        ),
    )
    return Section("Test result", paragraphs=paragraphs, tables=tuple(tables), figures=shown)


def _area(evaluation: Evaluation, name: str) -> str:
    metric = evaluation[name]
    return f"{name.replace('_', ' ')} {metric.value:.3f}" if metric.reason is None else f"no curve: {metric.reason}"


def _data_section(folder: Path, split: Split, failures: Mapping[str, str]) -> Section:
    counts, patients, classes = split.counts(), split.patients(), split.manifest.classes
    who = "Patients" if split.manifest.has_patients else "Patients (each image its own)"
    rows = tuple(
        (
            side,
            *(f"{counts[side][name]:,}" for name in classes),
            f"{sum(counts[side].values()):,}",
            f"{patients[side]:,}",
        )
        for side in counts
    )
    table = Table("Images and patients of each side", ("Side", *classes, "Images", who), rows)
    shown = (
        FigureItem(folder / "samples.png", "Sample images of each class", "A row of sample images for each class."),
        FigureItem(
            folder / "augmented.png",
            "An image of each class, and how training sees it",
            "For an image of each class, the original and seven augmented variants.",
        ),
    )
    return Section(
        "Data",
        paragraphs=(*split.manifest.notes, *split.notes),
        tables=(table, *_failure_tables(failures)),
        figures=shown,
        warnings=split.warnings,
    )


def _failure_tables(failures: Mapping[str, str]) -> tuple[Table, ...]:
    if not failures:
        return ()
    return (Table(f"{len(failures)} unreadable images were left out", ("Image", "Reason"), tuple(failures.items())),)


def _training_section(
    folder: Path, rows: Sequence[Mapping[str, float]], bundle: Bundle, run: Mapping[str, Any]
) -> Section:
    best = rows[run["best_epoch"] - 1]
    rate = float(np.median([row["images_per_second"] for row in rows]))
    text = (
        f"{bundle.network['name']} was trained for {len(rows)} epochs in {run['seconds'] / 60:.1f} minutes "
        f"({rate:.0f} images/s in training steps, {run['precision']}). Epoch {run['best_epoch']} is kept: "
        f"loss {best['val_loss']:.4f}, accuracy {best['val_accuracy']:.4f} and AUC {best['val_auc']:.4f} on validation."
    )
    curves = FigureItem(
        folder / "training.png",
        "Loss, accuracy and AUC by epoch",
        f"Training curves: validation loss from {rows[0]['val_loss']:.3f} in the first epoch to {best['val_loss']:.3f} "
        f"in the best, AUC from {rows[0]['val_auc']:.3f} to {best['val_auc']:.3f}.",
    )
    return Section("Training", paragraphs=(text,), figures=(curves,))


def _reproducibility_section(bundle: Bundle, run: Mapping[str, Any]) -> Section:
    recipe = [(name, str(value)) for name, value in bundle.recipe.items() if name != "augmentation"]
    changes = [(f"augmentation {name}", str(value)) for name, value in bundle.recipe["augmentation"].items()]
    facts = (
        ("Command", str(run.get("command", ""))),
        ("Bundle SHA-256", bundle.fingerprint),
        ("Data SHA-256", run["data"]["fingerprint"]),
        ("Machine", run["machine"]),
        ("Versions", ", ".join(f"{name} {version}" for name, version in run["versions"].items())),
    )
    return Section(
        "Reproducibility",
        tables=(
            Table("This run", ("What", "Value"), facts),
            Table("Training recipe", ("Option", "Value"), (*recipe, *changes)),
        ),
    )
