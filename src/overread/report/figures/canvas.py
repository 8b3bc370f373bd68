"""What figures are drawn on: the canvas, the colours, axes without clutter, and the file that comes of it.

Matplotlib is used through its objects only and imported on the first plot: there is no pyplot and no window, and
figures can be drawn on any thread. Colours are those of Okabe and Ito, which stay apart for
colour-blind readers; where they alone would tell two things apart, the marker or the line style differs too.

A figure is about 6 inches wide: text of 9 to 10 points is legible on a page and on a telephone 420 pixels wide.
"""

from __future__ import annotations

import functools
import io
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec

from overread.errors import InvalidOption, MissingExtra
from overread.machine.files import replace_file
from overread.report.figures.fonts import drawable, set_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
DOTS_PER_INCH = 130
Box = tuple[float, float, float, float]
Arguments = ParamSpec("Arguments")
_one_at_a_time = threading.RLock()


def drawing(draw: Callable[Arguments, Path]) -> Callable[Arguments, Path]:
    """Have a function draw in the style that comes with Matplotlib, whatever a matplotlibrc says.

    The style is one for the whole process, so one figure is drawn at a time; afterwards it is the user's again.

    Raises:
        MissingExtra: matplotlib is not installed.
        InvalidOption: it cannot be loaded with the settings of this process.
    """

    @functools.wraps(draw)
    def drawn(*values: Arguments.args, **options: Arguments.kwargs) -> Path:
        try:
            import matplotlib.figure
            import matplotlib.style
        except ImportError as error:
            raise MissingExtra(
                "figures are drawn with matplotlib, which is not installed: run pip install 'overread[report]'"
            ) from error
        except ValueError as error:
            raise InvalidOption(f"matplotlib cannot be loaded ({error}): correct the variable MPLBACKEND") from error
        with _one_at_a_time, matplotlib.style.context("default"):
            return draw(*values, **options)

    return drawn


def new_figure(width_inches: float, height_inches: float, *, dots_per_inch: int = DOTS_PER_INCH) -> Figure:
    """Open an empty white figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), dpi=dots_per_inch, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, box_inches: Box) -> Axes:
    """Add axes at (left, bottom, width, height) in inches; labels may hang over the edge, `write_png` keeps them."""
    width, height = figure.get_size_inches()
    left, bottom, across, up = box_inches
    return figure.add_axes((left / width, bottom / height, across / width, up / height))


def tidy(axis: Axes, grid: Literal["both", "x", "y"] = "both") -> None:
    """Draw a faint grid behind everything and no frame at the top and the right."""
    axis.grid(axis=grid, color="0.9", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def mark(axis: Axes, point: tuple[float, float], label: str) -> None:
    """Mark the operating point."""
    axis.plot(*point, "o", markersize=9, color=PALETTE[1], markeredgecolor="white", label=label, zorder=3)


def wrapped(label: str, characters: int = 60) -> str:
    """Break a label into lines, in letters that can be drawn."""
    return textwrap.fill(drawable(label), characters)


def legend_below(axis: Axes, gap: float = -0.12) -> None:
    """Put the legend under the axes, where it hides nothing and may be as long as it needs."""
    axis.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, gap))


def write_png(path: str | Path, figure: Figure) -> Path:
    """Write `<path>.png` with every text whole.

    Raises:
        OutputUnwritable: no permission, no such folder or no space left.
    """
    set_fonts(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight")
    return replace_file(Path(f"{path}.png"), content.getvalue())
