"""The record of the time, kept on disk while it passes, so that a run that is killed goes on with what is left."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overread.machine.files import write_json
from overread.run.trials import TimeRecord, Trial


class Ledger:
    """A `TimeRecord` in a file, and the clock that runs on from it.

    Args:
        path: of the file.
        record: as it is.
        since: the reading of `time.perf_counter` from which on time counts.
        was_given_s: the time that the run was given before.
    """

    def __init__(self, path: Path, record: TimeRecord, *, since: float, was_given_s: float) -> None:
        self._path, self._before, self._since = path, record.spent_s, since
        self.record, self.is_given_more = record, record.given_s > was_given_s
        self.save()

    @classmethod
    def open(cls, path: Path, *, given_s: float, since: float) -> Ledger:
        """Go on with the record that is there, with the time that is given now, or begin one."""
        record = TimeRecord.read(path) or TimeRecord(given_s=given_s)
        return cls(path, dataclasses.replace(record, given_s=given_s), since=since, was_given_s=record.given_s)

    @property
    def spent_s(self) -> float:
        """Seconds that were spent."""
        return self._before + time.perf_counter() - self._since

    @property
    def left_s(self) -> float:
        """Seconds that are left; below 0 when it is over."""
        return self.record.given_s - self.spent_s

    @property
    def trials(self) -> tuple[Trial, ...]:
        """What was tried."""
        return self.record.trials

    def save(self, **changes: Any) -> None:
        """Write the record with these changes and the time that was spent."""
        self.record = dataclasses.replace(self.record, **changes, spent_s=round(self.spent_s, 1))
        write_json(self._path, self.record.to_dict())

    def begin(self, trial: Trial) -> Trial:
        """Add a trial."""
        number = 1 + max((one.number for one in self.trials), default=0)
        begun = dataclasses.replace(trial, number=number, begun_at_s=self.spent_s)
        self.save(trials=(*self.trials, begun))
        return begun

    def end(self, trial: Trial, **changes: Any) -> Trial:
        """Put what came of a trial in its place."""
        return self.change(trial, seconds=round(self.spent_s - trial.begun_at_s, 1), starts=0, **changes)

    def change(self, trial: Trial, **changes: Any) -> Trial:
        """Change what is recorded of a trial."""
        changed = {one.number: one for one in self.trials}
        changed[trial.number] = dataclasses.replace(changed[trial.number], **changes)
        self.save(trials=tuple(changed.values()))
        return changed[trial.number]

    @contextlib.contextmanager
    def counted(self, trial: Trial) -> Iterator[None]:
        """Count the start of a trial, for as long as it may end this process without a word."""
        self.change(trial, starts=trial.starts + 1)
        try:
            yield
        finally:
            self.reach(trial)

    def reach(self, trial: Trial, state: str | None = None) -> None:
        """Note that a trial has come to something, and how one that ends now does, though it is not judged yet."""
        self.change(trial, starts=0, **({} if state is None else {"state": state}))

    def forget(self, trial: Trial) -> None:
        """Take a trial out, as if it had not been begun."""
        self.save(trials=tuple(one for one in self.trials if one.number != trial.number))
