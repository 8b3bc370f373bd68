"""The networks of a cross-validation kept as one bundle, which averages what they say."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from overread.bundle import Bundle, Member, Reference, referral_from
from overread.cases import Manifest, split_cases
from overread.decision import choose_operating_points
from overread.errors import InvalidOption
from overread.evaluation import Predictions, average_readers
from overread.machine.clock import now
from overread.report.documents import CardFacts
from overread.run import CrossValidationRun, FinishedTraining, RunFolder
from overread.study.data import name_publicly
from overread.test_side.outcome import read_predictions


def write_ensemble(
    out: RunFolder, folds: Sequence[RunFolder], pooled: Sequence[Predictions], n_patients: int, run: CrossValidationRun
) -> Bundle:
    """Put the networks of all folds and seeds into one bundle; its points come from what each said of unseen images.

    Args:
        out: the folder of the cross-validation, whose bundle it becomes.
        folds: the finished training runs, seed by seed.
        pooled: what was said of unseen images, a seed each.
        n_patients: in all.
        run: the cross-validation.

    Raises:
        InvalidOption: the folds decode images differently.
    """
    sources = [Bundle.load(fold.bundle) for fold in folds]
    first, y_prob, labels = sources[0], average_readers(pooled), np.asarray(pooled[0].y_true)
    if any(source.preprocessing != first.preprocessing for source in sources):
        raise InvalidOption("the folds decode images differently (grey and colour): say --colour, and begin anew")
    members, references, files = _gather(folds, sources, labels, y_prob)
    fingerprints = "\n".join(sorted(str(source.data["fingerprint"]) for source in sources))
    counts = {name: int(first.task.shows(labels, name).sum()) for name in first.classes}
    recipe = run.request.recipe
    bundle = dataclasses.replace(
        first,
        members=members,
        operating_points=choose_operating_points(
            labels, y_prob, task=first.task, rule=recipe.operating_point, patients=pooled[0].patients
        ),
        referral=referral_from(references, first.task, recipe.coverage),
        recipe=recipe.shown(),
        data={
            "fingerprint": hashlib.sha256(fingerprints.encode()).hexdigest(),
            "images": {"cross-validation": counts},
            "patients": {"cross-validation": n_patients},
            "study": run.study,
            "onnx_keras_difference": max(source.data["onnx_keras_difference"] for source in sources),
        },
        created=now(),
    )
    return bundle.write(out.bundle, files)


def _gather(
    folds: Sequence[RunFolder], sources: Sequence[Bundle], labels: np.ndarray, y_prob: np.ndarray
) -> tuple[tuple[Member, ...], tuple[Reference, ...], dict[str, Path]]:
    """Each network under a number of its own: how it is read, its reference, and where its files lie."""
    members: list[Member] = []
    references: list[Reference] = []
    files: dict[str, Path] = {}
    read = 0
    for number, (fold, source) in enumerate(zip(folds, sources, strict=True), start=1):
        (member,), (reference,) = source.members, source.references()
        graph, weights = f"network-{number:02d}.onnx", f"network-{number:02d}.weights.h5"
        name = f"reference-{number:02d}.npz"
        # Each fold's rows go to its network of the first seed; for those of further seeds none are left.
        rows = slice(read, read := read + len(read_predictions(fold.path).cases))
        references.append(dataclasses.replace(reference, labels=labels[rows], scores=y_prob[rows]))
        members.append(Member(graph=graph, weights=weights, reference=name, calibration=member.calibration))
        files |= {graph: fold.bundle / member.graph, weights: fold.bundle / member.weights}
        files[name] = fold.checkpoints / name
        files[name].write_bytes(references[-1].to_bytes())
    return tuple(members), tuple(references), files


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
    lines = [fold.log.read_text(encoding="utf-8").splitlines() for fold in folds]
    split = split_cases(manifest, seed=run.request.recipe.seed)
    return CardFacts(
        counts=bundle.data["images"],
        sizes=dict.fromkeys(bundle.data["images"], images),
        patients=bundle.data["patients"],
        has_patients=manifest.has_patients,
        notes=name_publicly(manifest, run.request.source).hide_in(manifest.notes),
        warnings=split.warnings,
        failures={name: reason for each in runs for name, reason in each.left_out.items()},
        epochs=sum(len(log) - 1 for log in lines),
        best_epoch=None,
        seconds=sum(each.seconds for each in runs),
        machine=run.machine,
        command=run.command,
        folds=run.folds,
    )
