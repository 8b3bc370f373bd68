"""What training did, epoch by epoch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from overread.machine.frames import data_frame

if TYPE_CHECKING:
    import pandas


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """What training did: a row of figures for each epoch, and the best one (counted from 1)."""

    rows: tuple[dict[str, float], ...]
    best_epoch: int

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
