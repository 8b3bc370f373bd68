"""From exams to a trained network with its pooling: features of every frame once, then a head on them."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from overread.bundle import ATTENTION, WEIGHTS, Graph
from overread.errors import InvalidOption
from overread.images import DataSet
from overread.machine.files import read_regular, replace_file
from overread.machine.temporary import clear
from overread.machine.terminal import at_work, say
from overread.networks.backend import keras
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.training.exams.choose_pooling import Exams, fit_pooling
from overread.training.exams.frame_traits import FrameTraits
from overread.training.export import export_onnx
from overread.training.history import History
from overread.training.linear_head import has_linear_head
from overread.training.train_network import TrainedNetwork, spec_of


def train_exams(data_set: DataSet, recipe: Recipe, folder: Path, *, console: Console) -> TrainedNetwork:
    """Fit a pooling of frames and a linear layer to the exams of the train side, on features as they are.

    Args:
        data_set: exams with their sides.
        recipe: of which the network, the pooling, the class weights and the seed count.
        folder: receives the weights and the pooling.
        console: where progress is shown.

    Raises:
        InvalidOption: the network has an end of its own, so that its frames cannot be pooled.
    """
    since = time.perf_counter()
    spec = spec_of(recipe, data_set)
    network = build_network(spec, pretrained=recipe.pretrained, seed=recipe.seed)
    if not has_linear_head(network):
        raise InvalidOption(
            f"the network {spec.name} has an end of its own, so its frames cannot be pooled into exams: take one whose "
            "body ends in feature maps"
        )
    traits = open_traits(network, spec, data_set, folder, console=console)
    manifest = data_set.manifest
    train = manifest.select("train")
    fitted = fit_pooling(
        Exams(
            traits=traits,
            positions=train,
            y_true=data_set.y_true[train],
            groups=np.array([manifest.cases[i].counts_as for i in train], dtype=object),
            task=manifest.task,
            class_weights=recipe.class_weights,
        ),
        recipe.pooling,
        np.random.default_rng([recipe.seed, len(train)]),
        folder,
    )
    network.layers[-1].set_weights([fitted.kernel, fitted.bias])
    run = RunFolder(folder)
    weights, attention = run.checkpoints / WEIGHTS, run.checkpoints / ATTENTION
    weights.parent.mkdir(parents=True, exist_ok=True)
    clear(weights)
    network.save_weights(weights)
    if fitted.attention is not None:
        replace_file(attention, fitted.attention.to_bytes())
    fitted.choice.write(run.pooling)
    say(console, f"{fitted.choice}, in {time.perf_counter() - since:.0f} s")
    spec = dataclasses.replace(spec, second_look=recipe.second_look)
    return TrainedNetwork(
        spec=spec,
        weights=weights,
        precision="float32",
        history=History(rows=(), best_epoch=0),
        attention=None if fitted.attention is None else attention,
    )


def open_traits(
    network: keras.Model, spec: NetworkSpec, data_set: DataSet, folder: Path, *, console: Console
) -> FrameTraits:
    """The traits of every frame by a network, of which the last layer does not count."""
    with at_work(console, "features of frames") as status, tempfile.TemporaryDirectory(dir=folder) as temporary:
        body = hashlib.sha256(spec.name.encode())
        for layer in network.layers[:-1]:
            for values in layer.get_weights():
                body.update(np.ascontiguousarray(values).data)
        weights, graph = Path(temporary) / WEIGHTS, Path(temporary) / "network.onnx"
        network.save_weights(weights)
        export_onnx(spec, weights, graph)
        return FrameTraits.work_out(
            data_set,
            Graph(read_regular(graph)),
            body.hexdigest(),
            progress=lambda done, of: status.update(f"features of frames: {done} of {of} exams"),
        )
