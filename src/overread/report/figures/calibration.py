"""The reliability diagram: are the probabilities as often right as they say, before and after calibration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.evaluation.reliability import Reliability
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, new_figure, tidy, write_png
from overread.words import level_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = 2.7
BARS_INCHES = 0.8
NARROWEST_BAR = 0.012
HEADER = ("calibration", "lowest", "highest", "mean_probability", "observed", "low", "high", "n", "n_positive")


@drawing
def draw_reliability(before: Reliability, after: Reliability, *, path: str | Path, level: float = 0.95) -> Path:
    """Draw how often the outcome came against its probability, before and after calibration.

    Each bin is a point with Wilson's interval, which takes every case for independent; below it stand its cases, from
    the lowest to the highest probability.

    Args:
        before: of the probabilities as the network gave them.
        after: of the calibrated ones of the same cases.
        path: without a suffix; the CSV holds calibration (before or after), lowest, highest, mean_probability,
            observed, low, high, n, n_positive.
        level: of the intervals.

    Raises:
        InvalidOption: level is not above 0 and below 1.
    """
    gap = 0.25
    figure = new_figure(2 * PANEL_INCHES + gap, PANEL_INCHES + BARS_INCHES + 0.15)
    most = max(point.n for measured in (before, after) for point in measured.bins)
    rows: list[tuple[Any, ...]] = []
    for place, (name, measured) in enumerate((("before", before), ("after", after))):
        ends = [wilson(point.n_positive, point.n, level=level) for point in measured.bins]
        left = place * (PANEL_INCHES + gap)
        points = axes_at(figure, (left, BARS_INCHES + 0.15, PANEL_INCHES, PANEL_INCHES))
        bars = axes_at(figure, (left, 0, PANEL_INCHES, BARS_INCHES))
        _draw_points(points, measured, ends, f"{level_of(level)} interval")
        points.set_title(_title(name, measured), loc="left", fontsize=10)
        _draw_bars(bars, measured, most)
        points.set_xticklabels([])
        if place:
            points.set_yticklabels([])
            bars.set_yticklabels([])
        else:
            points.set_ylabel("observed share")
            bars.set_ylabel("cases")
        for point, end in zip(measured.bins, ends, strict=True):
            rows.append((name, *point[:4], end.low, end.high, *point[4:]))
    _legend(figure)
    write_csv(Path(f"{path}.csv"), HEADER, rows)
    return write_png(path, figure)


def _title(name: str, measured: Reliability) -> str:
    slope = "undefined" if measured.slope.reason else f"{measured.slope.value:.2f}"
    return f"{name} calibration\nECE {measured.ece:.3f}, Brier {measured.brier:.3f}\nslope {slope}"


def _draw_points(axis: Axes, measured: Reliability, ends: list[Interval], label: str) -> None:
    x, y = (np.array([point[column] for point in measured.bins]) for column in (2, 3))
    # The ends hold the share but for rounding, and matplotlib refuses a negative length.
    below, above = (np.maximum(length, 0) for length in (y - [end.low for end in ends], [end.high for end in ends] - y))
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1.2, label="perfectly calibrated")
    axis.plot(x, y, color=PALETTE[0], linewidth=1, alpha=0.5)
    axis.errorbar(x, y, (below, above), fmt="o", markersize=5, color=PALETTE[0], capsize=2, label=f"bin with {label}")
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    tidy(axis)


def _draw_bars(axis: Axes, measured: Reliability, most: int) -> None:
    lowest, highest = (np.array([point[column] for point in measured.bins]) for column in (0, 1))
    n, positive = (np.array([point[column] for point in measured.bins]) for column in (4, 5))
    middle, width = (lowest + highest) / 2, np.maximum(highest - lowest, NARROWEST_BAR)
    shape = {"width": width, "edgecolor": "white", "linewidth": 0.6}
    axis.bar(middle, n - positive, bottom=positive, color="0.75", label="other cases", **shape)
    axis.bar(middle, positive, color="0.35", label="cases with the outcome", **shape)
    axis.set(xlim=(-0.02, 1.02), ylim=(0, 1.08 * most))
    axis.set_xlabel("probability")
    axis.locator_params(axis="y", integer=True, nbins=3)
    tidy(axis, "y")


def _legend(figure: Figure) -> None:
    points, bars = figure.axes[:2]
    found = [axis.get_legend_handles_labels() for axis in (points, bars)]
    handles, labels = (found[0][part] + found[1][part] for part in (0, 1))
    bottom = -0.5 / figure.get_size_inches()[1]
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, bottom), ncols=2, fontsize=9, frameon=False)
