"""A training that has an end in time: it stops before the next epoch would be too much, or where it is behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from overread.networks.backend import keras
from overread.run.trials import BEHIND, CUT_SHORT

# Of the epochs, after which a training is held against an earlier one; and how much greater its loss may be.
_FIRST_PART, _MARGIN = 0.5, 1.25


class Watch(keras.callbacks.Callback):
    """Ends a training cleanly: its best weights so far are kept, as after its last epoch.

    Args:
        left: gives the seconds that the training may still take.
        rival: the validation loss after each epoch of an earlier training; where half of the epochs are over, and the
            least loss is a quarter above that of the rival after the same part, the training ends.
        tick: is called after each epoch, when it is known whether the training ends with it.
    """

    def __init__(self, left: Callable[[], float], *, rival: Sequence[float] = (), tick: Callable[[], None]) -> None:
        super().__init__()
        self._left, self._rival, self._tick = left, rival, tick
        self._losses: list[float] = []
        self.is_out_of_time = self.is_behind = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._left_before = self._left()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._left() <= 0:
            self.is_out_of_time = self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._losses.append((logs or {})["val_loss"])
        done = (epoch + 1) / self.params["epochs"]
        if done < 1 and self._left() < self._left_before - self._left():
            self.is_out_of_time = self.model.stop_training = True
        if self._rival and _FIRST_PART <= done < 1:
            same_part = self._rival[: math.ceil(done * len(self._rival))]
            if min(self._losses) > _MARGIN * min(same_part):
                self.is_behind = self.model.stop_training = True
        self._tick()

    @property
    def ended_as(self) -> str | None:
        """The state of a trial that was ended before its time; None where it was not."""
        return BEHIND if self.is_behind else CUT_SHORT if self.is_out_of_time else None
