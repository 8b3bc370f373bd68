"""Training that can be killed at any moment and goes on as if nothing had happened.

Keras's BackupAndRestore keeps weights and epoch only. What a run needs besides is the optimizer's state, what early
stopping remembers, and the position of every random stream. The last is a function of seed and epoch here, so it is set
rather than stored.

Each epoch has one file. There are those of the last epoch that is whole and of the best one, whose weights are in it; a
folder in which a run was killed may hold one more.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from overread.machine.files import open_regular, read_regular
from overread.networks.backend import keras
from overread.training.batches import Batches
from overread.training.crew import is_first, share, which_host

# As runs had them until November 2026: the last state, and apart from it the best weights.
_FORMER_STATE, _FORMER_BEST = "state.npz", "best-{:04d}.weights.h5"
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
    they reset as training begins. What is written is a copy, beside the steps of the next epoch: a state of 177 MB took
    a second to reach the disk, and copying it .1 (November 2026). One that cannot be written is told as the next is
    due, or as this is closed.

    Args:
        folder: receives the states.
        progress: what others have noted of the epochs.
        early_stopping, averaging: whose memory belongs to the state.
        then: called, beside the training too, each time that a state is whole.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        early_stopping: keras.callbacks.EarlyStopping,
        averaging: keras.callbacks.SwapEMAWeights,
        *,
        then: Sequence[Callable[[], None]] = (),
    ) -> None:
        super().__init__()
        self._folder, self._progress, self._then = folder, progress, tuple(then)
        self._early_stopping, self._averaging = early_stopping, averaging
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._writing: Future[None] | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        saved = last_state(self._folder)
        if saved is None:
            return
        memory = _read_state(saved, self._variables())
        self._early_stopping.wait = memory["wait"]
        self._early_stopping.best = memory["best"]
        self._early_stopping.best_epoch = memory["best_epoch"]
        # The state is saved while the averaged weights stand in the model; this makes the next epoch swap them back.
        self._averaging._ema_weights_in_model = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._progress.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        memory = {
            "wait": self._early_stopping.wait,
            "best": float(self._early_stopping.best),
            "best_epoch": self._early_stopping.best_epoch,
            **dataclasses.asdict(self._progress),
        }
        self._await_writing()  # before the copy, so that there is never more than one
        arrays = {
            f"{name}_{number}": np.array(keras.ops.convert_to_numpy(variable))
            for name, variables in self._variables().items()
            for number, variable in enumerate(variables)
        }
        arrays["memory"] = np.array(json.dumps(memory))
        self._writing = self._writer.submit(self._write, epoch, self._early_stopping.best_epoch, arrays)

    def close(self) -> None:
        """Wait until the last state is whole, and raise what kept it from being written."""
        self._writer.shutdown()
        self._await_writing()

    def _await_writing(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _write(self, epoch: int, best: int, arrays: dict[str, np.ndarray]) -> None:
        last = _state_file(self._folder, epoch)
        temporary = last.with_suffix(".tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type] # of allow_pickle, which is none of them
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(last)
        kept = {last, *_best_files(self._folder, best)}
        for path in _states(self._folder) - kept:
            path.unlink()
        for call in self._then:
            call()

    def _variables(self) -> dict[str, list[Any]]:
        return {"weight": self.model.weights, "optimizer": self.model.optimizer.variables}


def last_state(folder: Path) -> Path | None:
    """The file that holds the state after the last whole epoch, if there is one."""
    former = folder / _FORMER_STATE
    return max(folder.glob("epoch-*.npz"), default=former if former.exists() else None)


def share_states(folder: Path) -> None:
    """Have the states that the first host's folder holds in the folders of all hosts that train together."""
    if which_host()[1] == 1:
        return
    states = share(lambda: {path.name: read_regular(path) for path in _states(folder)})
    if not is_first():
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in states.items():
            (folder / name).write_bytes(content)


def read_progress(folder: Path) -> tuple[Progress, int]:
    """The progress and the best epoch (from 0) that a folder's state holds; nothing done when it has none."""
    saved = last_state(folder)
    if saved is None:
        return Progress(), 0
    memory = _read_state(saved, {})
    return Progress(rows=memory["rows"], finished=memory["finished"]), memory["best_epoch"]


def load_best_weights(model: keras.Model, folder: Path, epoch: int) -> None:
    """Load what a model was after its best epoch (from 0)."""
    state, former = _best_files(folder, epoch)
    if state.exists():
        _read_state(state, {"weight": model.weights})
    else:
        model.load_weights(former)


def _read_state(path: Path, variables: dict[str, list[Any]]) -> dict[str, Any]:
    """Set these variables to what a state holds of them, and give what it remembers besides."""
    with open_regular(path) as stream, np.load(stream, allow_pickle=False) as saved:
        for name, those in variables.items():
            for number, variable in enumerate(those):
                variable.assign(saved[f"{name}_{number}"])
        memory: dict[str, Any] = json.loads(str(saved["memory"]))
    return memory


def _states(folder: Path) -> set[Path]:
    return {path for pattern in ("epoch-*.npz", _FORMER_STATE, "best-*.weights.h5") for path in folder.glob(pattern)}


def _state_file(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch + 1:05d}.npz"


def _best_files(folder: Path, epoch: int) -> tuple[Path, Path]:
    """Where the weights of an epoch are while they are the best, in a folder of today or of before."""
    return _state_file(folder, epoch), folder / _FORMER_BEST.format(epoch + 1)
