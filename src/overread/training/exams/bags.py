"""Training a network through the pooling of exams: each step sees a few exams, and some frames of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from overread.bundle import WEIGHTS
from overread.decision.pooling import Attention
from overread.images import DataSet
from overread.machine.files import require_space
from overread.machine.temporary import clear
from overread.machine.terminal import say
from overread.networks.backend import keras
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.training.batches import Batches
from overread.training.crew import is_first
from overread.training.exams.pooled_model import pooled_model
from overread.training.exams.weak_frames import evenly, most_frames, weak_frames
from overread.training.fit import TrainingData, fit
from overread.training.objective import averaged_steps, compile_for_training
from overread.training.progress import ShowProgress
from overread.training.states.whole import drop_damaged
from overread.training.train_network import TrainedNetwork, settle_precision, space_for

_EXAMS = 4  # a step, if the batch has room for frames of so many

Rows = npt.NDArray[np.intp]
Scores = npt.NDArray[np.floating]


def tune_on_bags(
    data_set: DataSet,
    spec: NetworkSpec,
    begun: keras.Model,
    attention: Attention | None,
    scores: Mapping[int, Scores],
    recipe: Recipe,
    folder: Path,
    *,
    console: Console,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedNetwork:
    """Train a network through the pooling of exams, watched on the validation side; the best weights are kept.

    Args:
        data_set: exams with their sides.
        spec: of the network.
        begun: the network from which training starts, with a head that is new: one fitted to means of features is
            thrown off by a changed image (loss of a first epoch 258 in place of 0.9, November 2026).
        attention: how frames are pooled at the start; without it all count alike, and training may change that
            unless the recipe asks for the mean.
        scores: of the frames of each exam of the two sides, by its position; those that matter more are higher.
        recipe: how to train; its batch size says how many frames a step has.
        folder: receives logs and checkpoints; the state of an earlier run in it is continued.
        console: where progress is shown.
        callbacks: as for `fit`.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the last state is in folder.
        OverreadError: a frame gives no pixels, the disk is full, or training diverged.
    """
    chosen = {position: _choose(own, most_frames(len(scores))) for position, own in scores.items()}
    checkpoints = RunFolder(folder).checkpoints
    with weak_frames(data_set, folder, chosen) as frames:
        data = Bags.of(data_set, frames, chosen, is_guided=attention is not None)
        precision = settle_precision(frames, recipe, folder, None, Console(quiet=True)).precision
        if is_first():
            drop_damaged(checkpoints, console)
        train, _ = data.batches(recipe)
        network = build_network(
            dataclasses.replace(spec, second_look=False),
            augmentation=recipe.augmentation,
            policy=precision,
            averaged_steps=averaged_steps(recipe, len(train)),
            seed=recipe.seed,
        )
        network.set_weights(begun.get_weights())
        pooled = pooled_model(network, attention, attends=recipe.pooling != "mean", seed=recipe.seed)
        model = compile_for_training(pooled, recipe, data.task, len(train))
        say(
            console,
            f"{spec.name} is trained through the pooling of exams, with Keras on {keras.backend.backend()} in "
            f"{precision}: {data.frames(recipe)} frames of each of {data.exams(recipe)} exams a step, "
            f"{len(train)} steps an epoch",
        )
        require_space(folder, space_for(model))
        shown = ShowProgress(console, data.frames(recipe) * data.exams(recipe))
        history = fit(model, data, recipe, folder, callbacks=[shown, *callbacks])
    weights = checkpoints / WEIGHTS
    clear(weights)
    plain = build_network(spec)
    plain.set_weights(network.get_weights())
    plain.save_weights(weights)
    return TrainedNetwork(spec=spec, weights=weights, precision=precision, history=history)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bags(TrainingData):
    """Stored frames `(n, height, width, channels)` uint8, and the truth of the exams that train and validate.

    Args:
        rows: the frames of each exam.
        is_guided: whether those that matter most come first, and half of what a step sees are these.
    """

    rows: Sequence[Rows]
    is_guided: bool

    @classmethod
    def of(cls, data_set: DataSet, frames: DataSet, chosen: Mapping[int, Sequence[int]], *, is_guided: bool) -> Bags:
        """Exams of a data set, of which these frames are stored one exam after the other."""
        manifest = data_set.manifest
        ends = np.cumsum([len(each) for each in chosen.values()])
        place = {position: number for number, position in enumerate(chosen)}
        return cls(
            pixels=frames.store.pixels,
            y_true=data_set.y_true[list(chosen)],
            train=[place[position] for position in manifest.select("train")],
            validation=[place[position] for position in manifest.select("val")],
            task=manifest.task,
            rows=np.split(np.arange(ends[-1]), ends[:-1]),
            is_guided=is_guided,
        )

    def frames(self, recipe: Recipe) -> int:
        """How many frames of an exam a step has."""
        return min(max(len(rows) for rows in self.rows), max(2, recipe.batch_size // _EXAMS))

    def exams(self, recipe: Recipe) -> int:
        """How many exams a step has."""
        return max(1, recipe.batch_size // self.frames(recipe))

    def batches(self, recipe: Recipe) -> tuple[Batches, Batches]:
        """Bags of some frames each, drawn anew in each epoch, and one exam after the other with all that is stored."""
        targets = self.task.targets(self.y_true)
        count, most = self.frames(recipe), max(len(rows) for rows in self.rows)
        dealt = {"seed": recipe.seed, "is_whole": keras.backend.backend() == "jax"}
        first = count // 2 if self.is_guided else 0
        drawn = _BagBatches(
            self.rows,
            count,
            first,
            self.pixels,
            targets,
            self.train,
            batch_size=self.exams(recipe),
            shuffle_seed=recipe.seed,
            weights=self._weights(self.train, alike=recipe.class_weights),
            **dealt,
        )
        watched = self._weights(self.validation)
        everything = (self.rows, most, most, self.pixels, targets, self.validation)
        return drawn, _BagBatches(*everything, batch_size=1, weights=watched, **dealt)


class _BagBatches(Batches):
    """Batches of exams: `(exams, count, height, width, channels)` with their targets and weights.

    Of each exam the `first` frames of its rows are taken, and others that are drawn anew in each epoch; where there
    are too few, some are there twice.
    """

    def __init__(self, rows: Sequence[Rows], count: int, first: int, *args: Any, seed: int, **options: Any) -> None:
        self._rows, self._count, self._first, self._seed = rows, count, first, seed
        super().__init__(*args, **options)

    @property
    def image_count(self) -> int:
        """Frames an epoch."""
        return super().image_count * self._count

    def _images(self, chosen: np.ndarray) -> np.ndarray:
        return super()._images(np.stack([self._draw(exam) for exam in chosen.tolist()]))

    def _draw(self, exam: int) -> Rows:
        rows = self._rows[exam]
        if len(rows) <= self._count:
            return rows[np.linspace(0, len(rows) - 1, self._count).round().astype(int)]
        draws = np.random.default_rng([self._seed, self._epoch, exam])
        rest = draws.choice(rows[self._first :], self._count - self._first, replace=False)
        return np.concatenate([rows[: self._first], rest])


def _choose(scores: Scores, most: int) -> list[int]:
    """Up to so many frames, those of the highest scores first; half of them, or all of equal ones, evenly spread."""
    count = len(scores)
    best = np.argsort(-scores, kind="stable").tolist()
    first = set(best[:most] if count <= most else best[: most // 2] if np.ptp(scores) else [])
    return [*sorted(first, key=best.index), *(i for i in evenly(count, most - len(first)) if i not in first)]
