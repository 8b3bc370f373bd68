"""The training: curves, time and recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.networks.augmentation import shown_changes
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_curves_of_networks, draw_training_curves
from overread.run import FinishedTraining
from overread.training.history import History
from overread.words import clause, low_to_high

_EPOCH = (
    ("loss", "Loss, training"),
    ("val_loss", "Loss, validation"),
    ("val_accuracy", "Accuracy, validation"),
    ("val_auc", "AUC, validation"),
)
_MONITORS = {"val_loss": "validation loss", "val_auc": "validation AUC", "val_accuracy": "validation accuracy"}


def training_section(
    histories: Sequence[History], network: str, recipe: Mapping[str, Any], run: FinishedTraining, folder: Path
) -> Section:
    """Say how a network was trained, or one for each fold.

    Args:
        histories: of each network.
        network: its name.
        recipe: all options.
        run: at its end.
        folder: of the figures.
    """
    rows = [row for history in histories for row in history.rows]
    if not rows:
        return _of_head(network, recipe, len(histories))
    rate = float(np.median([row["images_per_second"] for row in rows]))
    took = f"in {run.seconds / 60:.1f} minutes ({rate:.0f} images/s in training steps, {run.precision})"
    by = _MONITORS[recipe["monitor"]]
    flatters = "Validation figures flatter, because that epoch was chosen by them."
    path = folder / "training"
    if len(histories) == 1:
        (history,) = histories
        text = (
            f"The network {network} was trained for {len(rows)} epochs {took}. The weights of epoch "
            f"{history.best_epoch} are kept, the best by {by}. {flatters}"
        )
        items = (_epochs(history), _curves_of_one(history, path))
    else:
        text = (
            f"The network {network} was trained {len(histories)} times, each time without one fold, which was its "
            f"validation side: {len(rows)} epochs {took}. Of each network the weights of the epoch are kept that was "
            f"the best by {by}. {flatters}"
        )
        items = (_networks(histories), _curves_of_several(histories, path))
    return Section(
        "Training", paragraphs=(text,), items=(*items, _recipe_table(recipe)), warnings=_cut_short(histories)
    )


def _cut_short(histories: Sequence[History]) -> tuple[str, ...]:
    found = [history.cut_short for history in histories if history.cut_short]
    if len(found) <= 1:
        return tuple(found)
    return (f"{len(found)} of {len(histories)} networks were cut short. The first of them: {clause(found[0])}",)


def _of_head(network: str, recipe: Mapping[str, Any], networks: int) -> Section:
    """Say that no epoch was trained."""
    times = "" if networks == 1 else f", {networks} times, each time without one fold"
    text = (
        f"The last layer of {network} was fitted by penalised logistic regression on the features of training images"
        f"{times}; all other weights are those that it was pretrained with, so there are no epochs."
    )
    return Section("Training", paragraphs=(text,), items=(_recipe_table(recipe),))


def _epochs(history: History) -> Table:
    """The first, the best and the last epoch."""
    rows, best = history.rows, history.best_epoch
    names = {1: "first", len(rows): "last", best: "best, kept"}
    shown = tuple(
        (f"{number} ({names[number]})", *_figures(rows[number - 1])) for number in dict.fromkeys((1, best, len(rows)))
    )
    return Table("Epochs", ("Epoch", *(heading for _, heading in _EPOCH)), shown)


def _networks(histories: Sequence[History]) -> Table:
    """The best epoch of each network."""
    rows = tuple(
        (f"{number}", f"{history.best_epoch} of {len(history.rows)}", *_figures(history.rows[history.best_epoch - 1]))
        for number, history in enumerate(histories, start=1)
    )
    header = ("Fold left out", "Best epoch, kept", *(heading for _, heading in _EPOCH))
    return Table("The networks at their best epochs", header, rows)


def _figures(row: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{row[name]:.4f}" for name, _ in _EPOCH)


_CURVES = "Loss, accuracy and AUC by epoch"


def _curves_of_one(history: History, path: Path) -> FigureItem:
    rows, best = history.rows, history.rows[history.best_epoch - 1]
    return FigureItem(
        draw_training_curves(rows, path=path, best_epoch=history.best_epoch),
        _CURVES,
        f"Training curves: validation loss from {rows[0]['val_loss']:.3f} in the first epoch to {best['val_loss']:.3f} "
        f"in the best, number {history.best_epoch} of {len(rows)}; AUC from {rows[0]['val_auc']:.3f} to "
        f"{best['val_auc']:.3f}.",
    )


def _curves_of_several(histories: Sequence[History], path: Path) -> FigureItem:
    best = [history.rows[history.best_epoch - 1] for history in histories]
    loss, auc = (sorted(row[name] for row in best) for name in ("val_loss", "val_auc"))
    return FigureItem(
        draw_curves_of_networks([history.rows for history in histories], path=path),
        f"{_CURVES}, a line a network",
        f"Training curves of {len(histories)} networks: at their best epochs a validation loss of "
        f"{low_to_high(loss[0], loss[-1])} and an AUC of {low_to_high(auc[0], auc[-1])}.",
    )


def _recipe_table(recipe: Mapping[str, Any]) -> Table:
    """Lay out every option of a recipe, those of the augmentation after the others."""
    plain = [(name, str(value)) for name, value in recipe.items() if name != "augmentation"]
    changes = [(f"augmentation {name}", value) for name, value in shown_changes(recipe["augmentation"]).items()]
    return Table("Training recipe", ("Option", "Value"), (*plain, *changes))
