"""What was tried in the time that a run was given: its own record, from which it goes on when it was interrupted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.errors import InvalidData, InvalidOption
from overread.machine.content.values import from_values
from overread.machine.files import from_json, read_regular

HEAD, FINE_TUNING = "linear head", "whole network"
UNDER_WAY, DONE, CUT_SHORT, BEHIND, NO_TIME = "under way", "done", "cut short", "stopped, behind", "no time for it"
NO_HEAD, FAILED = "it has no linear head", "it failed"
KILLED = "its process was killed again and again"
# So often a trial is begun without reaching an epoch.
_MOST_STARTS = 2
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(time: str) -> int:
    """The seconds of a time such as "30m", "2h", "90s" or "1h30m".

    Raises:
        InvalidOption: it is no such time, or none at all.
    """
    found = _DURATION.fullmatch(time.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not (total := 3600 * hours + 60 * minutes + seconds):
        raise InvalidOption(f"--time {time} is no time: give hours, minutes or seconds, such as 30m, 2h, 90s or 1h30m")
    return total


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One training of a run against the clock.

    Args:
        network: its name.
        size: side of the images in pixels.
        way: what is trained, the linear head or the whole network.
        number: from 1, in the order in which they began; 0 before it began.
        fold: 1 for a candidate, which is held against the validation side; a further network of the chosen one leaves
            out fold 2 or later of the training patients.
        epochs: that were planned; 0 for a linear head.
        state: how it stands.
        epochs_done: of these.
        begun_at_s: the time of the run that was spent when it began.
        seconds: that it took.
        starts: how often it was begun, or gone on with, since an epoch of it was whole or what ended it was told.
        loss: log loss of the patients that it never saw, calibrated; None where it is not known.
        auc: likewise; None too where no patients of theirs can be told apart by it.
    """

    network: str
    size: int
    way: str
    number: int = 0
    fold: int = 1
    epochs: int = 0
    state: str = UNDER_WAY
    epochs_done: int = 0
    begun_at_s: float = 0.0
    seconds: float = 0.0
    starts: int = 0
    loss: float | None = None
    auc: float | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is still trained, or was trained as far as there was time for and is not judged yet."""
        return self.state == UNDER_WAY or (self.state in (CUT_SHORT, BEHIND) and not self.is_judged)

    @property
    def is_judged(self) -> bool:
        """Whether it came to a network that may be chosen."""
        return self.loss is not None

    @property
    def figures(self) -> tuple[str, str]:
        """Log loss and AUC as they are shown; empty where they are not known."""
        loss, auc = ("" if value is None else f"{value:.4f}" for value in (self.loss, self.auc))
        return loss, auc

    @property
    def is_killed_always(self) -> bool:
        """Whether it is not to be begun again, for something that says nothing ends its process, as a system out of
        memory does.
        """
        return self.starts >= _MOST_STARTS

    def is_like(self, other: Trial) -> bool:
        """Whether both train the same of the same network at the same size."""
        return (self.network, self.size, self.way) == (other.network, other.size, other.way)

    def __str__(self) -> str:
        left_out = f", fold {self.fold} left out" if self.fold > 1 else ""
        return f"{self.network} at {self.size} px, {self.way}{left_out}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeRecord:
    """How a run spent the time that it was given.

    Args:
        given_s: by the user.
        spent_s: so far, over all the processes that worked on the run.
        trials: in their order.
        bundle_s: what it took to make a bundle of one network; None before the first.
        chosen: the number of the candidate that the bundle is made of.
        outlook: what more time would likely bring.
    """

    given_s: float
    spent_s: float = 0.0
    trials: tuple[Trial, ...] = ()
    bundle_s: float | None = None
    chosen: int | None = None
    outlook: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**vars(self), "trials": [dataclasses.asdict(trial) for trial in self.trials]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TimeRecord:
        """What `to_dict` gave."""
        return from_values(cls, {**values, "trials": [from_values(Trial, trial) for trial in values["trials"]]})

    @classmethod
    def read(cls, path: Path) -> TimeRecord | None:
        """The record in a file; None where there is none.

        Raises:
            InvalidData: it is damaged.
        """
        if not path.exists():
            return None
        try:
            return cls.from_dict(from_json(read_regular(path)))
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            raise InvalidData(
                f"{path.name} of the run is damaged: bring back a copy, or begin anew with --force"
            ) from None
