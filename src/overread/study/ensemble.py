"""The networks of a cross-validation kept as one bundle, which averages what they say."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overread.bundle import Bundle
from overread.cases import Manifest, split_cases
from overread.images import DataSet
from overread.machine.files import open_text
from overread.report.documents import CardFacts
from overread.run import CrossValidationRun, FinishedTraining, RunFolder, TrainingRun
from overread.study.data import name_publicly
from overread.training.history import History

if TYPE_CHECKING:
    from overread.training.make_bundle import Fitted


def write_ensemble(
    out: RunFolder, trained: Sequence[RunFolder], dealt: Sequence[Manifest], data_set: DataSet, run: CrossValidationRun
) -> Bundle:
    """Put the networks of all folds and seeds into one bundle; its points come from what each said of its own fold.

    Args:
        out: the folder of the cross-validation, whose bundle it becomes.
        trained: the finished training runs, seed by seed and fold by fold.
        dealt: the cases with each fold as the test side.
        data_set: the same cases with their pixels.
        run: the cross-validation.
    """
    from overread.training.make_bundle import write_bundle

    fitted = [_fitted(folder, dealt[place % len(dealt)], data_set, run) for place, folder in enumerate(trained)]
    fingerprints = "\n".join(sorted(each.data_set.fingerprint for each in fitted))
    manifest = data_set.manifest
    whole = TrainingRun(
        request=run.request,
        fingerprint=hashlib.sha256(fingerprints.encode()).hexdigest(),
        images={"cross-validation": {name: len(manifest.of_class(name)) for name in manifest.classes}},
        patients={"cross-validation": len({case.counts_as for case in manifest.cases})},
        study=run.study,
        left_out={},
        started=run.started,
    )
    return write_bundle(fitted, whole, out)


def _fitted(folder: RunFolder, fold: Manifest, data_set: DataSet, run: CrossValidationRun) -> Fitted:
    """A network as its training run has left it, with the fold that it never saw as its validation side."""
    from overread.networks.build import NetworkSpec
    from overread.training.make_bundle import Fitted
    from overread.training.train_network import TrainedNetwork

    network, bundle = run.request.recipe.network, Bundle.load(folder.bundle)
    (member,) = bundle.members
    trained = TrainedNetwork(
        spec=NetworkSpec(**bundle.network, builder=network if callable(network) else None),
        weights=folder.bundle / member.weights,
        precision=bundle.recipe["precision"],
        history=_history(folder),
    )
    held_out = {"test": "val", "train": "train"}
    cases = [fold.cases[row] for row in data_set.rows]
    sided = fold.replace(dataclasses.replace(case, split=held_out[case.split or "train"]) for case in cases)
    return Fitted(trained=trained, data_set=data_set.with_split(sided), folder=folder)


def _history(folder: RunFolder) -> History:
    with open_text(folder.log) as stream:
        rows = tuple({name: float(value) for name, value in row.items()} for row in csv.DictReader(stream))
    return History(rows=rows, best_epoch=folder.read(FinishedTraining).best_epoch or 1)


def card_facts(
    bundle: Bundle, manifest: Manifest, folds: Sequence[RunFolder], run: CrossValidationRun, *, images: int
) -> CardFacts:
    """What the model card and the checklists of the ensemble tell of its making.

    Args:
        bundle: the ensemble.
        manifest: all cases.
        folds: the finished training runs.
        run: the cross-validation.
        images: that were read, in all.
    """
    runs = [fold.read(FinishedTraining) for fold in folds]
    split = split_cases(manifest, seed=run.request.recipe.seed)
    return CardFacts(
        counts=bundle.data["images"],
        sizes=dict.fromkeys(bundle.data["images"], images),
        patients=bundle.data["patients"],
        has_patients=manifest.has_patients,
        notes=name_publicly(manifest, run.request.source).hide_in(manifest.notes),
        warnings=split.warnings,
        failures={name: reason for each in runs for name, reason in each.left_out.items()},
        epochs=sum(len(_history(fold).rows) for fold in folds),
        best_epoch=None,
        seconds=sum(each.seconds for each in runs),
        machine=run.machine,
        command=run.command,
        folds=run.request.folds,
    )
