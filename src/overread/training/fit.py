"""Training: Keras fit with early stopping, best checkpoint, logs, and a state from which it can go on."""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from overread.decision import Task
from overread.errors import Interrupted, InvalidOption
from overread.images import PixelFile
from overread.machine.content.text import storable
from overread.machine.files import write_csv
from overread.machine.stopping import stopping_on_sigterm
from overread.networks.backend import keras
from overread.recipe import MONITORS, Recipe
from overread.run import RunFolder
from overread.training.batches import Batches, failing_as_read
from overread.training.crew import share, which_host
from overread.training.history import History
from overread.training.states.keep import KeepEachEpoch
from overread.training.states.resume import EpochSeed, Progress, SaveState, load_best_weights, read_progress
from overread.words import count


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Stored pixels `(n, height, width, channels)` uint8 and their truth, with the cases that train and validate.

    Of each case that trains, groups may say to whom it belongs.
    """

    pixels: np.ndarray | PixelFile
    y_true: np.ndarray
    train: Sequence[int]
    validation: Sequence[int]
    task: Task
    groups: Sequence[str] = ()

    def batches(self, recipe: Recipe) -> tuple[Batches, Batches]:
        """Training batches, shuffled, weighted, smoothed and mixed as the recipe asks, and ordered validation ones."""
        targets = self.task.targets(self.y_true)
        evenly = 1 / self.task.outputs if self.task.activation == "softmax" else 0.5
        dealt = {"batch_size": recipe.batch_size, "is_whole": keras.backend.backend() == "jax", "part": which_host()}
        return (
            Batches(
                self.pixels,
                targets + recipe.label_smoothing * (evenly - targets),
                self.train,
                shuffle_seed=recipe.seed,
                weights=self._weights(self.train, alike=recipe.class_weights),
                mixup=recipe.mixup,
                **dealt,
            ),
            Batches(self.pixels, targets, self.validation, weights=self._weights(self.validation), **dealt),
        )

    def _weights(self, side: Sequence[int], *, alike: bool = False) -> np.ndarray | None:
        """What the images of a side weigh, see `Task.loss_weights`; all others 0."""
        own = self.task.loss_weights(self.y_true[np.asarray(side)], alike=alike)
        if own is None:
            return None
        weights = np.zeros((len(self.y_true), *own.shape[1:]), dtype=np.float32)
        weights[np.asarray(side)] = own
        return weights


class SameFigures(keras.callbacks.Callback):
    """Gives the figures of the first host to all, so that each decides alike by them."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs.update(share(lambda: logs))


class Log(keras.callbacks.Callback):
    """Turns each epoch's figures into a row and keeps `log.csv` and TensorBoard files in step with the rows."""

    def __init__(self, folder: Path, progress: Progress, images: int) -> None:
        super().__init__()
        self._folder, self._progress, self._images = folder, progress, images

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._writer = _tensorboard_writer(RunFolder(self._folder).tensorboard)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch
        self._start = self._trained = time.perf_counter() - self._progress.seconds

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._trained = time.perf_counter()
        self._require_finite((logs or {})["loss"])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self._require_finite(figures["loss"], figures["val_loss"])
        row = {
            "epoch": epoch + 1,
            **figures,
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": time.perf_counter() - self._start,
            "images_per_second": self._images / (self._trained - self._start),
        }
        self._progress.rows.append(row)
        _write_log(self._folder, self._progress)
        for name, value in row.items():
            self._writer.add_scalar(f"epoch/{name}", value, epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._writer.close()

    def _require_finite(self, *losses: float) -> None:
        if not all(map(math.isfinite, losses)):
            raise InvalidOption(
                f"training diverged in epoch {self._epoch + 1} (the loss is no number): begin anew with a lower "
                "--learning-rate, or with --precision float32"
            )


def _write_log(folder: Path, progress: Progress) -> None:
    """Write a row for each epoch that is done."""
    if progress.rows:
        write_csv(RunFolder(folder).log, list(progress.rows[0]), [list(row.values()) for row in progress.rows])


def _tensorboard_writer(folder: Path) -> Any:
    """A writer of TensorBoard's files; it opens them by a name that is Unicode only, here that of a link."""
    from tensorboard.summary import Writer

    if storable(str(folder)) == str(folder):
        return Writer(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        link = Path(place) / folder.name
        link.symlink_to(folder.absolute())
        return Writer(str(link))


def fit(
    model: keras.Model,
    data: TrainingData,
    recipe: Recipe,
    folder: Path,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> History:
    """Train until the epochs are over or the monitored figure stops improving, and load the best weights.

    A folder that holds the state of an earlier run is continued: the result is the one that an uninterrupted run
    would have given.

    Args:
        model: as `compile_for_training` makes it.
        data: the pixels and cases.
        recipe: how to train.
        folder: receives `log.csv`, `tensorboard/` and `checkpoints/`.
        callbacks: come after the log and before early stopping, so that one that stops training is heard; what they
            raise ends the run, which can be resumed.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; the last state is in folder.
        InvalidOption: the loss became infinite or NaN.
    """
    checkpoints = RunFolder(folder).checkpoints
    checkpoints.mkdir(parents=True, exist_ok=True)
    progress, best = read_progress(checkpoints)
    _write_log(folder, progress)  # it may have been damaged since
    train, validation = data.batches(recipe)
    if progress.steps or keras.backend.backend() == "jax":
        # Makes the variables of metrics, which go on from what they had counted in an interrupted epoch. Under JAX,
        # Keras 3.15 makes them of batches that it fetches before the epoch is known, and trains on these later.
        with failing_as_read(validation):
            model.test_on_batch(*validation[0])
    epochs = recipe.epochs_of(len(train))
    model.optimizer.build(model.trainable_variables)  # its variables must be there before a state is loaded
    if not progress.finished:
        mode, patience = MONITORS[recipe.monitor], recipe.patience_of(len(train))
        early_stopping = keras.callbacks.EarlyStopping(recipe.monitor, patience=patience, mode=mode)
        averaging = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
        kept = [callback.on_state_saved for callback in callbacks if isinstance(callback, KeepEachEpoch)]
        saving = SaveState(checkpoints, progress, early_stopping, averaging, then=kept)
        ordered = [
            EpochSeed(train, recipe.seed, progress),
            SameFigures(),
            averaging,
            Log(folder, progress, train.image_count),
            *callbacks,
            early_stopping,
            saving,
        ]
        with _stop_on_signals(progress), closing(saving), failing_as_read(train, validation), _epoch_may_be_short():
            model.fit(
                train,
                validation_data=validation,
                epochs=epochs,
                initial_epoch=progress.epochs_done,
                callbacks=ordered,
                shuffle=False,  # Batches has shuffled; Keras would draw from Python's own generator
                verbose=0,
            )
        best = early_stopping.best_epoch
    load_best_weights(model, checkpoints, best)
    return History(rows=tuple(progress.rows), best_epoch=best + 1, at_most=epochs)


@contextmanager
def _epoch_may_be_short() -> Iterator[None]:
    """Let the first epoch end before Keras expects it: of one that was interrupted the rest is trained."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield


@contextmanager
def _stop_on_signals(progress: Progress) -> Iterator[None]:
    """Let SIGTERM stop training as Ctrl-C does, and say how to go on."""
    try:
        with stopping_on_sigterm():
            yield
    except KeyboardInterrupt:
        within = f" and {count(progress.steps, 'step')} of the next" if progress.steps else ""
        raise Interrupted(
            f"training was stopped after {progress.epochs_done} whole epochs{within}, whose state is saved: run the "
            "same command with --resume to go on"
        ) from None
