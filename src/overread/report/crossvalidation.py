"""The report of a cross-validation: each fold, all folds pooled, and how much chance there is in both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from overread.evaluation import LABELS, Assessment, Evaluation, Predictions
from overread.evaluation.robustness import Change, Robustness
from overread.evaluation.wording import in_cell, value_of
from overread.report import sections
from overread.report.document import ReportContext, Section, Table
from overread.report.html import write_report
from overread.report.of_exams import report_of_exams
from overread.report.parts import Part, parts_to_report
from overread.report.robustness import change_in_words
from overread.report.verdict import caution, near_chance, verdict
from overread.run import CrossValidationRun, RunFolder
from overread.words import count, level_of, paired

_RANKED = ("auc", "balanced_accuracy")
# The first two of ordered grades only.
_BY_FOLD = ("quadratic_kappa", "mean_absolute_error", "auc", "sensitivity", "specificity", "accuracy")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Folds:
    """What a cross-validation found, by seed.

    Args:
        folds: the evaluation of each fold.
        pooled: all folds together.
        spread: of each metric, its standard deviation across folds and across seeds; None where there is none.
        robustness: of each training run that recorded what changed validation images cost.
        parts: of several tasks each by its name.
    """

    folds: Mapping[int, Sequence[Evaluation]]
    pooled: Mapping[int, Assessment]
    spread: Mapping[str, Mapping[str, float | None]]
    robustness: Sequence[Robustness] = ()
    parts: Mapping[str, Folds] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> Mapping[str, str]:
        """The words for each metric, by name."""
        return next(iter(self.pooled.values())).evaluation.labels


def write_crossvalidation_report(
    out: Path, found: Folds, predictions: Predictions, *, run: CrossValidationRun, of_exams: bool = False
) -> Path:
    """Write `report.html` of a cross-validation; the figures, of the first seed, are drawn into `figures/`.

    Args:
        out: its folder.
        found: folds, pool and spread.
        predictions: of all folds of the first seed.
        run: at its end.
        of_exams: whether what was read are exams.
    """
    assessment, folder = next(iter(found.pooled.values())), RunFolder(out).figures
    made = (
        sections.result_section(assessment),
        *(
            section
            for part in parts_to_report(predictions, assessment, folder)
            for section in part.headed(*_folds(found.parts.get(part.name, found)), *_alone(part))
        ),
        *sections.by_patient_section(assessment),
        *((_robustness(found.robustness),) if found.robustness else ()),
        _reproducibility(run, assessment),
    )
    folds, seeds = run.request.folds, len(found.pooled)
    title = f"{assessment.task.title}: cross-validation, {folds} folds, {count(seeds, 'seed')}"
    how = (
        f"Each image was read by a network that had seen no image of its patient: {folds} folds by patient, each left "
        f"out once and read by a network that was trained, calibrated and given its threshold on the others. The "
        f"figures from here on are all folds pooled, of the first of {count(seeds, 'seed')}."
    )
    said, leading = (*verdict(assessment, predictions.patients), how), len(found.parts) or 1
    if of_exams:
        chance = near_chance(assessment)
        said, leading = (*said[:leading], *chance, *said[leading:]), leading + len(chance)
    context = ReportContext(title, (*said, *caution(made)), made, leading=leading)
    return write_report(RunFolder(out).report, report_of_exams(context) if of_exams else context)


def _alone(part: Part) -> tuple[Section, ...]:
    """What is said of one task by itself."""
    predictions, assessment, folder = part.predictions, part.assessment, part.folder
    return (
        sections.discrimination_section(predictions, assessment, folder),
        sections.operating_point_section(assessment, {}, folder),
        *sections.together_sections(predictions, folder),
        sections.calibration_section(assessment, [], folder),
        sections.decision_curve_section(predictions, assessment, folder),
        sections.subgroups_section(assessment, folder),
    )


def _folds(found: Folds) -> tuple[Section, Section]:
    return _by_fold(found), _pooled(found)


def _by_fold(found: Folds) -> Section:
    labels = {name: found.labels[name] for name in _BY_FOLD if name in found.labels}
    rows = tuple(
        (f"seed {seed}, fold {number}", f"{fold.n:,}", *(value_of(fold[name]) for name in labels))
        for seed, folds in found.folds.items()
        for number, fold in enumerate(folds, start=1)
    )
    header = ("Training run", "Images", *labels.values())
    text = (
        "Each fold at its own operating point. Folds differ by their patients and by chance in training; a single fold "
        "rests on few images, so the pooled figures are the ones to quote."
    )
    return Section("Folds", paragraphs=(text,), items=(Table("Each fold alone", header, rows),))


def _pooled(found: Folds) -> Section:
    level = next(iter(found.pooled.values())).options.level
    rows = tuple(
        (
            found.labels[name],
            *(in_cell(assessment[name]) for assessment in found.pooled.values()),
            *("" if value is None else f"{value:.3f}" for value in spread.values()),
        )
        for name, spread in found.spread.items()
    )
    header = ("Metric", *(f"Seed {seed}" for seed in found.pooled), "SD across folds", "SD across seeds")
    caption = f"All folds pooled; in brackets {level_of(level)} intervals"
    text = (
        "The interval tells what other patients could have given, the standard deviation across seeds what another "
        "training on the same patients could. The seeds share the folds."
    )
    return Section("Pooled", paragraphs=(text,), items=(Table(caption, header, rows),))


def _robustness(found: Sequence[Robustness]) -> Section:
    """What each change costs on the mean of all training runs, and at most in one."""
    lost: dict[Change, dict[str, list[float]]] = {}
    for run in found:
        for each in run.changes:
            of_change = lost.setdefault(each.change, {name: [] for name in _RANKED})
            for name, values in of_change.items():
                values.append(each.differences[name].difference)
    ordered = sorted(lost.items(), key=lambda item: np.nan_to_num(np.mean(item[1]["balanced_accuracy"]), nan=np.inf))
    rows = tuple(
        (
            change_in_words(change),
            *(_signed(float(taken(values))) for values in of.values() for taken in (np.mean, np.min)),
        )
        for change, of in ordered
    )
    header = ("Change", *(cell for name in _RANKED for cell in (f"{LABELS[name]}, mean difference", "worst run")))
    text = (
        "Each training run read validation images again as another scanner or technician may have given them. The "
        "report of each has the intervals; this is the mean over the runs, the change that costs most first."
    )
    caption = f"Changed less unchanged validation images, {count(len(found), 'training run')}"
    return Section("Robustness", paragraphs=(text,), items=(Table(caption, header, rows),))


def _signed(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:+.3f}"


def _reproducibility(run: CrossValidationRun, assessment: Assessment) -> Section:
    facts = (
        ("Command", run.command),
        ("Intervals", f"{level_of(assessment.options.level)}, {assessment.options.resamples:,} resamples"),
        ("Machine", run.machine),
        ("Versions", paired(run.versions)),
        ("Cases and folds (SHA-256)", run.cases),
    )
    recipe = tuple((name, str(value)) for name, value in run.request.recipe.shown().items())
    text = "Each fold has a report of its own, in seed-S/fold-K."
    tables = (Table("This cross-validation", ("What", "Value"), facts), Table("Recipe", ("Option", "Value"), recipe))
    return Section("Reproducibility", paragraphs=(text,), items=tables)
