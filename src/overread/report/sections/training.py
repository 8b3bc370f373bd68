"""The training: curves, time and recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.networks.augmentation import shown_changes
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_training_curves
from overread.run import FinishedTraining

_EPOCH = (
    ("loss", "Loss, training"),
    ("val_loss", "Loss, validation"),
    ("val_accuracy", "Accuracy, validation"),
    ("val_auc", "AUC, validation"),
)
_MONITORS = {"val_loss": "validation loss", "val_auc": "validation AUC", "val_accuracy": "validation accuracy"}


def training_section(
    rows: Sequence[Mapping[str, float]], network: str, recipe: Mapping[str, Any], run: FinishedTraining, folder: Path
) -> Section:
    """Say how a network was trained.

    Args:
        rows: of each epoch, as `log.csv` has them.
        network: its name.
        recipe: all options.
        run: at its end.
        folder: of the figures.
    """
    best = rows[run.best_epoch - 1]
    rate = float(np.median([row["images_per_second"] for row in rows]))
    text = (
        f"The network {network} was trained for {len(rows)} epochs in {run.seconds / 60:.1f} minutes "
        f"({rate:.0f} images/s in training steps, {run.precision}). The weights of epoch {run.best_epoch} are "
        f"kept, the best by {_MONITORS[recipe['monitor']]}. Validation figures flatter, because that epoch was "
        "chosen by them."
    )
    shown = dict.fromkeys((1, run.best_epoch, len(rows)))
    names = {1: "first", len(rows): "last", run.best_epoch: "best, kept"}
    chosen = tuple(
        (f"{number} ({names[number]})", *(f"{rows[number - 1][name]:.4f}" for name, _ in _EPOCH)) for number in shown
    )
    curves = FigureItem(
        draw_training_curves(rows, path=folder / "training", best_epoch=run.best_epoch),
        "Loss, accuracy and AUC by epoch",
        f"Training curves: validation loss from {rows[0]['val_loss']:.3f} in the first epoch to {best['val_loss']:.3f} "
        f"in the best, number {run.best_epoch} of {len(rows)}; AUC from {rows[0]['val_auc']:.3f} to "
        f"{best['val_auc']:.3f}.",
    )
    epochs = Table("Epochs", ("Epoch", *(heading for _, heading in _EPOCH)), chosen)
    return Section("Training", paragraphs=(text,), items=(epochs, curves, _recipe_table(recipe)))


def _recipe_table(recipe: Mapping[str, Any]) -> Table:
    """Lay out every option of a recipe, those of the augmentation after the others."""
    plain = [(name, str(value)) for name, value in recipe.items() if name != "augmentation"]
    changes = [(f"augmentation {name}", value) for name, value in shown_changes(recipe["augmentation"]).items()]
    return Table("Training recipe", ("Option", "Value"), (*plain, *changes))
