"""Training that can be killed at any moment and goes on as if nothing had happened.

Keras's BackupAndRestore keeps weights and epoch only. What a run needs besides is the optimizer's state, what early
stopping and the best checkpoint remember, and the position of every random stream. The last is a function of seed and
epoch here, so it is set rather than stored.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from overread.networks.backend import keras
from overread.training.batches import Batches

# The weights of an epoch, counted from 1, while they are the best.
BEST_WEIGHTS = "best-{epoch:04d}.weights.h5"
# Draws of one epoch never reach the next epoch's.
_DRAWS_PER_EPOCH = 2**20


@dataclasses.dataclass(kw_only=True)
class Progress:
    """What a run has reached: the epochs done with their figures, and whether it is over."""

    rows: list[dict[str, float]] = dataclasses.field(default_factory=list)
    finished: bool = False

    @property
    def epochs_done(self) -> int:
        return len(self.rows)


class EpochSeed(keras.callbacks.Callback):
    """Sets the order of images and the state of every random generator from (seed, epoch)."""

    def __init__(self, batches: Batches, seed: int) -> None:
        super().__init__()
        self._batches, self._seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._batches.set_epoch(epoch)
        for number, state in enumerate(seed_states(self.model)):
            state.assign(np.array([self._seed + number, epoch * _DRAWS_PER_EPOCH]))


def seed_states(model: keras.Model) -> list[Any]:
    """The state variables of a model's random generators, in a fixed order."""
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]


class SaveState(keras.callbacks.Callback):
    """Writes the whole state after each epoch, and restores it when training begins again.

    It must stand last among the callbacks: it reads what the others have decided about the epoch, and overwrites what
    they reset as training begins.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        early_stopping: keras.callbacks.EarlyStopping,
        checkpoint: keras.callbacks.ModelCheckpoint,
        averaging: keras.callbacks.SwapEMAWeights,
    ) -> None:
        super().__init__()
        self._folder, self._progress = folder, progress
        self._early_stopping, self._checkpoint, self._averaging = early_stopping, checkpoint, averaging

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if self._progress.epochs_done == 0:
            return
        with np.load(state_file(self._folder), allow_pickle=False) as saved:
            for name, variables in self._variables().items():
                for number, variable in enumerate(variables):
                    variable.assign(saved[f"{name}_{number}"])
            memory = json.loads(str(saved["memory"]))
        self._early_stopping.wait = memory["wait"]
        self._early_stopping.best = memory["best"]
        self._early_stopping.best_epoch = memory["best_epoch"]
        self._checkpoint.best = memory["checkpoint_best"]
        # The state is saved while the averaged weights stand in the model; this makes the next epoch swap them back.
        self._averaging._ema_weights_in_model = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._progress.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        memory = {
            "wait": self._early_stopping.wait,
            "best": float(self._early_stopping.best),
            "best_epoch": self._early_stopping.best_epoch,
            "checkpoint_best": float(self._checkpoint.best),
            **dataclasses.asdict(self._progress),
        }
        arrays = {
            f"{name}_{number}": keras.ops.convert_to_numpy(variable)
            for name, variables in self._variables().items()
            for number, variable in enumerate(variables)
        }
        temporary = state_file(self._folder).with_suffix(".tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, memory=np.array(json.dumps(memory)), **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(state_file(self._folder))
        best = best_weights_file(self._folder, self._early_stopping.best_epoch)
        for path in self._folder.glob("best-*.weights.h5"):
            if path != best:
                path.unlink()

    def _variables(self) -> dict[str, list[Any]]:
        return {"weight": self.model.weights, "optimizer": self.model.optimizer.variables}


def state_file(folder: Path) -> Path:
    """Where the state after the last whole epoch is."""
    return folder / "state.npz"


def best_weights_file(folder: Path, epoch: int) -> Path:
    """Where the weights of an epoch (from 0) are kept while they are the best; epochs are named from 1."""
    return folder / BEST_WEIGHTS.format(epoch=epoch + 1)


def read_progress(folder: Path) -> tuple[Progress, int]:
    """The progress and the best epoch (from 0) that a folder's state holds; nothing done when it has none."""
    if not state_file(folder).exists():
        return Progress(), 0
    with np.load(state_file(folder), allow_pickle=False) as saved:
        memory = json.loads(str(saved["memory"]))
    return Progress(rows=memory["rows"], finished=memory["finished"]), memory["best_epoch"]
