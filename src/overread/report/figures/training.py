"""Loss and metrics by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import PALETTE, drawing, new_figure, tidy, write_png

_COLUMNS = ("epoch", "loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc", "learning_rate")
_Epochs = Sequence[Mapping[str, Any]]


@drawing
def draw_training_curves(epochs: _Epochs, *, path: str | Path, best_epoch: int | None = None) -> Path:
    """Draw loss, accuracy and AUC by epoch, for training and validation.

    Args:
        epochs: one mapping an epoch: epoch, loss, accuracy, auc, the same with `val_`, and learning_rate; a value
            that is missing, None or NaN leaves a gap.
        path: without a suffix.
        best_epoch: the epoch whose weights were kept, marked by a line.

    Raises:
        InvalidData: no epoch.
    """
    figure = _curves([epochs], best_epoch)
    write_csv(Path(f"{path}.csv"), _COLUMNS, ([epoch.get(name) for name in _COLUMNS] for epoch in epochs))
    return write_png(path, figure)


@drawing
def draw_curves_of_networks(networks: Sequence[_Epochs], *, path: str | Path) -> Path:
    """Draw the same of several networks into one figure, two lines each.

    Args:
        networks: of each its epochs, as `draw_training_curves` takes them.
        path: without a suffix.

    Raises:
        InvalidData: a network without an epoch.
    """
    figure = _curves(networks, None)
    rows = ([n, *map(epoch.get, _COLUMNS)] for n, epochs in enumerate(networks, start=1) for epoch in epochs)
    write_csv(Path(f"{path}.csv"), ("network", *_COLUMNS), rows)
    return write_png(path, figure)


def _curves(networks: Sequence[_Epochs], best_epoch: int | None) -> Any:
    if not all(networks):
        raise InvalidData("there is no epoch to draw: train for one epoch or more")
    figure = new_figure(5.6, 6.4)
    figure.set_layout_engine("constrained")
    numbers, one = [[int(epoch["epoch"]) for epoch in epochs] for epochs in networks], len(networks) == 1
    look = {"marker": "o" if one and len(networks[0]) <= 20 else "", "markersize": 4, "alpha": 1 if one else 0.6}
    axes = figure.subplots(3, 1, sharex=True)
    for axis, (name, title) in zip(axes, (("loss", "loss"), ("accuracy", "accuracy"), ("auc", "AUC")), strict=True):
        for key, label, colour, dash in ((name, "training", 0, "--"), (f"val_{name}", "validation", 1, "-")):
            for n, epochs in enumerate(networks):
                values = [np.nan if epoch.get(key) is None else float(epoch[key]) for epoch in epochs]
                axis.plot(numbers[n], values, dash, color=PALETTE[colour], label=label if n == 0 else None, **look)
        if best_epoch is not None:
            axis.axvline(best_epoch, color="0.35", linestyle=":", label=f"best epoch ({best_epoch})", zorder=0)
        axis.set(ylabel=title, xlim=(min(map(min, numbers)) - 0.5, max(map(max, numbers)) + 0.5))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        tidy(axis, "y")
    axes[-1].set_xlabel("epoch")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure
