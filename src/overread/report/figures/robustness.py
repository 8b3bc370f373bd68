"""The dot plot of robustness: what each change of the images costs, beside a line for the images as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from overread.evaluation.robustness import Robustness, UnderChange
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, new_figure, tidy, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS_INCHES = 4.4  # of all panels together
GAP_INCHES = 0.25
ROW_INCHES = 0.34
_DIFFERENCES = {"auc": "AUC, difference", "balanced_accuracy": "balanced accuracy,\ndifference"}
_REFERRED = "share referred"
_MARKERS, _COLOURS = ("o", "D"), (PALETTE[0], PALETTE[1])
_APART = 0.18
HEADER = ("change", "strength", "amount", "metric", "value", "difference", "low", "high", "method")


class _Dot(NamedTuple):
    """A value with the ends of its interval, all NaN where there is none."""

    value: float
    low: float
    high: float


@drawing
def draw_robustness(found: Robustness, *, path: str | Path) -> Path:
    """Draw AUC and balanced accuracy less those of unchanged images, and the share referred; a row a change.

    Args:
        found: as `assess_robustness` makes it.
        path: without a suffix; the CSV holds change, strength, amount, metric, value, difference, low and high (of the
            difference; of the value for "referred" and "unnoticed", which have no difference) and method.
    """
    labels = list(dict.fromkeys(each.change.label for each in found.changes))
    strengths = list(dict.fromkeys(sorted(each.change.strength for each in found.changes)))
    height, width = ROW_INCHES * len(labels), (ACROSS_INCHES + GAP_INCHES) / 3 - GAP_INCHES
    figure = new_figure(ACROSS_INCHES, height)
    panels = (*_DIFFERENCES.values(), _REFERRED)
    lines = (0.0, 0.0, found.unchanged["referred"].metric.value)
    for place, (title, line) in enumerate(zip(panels, lines, strict=True)):
        axis = axes_at(figure, (place * (width + GAP_INCHES), 0, width, height))
        _shade(axis, len(labels))
        axis.axvline(line, color="0.35", linestyle="--", linewidth=1.2, zorder=1)
        for each in found.changes:
            kind = strengths.index(each.change.strength)
            row = labels.index(each.change.label) + (kind - (len(strengths) - 1) / 2) * 2 * _APART
            _draw_dot(axis, _dots(each)[place], row, kind)
        axis.set_title(title, fontsize=10)
        axis.set_yticks(range(len(labels)), [] if place else labels, fontsize=10)
        tidy(axis, "x")
    _legend(figure.axes[1], strengths, height)
    write_csv(Path(f"{path}.csv"), HEADER, _rows(found))
    return write_png(path, figure)


def _dots(found: UnderChange) -> tuple[_Dot, ...]:
    """Of each panel."""
    differences = [found.differences[name] for name in _DIFFERENCES]
    metric, interval = found.shares["referred"]
    return (
        *(_Dot(each.difference, each.interval.low, each.interval.high) for each in differences),
        _Dot(metric.value, interval.low, interval.high),
    )


def _draw_dot(axis: Axes, dot: _Dot, row: float, kind: int) -> None:
    colour = _COLOURS[kind]
    if math.isnan(dot.value):
        return
    if not math.isnan(dot.low):
        axis.plot((dot.low, dot.high), (row, row), color=colour, linewidth=1.4, zorder=2)
    axis.plot(dot.value, row, _MARKERS[kind], color=colour, markersize=5, markeredgecolor="white", zorder=3)


def _shade(axis: Axes, rows: int) -> None:
    for row in range(1, rows, 2):
        axis.axhspan(row - 0.5, row + 0.5, color="0.96", linewidth=0, zorder=0)
    axis.set_ylim(rows - 0.5, -0.5)
    axis.locator_params(axis="x", nbins=3)
    axis.tick_params(axis="y", length=0)


def _legend(axis: Axes, strengths: Sequence[str], height: float) -> None:
    from matplotlib.lines import Line2D

    entries: list[Line2D] = [
        Line2D([], [], marker=_MARKERS[kind], color=_COLOURS[kind], markersize=5, label=name)
        for kind, name in enumerate(strengths)
    ]
    entries.append(Line2D([], [], color="0.35", linestyle="--", label="unchanged"))
    axis.legend(
        handles=entries, loc="upper center", bbox_to_anchor=(0.5, -0.35 / height), ncols=3, fontsize=9, frameon=False
    )


def _rows(found: Robustness) -> Iterator[tuple[Any, ...]]:
    for each in found.changes:
        which = (each.change.name, each.change.strength, each.change.amount)
        for name, one in each.differences.items():
            ends = one.interval.low, one.interval.high
            yield (*which, name, *map(_cell, (one.second, one.difference, *ends)), one.interval.method)
        for name, (metric, interval) in each.shares.items():
            yield (*which, name, _cell(metric.value), "", *map(_cell, (interval.low, interval.high)), interval.method)


def _cell(value: float) -> Any:
    return "" if math.isnan(value) else value
