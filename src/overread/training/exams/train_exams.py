"""From exams to a trained network with its pooling: features of every frame once, then a head on them."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from overread.bundle import ATTENTION, GRAPH, WEIGHTS, Graph
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
from overread.training.exams.frame_traits import FrameTraits, features_digest
from overread.training.exams.weak_frames import weak_frames
from overread.training.export import export_onnx
from overread.training.history import History
from overread.training.linear_head import has_linear_head
from overread.training.train_network import TrainedNetwork, spec_of, take_start, train_network

# Of a recipe what concerns the training of the network itself.
_UNUSED: Mapping[str, Callable[[Recipe], bool]] = {
    "--head-start": lambda recipe: recipe.head_start,
    "--mixup": lambda recipe: recipe.mixup > 0,
    "--label-smoothing": lambda recipe: recipe.label_smoothing > 0,
    "--learning-rate": lambda recipe: recipe.learning_rate is not None,
}


def train_exams(
    data_set: DataSet,
    recipe: Recipe,
    folder: Path,
    *,
    console: Console,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedNetwork:
    """Fit a pooling of frames and a linear layer to the exams of the train side, on the features of a network.

    The network is one that was trained elsewhere, taken as it is. One without such weights, or for which the recipe
    names epochs, is first trained on frames, each with the label of its exam.

    Args:
        data_set: exams with their sides.
        recipe: of which the network, the pooling, the class weights and the seed count.
        folder: receives the weights and the pooling.
        console: where progress is shown.
        callbacks: as for `fit`, where the network is trained.

    Raises:
        InvalidOption: the network has an end of its own, so that its frames cannot be pooled.
    """
    since = time.perf_counter()
    spec = dataclasses.replace(spec_of(recipe, data_set), second_look=recipe.second_look)
    network = _build(spec, recipe, folder, console)
    if not has_linear_head(network):
        raise InvalidOption(
            f"the network {spec.name} has an end of its own, so its frames cannot be pooled into exams: take one whose "
            "body ends in feature maps"
        )
    history, precision = History(rows=(), best_epoch=0), "float32"
    if _learns_from_frames(recipe):
        trained = _train_on_frames(data_set, recipe, folder, console, callbacks)
        network, history, precision = trained.build(), trained.history, trained.precision
    elif ignored := [name for name, is_set in _UNUSED.items() if is_set(recipe)]:
        say(console, f"{', '.join(ignored)}: not used, for the network is taken as it is; --epochs trains it", "yellow")
    manifest = data_set.manifest
    train = manifest.select("train")
    traits = _open_traits(network, spec, data_set, train, folder, console)
    fitted = fit_pooling(
        Exams(
            traits=traits,
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
    return TrainedNetwork(
        spec=spec,
        weights=weights,
        precision=precision,
        history=history,
        attention=None if fitted.attention is None else attention,
    )


def _learns_from_frames(recipe: Recipe) -> bool:
    """Whether the network has no weights that were trained elsewhere, or epochs of its own."""
    has_weights = recipe.start is not None or (recipe.pretrained and recipe.chosen_network.has_pretrained)
    return recipe.epochs is not None or not has_weights


def _build(spec: NetworkSpec, recipe: Recipe, folder: Path, console: Console) -> keras.Model:
    network = build_network(spec, pretrained=recipe.pretrained, seed=recipe.seed)
    if recipe.start is not None:
        take_start(network, recipe.start, folder, console)
    return network


def _train_on_frames(
    data_set: DataSet,
    recipe: Recipe,
    folder: Path,
    console: Console,
    callbacks: Sequence[keras.callbacks.Callback],
) -> TrainedNetwork:
    with weak_frames(data_set, folder) as frames:
        count = len(frames.manifest.select("train"))
        say(
            console,
            f"the network is first trained on {count:,} frames, each with the label of its exam: it need not show it",
        )
        return train_network(frames, recipe.for_images(count), folder, console=console, callbacks=callbacks)


def _open_traits(
    network: keras.Model, spec: NetworkSpec, data_set: DataSet, train: Sequence[int], folder: Path, console: Console
) -> FrameTraits:
    """The traits of every frame of the train side by a network, of which the last layer does not count."""
    with at_work(console, "features of frames") as status, tempfile.TemporaryDirectory(dir=folder) as temporary:
        weights, graph = Path(temporary) / WEIGHTS, Path(temporary) / GRAPH
        network.save_weights(weights)
        export_onnx(spec, weights, graph)
        return FrameTraits.work_out(
            data_set,
            Graph(read_regular(graph)),
            features_digest(network, spec),
            train,
            progress=lambda done, of: status.update(f"features of frames: {done} of {of} exams"),
        )
