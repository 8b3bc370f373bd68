"""The forest plot of subgroups: each metric in each group with its interval, and which gaps are flagged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overread.errors import InvalidData, InvalidOption
from overread.evaluation.subgroups import Subgroup, SubgroupMetric, Subgroups
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, new_figure, tidy, wrapped, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS_INCHES = 4.4  # of all panels together
GAP_INCHES = 0.2
LINE_INCHES = 0.17
# Marker, edge and face for each answer to "is the gap flagged"; None where it cannot be judged.
STYLES = {
    True: ("D", PALETTE[1], PALETTE[1], "gap to all other cases: flagged"),
    False: ("o", PALETTE[0], PALETTE[0], "gap to all other cases: not flagged"),
    None: ("o", "0.35", "white", "gap not judged (too few patients, or no interval)"),
}
HEADER = (
    *("column", "group", "n", "patients", "metric", "metric_n", "value", "low", "high", "method"),
    *("gap", "gap_low", "gap_high", "flagged", "not_judged"),
)


@drawing
def draw_subgroups(
    subgroups: Subgroups, *, path: str | Path, names: Sequence[str] = ("auc", "sensitivity", "specificity")
) -> Path:
    """Draw metrics in each group with their intervals, a row a group and a panel a metric.

    Flagged gaps differ in colour and marker; those that were not judged are hollow. An undefined metric is said to be
    so in its place.

    Args:
        subgroups: as `evaluate_subgroups` makes them.
        path: without a suffix; the CSV holds column, group, n, patients, metric, metric_n, value, low, high, method,
            gap, gap_low, gap_high, flagged (true or false), not_judged (the reason), empty where there is none.
        names: of the metrics.

    Raises:
        InvalidData: there is no group.
        InvalidOption: no name, or one of a metric that the groups do not have.
    """
    groups = subgroups.groups
    if not groups:
        raise InvalidData(f"column {subgroups.column} has no group to draw: evaluate subgroups of one case or more")
    if not names or not set(names) <= set(groups[0].metrics):
        raise InvalidOption(f"the metrics {list(names)} cannot be drawn: choose among {list(groups[0].metrics)}")
    labels = [_label(group) for group in groups]
    height = len(labels) * (LINE_INCHES * max(label.count("\n") + 1 for label in labels) + 0.14)
    width = (ACROSS_INCHES + GAP_INCHES) / len(names) - GAP_INCHES
    figure, lowest = new_figure(ACROSS_INCHES, height), _lowest(groups, names)
    for place, name in enumerate(names):
        axis = axes_at(figure, (place * (width + GAP_INCHES), 0, width, height))
        _draw_panel(axis, [group.metrics[name] for group in groups], lowest)
        axis.set_title(name.upper() if len(name) == 3 else name.replace("_", " "), fontsize=10)
        axis.set_yticks(range(len(labels)), [] if place else labels, fontsize=10)
    first = figure.axes[0]
    first.annotate(
        wrapped(subgroups.column, 24), (0, 1), (-4, 6), xycoords="axes fraction", textcoords="offset points", ha="right"
    )
    _legend(figure)
    write_csv(Path(f"{path}.csv"), HEADER, _rows(subgroups, names))
    return write_png(path, figure)


def _label(group: Subgroup) -> str:
    patients = "" if group.patients == group.n else f", {group.patients:,} patients"
    return f"{wrapped(group.label, 24)}\nn = {group.n:,}{patients}"


def _lowest(groups: Sequence[Subgroup], names: Sequence[str]) -> float:
    found = [group.metrics[name] for group in groups for name in names]
    ends = [one.interval[0] if one.interval else one.metric.value for one in found if one.metric.reason is None]
    return min(0.8, math.floor(10 * min(ends, default=0)) / 10)


def _draw_panel(axis: Axes, metrics: Sequence[SubgroupMetric], lowest: float) -> None:
    for row, one in enumerate(metrics):
        if row % 2:
            axis.axhspan(row - 0.5, row + 0.5, color="0.96", linewidth=0, zorder=0)
        if one.metric.reason is not None:
            axis.text((lowest + 1) / 2, row, "undefined", ha="center", va="center", fontsize=9, color="0.35")
            continue
        marker, edge, face, _ = STYLES[one.flagged]
        if one.interval is not None:
            axis.plot(one.interval, (row, row), color=edge, linewidth=1.6, zorder=2)
        axis.plot(one.metric.value, row, marker, color=face, markeredgecolor=edge, markersize=6.5, zorder=3)
    margin = 0.04 * (1 - lowest)
    axis.set(xlim=(lowest - margin, 1 + margin), ylim=(len(metrics) - 0.5, -0.5))
    axis.locator_params(axis="x", nbins=3)
    axis.tick_params(axis="y", length=0)
    tidy(axis, "x")


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    entries = [
        Line2D([], [], marker=marker, color=edge, markerfacecolor=face, markeredgecolor=edge, label=label)
        for marker, edge, face, label in STYLES.values()
    ]
    bottom = -0.3 / figure.get_size_inches()[1]
    figure.legend(handles=entries, loc="upper center", bbox_to_anchor=(0.5, bottom), fontsize=9, frameon=False)


def _rows(subgroups: Subgroups, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for group in subgroups.groups:
        for name in names:
            one = group.metrics[name]
            value = "" if one.metric.reason else one.metric.value
            low, high = one.interval or ("", "")
            gap_low, gap_high = one.gap_interval or ("", "")
            flagged = "" if one.flagged is None else str(one.flagged).lower()
            yield (
                *(subgroups.column, group.label, group.n, group.patients, name, one.metric.n, value, low, high),
                *(one.method, one.gap, gap_low, gap_high, flagged, one.not_judged),
            )
