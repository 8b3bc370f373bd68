"""The figures and the report of a training run, of an evaluation and of a comparison, composed from plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.auditing import Audit
from overread.bundle import Bundle
from overread.cases import Manifest, Split
from overread.evaluation import Assessment, AssessmentOptions, Comparison, Predictions
from overread.evaluation.uncertainty.bands import Band, precision_recall_band, roc_band
from overread.images import DataSet
from overread.report import figures, sections
from overread.report.audit import audit_section
from overread.report.comparison import comparison_section, comparison_verdict
from overread.report.document import ReportContext, Section
from overread.report.html import write_report
from overread.report.sections import diagram_names, mistakes_of
from overread.report.verdict import caution, verdict
from overread.test_side.outcome import Outcome

__all__ = [
    "draw_mean_maps",
    "draw_outcome",
    "draw_samples",
    "write_comparison_report",
    "write_evaluation_report",
    "write_training_report",
]

_AVERAGED_IMAGES = 64


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


def draw_mean_maps(folder: Path, bundle: Bundle, data_set: DataSet) -> None:
    """Draw where the evidence for each class lies on average, over the mean of up to 64 validation images of it."""
    found: Mapping[str, Any] = bundle.data.get("activation_maps", {})
    cases, validation, items = data_set.manifest.cases, data_set.manifest.select("val"), []
    for each in found.get("placed", ()):
        if each["images"]:
            of_class = [i for i in validation if cases[i].label == each["class"]] or validation
            mean = np.rint(data_set.pixels(of_class[:_AVERAGED_IMAGES]).mean(axis=0)).astype(np.uint8)
            items.append(figures.ImageWithEvidence(mean, np.array(each["mean_map"]), each["class"]))
    if items:
        figures.mean_maps(items, border=found["border"], path=folder / "mean_maps")


def write_training_report(
    out: Path,
    *,
    bundle: Bundle,
    split: Split,
    failures: Mapping[str, str],
    audit: Audit,
    rows: Sequence[Mapping[str, float]],
    outcome: Outcome,
    warnings: tuple[str, ...],
    run: Mapping[str, Any],
) -> Path:
    """Write `report.html` of a training run; its figures lie in `figures/` and `test/figures/`."""
    drawn = out / "figures"
    figures.training_curves(rows, path=drawn / "training", best_epoch=run["best_epoch"])
    made = (
        sections.split_data(split, failures, drawn),
        audit_section(audit),
        sections.training(rows, bundle.network["name"], bundle.recipe, run, drawn),
    )
    found = result_sections(outcome, bundle, out / "test" / "figures")
    last = (
        sections.lock_on_test(bundle.openings(), outcome.data, warnings),
        sections.reproducibility(bundle, run, outcome.assessment.options),
    )
    title = f"{' / '.join(bundle.classes)}: a reader trained on {sum(split.counts()['train'].values()):,} images"
    checked = bundle.data.get("activation_maps")
    maps = (sections.activation_maps(checked, drawn),) if checked else ()
    return _write(out, title, outcome, (*made, *found, *maps, *last))


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
    found = result_sections(outcome, bundle, out / "figures")
    last = (
        sections.lock_on_test(bundle.openings(), outcome.data, warnings),
        sections.reproducibility(bundle, run, outcome.assessment.options),
    )
    title = f"{' / '.join(bundle.classes)}: evaluation on {outcome.assessment.evaluation.n:,} images"
    return _write(out, title, outcome, (sections.evaluated_data(manifest, failures), *found, *last))


def write_comparison_report(out: Path, comparison: Comparison, *, run: Mapping[str, Any]) -> Path:
    """Write `report.html` of a comparison of two evaluations."""
    made = (comparison_section(comparison, run),)
    return write_report(
        out / "report.html", ReportContext("Comparison of two readers", comparison_verdict(comparison), made)
    )


def result_sections(outcome: Outcome, bundle: Bundle, folder: Path) -> tuple[Section, ...]:
    """Build what is said of the test images, from discrimination to errors.

    Args:
        outcome: of the test images.
        bundle: that read them.
        folder: where `draw_outcome` drew its figures.
    """
    assessment = outcome.assessment
    return (
        sections.discrimination(assessment, folder),
        sections.operating_point(assessment, bundle.operating_points, folder),
        sections.calibration(assessment, [member.calibration for member in bundle.members], folder),
        sections.decision_curves(assessment, folder),
        sections.referral(outcome.referral, bundle.referral, level=assessment.options.level),
        sections.subgroups(assessment, folder),
        sections.errors(outcome, folder),
    )


def _write(out: Path, title: str, outcome: Outcome, made: tuple[Section, ...]) -> Path:
    said = verdict(outcome.assessment, outcome.predictions.patients)
    return write_report(out / "report.html", ReportContext(title, (*said, *caution(made)), made))


def draw_outcome(folder: Path, outcome: Outcome) -> None:
    """Draw the result of a bundle, and its mistakes if there are any."""
    draw_result(folder, outcome.predictions, outcome.assessment)
    if outcome.mistakes:
        figures.mistakes(mistakes_of(outcome), path=folder / "mistakes")


def draw_result(folder: Path, predictions: Predictions, assessment: Assessment) -> None:
    """Draw what is to be seen of a set of predictions.

    Confusion matrix, ROC and precision-recall curves with bands; for the positive class of two, or each of more, the
    reliability diagram and the decision curve; the forest plot of each column.
    """
    folder.mkdir(parents=True, exist_ok=True)
    evaluation, level = assessment.evaluation, assessment.options.level
    options: dict[str, Any] = {"classes": evaluation.classes, "threshold": evaluation.threshold}
    figures.confusion_matrix(evaluation.confusion, evaluation.classes, path=folder / "confusion")
    for draw, find_band, name in (
        (figures.roc, roc_band, "roc"),
        (figures.precision_recall, precision_recall_band, "precision_recall"),
    ):
        bands = _bands(predictions, assessment.options, find_band)
        draw(predictions.y_true, predictions.y_prob, path=folder / name, bands=bands, **options)
    for name, stem in diagram_names(assessment, "reliability").items():
        before, after = assessment.reliability[name]
        figures.reliability_diagram(before, after, path=folder / stem, level=level)
    for name, stem in diagram_names(assessment, "net_benefit").items():
        threshold = evaluation.thresholds.get(name, predictions.thresholds.get(name))
        figures.net_benefit(assessment.decision_curves[name], path=folder / stem, threshold=threshold)
    for number, found in enumerate(assessment.subgroups, start=1):
        figures.subgroup_forest(found, path=folder / f"subgroups_{number}")


def _bands(predictions: Predictions, options: AssessmentOptions, find: Callable[..., Band]) -> dict[str, Band]:
    """Find the band of each curve; a figure leaves out one that is undefined."""
    task, y_prob = predictions.task, np.asarray(predictions.y_prob)
    return {
        name: find(
            task.shows(predictions.y_true, name),
            y_prob[:, task.column(name)],
            patients=predictions.patients,
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
        for name in task.judged
    }
