"""The confusion matrix: what was read as what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.machine.files import write_csv
from overread.report.figures.canvas import axes_at, drawing, new_figure, wrapped, write_png

DARK_PERCENT = 71  # where white begins to contrast more than black on the map "Blues"


@drawing
def draw_confusion_matrix(
    matrix: npt.ArrayLike, classes: Sequence[str], *, path: str | Path, noun: str = "class"
) -> Path:
    """Draw counts and the percentage of each true class, shaded by the percentage.

    Args:
        matrix: `(K, K)` counts, a row a true class, a column a predicted one; a row without cases has no percentages.
        classes: K names.
        path: without a suffix; the CSV holds true, predicted, count, row_percent.
        noun: what one of the names is called.

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
    axis.set_xlabel(f"predicted {noun}")
    axis.set_ylabel(f"true {noun}")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    cells = (
        (classes[row], classes[column], counts[row, column], f"{percent[row, column]:.3f}" if counts[row].any() else "")
        for row, column in np.ndindex(counts.shape)
    )
    write_csv(Path(f"{path}.csv"), ("true", "predicted", "count", "row_percent"), cells)
    return write_png(path, figure)
