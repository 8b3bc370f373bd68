"""Loss and metrics by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, drawing, new_figure, tidy, write_png


@drawing
def draw_training_curves(
    epochs: Sequence[Mapping[str, Any]], *, path: str | Path, best_epoch: int | None = None
) -> Path:
    """Draw loss, accuracy and AUC by epoch, for training and validation.

    Args:
        epochs: one mapping an epoch: epoch, loss, accuracy, auc, the same with `val_`, and learning_rate; a value
            that is missing, None or NaN leaves a gap.
        path: without a suffix.
        best_epoch: the epoch whose weights were kept, marked by a line.

    Raises:
        InvalidData: no epoch.
    """
    if not epochs:
        raise InvalidData("there is no epoch to draw: train for one epoch or more")
    figure = new_figure(5.6, 6.4)
    figure.set_layout_engine("constrained")
    number = [int(epoch["epoch"]) for epoch in epochs]
    marker = "o" if len(epochs) <= 20 else ""
    axes = figure.subplots(3, 1, sharex=True)
    for axis, (name, title) in zip(axes, (("loss", "loss"), ("accuracy", "accuracy"), ("auc", "AUC")), strict=True):
        for key, label, colour, dash in ((name, "training", 0, "--"), (f"val_{name}", "validation", 1, "-")):
            values = [np.nan if epoch.get(key) is None else float(epoch[key]) for epoch in epochs]
            axis.plot(number, values, dash, color=PALETTE[colour], marker=marker, markersize=4, label=label)
        if best_epoch is not None:
            axis.axvline(best_epoch, color="0.35", linestyle=":", label=f"best epoch ({best_epoch})", zorder=0)
        axis.set(ylabel=title, xlim=(min(number) - 0.5, max(number) + 0.5))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        tidy(axis, "y")
    axes[-1].set_xlabel("epoch")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    header = ("epoch", "loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc", "learning_rate")
    write_csv(Path(f"{path}.csv"), header, ([epoch.get(name) for name in header] for epoch in epochs))
    return write_png(path, figure)
