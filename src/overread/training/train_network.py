"""From pixels and a recipe to trained weights: choose the precision, build, fit, keep the best."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from overread.bundle import WEIGHTS
from overread.decision import Task
from overread.errors import InvalidData
from overread.images import DataSet
from overread.machine.content.values import from_values
from overread.machine.files import from_json, read_regular, require_space, write_json
from overread.machine.memo import recall_or_work_out
from overread.machine.temporary import clear
from overread.machine.terminal import say
from overread.networks.augment import Augment
from overread.networks.backend import keras
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.scale import Engine
from overread.training.crew import dealt_to_devices, is_first, on_what, share
from overread.training.fit import TrainingData, fit
from overread.training.history import History
from overread.training.linear_head import fit_linear_head
from overread.training.objective import averaged_steps, compile_for_training
from overread.training.precision import PrecisionChoice, choose_precision, computer
from overread.training.progress import ShowProgress
from overread.training.start import load_start
from overread.training.states.resume import last_state, share_states
from overread.training.states.whole import drop_damaged

# A run has up to five states, each of the weights, their averages and two moments, and copies in graph, bundle, zip.
_WEIGHT_COPIES = 24
_FIXED_BYTES = 20_000_000


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A network with its best weights, which a file holds: many of them take no memory.

    Args:
        spec: its shape.
        weights: the file.
        precision: the Keras dtype policy that it was trained in.
        history: how training went.
        attention: the file that says which frames of an exam matter; None where all count alike, and of images.
    """

    spec: NetworkSpec
    weights: Path
    precision: str
    history: History
    attention: Path | None = None

    def build(self) -> keras.Model:
        """The network in float32, as `build_network` makes it, with these weights."""
        network = build_network(self.spec)
        network.load_weights(self.weights)
        return network


def train_network(
    data_set: DataSet,
    recipe: Recipe,
    folder: Path,
    *,
    console: Console,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedNetwork:
    """Train a recipe's network on the train side, watched on the validation side.

    Args:
        data_set: cases with their sides.
        recipe: how to train.
        folder: receives logs and checkpoints; the state of an earlier run in it is continued.
        console: where progress is shown.
        callbacks: as for `fit`.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the last state is in folder.
        OverreadError: the network cannot be built or training diverged.
    """
    keras.utils.clear_session()  # what an earlier training has left in memory
    data = training_data(data_set)
    batches, _ = data.batches(recipe)
    assembly = _Assembly.of(recipe, data_set, steps=len(batches))
    checkpoints, memory = RunFolder(folder).checkpoints, RunFolder(folder).precision
    if is_first():
        drop_damaged(checkpoints, console)
    precision = share(
        lambda: _settled_precision(memory, recipe, lambda: assembly.choose_precision(data_set, batches[0]))
    )
    share_states(checkpoints)
    say(console, f"training {assembly.spec.name} with Keras on {on_what()} in {precision}")
    network = assembly.build(precision.policy)
    if is_first() and last_state(checkpoints) is None:  # else it goes on from weights of its own
        _start(network, data, recipe, folder, console)
    with dealt_to_devices(recipe.batch_size) as is_spread:
        if is_spread:
            begun = share(network.get_weights)
            network = assembly.build(precision.policy)
            network.set_weights(begun)
        model = assembly.compile(network)
        say(console, f"{model.count_params():,} parameters, {batches.image_count} images an epoch")
        require_space(folder, _FIXED_BYTES + _WEIGHT_COPIES * 4 * model.count_params())
        history = fit(model, data, recipe, folder, callbacks=[ShowProgress(console, recipe.batch_size), *callbacks])
        trained = model.get_weights()
    if history.cut_short:
        say(console, history.cut_short, "bold yellow")
    spec = dataclasses.replace(assembly.spec, second_look=recipe.second_look)  # training takes one look
    network = build_network(spec)
    network.set_weights(trained)
    weights = checkpoints / WEIGHTS
    clear(weights)  # a folder or a pipe in its place, which nobody can write to
    network.save_weights(weights)
    return TrainedNetwork(spec=spec, weights=weights, precision=precision.policy, history=history)


def settle_precision(
    data_set: DataSet, recipe: Recipe, folder: Path, engine: Engine | None, console: Console
) -> Recipe:
    """The recipe with one precision for all networks of a run: it changes their weights, and machines differ in it.

    Args:
        data_set: cases with their sides, as one of the networks gets them.
        recipe: of the run.
        folder: of the run, which remembers what was chosen.
        engine: that trains them, and so measures; None for this process.
        console: where the choice is told.
    """
    batches, _ = training_data(data_set).batches(recipe)
    assembly = _Assembly.of(recipe, data_set, steps=len(batches))

    def choose() -> PrecisionChoice:
        if engine is None or recipe.precision != "auto":
            return assembly.choose_precision(data_set, batches[0])
        (choice,) = engine.map(_measure, [(assembly, batches[0])])
        return choice

    choice = _settled_precision(RunFolder(folder).precision, recipe, choose)
    say(console, f"all networks are trained in {choice}")
    return dataclasses.replace(recipe, precision=choice.policy)


def measure_speed(data_set: DataSet, recipe: Recipe) -> float | None:
    """Images a second in training steps, measured as precision is chosen; None where that is fixed."""
    batches, _ = training_data(data_set).batches(recipe)
    assembly = _Assembly.of(recipe, data_set, steps=len(batches))
    choice = assembly.choose_precision(data_set, batches[0])
    return choice.images_per_second.get(choice.policy)


def training_data(data_set: DataSet) -> TrainingData:
    """The stored pixels with a truth for each row of them, also for those that the data set does not use."""
    manifest, read = data_set.manifest, data_set.y_true
    train = manifest.select("train")
    y_true = np.zeros((len(data_set.store.pixels), *read.shape[1:]), dtype=read.dtype)
    y_true[data_set.rows] = read
    return TrainingData(
        pixels=data_set.store.pixels,
        y_true=y_true,
        train=data_set.rows[train].tolist(),
        validation=data_set.rows[manifest.select("val")].tolist(),
        task=manifest.task,
        groups=[manifest.cases[i].counts_as for i in train],
    )


def spec_of(recipe: Recipe, data_set: DataSet) -> NetworkSpec:
    """The shape of a recipe's network on these images."""
    _, height, width, channels = data_set.store.pixels.shape
    return NetworkSpec(
        name=recipe.chosen_network.name,
        height=height,
        width=width,
        channels=channels,
        outputs=data_set.manifest.task.outputs,
        dropout=recipe.dropout,
        frozen_stages=recipe.frozen_stages,
        builder=recipe.network if callable(recipe.network) else None,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Assembly:
    """How the network of a recipe is built and compiled for training, with so many steps an epoch."""

    spec: NetworkSpec
    recipe: Recipe
    task: Task
    steps: int

    @classmethod
    def of(cls, recipe: Recipe, data_set: DataSet, *, steps: int) -> _Assembly:
        return cls(spec=spec_of(recipe, data_set), recipe=recipe, task=data_set.manifest.task, steps=steps)

    def build(self, policy: str) -> keras.Model:
        return build_network(
            self.spec,
            augmentation=self.recipe.augmentation,
            pretrained=self.recipe.pretrained,
            policy=policy,
            averaged_steps=averaged_steps(self.recipe, self.steps),
            seed=self.recipe.seed,
        )

    def compile(self, network: keras.Model) -> keras.Model:
        return compile_for_training(network, self.recipe, self.task, self.steps)

    def choose_precision(self, data_set: DataSet, batch: tuple[np.ndarray, ...]) -> PrecisionChoice:
        """As `training.precision` does; what was measured is kept beside the pixels."""
        return recall_or_work_out(
            data_set.store.path.parent,
            "precision",
            [self.spec.to_dict(), self.recipe.batch_size, self.recipe.precision, computer()],
            lambda: self.measure_precision(batch),
            write=dataclasses.asdict,
            read=functools.partial(from_values, PrecisionChoice),
        )

    def measure_precision(self, batch: tuple[np.ndarray, ...]) -> PrecisionChoice:
        return choose_precision(lambda policy: self.compile(self.build(policy)), batch, asked=self.recipe.precision)


def _measure(item: tuple[_Assembly, tuple[np.ndarray, ...]]) -> PrecisionChoice:
    assembly, batch = item
    return assembly.measure_precision(batch)


def augmented_previews(pixels: np.ndarray, recipe: Recipe, *, count: int = 7) -> np.ndarray:
    """Images as training sees them: `(n, count, height, width, channels)` of 0 to 255 for `(n, ...)` uint8."""
    keras.utils.set_random_seed(recipe.seed)  # which layers of the user's own draw from
    augment = Augment(recipe.augmentation, seed=recipe.seed)
    repeated = np.repeat(pixels, count, axis=0)
    return np.asarray(keras.ops.convert_to_numpy(augment(repeated, training=True))).reshape(
        len(pixels), count, *pixels.shape[1:]
    )


def take_start(network: keras.Model, start: str | Path, folder: Path, console: Console) -> None:
    """Take the weights that a recipe starts from, and record which were taken.

    Raises:
        OverreadError: as `load_start`.
    """
    taken = load_start(network, start)
    # Not where from: a path may name a person.
    write_json(RunFolder(folder).start, {"loaded": taken.loaded, "left": taken.left})
    say(console, str(taken))


def _start(network: keras.Model, data: TrainingData, recipe: Recipe, folder: Path, console: Console) -> None:
    """Take the weights and fit the head that the recipe starts from."""
    if recipe.start is not None:
        take_start(network, recipe.start, folder, console)
    if recipe.head_start:
        head = fit_linear_head(network, data, seed=recipe.seed, class_weights=recipe.class_weights)
        say(console, f"training starts from {head}")


def _settled_precision(memory: Path, recipe: Recipe, choose: Callable[[], PrecisionChoice]) -> PrecisionChoice:
    """The precision that the run in this folder began with, or a new choice: a resumed run must compute as it began.

    Raises:
        InvalidData: it is not known any more what was measured.
    """
    try:
        return from_values(PrecisionChoice, from_json(read_regular(memory)))
    except FileNotFoundError:
        pass
    except (OSError, TypeError, ValueError, AttributeError):
        if recipe.precision == "auto":
            raise InvalidData(
                f"{memory} is damaged, and a training goes on only in the precision that it began with: bring back a "
                "copy of that file, or begin anew with --force in place of --resume"
            ) from None
    choice = choose()
    write_json(memory, dataclasses.asdict(choice))
    return choice
