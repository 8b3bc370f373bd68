"""From a trained network to the bundle: export, proof, calibration and operating points, all on validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.bundle import GRAPH, WEIGHTS, Bundle, Graph, Member
from overread.bundle.onnx import check_parity, export_onnx
from overread.errors import InvalidBundle, MissingPath
from overread.evaluation import choose_operating_points, fit_calibration
from overread.images import DataSet
from overread.training.recipe import Recipe
from overread.training.trained import Trained

# Validation images on which the ONNX graph is held against the Keras network before a bundle is written.
_PARITY_IMAGES = 64


def write_bundle(trained: Trained, data_set: DataSet, recipe: Recipe, run: Mapping[str, Any], out: Path) -> Bundle:
    """Export a network, prove the export, calibrate it, choose its operating points, write the bundle's directory.

    A bundle that this very run has written before it was resumed is taken as it is, with its record of evaluations.

    Args:
        trained: the network.
        data_set: cases with their sides; the validation side is used and no other.
        recipe: which calibration and which rule.
        run: as `provenance.start_run` gives it.
        out: the folder of the run; the bundle goes to `bundle/`.

    Raises:
        ExportMismatch: the graph and the Keras network disagree.
        InvalidOption: the calibration does not fit the number of classes.
    """
    if (former := _written_before(out / "bundle", run)) is not None:
        return former
    manifest = data_set.manifest
    validation = manifest.select("val")
    exported = out / "checkpoints" / GRAPH
    export_onnx(trained.spec, trained.weights, exported)
    graph = Graph(exported.read_bytes())
    difference = check_parity(trained.network, graph, data_set.pixels(validation[:_PARITY_IMAGES]))
    labels, logits = data_set.labels[validation], graph.logits(data_set.chunks(validation))
    calibration = fit_calibration(labels, logits, method=recipe.calibration)
    bundle = Bundle(
        classes=manifest.classes,
        preprocessing=data_set.store.preprocessing,
        members=(Member(calibration=calibration),),
        operating_points=choose_operating_points(
            labels, calibration.apply(logits), classes=manifest.classes, rule=recipe.operating_point
        ),
        network=dataclasses.asdict(trained.spec),
        recipe={**recipe.to_dict(), "precision": trained.precision},
        data={**run["data"], "onnx_keras_difference": difference},
        versions=run["versions"],
        created=run["started"],
    )
    return bundle.write(out / "bundle", {GRAPH: exported, WEIGHTS: trained.weights})


def _written_before(folder: Path, run: Mapping[str, Any]) -> Bundle | None:
    try:
        bundle = Bundle.load(folder)
    except (MissingPath, InvalidBundle):
        return None
    same = bundle.data["fingerprint"] == run["data"]["fingerprint"] and bundle.data["study"] == run["data"]["study"]
    return bundle if same and bundle.versions == run["versions"] else None
