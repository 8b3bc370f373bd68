"""Which readings are referred to a human, and why."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray

UNCERTAIN = "uncertain"
UNFAMILIAR = "unfamiliar"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Abstentions:
    """What speaks against the readings of n images.

    Args:
        sets: `(n, K)`, the classes that cannot be ruled out.
        decided: `(n,)` the index of the class decided on.
        unfamiliarity: `(n,)`, above 1 where an image is unlike the training images.
    """

    sets: npt.NDArray[np.bool_]
    decided: IntArray
    unfamiliarity: FloatArray

    @property
    def uncertain(self) -> npt.NDArray[np.bool_]:
        """`(n,)`: the set is not exactly the class decided on."""
        alone = self.sets.sum(axis=1) == 1
        return np.asarray(~(alone & self.sets[np.arange(len(self.sets)), self.decided]))

    @property
    def unfamiliar(self) -> npt.NDArray[np.bool_]:
        """`(n,)`: the image is unlike the training images; NaN counts as unlike."""
        return np.asarray(~(self.unfamiliarity <= 1))

    @property
    def referred(self) -> npt.NDArray[np.bool_]:
        """`(n,)`: there is a reason."""
        return self.uncertain | self.unfamiliar

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """The reasons of each image; empty where nothing speaks against its reading."""
        found = zip(self.uncertain.tolist(), self.unfamiliar.tolist(), strict=True)
        return [(UNCERTAIN,) * uncertain + (UNFAMILIAR,) * unfamiliar for uncertain, unfamiliar in found]
