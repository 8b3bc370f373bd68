"""The reports of a training run and of an evaluation, composed of sections."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from overread.auditing import Audit, without_names
from overread.bundle import Bundle
from overread.cases import Manifest, PublicNames, Split
from overread.evaluation import Assessment
from overread.evaluation.robustness import Robustness
from overread.images import DataSet
from overread.report import sections
from overread.report.audit import audit_section
from overread.report.document import ReportContext, Section
from overread.report.figures.fonts import said_of
from overread.report.html import write_report
from overread.report.of_exams import report_of_exams
from overread.report.parts import Part, parts_to_report
from overread.report.robustness import worst_sentence
from overread.report.sections.data import Augment
from overread.report.verdict import caution, near_chance, verdict
from overread.run import EvaluationRun, FinishedTraining, RunFolder, TrainingRun
from overread.run.pooling import PoolingChoice
from overread.run.trials import TimeRecord
from overread.test_side.outcome import Outcome
from overread.training.history import History

__all__ = ["BundleResult", "TrainingResult", "write_evaluation_report", "write_training_report"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class BundleResult:
    """A bundle and what labelled images say of it.

    Args:
        bundle: that read the images.
        outcome: of these.
        warnings: of earlier openings by others, or that this one could not be recorded.
        names: what images go by.
    """

    bundle: Bundle
    outcome: Outcome
    warnings: tuple[str, ...]
    names: PublicNames


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TrainingResult:
    """What a training run made its network of.

    Args:
        run: at its end.
        split: the readable cases with their sides.
        data_set: the same cases with their pixels.
        audit: of all cases.
        histories: how the training of each network went.
        augment: makes of `(n, height, width, channels)` uint8 images `(n, n_variants, ...)` variants of 0 to 255.
        unseen: what the images outside test say, each read by the one network of several that never saw its patient.
        robustness: what changed validation images cost; None of exams, of which it is not measured.
        time: how a run in a given time spent it.
    """

    run: FinishedTraining
    split: Split
    data_set: DataSet
    audit: Audit
    histories: Sequence[History]
    augment: Augment
    unseen: Assessment | None = None
    robustness: Robustness | None
    time: TimeRecord | None = None


def write_training_report(out: Path, training: TrainingResult, result: BundleResult) -> Path:
    """Write `report.html` of a training run; the figures are drawn into `figures/` and `test/figures/`."""
    bundle, split, folder = result.bundle, training.split, _folder(RunFolder(out).figures)
    maps = bundle.data.get("activation_maps")
    made = (
        sections.result_section(result.outcome.assessment, bundle.operating_points),
        sections.training_data_section(split, training.data_set, training.augment, folder, names=result.names),
        *_exams(result, folder, RunFolder(out)),
        audit_section(without_names(training.audit, result.names)),
        sections.training_section(training.histories, bundle.network["name"], bundle.recipe, training.run, folder),
        *((sections.tried_section(training.time, len(bundle.members)),) if training.time else ()),
        *_out_of_fold(training.unseen, result.outcome.assessment),
        *_result_sections(result, RunFolder(out).test.figures),
        *((sections.robustness_section(training.robustness, folder),) if training.robustness else ()),
        *((sections.activation_maps_section(maps, training.data_set, folder, bundle.chosen_on),) if maps else ()),
        *_last_sections(result, training.run),
    )
    title = f"{bundle.task.title}: a reader trained on {split.sizes()['train']:,} images"
    worst = (worst_sentence(training.robustness),) if training.robustness else ()
    return _write(out, title, result, made, *worst)


def _out_of_fold(unseen: Assessment | None, test: Assessment) -> tuple[Section, ...]:
    return () if unseen is None else (sections.out_of_fold_section(unseen, test),)


def write_evaluation_report(
    out: Path, result: BundleResult, *, run: EvaluationRun, manifest: Manifest, failures: Mapping[str, str]
) -> Path:
    """Write `report.html` of an evaluation; the figures are drawn into `figures/`.

    Args:
        out: its folder.
        result: the bundle, and what the images say of it.
        run: that made it.
        manifest: the readable cases.
        failures: by name, why an image was left out.
    """
    made = (
        sections.result_section(result.outcome.assessment, result.bundle.operating_points),
        sections.evaluated_data_section(manifest, failures, names=result.names),
        *_exams(result, _folder(RunFolder(out).figures)),
        *_result_sections(result, RunFolder(out).figures),
        *_last_sections(result, run),
    )
    n = result.outcome.assessment.evaluation.n
    return _write(out, f"{result.bundle.task.title}: evaluation on {n:,} images", result, made)


def _exams(result: BundleResult, folder: Path, run: RunFolder | None = None) -> tuple[Section, ...]:
    """What is said of exams; nothing of images."""
    if result.bundle.exams is None:
        return ()
    pooling = None if run is None else PoolingChoice.read(run.pooling)
    outcome = result.outcome
    return (sections.exams_section(result.bundle, outcome.frames, outcome.shown, folder, pooling=pooling),)


def _result_sections(result: BundleResult, folder: Path) -> tuple[Section, ...]:
    """What is said of the labelled images, from discrimination to errors."""
    outcome, made = result.outcome, list[Section]()
    level = outcome.assessment.options.level
    for part in parts_to_report(outcome.predictions, outcome.assessment, folder):
        made += part.headed(*_alone(part, outcome.parts.get(part.name, outcome), result))
    made += sections.by_patient_section(outcome.assessment)
    if outcome.parts and outcome.referral:
        made.append(sections.referral_of_all_section(outcome.referral, result.bundle.task, level=level))
    return tuple(made)


def _alone(part: Part, outcome: Outcome, result: BundleResult) -> tuple[Section, ...]:
    """What is said of one task by itself."""
    bundle, predictions, assessment, folder = result.bundle, part.predictions, part.assessment, part.folder
    fitted, asked = [member.calibration for member in bundle.members], bundle.referral
    own = dataclasses.replace(asked, thresholds=part.own(asked.thresholds), counts=part.own(asked.counts))
    points, level = part.own(bundle.operating_points), assessment.options.level
    return (
        sections.discrimination_section(predictions, assessment, folder),
        sections.operating_point_section(assessment, points, folder, chosen_on=bundle.chosen_on),
        *sections.together_sections(predictions, folder),
        sections.calibration_section(assessment, fitted, folder),
        sections.decision_curve_section(predictions, assessment, folder),
        sections.referral_section(outcome.referral, own, level=level, chosen_on=bundle.chosen_on, task=assessment.task),
        sections.subgroups_section(assessment, folder),
        sections.errors_section(outcome, folder, names=result.names),
    )


def _last_sections(result: BundleResult, run: TrainingRun | EvaluationRun) -> tuple[Section, Section]:
    outcome = result.outcome
    return (
        sections.lock_section(result.bundle.openings(), outcome.data, result.warnings, sealed=result.bundle.is_sealed),
        sections.reproducibility_section(result.bundle, run, outcome.assessment.options),
    )


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write(out: Path, title: str, result: BundleResult, made: tuple[Section, ...], *further: str) -> Path:
    outcome = result.outcome
    said = (*verdict(outcome.assessment, outcome.predictions.patients, result.bundle.chosen_on), *further)
    of_exams = result.bundle.exams is not None
    leading = len(outcome.parts) or 1
    if of_exams:
        chance = near_chance(outcome.assessment)
        said, leading = (*said[:leading], *chance, *said[leading:]), leading + len(chance)
    first, *others = made
    first = dataclasses.replace(first, paragraphs=(*first.paragraphs, *said_of(outcome.predictions.classes)))
    context = ReportContext(title, (*said, *caution(made)), (first, *others), leading=leading)
    return write_report(RunFolder(out).report, report_of_exams(context) if of_exams else context)
