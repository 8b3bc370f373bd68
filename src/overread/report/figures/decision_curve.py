"""The decision curve: what acting on the probabilities is worth, by threshold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from overread.evaluation.decision_curve import DecisionCurve
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, legend_below, mark, new_figure, tidy, write_png
from overread.report.figures.side_by_side import SideBySide

# How far below 0 net benefit is shown, as a share of how far above: treating all falls without end.
BELOW_ZERO = 0.25
HEADER = ("threshold", "net_benefit", "treat_all", "treat_none")


@drawing
def draw_decision_curve(curve: DecisionCurve, *, path: str | Path, threshold: float | None = None) -> Path:
    """Draw the decision curve: the net benefit of acting on the probabilities, on every case and on none.

    What lies far below 0, where treating all does harm, is cut off in the plot but not in the CSV.

    Args:
        curve: as `decision_curve` makes it.
        path: without a suffix; the CSV holds threshold, net_benefit, treat_all, treat_none.
        threshold: of the operating point, marked by a line, and on the curve where that reaches so far.
    """
    figure = new_figure(4.8, 3.6)
    axis = axes_at(figure, (0, 0, 4.8, 3.6))
    at, model, treat_all = (np.array(column) for column in (curve.thresholds, curve.net_benefit, curve.treat_all))
    axis.plot(at, model, color=PALETTE[0], linewidth=1.8, label="model")
    axis.plot(at, treat_all, "--", color=PALETTE[4], linewidth=1.4, label="treat all")
    axis.axhline(0, color="0.35", linestyle="-.", linewidth=1.2, label="treat none")
    top = max(curve.prevalence, model.max()) or 1.0
    axis.set(xlim=(0, 1), ylim=(-BELOW_ZERO * top, 1.08 * top))
    axis.set_xlabel("threshold probability")
    axis.set_ylabel("net benefit (true positives per case)")
    if threshold is not None:
        axis.axvline(threshold, color=PALETTE[1], linestyle=":", linewidth=1.4, zorder=0)
        beyond = not at[0] <= threshold <= at[-1]
        worth = np.nan if beyond else np.interp(threshold, at, model)
        mark(axis, (threshold, worth), f"operating point at threshold {threshold:.3g}")
    tidy(axis)
    legend_below(axis, gap=-0.15)
    write_csv(Path(f"{path}.csv"), HEADER, _rows(curve))
    return write_png(path, figure)


@drawing
def draw_decision_curves(
    curves: Mapping[str, DecisionCurve], *, path: str | Path, thresholds: Mapping[str, float] | None = None
) -> Path:
    """Draw the same of several questions, a small plot each, as far as acting on the probabilities is worth anything.

    Args:
        curves: by name.
        path: without a suffix; the CSV is that of `draw_decision_curve`, after the name.
        thresholds: of the operating points, by the same names.
    """
    plots, rows = SideBySide([(name,) for name in curves]), list[tuple[Any, ...]]()
    for (name, curve), axis in zip(curves.items(), plots.axes(), strict=True):
        at, model, treat_all = (np.array(column) for column in (curve.thresholds, curve.net_benefit, curve.treat_all))
        threshold = (thresholds or {}).get(name)
        axis.plot(at, model, color=PALETTE[0], linewidth=1.3, label="model")
        axis.plot(at, treat_all, "--", color=PALETTE[4], linewidth=1.1, label="treat all")
        axis.axhline(0, color="0.35", linestyle="-.", linewidth=1, label="treat none")
        if threshold is not None:
            axis.axvline(threshold, color=PALETTE[1], linestyle=":", linewidth=1.2, label="operating point")
        top = max(curve.prevalence, model.max()) or 1.0
        worth = at[model > 0.01 * top]
        end = min(1.0, 1.25 * max(worth.max(initial=0.1), threshold or 0))
        axis.set(xlim=(0, end), ylim=(-BELOW_ZERO * top, 1.08 * top))
        axis.locator_params(nbins=4)
        rows += [(name, *row) for row in _rows(curve)]
    plots.label("threshold probability", "net benefit")
    plots.legend(plots.figure.axes[0])
    write_csv(Path(f"{path}.csv"), ("class", *HEADER), rows)
    return write_png(path, plots.figure)


def _rows(curve: DecisionCurve) -> list[tuple[Any, ...]]:
    none = [0.0] * len(curve.thresholds)
    return list(zip(curve.thresholds, curve.net_benefit, curve.treat_all, none, strict=True))
