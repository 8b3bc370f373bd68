"""What training did, epoch by epoch."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from overread.machine.frames import data_frame

if TYPE_CHECKING:
    import pandas

_STILL_FALLS = 0.02


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """What training did.

    Args:
        rows: of figures, one for each epoch.
        best_epoch: counted from 1.
        at_most: how many epochs there could have been; None where that is not known.
    """

    rows: tuple[dict[str, float], ...]
    best_epoch: int
    at_most: int | None = None

    @property
    def cut_short(self) -> str | None:
        """A sentence for a training that its number of epochs ended while the validation loss still fell, or None.

        It fell where the loss of the last epoch is the least, by more than a fiftieth of the least before the last
        tenth of the epochs; a learning rate that has run out lets it fall no further.
        """
        losses = [row["val_loss"] for row in self.rows]
        earlier = losses[: len(losses) - math.ceil(len(losses) / 10)]
        if len(losses) != self.at_most or not earlier or losses[-1] != min(losses):
            return None
        if losses[-1] > (1 - _STILL_FALLS) * min(earlier):
            return None
        return (
            f"Training was cut short: the validation loss still fell, from {min(earlier):.4f} to {losses[-1]:.4f}, as "
            f"its {len(losses)} epochs ended; more may give a better network: --epochs {2 * len(losses)}"
        )

    @property
    def seconds(self) -> float:
        """Time in epochs, over all the runs that made this training."""
        return sum(row["seconds"] for row in self.rows)

    def to_frame(self) -> pandas.DataFrame:
        """A data frame with a row for each epoch and the columns of `log.csv`.

        Raises:
            MissingExtra: pandas is not installed.
        """
        names = self.rows[0] if self.rows else ()
        return data_frame({name: [row[name] for row in self.rows] for name in names})
