"""Which readings are referred to a human, and why."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray, Task

UNCERTAIN = "uncertain"
UNFAMILIAR = "unfamiliar"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Abstentions:
    """What speaks against the readings of n images.

    Args:
        task: what is told apart.
        sets: `(n, answers)`, the answers that cannot be ruled out.
        decided: the decisions on n images, as the task has them.
        unfamiliarity: `(n,)`, above 1 where an image is unlike the training images.
    """

    task: Task
    sets: BoolArray
    decided: IntArray
    unfamiliarity: FloatArray

    @property
    def uncertain(self) -> BoolArray:
        """`(n,)`: the set is not exactly what was decided."""
        return np.asarray((self.sets != self.task.answered(self.decided)).any(axis=1))

    @property
    def unfamiliar(self) -> BoolArray:
        """`(n,)`: the image is unlike the training images; NaN counts as unlike."""
        return np.asarray(~(self.unfamiliarity <= 1))

    @property
    def referred(self) -> BoolArray:
        """`(n,)`: there is a reason."""
        return self.uncertain | self.unfamiliar

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """The reasons of each image; empty where nothing speaks against its reading."""
        found = zip(self.uncertain.tolist(), self.unfamiliar.tolist(), strict=True)
        return [(UNCERTAIN,) * uncertain + (UNFAMILIAR,) * unfamiliar for uncertain, unfamiliar in found]
