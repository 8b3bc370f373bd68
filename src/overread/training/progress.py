"""What a user sees while a network trains."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from overread.machine.terminal import say
from overread.networks.backend import keras


class ShowProgress(keras.callbacks.Callback):
    """A live bar of the epoch on a terminal, and one line an epoch everywhere."""

    def __init__(self, console: Console, batch_size: int) -> None:
        super().__init__()
        self._console, self._batch_size = console, batch_size
        self._bar: Progress | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._done_in_this_run = 0
        self._start = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch_start = time.perf_counter()
        if self._console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[now]}"),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            name = f"epoch {epoch + 1}/{self.params['epochs']}"
            self._task = self._bar.add_task(name, total=self.params["steps"], now="")
            self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._bar is None:
            return
        rate = (batch + 1) * self._batch_size / (time.perf_counter() - self._epoch_start)
        figures = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        self._bar.update(self._task, completed=batch + 1, now=f"{figures}  {rate:.0f} images/s")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._stop_bar()
        self._done_in_this_run += 1
        logs = logs or {}
        left = (time.perf_counter() - self._start) / self._done_in_this_run * (self.params["epochs"] - epoch - 1)
        figures = "  ".join(
            f"{name} {logs[name]:.4f} / {logs[f'val_{name}']:.4f}" for name in ("loss", "accuracy", "auc")
        )
        seconds = time.perf_counter() - self._epoch_start
        say(
            self._console,
            f"epoch {epoch + 1:>3}/{self.params['epochs']}  {figures} (train / validation)  {seconds:.0f} s  "
            f"at most {left / 60:.1f} min left",
        )

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._stop_bar()

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
