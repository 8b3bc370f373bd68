"""How far the reading of an archive is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from overread.machine.terminal import say
from overread.scoring.part import Outcome
from overread.words import duration

_LINE_EVERY_S = 30


class ScoringProgress:
    """Counts parts and images, and tells rate and time left.

    Args:
        console: to tell it on.
        parts: to be read.
        part_images: images of a part, of which the time left is estimated.
    """

    def __init__(self, console: Console, parts: int, part_images: int) -> None:
        self.done = 0
        self._console, self._parts, self._part_images = console, parts, part_images
        self._images = 0
        self._began = self._told = time.monotonic()
        columns = (TextColumn("reading"), BarColumn(), TextColumn("{task.fields[now]}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("reading", total=parts, now=f"0 of {parts:,} parts")

    def __enter__(self) -> ScoringProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def add(self, outcome: Outcome) -> None:
        """Take in a part."""
        if outcome.error:
            say(self._console, f"part {outcome.number} is missing: {outcome.error}")
            return
        self.done, self._images = self.done + 1, self._images + outcome.images
        now = time.monotonic()
        rate = self._images / max(now - self._began, 1e-6)
        left_s = (self._parts - self.done) * self._part_images / rate if rate else 0
        told = (
            f"{self.done:,} of {self._parts:,} parts, {self._images:,} images, {rate:,.0f} images/s, "
            f"at most {duration(left_s)} left"
        )
        self._bar.update(self._task, completed=self.done, now=told)
        if not self._console.is_terminal and now - self._told >= _LINE_EVERY_S:
            self._told = now
            say(self._console, told)
