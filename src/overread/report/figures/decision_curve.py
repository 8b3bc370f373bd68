"""The decision curve: what acting on the probabilities is worth, by threshold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overread.evaluation.decision_curve import DecisionCurve
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, axes_at, drawing, legend_below, mark, new_figure, tidy, write_png

# How far below 0 net benefit is shown, as a share of how far above: treating all falls without end.
BELOW_ZERO = 0.25


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
    rows = zip(curve.thresholds, curve.net_benefit, curve.treat_all, np.zeros(at.size), strict=True)
    write_csv(Path(f"{path}.csv"), ("threshold", "net_benefit", "treat_all", "treat_none"), rows)
    return write_png(path, figure)
