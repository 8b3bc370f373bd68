"""Plots of decisions: what was read as what, and what acting on the probabilities is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.evaluation.decision_curve import DecisionCurve
from overread.files import write_csv
from overread.report.figures.surface import (
    PALETTE,
    axes_at,
    legend_below,
    mark,
    new_figure,
    tidy,
    wrapped,
    write_png,
)

DARK_PERCENT = 71  # where white begins to contrast more than black on the map "Blues"
# How far below 0 net benefit is shown, as a share of how far above: treating all falls without end.
BELOW_ZERO = 0.25


def confusion_matrix(matrix: npt.ArrayLike, classes: Sequence[str], *, path: str | Path) -> Path:
    """Draw counts and the percentage of each true class, shaded by the percentage.

    Args:
        matrix: `(K, K)` counts, a row a true class, a column a predicted one; a row without cases has no percentages.
        classes: K names.
        path: without a suffix; the CSV holds true, predicted, count, row_percent.

    Raises:
        InvalidData: the matrix is not K by K.
    """
    counts, n_classes = np.asarray(matrix), len(classes)
    if counts.shape != (n_classes, n_classes):
        raise InvalidData(
            f"a confusion matrix of shape {counts.shape} does not fit {n_classes} classes: give one row each"
        )
    percent = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(n_classes, n_classes)
    axis = axes_at(figure, (0, 0, n_classes, n_classes))
    axis.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(counts.shape):
        share = f"\n{percent[row, column]:.1f} %" if counts[row].any() else ""
        colour = "white" if percent[row, column] > DARK_PERCENT else "black"
        axis.text(column, row, f"{counts[row, column]:,}{share}", ha="center", va="center", color=colour, fontsize=10)
    upright = max(len(word) for name in classes for word in name.split()) > 11
    under = [wrapped(name, 24 if upright else 11) for name in classes]
    axis.set_xticks(range(n_classes), under, fontsize=10, rotation=90 if upright else 0)
    axis.set_yticks(range(n_classes), [wrapped(name, 24) for name in classes], fontsize=10)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    cells = (
        (classes[row], classes[column], counts[row, column], f"{percent[row, column]:.3f}" if counts[row].any() else "")
        for row, column in np.ndindex(counts.shape)
    )
    write_csv(Path(f"{path}.csv"), ("true", "predicted", "count", "row_percent"), cells)
    return write_png(path, figure)


def net_benefit(curve: DecisionCurve, *, path: str | Path, threshold: float | None = None) -> Path:
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
