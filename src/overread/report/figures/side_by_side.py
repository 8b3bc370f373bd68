"""Small plots side by side, one a judged question: one plot of fourteen findings or more would be a tangle."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from overread.report.figures.canvas import PALETTE, axes_at, new_figure, tidy
from overread.report.figures.fonts import drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
# As many lines of different colours stay apart in one plot.
MOST_IN_ONE = len(PALETTE)
_SIDE_INCHES = 1.32
_GAP_INCHES = 0.3
_LINE_INCHES = 0.145
_LETTERS = 22


class SideBySide:
    """A figure of small square plots, each under its title, four a row.

    Args:
        titles: of the plots, in lines.
    """

    def __init__(self, titles: Sequence[Sequence[str]]) -> None:
        self._titles = [
            [line for text in lines for line in textwrap.wrap(drawable(text), _LETTERS)] for lines in titles
        ]
        above = 0.12 + _LINE_INCHES * max(map(len, self._titles))
        self._step = _SIDE_INCHES + above + 0.22
        self._rows = -(-len(titles) // COLUMNS)
        across = min(len(titles), COLUMNS)
        self.figure: Figure = new_figure(across * (_SIDE_INCHES + _GAP_INCHES) - _GAP_INCHES, self._rows * self._step)

    def axes(self) -> Iterator[Axes]:
        """One plot after the other, row by row."""
        for number, title in enumerate(self._titles):
            row, column = divmod(number, COLUMNS)
            left, bottom = column * (_SIDE_INCHES + _GAP_INCHES), (self._rows - 1 - row) * self._step
            axis = axes_at(self.figure, (left, bottom, _SIDE_INCHES, _SIDE_INCHES))
            axis.set_title("\n".join(title), loc="left", fontsize=8, pad=3)
            axis.tick_params(labelsize=7, length=2, pad=2)
            tidy(axis)
            yield axis

    def label(self, x: str, y: str) -> None:
        """Name both axes once for all plots, below and to the left of them."""
        width, height = self.figure.get_size_inches()
        self.figure.text(0.5, -0.32 / height, x, ha="center", va="top", fontsize=9)
        self.figure.text(-0.36 / width, 0.5, y, ha="right", va="center", fontsize=9, rotation=90)

    def legend(self, axis: Axes) -> None:
        """Put the legend of one plot under all of them."""
        handles, labels = axis.get_legend_handles_labels()
        bottom = -0.5 / self.figure.get_size_inches()[1]
        self.figure.legend(
            handles, labels, loc="upper center", bbox_to_anchor=(0.5, bottom), ncols=2, fontsize=9, frameon=False
        )
