"""From a trained network to the bundle: export, proof, and all that is chosen on validation images."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.bundle import GRAPH, REFERENCE, WEIGHTS, Bundle, Graph, Member, Reference, referral_from
from overread.decision import Familiarity, choose_operating_points, fit_calibration
from overread.errors import InvalidBundle, MissingPath
from overread.images import DataSet
from overread.run import RunFolder, TrainingRun
from overread.training.export import check_parity, export_onnx
from overread.training.map_checks import check_activation_maps
from overread.training.train_network import TrainedNetwork

# Validation images on which the ONNX graph is held against the Keras network before a bundle is written.
_PARITY_IMAGES = 64
# Training images that say what is familiar.
_FAMILIAR_IMAGES = 4096


def write_bundle(trained: TrainedNetwork, data_set: DataSet, run: TrainingRun, folder: RunFolder) -> Bundle:
    """Export a network, prove the export, calibrate it, choose when it calls and when it refers, write the bundle.

    A bundle that this very run has written before it was resumed is taken as it is, with its record of evaluations.

    Args:
        trained: the network.
        data_set: cases with their sides; choices are made on the validation side, and the training side says what is
            familiar.
        run: with the recipe, which says which calibration, rule and coverage.
        folder: of the run, whose bundle it becomes.

    Raises:
        ExportMismatch: the graph and the Keras network disagree.
        InvalidOption: the calibration does not fit the number of classes.
    """
    if (former := _written_before(folder, run)) is not None:
        return former
    recipe = run.request.recipe
    manifest = data_set.manifest
    validation = manifest.select("val")
    exported = folder.checkpoints / GRAPH
    export_onnx(trained.spec, trained.weights, exported)
    graph = Graph(exported.read_bytes())
    difference = check_parity(trained.network, graph, manifest.task, data_set.pixels(validation[:_PARITY_IMAGES]))
    labels, (logits, traits) = data_set.y_true[validation], graph.logits_and_traits(data_set.chunks(validation))
    calibration = fit_calibration(labels, logits, task=manifest.task, method=recipe.calibration)
    y_prob = calibration.apply(logits, manifest.task)
    reference = Reference.of(_familiar(graph, data_set, traits, recipe.seed), traits, labels, y_prob)
    measured = folder.checkpoints / REFERENCE
    measured.write_bytes(reference.to_bytes())
    bundle = Bundle(
        task=manifest.task,
        preprocessing=data_set.store.preprocessing,
        members=(Member(calibration=calibration),),
        operating_points=choose_operating_points(labels, y_prob, task=manifest.task, rule=recipe.operating_point),
        referral=referral_from([reference], manifest.task, recipe.coverage),
        network=trained.spec.to_dict(),
        recipe={**recipe.shown(), "precision": trained.precision},
        data={**run.data, "onnx_keras_difference": difference},
        versions=run.versions,
        created=run.started,
    )
    checked = {**bundle.data, "activation_maps": check_activation_maps(trained, graph, data_set, bundle)}
    bundle = dataclasses.replace(bundle, data=checked)
    return bundle.write(folder.bundle, {GRAPH: exported, WEIGHTS: trained.weights, REFERENCE: measured})


def _familiar(graph: Graph, data_set: DataSet, validation: np.ndarray, seed: int) -> Familiarity:
    train = np.array(data_set.manifest.select("train"))
    if len(train) > _FAMILIAR_IMAGES:
        train = np.sort(np.random.default_rng(seed).choice(train, _FAMILIAR_IMAGES, replace=False))
    _, seen = graph.logits_and_traits(data_set.chunks(train.tolist()))
    return Familiarity.fit(seen, validation)


def _written_before(folder: RunFolder, run: TrainingRun) -> Bundle | None:
    try:
        bundle = Bundle.load(folder.bundle)
    except (MissingPath, InvalidBundle):
        return None
    same = bundle.data["fingerprint"] == run.fingerprint and bundle.data["study"] == run.study
    return bundle if same and bundle.versions == run.versions else None
