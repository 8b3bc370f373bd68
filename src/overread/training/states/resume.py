"""Training that can be killed at any moment and goes on as if nothing had happened.

Keras's BackupAndRestore keeps weights and epoch only. What a run needs besides is the optimizer's state, what early
stopping remembers, and the position of every random stream. The last is a function of seed and epoch here, so it is set
rather than stored.

Each epoch has one file. There are those of the last epoch that is whole and of the best one, whose weights are in it,
or of the best before where the last is the best: should one be damaged, the other can be gone on from. A folder in
which a run was killed may hold one more. A long epoch has a file of its own every few minutes too, which stands in the
order of names before that of the whole epoch.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import InvalidData
from overread.machine.content.values import from_values
from overread.machine.files import from_json, open_regular, read_regular, replacing, to_json
from overread.networks.backend import keras
from overread.training.batches import Batches
from overread.training.crew import is_first, share, which_host

# As runs had them until November 2026: the last state, and apart from it the best weights.
_FORMER_STATE, _FORMER_BEST = "state.npz", "best-{:04d}.weights.h5"
# The least time from one state within an epoch to the next.
STATE_EVERY_S = 240.0
# Draws of one epoch never reach the next epoch's.
_DRAWS_PER_EPOCH = 2**20


@dataclasses.dataclass(kw_only=True)
class Progress:
    """What a run has reached.

    Args:
        rows: the figures of each epoch that is done.
        finished: whether it is over.
        steps: batches of the next epoch that are done.
        seconds: that these took.
    """

    rows: list[dict[str, float]] = dataclasses.field(default_factory=list)
    finished: bool = False
    steps: int = 0
    seconds: float = 0.0

    @property
    def epochs_done(self) -> int:
        return len(self.rows)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory:
    """What a state remembers besides weights: what early stopping does, and the progress.

    Raises:
        ValueError: it is damaged.
    """

    wait: int
    best: float | None
    best_epoch: int
    rows: list[dict[str, float]]
    finished: bool
    # States of before November 2026 are of whole epochs.
    steps: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        epochs = 1 if self.is_amid_first else len(self.rows)
        if self.steps < 0 or not 0 <= self.best_epoch < epochs:
            raise ValueError(f"best_epoch={self.best_epoch} is none of {len(self.rows)} epochs")

    @property
    def is_amid_first(self) -> bool:
        """Whether no epoch is whole, so that none is the best."""
        return self.steps > 0 and not self.rows

    @classmethod
    def from_array(cls, array: np.ndarray) -> Memory:
        """What `to_array` gave.

        Raises:
            ValueError, TypeError, AttributeError: it is something else.
        """
        return from_values(cls, from_json(str(array)))

    def to_array(self) -> np.ndarray:
        """All of it as one text."""
        return np.array(to_json(dataclasses.asdict(self)))


class EpochSeed(keras.callbacks.Callback):
    """Sets the order of images and the state of every random generator from (seed, epoch).

    Of an epoch that was interrupted only the batches that are left are shown; the state of the generators amid it is
    for `SaveState` to restore.
    """

    def __init__(self, batches: Batches, seed: int, progress: Progress) -> None:
        super().__init__()
        self._batches, self._seed, self._progress = batches, seed, progress

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._batches.set_epoch(epoch, self._progress.steps)
        for number, state in enumerate(seed_states(self.model)):
            state.assign(np.array([self._seed + number, epoch * _DRAWS_PER_EPOCH]))

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if batch == len(self._batches):
            # By this Keras, which counts all batches of the epoch, ends one whose data run out.
            raise StopIteration


def seed_states(model: keras.Model) -> list[Any]:
    """The state variables of a model's random generators, in a fixed order."""
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]


class SaveState(keras.callbacks.Callback):
    """Writes the whole state after each epoch, and every few minutes within; restores it when training begins again.

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
        self._saved_at = time.monotonic()
        self._best_epochs: tuple[int, ...] = ()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        saved = last_state(self._folder)
        if saved is None:
            return
        memory = _read_state(saved, self._variables())
        self._early_stopping.wait = memory.wait
        self._early_stopping.best = memory.best
        self._early_stopping.best_epoch = memory.best_epoch
        self._best_epochs = (memory.best_epoch,) if memory.rows else ()
        # After an epoch the averaged weights stand in the model; this makes the next epoch swap them back.
        self._averaging._ema_weights_in_model = not self._progress.steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch, self._done = epoch, self._progress.steps
        self._began_at = time.monotonic() - self._progress.seconds
        if self._done:
            _read_state(_state_file(self._folder, epoch, self._done), self._variables_of_epoch())

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        now, steps = time.monotonic(), self._done + batch + 1
        # After the last step its figures are Keras's alone.
        if now - self._saved_at < STATE_EVERY_S or steps == self.params["steps"]:
            return
        self._progress.steps, self._progress.seconds = steps, now - self._began_at
        target = _state_file(self._folder, self._epoch, steps)
        self._save(self._variables() | self._variables_of_epoch(), target, kept=None)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._progress.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._progress.steps, self._progress.seconds = 0, 0.0
        if (best := self._early_stopping.best_epoch) not in self._best_epochs:
            self._best_epochs = (*self._best_epochs[-1:], best)
        before = self._best_epochs[0] if best == epoch else best
        self._save(self._variables(), _state_file(self._folder, epoch), _best_files(self._folder, before))

    def _save(self, groups: dict[str, list[Any]], target: Path, kept: Collection[Path] | None) -> None:
        """Copy variables, and have them written beside what follows.

        Of other states those kept stay, and the best; where kept is None, all of whole epochs.
        """
        best = self._early_stopping.best
        memory = Memory(
            wait=self._early_stopping.wait,
            best=None if best is None else float(best),
            best_epoch=self._early_stopping.best_epoch,
            **vars(self._progress),
        )
        self._await_writing()  # before the copy, so that there is never more than one
        arrays = {
            f"{name}_{number}": np.array(keras.ops.convert_to_numpy(variable))
            for name, variables in groups.items()
            for number, variable in enumerate(variables)
        }
        arrays["memory"] = memory.to_array()
        if kept is not None:
            kept = {target, *kept, *_best_files(self._folder, self._early_stopping.best_epoch)}
        self._writing = self._writer.submit(self._write, target, arrays, kept)
        self._saved_at = time.monotonic()

    def close(self) -> None:
        """Wait until the last state is whole, and raise what kept it from being written."""
        self._writer.shutdown()
        self._await_writing()

    def _await_writing(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _write(self, target: Path, arrays: dict[str, np.ndarray], kept: Collection[Path] | None) -> None:
        with replacing(target) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type] # of allow_pickle, which is none of them
            stream.flush()
            os.fsync(stream.fileno())
        amid = set(self._folder.glob("epoch-*-*.npz")) - {target}
        for path in amid if kept is None else _states(self._folder).difference(kept):
            path.unlink()
        for call in self._then:
            call()

    def _variables(self) -> dict[str, list[Any]]:
        return {"weight": self.model.weights, "optimizer": self.model.optimizer.variables}

    def _variables_of_epoch(self) -> dict[str, list[Any]]:
        """What begins anew with each epoch."""
        return {"seed": seed_states(self.model), "metric": self.model.metrics_variables}


def saved_states(folder: Path) -> list[Path]:
    """The files that hold the states, the last one first."""
    return [*sorted(folder.glob("epoch-*.npz"), reverse=True), *folder.glob(_FORMER_STATE)]


def last_state(folder: Path) -> Path | None:
    """The file that holds the last state, if there is one."""
    return next(iter(saved_states(folder)), None)


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
    known = {field.name: getattr(memory, field.name) for field in dataclasses.fields(Progress)}
    return Progress(**known), memory.best_epoch


def load_best_weights(model: keras.Model, folder: Path, epoch: int) -> None:
    """Load what a model was after its best epoch (from 0)."""
    best = best_file(folder, epoch)
    if best is None or best.suffix == ".h5":
        model.load_weights(_best_files(folder, epoch)[1])
    else:
        _read_state(best, {"weight": model.weights})


def _read_state(path: Path, variables: dict[str, list[Any]]) -> Memory:
    """Set these variables to what a state holds of them, and give what it remembers besides."""
    with open_regular(path) as stream, np.load(stream, allow_pickle=False) as saved:
        for name, those in variables.items():
            for number, variable in enumerate(those):
                value = saved.get(f"{name}_{number}")
                if value is None or value.shape != tuple(variable.shape):
                    raise InvalidData(
                        f"{path.name} is the state of another network, as after a change of its code: begin anew with "
                        "--force in place of --resume"
                    )
                variable.assign(value)
        return Memory.from_array(saved["memory"])


def _states(folder: Path) -> set[Path]:
    return {path for pattern in ("epoch-*.npz", _FORMER_STATE, "best-*.weights.h5") for path in folder.glob(pattern)}


def _state_file(folder: Path, epoch: int, steps: int = 0) -> Path:
    """Where the state after an epoch is, or after so many steps of it."""
    return folder / (f"epoch-{epoch + 1:05d}" + (f"-{steps:07d}" if steps else "") + ".npz")


def best_file(folder: Path, epoch: int) -> Path | None:
    """The file that holds the weights after the best epoch (from 0), if there is one."""
    return next((path for path in _best_files(folder, epoch) if path.exists()), None)


def _best_files(folder: Path, epoch: int) -> tuple[Path, Path]:
    """Where the weights of an epoch are while they are the best, in a folder of today or of before."""
    return _state_file(folder, epoch), folder / _FORMER_BEST.format(epoch + 1)
