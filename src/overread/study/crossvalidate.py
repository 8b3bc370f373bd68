"""Cross-validation by patient: every image is read by networks that never saw its patient, fold by fold, resumable."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from overread.auditing import Rule
from overread.bundle import Bundle
from overread.cases import Manifest, Split, fold_cases, pseudonym, split_cases, without_test
from overread.errors import InvalidOption, OverreadError
from overread.evaluation import Assessment, AssessmentOptions, Predictions, assess, pool_folds, with_patients
from overread.evaluation.robustness import Robustness
from overread.images import DataSet
from overread.machine.content.text import storable
from overread.machine.files import write_json
from overread.machine.remote import local_place
from overread.machine.terminal import progress_console, say
from overread.recipe import Recipe
from overread.report.crossvalidation import Folds, write_crossvalidation_report
from overread.run import CrossValidationRun, Existing, RunFolder
from overread.scale import Engine, OneAfterTheOther
from overread.study.crossvalidation import CrossValidation, judge_folds
from overread.study.data import (
    Data,
    open_with_reference,
    require_codes,
    require_training,
    tell,
    tell_patients,
)
from overread.study.ensemble import card_facts, write_ensemble
from overread.study.folds import FoldTraining, train_fold
from overread.study.robustness import read_robustness
from overread.study.settle import Settled, settle
from overread.study.sides import Decoded
from overread.study.stages.elsewhere import bring_home, storage_of
from overread.study.stages.finish import write_documents
from overread.test_side import read_predictions, write_predictions


def crossvalidate(
    data: Data | None,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    folds: int = 5,
    seeds: int = 1,
    ensemble: bool = False,
    options: AssessmentOptions | None = None,
    accept: Collection[str] = (),
    rules: Sequence[Rule] = (),
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    callbacks: Sequence[Any] = (),
    engine: Engine | None = None,
    storage: str | None = None,
    verbose: bool | None = None,
    console: Console | None = None,
) -> CrossValidation:
    """Train on all folds but one, test on that one, for each fold and each seed; pool what was said of unseen images.

    Folds are dealt by patient and stratified by class; the seeds share them and differ in weights, order,
    augmentation and the validation side. A test side that the data name stays unopened.

    Args:
        data: a manifest, or a folder or CSV to read one from; None to resume with those of the run in out.
        out: receives `seed-S/fold-K/` (a training run each), `crossvalidation.json`, `predictions-seed-S.csv`,
            `report.html`, and with ensemble `bundle/` and `bundle.zip`.
        recipe: how to train, by default as for `train`; its seed is the first of the seeds.
        folds: 2 to 20.
        seeds: 1 to 20.
        ensemble: keep all networks as one bundle, whose probabilities are their mean; calibration, operating points
            and prediction sets are chosen on what each network says of the fold that it never saw.
        options: what to ask of the pooled predictions; by default 95 % intervals.
        accept: as for `train`.
        rules: as for `train`.
        existing: what to do when out holds something: refuse, go on with the folds that are not finished, or replace.
        skip_unreadable: as for `train`.
        store: as for `train`.
        callbacks: as for `train`; those of all folds are the same objects.
        engine: what runs the trainings, such as a `ProcessPoolExecutor`; by default one after the other, here.
        storage: as for `train`.
        verbose: show progress; by default on a terminal and in a notebook.
        console: where progress is written instead.

    Raises:
        OverreadError: as `train`, before the first fold is trained where that can be known.
    """
    if not 1 <= seeds <= 20:
        raise InvalidOption(f"seeds={seeds} is outside 1 to 20: 3 shows how much chance there is in one training")
    require_codes(accept, rules)
    console, folder = console or progress_console(verbose), RunFolder(local_place(out))
    former = folder.read(CrossValidationRun) if existing == "resume" and folder.is_ours else None
    settled = settle(
        data, recipe, options, accept=accept, skip_unreadable=skip_unreadable, folds=folds, folder=folder, former=former
    )
    require_training(settled.recipe, settled.manifest, settled.options)
    pool = without_test(settled.manifest)
    tell(console, (*settled.notes, *pool.notes))
    _deal(pool, folds, settled.recipe)  # an impossible split is told before the decoding
    RunFolder.open(out, existing)
    joins_copies = former is None or former.copies is not None
    opened, looked_at = open_with_reference(pool, settled.recipe, store, settled.request.skip_unreadable, console)
    decoded = Decoded.of(pool, looked_at, opened, joins_copies=joins_copies)
    tell_patients(console, decoded.manifest)
    dealt = _deal(decoded.manifest, folds, settled.recipe)
    settled = settled.for_images(_split(dealt[0], settled.recipe).sizes()["train"])
    run = CrossValidationRun(
        request=settled.request,
        seeds=seeds,
        ensemble=ensemble,
        cases=_hash_of(dealt),
        copies=decoded.groups if joins_copies else None,
    )
    run = _start(folder, run, former)
    fold = functools.partial(FoldTraining, rules=tuple(rules), store=store, callbacks=tuple(callbacks), console=console)
    trainings = _trainings(folder, run, settled, dealt, fold, storage)
    trainings = _in_one_precision(trainings, folder, decoded.data_set, engine, console)
    waiting = [training for training in trainings if not _is_done(training, ensemble=ensemble, console=console)]
    for training, _ in zip(waiting, (engine or OneAfterTheOther()).map(train_fold, waiting), strict=True):
        bring_home(training.out, training.storage)
        if engine is not None:
            say(console, f"{training.title} is finished")
    result = _pool(folder, run, settled)
    if ensemble:
        result = dataclasses.replace(result, bundle=_bundle(folder, run, dealt, decoded.data_set, result))
    folder.write(dataclasses.replace(run, finished=True))
    return result


def _deal(pool: Manifest, folds: int, recipe: Recipe) -> tuple[Manifest, ...]:
    """The manifest of each fold; one that cannot be trained on is told before any training."""
    dealt = fold_cases(pool, folds=folds, seed=recipe.seed)
    for fold in dealt:
        _split(fold, recipe)
    return dealt


def _split(fold: Manifest, recipe: Recipe) -> Split:
    return split_cases(fold, validation=recipe.validation, seed=recipe.seed)


def _hash_of(dealt: tuple[Manifest, ...]) -> str:
    cases = [case for fold in dealt for case in fold.cases]
    lines = [f"{case.full_name} {case.label} {case.split} {pseudonym(case.patient_id)}" for case in cases]
    return hashlib.sha256(storable("\n".join(lines)).encode()).hexdigest()


def _start(folder: RunFolder, run: CrossValidationRun, former: CrossValidationRun | None) -> CrossValidationRun:
    """Record what this cross-validation is; one that is resumed must be the same, but may have more seeds."""
    if former is not None:
        folder.require_same({"cases": run.cases}, {"cases": former.cases})
        run = dataclasses.replace(run, study=former.study, started=former.started)
    folder.write(run)
    return run


def _trainings(
    folder: RunFolder,
    run: CrossValidationRun,
    settled: Settled,
    dealt: tuple[Manifest, ...],
    training: Callable[..., FoldTraining],
    storage: str | None,
) -> list[FoldTraining]:
    """Every training, seed by seed and fold by fold; what they share is in training already."""
    return [
        training(
            title=f"seed {seed}, fold {number} of {len(dealt)}",
            manifest=fold,
            out=folder.fold(seed, number).path.absolute(),
            storage=storage_of(storage, folder.fold(seed, number).path, folder.path),
            recipe=dataclasses.replace(settled.recipe, seed=seed),
            options=settled.options,
            accept=settled.request.accept,
            skip_unreadable=settled.request.skip_unreadable,
            study=run.study,
        )
        for seed in _seeds(run)
        for number, fold in enumerate(dealt, start=1)
    ]


def _is_done(training: FoldTraining, *, ensemble: bool, console: Console) -> bool:
    """Whether a fold is trained and what came out is whole; what is damaged is made anew from its last state."""
    folder = RunFolder(training.out)
    if not folder.is_finished:
        return False
    try:
        read_predictions(folder.path)
        if ensemble:
            Bundle.load(folder.bundle)
    except OverreadError:
        say(console, f"WARNING: the results of {training.title} are damaged and are made anew", "bold yellow")
        return False
    return True


def _in_one_precision(
    trainings: list[FoldTraining], folder: RunFolder, data_set: DataSet, engine: Engine | None, console: Console
) -> list[FoldTraining]:
    """The trainings with the precision of them all; those of a run that began without it go on with their own."""
    from overread.training.train_network import settle_precision

    if not folder.precision.exists() and any(RunFolder(training.out).is_ours for training in trainings):
        return trainings
    recipe, fold = trainings[0].recipe, _split(trainings[0].manifest, trainings[0].recipe).manifest
    readable = data_set.with_split(fold.replace(fold.cases[row] for row in data_set.rows))
    precision = settle_precision(readable, recipe, folder.path, engine, console).precision
    return [
        dataclasses.replace(training, recipe=dataclasses.replace(training.recipe, precision=precision))
        for training in trainings
    ]


def _seeds(run: CrossValidationRun) -> range:
    first = run.request.recipe.seed
    return range(first, first + run.seeds)


def _bundle(
    folder: RunFolder, run: CrossValidationRun, dealt: tuple[Manifest, ...], data_set: DataSet, found: CrossValidation
) -> Bundle:
    """Keep all networks as one bundle, with its documents."""
    trained = [folder.fold(seed, number) for seed in _seeds(run) for number, _ in enumerate(dealt, start=1)]
    bundle, first = write_ensemble(folder, trained, dealt, data_set, run), found.pooled[_seeds(run)[0]]
    facts = card_facts(bundle, dealt[0], trained, run, images=first.evaluation.n)
    write_documents(bundle, first, facts, folder)
    bundle.pack()
    return bundle


def _pool(folder: RunFolder, run: CrossValidationRun, settled: Settled) -> CrossValidation:
    """Pool what was said of unseen images, judge and write it."""
    parts = {
        seed: tuple(read_predictions(folder.fold(seed, number).path) for number in range(1, run.request.folds + 1))
        for seed in _seeds(run)
    }
    pooled = {seed: _with_columns(pool_folds(found), settled.manifest) for seed, found in parts.items()}
    assessed = {seed: _assessed(pooled[seed], found, settled.options) for seed, found in parts.items()}
    result = judge_folds(folder.path, parts, assessed, settled.options)
    for seed, predictions in pooled.items():
        write_predictions(folder.pooled_predictions(seed), predictions)
    write_json(folder.crossvalidation, result.to_dict())
    trained = [folder.fold(seed, number) for seed in _seeds(run) for number in range(1, run.request.folds + 1)]
    robustness = [found for fold in trained if (found := read_robustness(fold)) is not None]
    shown = _shown(result, robustness)
    of_exams = any(case.instances for case in settled.manifest.cases)
    write_crossvalidation_report(folder.path, shown, pooled[settled.recipe.seed], run=run, of_exams=of_exams)
    return result


def _assessed(pooled: Predictions, folds: Sequence[Predictions], options: AssessmentOptions) -> Assessment:
    """What all folds are worth together; patients are decided on at the operating point of their fold."""
    found = assess(pooled, dataclasses.replace(options, by_patient=None))
    if options.by_patient is None:
        return found
    return with_patients(found, pool_folds([fold.by_patient(options.by_patient) for fold in folds]), options)


def _shown(result: CrossValidation, robustness: Sequence[Robustness] = ()) -> Folds:
    spread = {name: result.spread(name) for name in result.reported}
    parts = {name: _shown(part) for name, part in result.parts.items()}
    return Folds(folds=result.folds, pooled=result.pooled, spread=spread, robustness=robustness, parts=parts)


def _with_columns(predictions: Predictions, manifest: Manifest) -> Predictions:
    extra = {case.full_name: case.extra for case in manifest.cases}
    columns = {name: [extra[case].get(name, "") for case in predictions.cases] for name in manifest.columns}
    return dataclasses.replace(predictions, columns=columns)
