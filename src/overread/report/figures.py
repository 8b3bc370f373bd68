"""The plots of a study: each a PNG, with the numbers it shows beside it as CSV.

Matplotlib is used through its objects only and imported on the first plot: there is no pyplot, no window and no state
shared between calls, so figures can be drawn on any thread. Colours are those of Okabe and Ito, which stay apart for
colour-blind readers; with many classes the line style changes too.

`path` is where to write, without a suffix: `.png` and `.csv` are added, and the path of the PNG is returned. Every
function that writes also raises OutputUnwritable where it cannot, and MissingExtra where matplotlib is not installed.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData, MissingExtra
from overread.evaluation import average_precision, precision_recall_curve, roc_auc, roc_curve
from overread.files import replace_file, write_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
DOTS_PER_INCH = 130
IMAGES_PER_CLASS = 8
CELL_INCHES = 1.15
SHORTEST_ROW_INCHES = 0.75
# From faint to strong evidence; lightness rises all the way, so the order survives without colour.
HEAT = ((70, 10, 100), (45, 105, 145), (50, 185, 120), (255, 235, 40))
STRONGEST_TINT = 0.65
DARK_PERCENT = 71  # where white begins to contrast more than black on the map "Blues"


def sample_images(
    take: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.uint8]],
    labels: Sequence[str],
    *,
    path: str | Path,
    seed: int = 0,
) -> Path:
    """Draw up to 8 images of each class, a row a class, drawn at random without repeats.

    Args:
        take: gives `(k, height, width, channels)` uint8 of 1 or 3 channels for k positions among the labels, so that a
            large data set need not be in memory.
        labels: the class name of every image.
        path: without a suffix; the CSV holds class, count.
        seed: of the draw.

    Raises:
        InvalidData: there is no label.
    """
    if not len(labels):
        raise InvalidData("there are no images to show: give one label or more")
    random = np.random.default_rng(seed)
    names, class_of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    rows, counts = [], np.bincount(class_of)
    for index in range(len(names)):
        members = np.flatnonzero(class_of == index)
        chosen = random.choice(members, min(IMAGES_PER_CLASS, len(members)), replace=False)
        rows.append(take(np.sort(chosen)))
    figure, axes = _image_grid(rows)
    for name, count, row in zip(names, counts, axes, strict=True):
        label = f"{textwrap.fill(str(name), 24)}\nn = {count:,}"
        row[0].text(-0.12, 0.5, label, transform=row[0].transAxes, ha="right", va="center", fontsize=10)
    write_csv(Path(f"{path}.csv"), ("class", "count"), zip(names.tolist(), counts.tolist(), strict=True))
    return _write_png(path, figure)


def augmented_previews(originals: npt.NDArray[Any], variants: npt.NDArray[Any], *, path: str | Path) -> Path:
    """Draw each original image and, to its right, what augmentation makes of it.

    Args:
        originals: `(n, height, width, channels)` of 0 to 255.
        variants: `(n, n_variants, height, width, channels)` of 0 to 255.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: no image, or a number of originals that differs.
    """
    if len(originals) == 0 or len(originals) != len(variants):
        raise InvalidData(
            f"there are {len(originals)} originals and {len(variants)} sets of variants: give one set each"
        )
    rows = [np.concatenate([original[None], changed]) for original, changed in zip(originals, variants, strict=True)]
    figure, axes = _image_grid(rows)
    for column, axis in enumerate(axes[0][: len(rows[0])]):
        axis.set_title(f"variant {column}" if column else "original", fontsize=10)
    return _write_png(path, figure)


def training_curves(epochs: Sequence[Mapping[str, Any]], *, path: str | Path, best_epoch: int | None = None) -> Path:
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
    figure = _new_figure(11.5, 3.9)
    figure.set_layout_engine("constrained")
    number = [int(epoch["epoch"]) for epoch in epochs]
    marker = "o" if len(epochs) <= 20 else ""
    for axis, (name, title) in zip(
        figure.subplots(1, 3), (("loss", "Loss"), ("accuracy", "Accuracy"), ("auc", "AUC")), strict=True
    ):
        for key, label, colour, dash in ((name, "training", 0, "--"), (f"val_{name}", "validation", 1, "-")):
            values = [np.nan if epoch.get(key) is None else float(epoch[key]) for epoch in epochs]
            axis.plot(number, values, dash, color=PALETTE[colour], marker=marker, markersize=4, label=label)
        if best_epoch is not None:
            axis.axvline(best_epoch, color="0.35", linestyle=":", label=f"best epoch ({best_epoch})", zorder=0)
        axis.set(title=title, xlabel="epoch", xlim=(min(number) - 0.5, max(number) + 0.5))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        _tidy(axis, "y")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    header = ("epoch", "loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc", "learning_rate")
    write_csv(Path(f"{path}.csv"), header, ([epoch.get(name) for name in header] for epoch in epochs))
    return _write_png(path, figure)


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
    figure = _new_figure(n_classes, n_classes)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(counts.shape):
        share = f"\n{percent[row, column]:.1f} %" if counts[row].any() else ""
        colour = "white" if percent[row, column] > DARK_PERCENT else "black"
        axis.text(column, row, f"{counts[row, column]:,}{share}", ha="center", va="center", color=colour, fontsize=10)
    upright = max(len(word) for name in classes for word in name.split()) > 11
    under = [textwrap.fill(name, 24 if upright else 11) for name in classes]
    axis.set_xticks(range(n_classes), under, fontsize=10, rotation=90 if upright else 0)
    axis.set_yticks(range(n_classes), [textwrap.fill(name, 24) for name in classes], fontsize=10)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    cells = (
        (classes[row], classes[column], counts[row, column], f"{percent[row, column]:.3f}" if counts[row].any() else "")
        for row, column in np.ndindex(counts.shape)
    )
    write_csv(Path(f"{path}.csv"), ("true", "predicted", "count", "row_percent"), cells)
    return _write_png(path, figure)


def roc(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    classes: Sequence[str],
    path: str | Path,
    threshold: float | None = None,
) -> Path:
    """Draw the ROC curve of two classes with its operating point, or of each of more against the rest.

    A class without cases, or that holds every case, has an entry in the legend but no curve.

    Args:
        y_true: `(n,)` integers, the index of the true class.
        y_prob: `(n, K)` probabilities, as `evaluate` takes them.
        classes: K names, with two (negative, positive).
        path: without a suffix; the CSV holds class, fpr, tpr, threshold.
        threshold: with two classes, the operating point to mark, as these cases have it; ignored with more.

    Raises:
        InvalidData: shapes that do not fit, or a probability that is not finite.
    """
    figure, axis = _unit_square("1 - specificity", "sensitivity")
    rows: list[tuple[Any, ...]] = []
    for name, actual, score, style in _one_versus_rest(y_true, y_prob, classes):
        if actual.all() or not actual.any():
            axis.plot([], [], **style, label=_wrapped(f"AUC undefined, {name}"))
            continue
        curve = roc_curve(actual, score)
        axis.plot(curve.fpr, curve.tpr, **style, label=_wrapped(f"AUC {roc_auc(actual, score):.3f}, {name}"))
        rows += [(name, *point) for point in zip(*curve, strict=True)]
        if threshold is not None and len(classes) == 2:
            called = score >= threshold
            sensitivity, specificity = called[actual].mean(), (~called[~actual]).mean()
            rates = f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}"
            _mark(axis, (1 - specificity, sensitivity), f"operating point at threshold {threshold:.3g}:\n{rates}")
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1, label="chance")
    _legend(axis)
    write_csv(Path(f"{path}.csv"), ("class", "fpr", "tpr", "threshold"), rows)
    return _write_png(path, figure)


def precision_recall(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    classes: Sequence[str],
    path: str | Path,
    threshold: float | None = None,
) -> Path:
    """Draw precision against recall, and as a dotted line the prevalence, which is what chance would give.

    Args:
        y_true: `(n,)` integers, the index of the true class.
        y_prob: `(n, K)` probabilities, as `evaluate` takes them.
        classes: K names, with two (negative, positive).
        path: without a suffix; the CSV holds class, recall, precision, threshold.
        threshold: as in `roc`; no mark where it calls no case positive.

    Raises:
        InvalidData: as `roc`.
    """
    figure, axis = _unit_square("recall (sensitivity)", "precision (PPV)")
    rows: list[tuple[Any, ...]] = []
    for name, actual, score, style in _one_versus_rest(y_true, y_prob, classes):
        if actual.all() or not actual.any():
            axis.plot([], [], **style, label=_wrapped(f"AP undefined, {name}"))
            continue
        curve = precision_recall_curve(actual, score)
        label = f"AP {average_precision(actual, score):.3f}, prevalence {actual.mean():.3f}, {name}"
        axis.step(curve.recall, curve.precision, **style, where="post", label=_wrapped(label))
        axis.axhline(actual.mean(), color=style["color"], linestyle=":", linewidth=1)
        thresholds = [*curve.thresholds, ""]
        rows += [(name, *point) for point in zip(curve.recall, curve.precision, thresholds, strict=True)]
        called = score >= (np.inf if threshold is None else threshold)
        if called.any() and len(classes) == 2:
            sensitivity, ppv = called[actual].mean(), actual[called].mean()
            rates = f"sensitivity {sensitivity:.3f}, PPV {ppv:.3f}"
            _mark(axis, (sensitivity, ppv), f"operating point at threshold {threshold:.3g}:\n{rates}")
    axis.plot([], [], color="0.5", linestyle=":", linewidth=1, label="chance: the prevalence")
    _legend(axis)
    write_csv(Path(f"{path}.csv"), ("class", "recall", "precision", "threshold"), rows)
    return _write_png(path, figure)


def activation_overlay(pixels: npt.NDArray[np.uint8], activation_map: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Tint an image by the evidence for the class: where the map is positive, in proportion to its maximum.

    Args:
        pixels: `(height, width, channels)` uint8, 1 or 3 channels.
        activation_map: `(h, w)` finite numbers, of any smaller size; it is enlarged by cubic B-splines, which blur by
            about one of its cells and neither overshoot nor move a peak. A map without a positive value tints nothing.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        InvalidData: a shape that does not fit, or a map that is not finite.
    """
    evidence = np.maximum(np.asarray(activation_map, dtype=np.float64), 0)
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or evidence.ndim != 2 or not np.isfinite(evidence).all():
        raise InvalidData(
            f"an image {pixels.shape} with a map {evidence.shape} cannot be overlaid: "
            "give (height, width, 1 or 3) pixels and a finite (h, w) map"
        )
    height, width = pixels.shape[:2]
    heat = _spline_weights(evidence.shape[0], height) @ evidence @ _spline_weights(evidence.shape[1], width).T
    heat = (heat / (heat.max() or 1.0))[..., None]
    stops = np.linspace(0, 1, len(HEAT))
    tint = np.concatenate([np.interp(heat, stops, channel) for channel in zip(*HEAT, strict=True)], axis=2)
    opacity = STRONGEST_TINT * heat
    return np.rint(pixels * (1 - opacity) + tint * opacity).astype(np.uint8)


def _spline_weights(n_cells: int, n_pixels: int) -> npt.NDArray[np.float64]:
    position = (np.arange(n_pixels) + 0.5) * n_cells / n_pixels - 0.5
    distance = np.abs(position[:, None] - np.arange(n_cells))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.maximum(2 - distance, 0) ** 3 / 6
    weights: npt.NDArray[np.float64] = np.where(distance < 1, near, far)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _one_versus_rest(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, classes: Sequence[str]
) -> Iterable[tuple[str, npt.NDArray[np.bool_], npt.NDArray[np.float64], dict[str, Any]]]:
    labels, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=np.float64)
    if probabilities.shape != (labels.size, len(classes)):
        raise InvalidData(
            f"{labels.size} labels and probabilities of shape {probabilities.shape} do not fit {len(classes)} classes: "
            "give one row a case and one column a class"
        )
    first = 1 if len(classes) == 2 else 0
    for index in range(first, len(classes)):
        turn, colour = divmod(index - first, len(PALETTE))
        style = {"color": PALETTE[colour], "linestyle": DASHES[turn % len(DASHES)], "linewidth": 1.8}
        yield classes[index], labels == index, probabilities[:, index], style


def _new_figure(width_inches: float, height_inches: float) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            "figures are drawn with matplotlib, which is not installed: run pip install 'overread[report]'"
        ) from error
    figure = Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _image_grid(rows: Sequence[npt.NDArray[Any]]) -> tuple[Figure, npt.NDArray[Any]]:
    columns = max(len(row) for row in rows)
    height, width = rows[0].shape[1:3]
    figure = _new_figure(CELL_INCHES * columns, max(CELL_INCHES * height / width, SHORTEST_ROW_INCHES) * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0.06, hspace=0.08)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, images in zip(axes, rows, strict=True):
        for axis, image in zip(row, images, strict=False):
            shown = np.clip(np.rint(image), 0, 255).astype(np.uint8)
            axis.imshow(shown[..., 0] if shown.shape[2] == 1 else shown, cmap="gray", vmin=0, vmax=255)
    return figure, axes


def _unit_square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = _new_figure(4.4, 4.4)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    _tidy(axis)
    return figure, axis


def _tidy(axis: Axes, grid: Literal["both", "y"] = "both") -> None:
    axis.grid(axis=grid, color="0.9", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _mark(axis: Axes, point: tuple[float, float], label: str) -> None:
    axis.plot(*point, "o", markersize=9, color=PALETTE[1], markeredgecolor="white", label=label, zorder=3)


def _wrapped(label: str) -> str:
    return textwrap.fill(label, 60)


def _legend(axis: Axes) -> None:
    axis.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12))


def _write_png(path: str | Path, figure: Figure) -> Path:
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a class may be called "$x"
    content = io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight")
    return replace_file(Path(f"{path}.png"), content.getvalue())
