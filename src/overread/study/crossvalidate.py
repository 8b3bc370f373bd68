"""Cross-validation by patient: every image is read by networks that never saw its patient, fold by fold, resumable."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from overread.bundle import Bundle, Member, Reference, now, referral_from
from overread.cases import Manifest, fold_cases, pseudonym, split_cases
from overread.decision import choose_operating_points
from overread.errors import InvalidOption
from overread.evaluation import (
    Assessment,
    AssessmentOptions,
    Evaluation,
    Predictions,
    assess,
    average_readers,
    compute_metrics,
    pool_folds,
)
from overread.machine.files import RUN_FILE, Existing, open_run_folder, write_json
from overread.machine.terminal import progress_console
from overread.recipe import Recipe
from overread.report.crossvalidation import Folds, write_crossvalidation_report
from overread.report.documents import CardFacts
from overread.study.data import read_manifest, require_training, tell
from overread.study.run import command, environment, new_study_id
from overread.study.train import train, write_documents
from overread.test_side.outcome import read_predictions, write_predictions

MAIN_METRICS = ("auc", "accuracy", "sensitivity", "specificity", "ppv", "npv", "brier", "loss")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """A finished cross-validation.

    Args:
        out: its folder.
        folds: the evaluation of each fold, at its own operating point, by seed.
        pooled: all folds of a seed together, each case with the decision of the network that had not seen it, by seed.
        bundle: the ensemble of all networks, if it was asked for.
    """

    out: Path
    folds: Mapping[int, tuple[Evaluation, ...]]
    pooled: Mapping[int, Assessment]
    bundle: Bundle | None

    @property
    def report(self) -> Path:
        """The page to open first."""
        return self.out / "report.html"

    def spread(self, name: str) -> dict[str, float | None]:
        """Standard deviation of a metric across the folds (mean over seeds), and of the pooled one across seeds.

        None where a fold leaves the metric undefined, or there is one seed only.
        """
        across_folds = [statistics.stdev(fold[name].value for fold in found) for found in self.folds.values()]
        pooled = [assessment.evaluation[name].value for assessment in self.pooled.values()]
        across_seeds = statistics.stdev(pooled) if len(pooled) > 1 else float("nan")
        found = {"folds_sd": statistics.fmean(across_folds), "seeds_sd": across_seeds}
        return {key: None if np.isnan(value) else value for key, value in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "folds": {
                str(seed): [{name: fold[name].to_dict() for name in MAIN_METRICS} for fold in found]
                for seed, found in self.folds.items()
            },
            "pooled": {str(seed): assessment.to_dict() for seed, assessment in self.pooled.items()},
            "spread": {name: self.spread(name) for name in MAIN_METRICS},
        }


def crossvalidate(
    data: Manifest | str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    folds: int = 5,
    seeds: int = 1,
    ensemble: bool = False,
    options: AssessmentOptions | None = None,
    accept: Collection[str] = (),
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    callbacks: Sequence[Any] = (),
    console: Console | None = None,
) -> CrossValidation:
    """Train on all folds but one, test on that one, for each fold and each seed; pool what was said of unseen images.

    Folds are dealt by patient and stratified by class; the seeds share them and differ in weights, order,
    augmentation and the validation side. A test side that the data name stays unopened.

    Args:
        data: a manifest, or a folder or CSV to read one from.
        out: receives `seed-S/fold-K/` (a training run each), `crossvalidation.json`, `predictions-seed-S.csv`,
            `report.html`, and with ensemble `bundle/` and `bundle.zip`.
        recipe: how to train; its seed is the first of the seeds.
        folds: 2 to 20.
        seeds: 1 to 20.
        ensemble: keep all networks as one bundle, whose probabilities are their mean; its operating points and
            prediction sets are chosen on the pooled predictions of unseen images.
        options: what to ask of the pooled predictions; by default 95 % intervals.
        accept: as for `train`.
        existing: what to do when out holds something: refuse, go on with the folds that are not finished, or replace.
        skip_unreadable: as for `train`.
        store: as for `train`.
        callbacks: as for `train`; those of all folds are the same objects.
        console: where progress is written; by default on a terminal and in a notebook.

    Raises:
        OverreadError: as `train`, before the first fold is trained where that can be known.
    """
    recipe, console, out = recipe or Recipe(), console or progress_console(), Path(out)
    options = options or AssessmentOptions()
    if not 1 <= seeds <= 20:
        raise InvalidOption(f"seeds={seeds} is outside 1 to 20: 3 shows how much chance there is in one training")
    manifest = data if isinstance(data, Manifest) else read_manifest(data)
    require_training(recipe, manifest, options)
    dealt = fold_cases(manifest, folds=folds, seed=recipe.seed)
    for fold in dealt:
        split_cases(fold, validation=recipe.validation, seed=recipe.seed)  # an impossible fold is told before training
    tell(console, dealt[0].notes)
    run = _start(open_run_folder(out, existing), recipe, seeds, dealt)

    parts: dict[int, tuple[Predictions, ...]] = {}
    folders: list[Path] = []
    for seed in range(recipe.seed, recipe.seed + seeds):
        found = []
        for number, fold in enumerate(dealt, start=1):
            folder = out / f"seed-{seed}" / f"fold-{number}"
            if not _is_finished(folder):
                console.rule(f"seed {seed}, fold {number} of {folds}")
                train(
                    fold,
                    folder,
                    dataclasses.replace(recipe, seed=seed),
                    options=options,
                    accept=accept,
                    existing="resume",
                    skip_unreadable=skip_unreadable,
                    store=store,
                    study_id=run["study"],
                    callbacks=callbacks,
                    console=console,
                )
            folders.append(folder)
            found.append(read_predictions(folder))
        parts[seed] = tuple(found)

    pooled = {seed: _with_columns(pool_folds(found), manifest) for seed, found in parts.items()}
    assessed = {seed: assess(predictions, options) for seed, predictions in pooled.items()}
    n_patients = assessed[recipe.seed].n_patients
    result = CrossValidation(
        out=out,
        folds={seed: tuple(_evaluated(part, options) for part in found) for seed, found in parts.items()},
        pooled=assessed,
        bundle=_write_ensemble(out, folders, list(pooled.values()), n_patients, run) if ensemble else None,
    )
    if result.bundle is not None:
        facts = _card_facts(result.bundle, dealt[0], folders, run)
        write_documents(result.bundle, assessed[recipe.seed], facts, out)
        result.bundle.pack()
    for seed, predictions in pooled.items():
        write_predictions(out / f"predictions-seed-{seed}.csv", predictions)
    write_json(out / "crossvalidation.json", result.to_dict())
    spread = {name: result.spread(name) for name in MAIN_METRICS}
    shown = Folds(folds=result.folds, pooled=result.pooled, spread=spread)
    write_crossvalidation_report(out, shown, pooled[recipe.seed], run=run)
    write_json(out / RUN_FILE, {**run, "finished": True})
    return result


def _start(out: Path, recipe: Recipe, seeds: int, dealt: tuple[Manifest, ...]) -> dict[str, Any]:
    """Record what this cross-validation is; one that is resumed must be the same, but may have more seeds."""
    cases = [f"{case.name} {case.label} {case.split} {pseudonym(case.patient_id)}" for f in dealt for case in f.cases]
    same = {
        "recipe": recipe.to_dict(),
        "folds": len(dealt),
        "cases": hashlib.sha256("\n".join(cases).encode()).hexdigest(),
    }
    study_id = new_study_id()
    if (out / RUN_FILE).exists():
        former = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
        changed = [name for name, value in same.items() if former.get(name) != value]
        if changed:
            raise InvalidOption(
                f"{out} holds a run that differs in {', '.join(changed)}: resume it with the same options and data, or "
                "give another --out"
            )
        study_id = former["study"]
    run = {**same, "seeds": seeds, "study": study_id, "command": command(), **environment()}
    write_json(out / RUN_FILE, run)
    return run


def _is_finished(folder: Path) -> bool:
    return (folder / RUN_FILE).exists() and "finished" in json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))


def _evaluated(part: Predictions, options: AssessmentOptions | None) -> Evaluation:
    return compute_metrics(
        part.y_true,
        part.y_prob,
        task=part.task,
        thresholds=part.thresholds,
        decided=part.decided,
        own=options.metrics if options else (),
    )


def _with_columns(predictions: Predictions, manifest: Manifest) -> Predictions:
    extra = {case.name: case.extra for case in manifest.cases}
    columns = {name: [extra[case].get(name, "") for case in predictions.cases] for name in manifest.columns}
    return dataclasses.replace(predictions, columns=columns)


def _write_ensemble(
    out: Path, folders: list[Path], pooled: list[Predictions], n_patients: int, run: dict[str, Any]
) -> Bundle:
    """Put the networks of all folds and seeds into one bundle; its points come from what each said of unseen images."""
    sources = [Bundle.load(folder / "bundle") for folder in folders]
    first, y_prob = sources[0], average_readers(pooled)
    if any(source.preprocessing != first.preprocessing for source in sources):
        raise InvalidOption("the folds decode images differently (grey and colour): say --colour, and begin anew")
    members: list[Member] = []
    files: dict[str, Path] = {}
    references: list[Reference] = []
    labels, read = np.asarray(pooled[0].y_true), 0
    for number, (folder, source) in enumerate(zip(folders, sources, strict=True), start=1):
        (member,), (reference,) = source.members, source.references()
        graph, weights = f"network-{number:02d}.onnx", f"network-{number:02d}.weights.h5"
        name = f"reference-{number:02d}.npz"
        # Each fold's rows go to its network of the first seed; for those of further seeds none are left.
        rows = slice(read, read := read + len(read_predictions(folder).cases))
        references.append(dataclasses.replace(reference, labels=labels[rows], scores=y_prob[rows]))
        members.append(Member(graph=graph, weights=weights, reference=name, calibration=member.calibration))
        files |= {graph: folder / "bundle" / member.graph, weights: folder / "bundle" / member.weights}
        files[name] = folder / "checkpoints" / name
        files[name].write_bytes(references[-1].to_bytes())
    fingerprints = "\n".join(sorted(str(source.data["fingerprint"]) for source in sources))
    counts = {name: int((labels == index).sum()) for index, name in enumerate(first.classes)}
    bundle = dataclasses.replace(
        first,
        members=tuple(members),
        operating_points=choose_operating_points(
            labels, y_prob, task=first.task, rule=run["recipe"]["operating_point"]
        ),
        referral=referral_from(references, first.task, run["recipe"]["coverage"]),
        recipe=run["recipe"],
        data={
            "fingerprint": hashlib.sha256(fingerprints.encode()).hexdigest(),
            "images": {"cross-validation": counts},
            "patients": {"cross-validation": n_patients},
            "study": run["study"],
            "onnx_keras_difference": max(source.data["onnx_keras_difference"] for source in sources),
        },
        created=now(),
    )
    return bundle.write(out / "bundle", files)


def _card_facts(bundle: Bundle, manifest: Manifest, folders: list[Path], run: dict[str, Any]) -> CardFacts:
    runs = [json.loads((folder / RUN_FILE).read_text(encoding="utf-8")) for folder in folders]
    lines = [(folder / "log.csv").read_text(encoding="utf-8").splitlines() for folder in folders]
    split = split_cases(manifest, seed=run["recipe"]["seed"])
    return CardFacts(
        counts=bundle.data["images"],
        patients=bundle.data["patients"],
        has_patients=manifest.has_patients,
        notes=manifest.notes,
        warnings=split.warnings,
        failures={name: reason for each in runs for name, reason in each["left_out"].items()},
        epochs=sum(len(log) - 1 for log in lines),
        best_epoch=None,
        seconds=sum(each["seconds"] for each in runs),
        machine=run["machine"],
        command=run["command"],
        folds=run["folds"],
    )
