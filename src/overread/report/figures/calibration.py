"""The reliability diagram: are the probabilities as often right as they say, before and after calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.decision.cuts import FloatArray
from overread.evaluation.reliability import Reliability
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, new_figure, tidy, write_png
from overread.report.figures.side_by_side import SideBySide
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
        rows += _rows(name, measured, level)
    _legend(figure)
    write_csv(Path(f"{path}.csv"), HEADER, rows)
    return write_png(path, figure)


@drawing
def draw_reliability_of_each(
    measured: Mapping[str, tuple[Reliability, Reliability]], *, path: str | Path, level: float = 0.95
) -> Path:
    """Draw the same of several questions, a small plot each, in which the points of before are grey.

    Args:
        measured: by name, before and after calibration.
        path: without a suffix; the CSV is that of `draw_reliability`, after the name.
        level: of the intervals.

    Raises:
        InvalidOption: level is not above 0 and below 1.
    """
    plots = SideBySide([(name, f"ECE {after.ece:.3f}") for name, (_, after) in measured.items()])
    rows: list[tuple[Any, ...]] = []
    for (name, pair), axis in zip(measured.items(), plots.axes(), strict=True):
        highest = max(max(point.mean_probability, point.observed) for found in pair for point in found.bins)
        end = min(1.0, 1.15 * highest) or 1.0
        axis.plot([0, end], [0, end], color="0.5", linestyle=":", linewidth=1, label="perfectly calibrated")
        axis.plot(*_points(pair[0]), "o", markersize=2.5, color="0.7", label="before")
        ends = [wilson(point.n_positive, point.n, level=level) for point in pair[1].bins]
        _draw_bars_of(axis, pair[1], ends, f"after, with {level_of(level)} interval")
        axis.set(xlim=(-0.03 * end, 1.03 * end), ylim=(-0.03 * end, 1.03 * end))
        axis.locator_params(nbins=4)
        for when, found in zip(("before", "after"), pair, strict=True):
            rows += [(name, *row) for row in _rows(when, found, level)]
    plots.label("probability", "observed share")
    plots.legend(plots.figure.axes[0])
    write_csv(Path(f"{path}.csv"), ("class", *HEADER), rows)
    return write_png(path, plots.figure)


def _rows(when: str, measured: Reliability, level: float) -> list[tuple[Any, ...]]:
    ends = [wilson(point.n_positive, point.n, level=level) for point in measured.bins]
    return [(when, *point[:4], end.low, end.high, *point[4:]) for point, end in zip(measured.bins, ends, strict=True)]


def _points(measured: Reliability) -> tuple[FloatArray, FloatArray]:
    x, y = (np.array([point[column] for point in measured.bins]) for column in (2, 3))
    return x, y


def _lengths(y: FloatArray, ends: Sequence[Interval]) -> tuple[FloatArray, FloatArray]:
    # The ends hold the share but for rounding, and matplotlib refuses a negative length.
    below, above = (np.maximum(length, 0) for length in (y - [end.low for end in ends], [end.high for end in ends] - y))
    return below, above


def _draw_bars_of(axis: Axes, measured: Reliability, ends: Sequence[Interval], label: str) -> None:
    x, y = _points(measured)
    axis.errorbar(x, y, _lengths(y, ends), fmt="o", markersize=3, color=PALETTE[0], linewidth=1, label=label)


def _title(name: str, measured: Reliability) -> str:
    slope = "undefined" if measured.slope.reason else f"{measured.slope.value:.2f}"
    return f"{name} calibration\nECE {measured.ece:.3f}, Brier {measured.brier:.3f}\nslope {slope}"


def _draw_points(axis: Axes, measured: Reliability, ends: list[Interval], label: str) -> None:
    x, y = _points(measured)
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1.2, label="perfectly calibrated")
    axis.plot(x, y, color=PALETTE[0], linewidth=1, alpha=0.5)
    axis.errorbar(
        x, y, _lengths(y, ends), fmt="o", markersize=5, color=PALETTE[0], capsize=2, label=f"bin with {label}"
    )
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
