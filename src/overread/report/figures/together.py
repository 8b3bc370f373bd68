"""Which findings stand with which: two tables of shades, of the labels and of the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import axes_at, drawing, new_figure, wrapped, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS_INCHES = 5.6
CELL_INCHES = 0.13, 0.46  # at least and at most
_ROOM_FOR_NUMBERS = 0.34
_DARK = 0.6


@drawing
def draw_together(labels: npt.ArrayLike, decisions: npt.ArrayLike, classes: Sequence[str], *, path: str | Path) -> Path:
    """Draw how often each finding stands with each other one, in the labels and in the decisions.

    Args:
        labels: `(K, K)` shares of the images with the finding of the row that show that of the column; NaN for none.
        decisions: likewise.
        classes: K names.
        path: without a suffix; the CSV holds finding, other, in_labels, in_decisions.

    Raises:
        InvalidData: the shares are not K by K.
    """
    both, n = [np.asarray(labels, dtype=np.float64), np.asarray(decisions, dtype=np.float64)], len(classes)
    if any(shares.shape != (n, n) for shares in both):
        raise InvalidData(f"shares of the shape {both[0].shape} do not fit {n} findings: give one row each")
    least, most = CELL_INCHES
    cell = min(most, max(least, (ACROSS_INCHES / 2 - 0.2) / n))
    side, above = n * cell, 0.3
    beside = 2 * side + 0.3 <= ACROSS_INCHES
    figure = new_figure(2 * side + 0.3 if beside else side, side if beside else 2 * (side + above) - above)
    for place, (title, shares) in enumerate(zip(("labels", "decisions"), both, strict=True)):
        left, bottom = (place * (side + 0.3), 0) if beside else (0, (1 - place) * (side + above))
        axis = axes_at(figure, (left, bottom, side, side))
        axis.set_title(title, loc="left", fontsize=10)
        _draw_shares(axis, shares, cell)
        names, size = [wrapped(name, 24) for name in classes], 9 if cell > 0.2 else 7 if cell > 0.15 else 6
        axis.set_xticks(range(n), names if beside or place else [""] * n, rotation=90, fontsize=size)
        axis.set_yticks(range(n), [""] * n if beside and place else names, fontsize=size)
    cells = (
        (
            classes[row],
            classes[column],
            *("" if np.isnan(shares[row, column]) else shares[row, column] for shares in both),
        )
        for row, column in np.ndindex(n, n)
    )
    write_csv(Path(f"{path}.csv"), ("finding", "other", "in_labels", "in_decisions"), cells)
    return write_png(path, figure)


def _draw_shares(axis: Axes, shares: FloatArray, cell: float) -> None:
    axis.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1)
    axis.tick_params(length=0)
    axis.spines[:].set_color("0.8")
    if cell < _ROOM_FOR_NUMBERS:
        return
    for row, column in np.argwhere(np.isfinite(shares)):
        value = shares[row, column]
        colour = "white" if value > _DARK else "black"
        axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=colour, fontsize=8)
