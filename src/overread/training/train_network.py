"""From pixels and a recipe to trained weights: choose the precision, build, fit, keep the best."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from overread.images import DataSet
from overread.machine.files import require_space, write_json
from overread.machine.memo import remembered
from overread.networks.augment import Augment
from overread.networks.zoo import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.training.fit import History, TrainingData, fit
from overread.training.objective import averaged_steps, compile_for_training
from overread.training.precision import PrecisionChoice, choose_precision, computer
from overread.training.progress import ShowProgress

# A run keeps two states of weights and three moments each, two best weights, and copies in graph, bundle and zip.
_WEIGHT_COPIES = 16
_FIXED_BYTES = 20_000_000


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A network with its best weights.

    Args:
        spec: its shape.
        network: in float32, as `build_network` makes it.
        weights: the file that holds its weights.
        precision: the Keras dtype policy that it was trained in.
        history: how training went.
    """

    spec: NetworkSpec
    network: keras.Model
    weights: Path
    precision: str
    history: History


def train_network(
    data_set: DataSet,
    recipe: Recipe,
    folder: Path,
    *,
    console: Console,
    watchers: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """Train a recipe's network on the train side, watched on the validation side.

    Args:
        data_set: cases with their sides.
        recipe: how to train.
        folder: receives logs and checkpoints; the state of an earlier run in it is continued.
        console: where progress is shown.
        watchers: callbacks that look on, and may stop training.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the state after the last whole epoch is in folder.
        OverreadError: the network cannot be built or training diverged.
    """
    manifest = data_set.manifest
    task, (_, height, width, channels) = manifest.task, data_set.store.pixels.shape
    read = data_set.y_true
    y_true = np.zeros((len(data_set.store.pixels), *read.shape[1:]), dtype=read.dtype)
    y_true[data_set.rows] = read
    data = TrainingData(
        pixels=data_set.store.pixels,
        y_true=y_true,
        train=data_set.rows[manifest.select("train")].tolist(),
        validation=data_set.rows[manifest.select("val")].tolist(),
        task=task,
    )
    spec = NetworkSpec(
        name=recipe.network,
        height=height,
        width=width,
        channels=channels,
        outputs=task.outputs,
        dropout=recipe.dropout,
        frozen_stages=recipe.frozen_stages,
    )
    batches, _ = data.batches(recipe)

    def build(policy: str) -> keras.Model:
        network = build_network(
            spec,
            augmentation=recipe.augmentation,
            pretrained=recipe.pretrained,
            policy=policy,
            averaged_steps=averaged_steps(recipe, len(batches)),
            seed=recipe.seed,
        )
        return compile_for_training(network, recipe, task, len(batches))

    def choose() -> PrecisionChoice:
        return remembered(
            data_set.store.path.parent,
            "precision",
            [dataclasses.asdict(spec), recipe.batch_size, recipe.precision, computer()],
            lambda: choose_precision(build, batches[0], asked=recipe.precision),
            write=dataclasses.asdict,
            read=lambda values: PrecisionChoice(**values),
        )

    precision = _settled_precision(RunFolder(folder).precision, choose)
    console.print(f"training {recipe.network} with Keras on {keras.backend.backend()} in {precision}", highlight=False)
    model = build(precision.policy)
    console.print(f"{model.count_params():,} parameters, {batches.image_count} images an epoch", highlight=False)
    require_space(folder, _FIXED_BYTES + _WEIGHT_COPIES * 4 * model.count_params())
    history = fit(model, data, recipe, folder, watchers=[ShowProgress(console, recipe.batch_size), *watchers])
    network = build_network(spec)
    network.set_weights(model.get_weights())
    weights = RunFolder(folder).checkpoints / "network.weights.h5"
    network.save_weights(weights)
    return Trained(spec=spec, network=network, weights=weights, precision=precision.policy, history=history)


def augmented_previews(pixels: np.ndarray, recipe: Recipe, *, count: int = 7) -> np.ndarray:
    """Images as training sees them: `(n, count, height, width, channels)` of 0 to 255 for `(n, ...)` uint8."""
    augment = Augment(recipe.augmentation, seed=recipe.seed)
    repeated = np.repeat(pixels, count, axis=0)
    return np.asarray(keras.ops.convert_to_numpy(augment(repeated, training=True))).reshape(
        len(pixels), count, *pixels.shape[1:]
    )


def _settled_precision(memory: Path, choose: Callable[[], PrecisionChoice]) -> PrecisionChoice:
    """The precision that the run in this folder began with, or a new choice: a resumed run must compute as it began."""
    if memory.exists():
        return PrecisionChoice(**json.loads(memory.read_text(encoding="utf-8")))
    choice = choose()
    write_json(memory, dataclasses.asdict(choice))
    return choice
