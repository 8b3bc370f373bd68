"""The ROC and the precision-recall curve with their bands: how well probabilities rank the cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.decision.task import BoolArray, Task
from overread.errors import InvalidData
from overread.evaluation import average_precision, precision_recall_curve, roc_auc, roc_curve
from overread.evaluation.uncertainty.bands import Band
from overread.machine.files import write_csv
from overread.report.figures.canvas import (
    DASHES,
    PALETTE,
    axes_at,
    drawing,
    legend_below,
    mark,
    new_figure,
    tidy,
    wrapped,
    write_png,
)
from overread.words import level_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@drawing
def draw_roc(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    task: Task,
    path: str | Path,
    threshold: float | None = None,
    bands: Mapping[str, Band] | None = None,
) -> Path:
    """Draw the ROC curve of each class that is judged, with the operating point where one class decides.

    A class without cases, or that holds every case, has an entry in the legend but no curve.

    Args:
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        path: without a suffix; the CSV holds class, fpr, tpr, threshold.
        threshold: of the positive class, to mark as these cases have it; ignored where the task has none.
        bands: by class name, as `roc_band` makes them of the same cases; a second CSV, `<path>_band.csv`, holds class,
            fpr, tpr_low, tpr_high, level. A class may be left out, and one without a band is drawn without it.

    Raises:
        InvalidData: shapes that do not fit, a probability that is not finite, or a band of an unknown class.
    """
    figure, axis = _unit_square("1 - specificity", "sensitivity")
    rows: list[tuple[Any, ...]] = []
    for name, actual, score, style in _class_curves(y_true, y_prob, task):
        if actual.all() or not actual.any():
            axis.plot([], [], **style, label=wrapped(f"AUC undefined, {name}"))
            continue
        curve = roc_curve(actual, score)
        axis.plot(curve.fpr, curve.tpr, **style, label=wrapped(f"AUC {roc_auc(actual, score):.3f}, {name}"))
        _shade(axis, bands or {}, name, style["color"])
        rows += [(name, *point) for point in zip(*curve, strict=True)]
        if threshold is not None and name == task.positive:
            _mark_roc(axis, actual, score, threshold)
    axis.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1, label="chance")
    _write_bands(axis, bands, task, path, ("fpr", "tpr"))
    legend_below(axis)
    write_csv(Path(f"{path}.csv"), ("class", "fpr", "tpr", "threshold"), rows)
    return write_png(path, figure)


@drawing
def draw_precision_recall(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    task: Task,
    path: str | Path,
    threshold: float | None = None,
    bands: Mapping[str, Band] | None = None,
) -> Path:
    """Draw precision against recall, and as a dotted line the prevalence, which is what chance would give.

    Args:
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        path: without a suffix; the CSV holds class, recall, precision, threshold.
        threshold: as in `draw_roc`; no mark where it calls no case positive.
        bands: as in `draw_roc`, made by `precision_recall_band`; their CSV holds class, recall, precision_low,
            precision_high, level.

    Raises:
        InvalidData: as `draw_roc`.
    """
    figure, axis = _unit_square("recall (sensitivity)", "precision (PPV)")
    rows: list[tuple[Any, ...]] = []
    for name, actual, score, style in _class_curves(y_true, y_prob, task):
        if actual.all() or not actual.any():
            axis.plot([], [], **style, label=wrapped(f"AP undefined, {name}"))
            continue
        curve = precision_recall_curve(actual, score)
        label = f"AP {average_precision(actual, score):.3f}, prevalence {actual.mean():.3f}, {name}"
        axis.step(curve.recall, curve.precision, **style, where="post", label=wrapped(label))
        axis.axhline(actual.mean(), color=style["color"], linestyle=":", linewidth=1)
        _shade(axis, bands or {}, name, style["color"])
        thresholds = [*curve.thresholds, ""]
        rows += [(name, *point) for point in zip(curve.recall, curve.precision, thresholds, strict=True)]
        if threshold is not None and name == task.positive:
            _mark_precision_recall(axis, actual, score, threshold)
    axis.plot([], [], color="0.5", linestyle=":", linewidth=1, label="chance: the prevalence")
    _write_bands(axis, bands, task, path, ("recall", "precision"))
    legend_below(axis)
    write_csv(Path(f"{path}.csv"), ("class", "recall", "precision", "threshold"), rows)
    return write_png(path, figure)


class _ClassCurve(NamedTuple):
    """A class against the rest, and how its curve is drawn."""

    name: str
    actual: BoolArray
    score: FloatArray
    style: dict[str, Any]


def _class_curves(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, task: Task) -> Iterator[_ClassCurve]:
    n, probabilities = len(np.asarray(y_true)), np.asarray(y_prob, dtype=np.float64)
    if probabilities.shape != (n, len(task.classes)):
        raise InvalidData(
            f"{n} labels and probabilities of shape {probabilities.shape} do not fit {len(task.classes)} classes: "
            "give one row a case and one column a class"
        )
    for number, name in enumerate(task.judged):
        turn, colour = divmod(number, len(PALETTE))
        style = {"color": PALETTE[colour], "linestyle": DASHES[turn % len(DASHES)], "linewidth": 1.8}
        yield _ClassCurve(name, task.shows(y_true, name), probabilities[:, task.column(name)], style)


def _mark_roc(axis: Axes, actual: BoolArray, score: FloatArray, threshold: float) -> None:
    called = score >= threshold
    sensitivity, specificity = called[actual].mean(), (~called[~actual]).mean()
    rates = f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}"
    mark(axis, (1 - specificity, sensitivity), f"operating point at threshold {threshold:.3g}:\n{rates}")


def _mark_precision_recall(axis: Axes, actual: BoolArray, score: FloatArray, threshold: float) -> None:
    called = score >= threshold
    if not called.any():
        return
    sensitivity, ppv = called[actual].mean(), actual[called].mean()
    rates = f"sensitivity {sensitivity:.3f}, PPV {ppv:.3f}"
    mark(axis, (sensitivity, ppv), f"operating point at threshold {threshold:.3g}:\n{rates}")


def _shade(axis: Axes, bands: Mapping[str, Band], name: str, colour: str) -> None:
    if (band := bands.get(name)) is not None and band.reason is None:
        faint = 0.2 / len(bands) ** 0.6  # many on top of one another would turn to mud
        axis.fill_between(band.x, band.low, band.high, color=colour, alpha=faint, linewidth=0, zorder=1)


def _write_bands(
    axis: Axes, bands: Mapping[str, Band] | None, task: Task, path: str | Path, axes: tuple[str, str]
) -> None:
    if bands is None:
        return
    if unknown := set(bands) - set(task.classes):
        raise InvalidData(
            f"there is a band of {min(unknown)!r}, which is no class here: give bands of {list(task.classes)}"
        )
    there = {name: band for name, band in bands.items() if band.reason is None}
    for level in sorted({band.level for band in there.values()}):
        label = f"{level_of(level)} interval at each point"
        axis.fill_between([], [], [], color="0.5", alpha=0.3, linewidth=0, label=label)
    rows: list[tuple[Any, ...]] = []
    for name, band in there.items():
        rows += [(name, *point, band.level) for point in zip(band.x, band.low, band.high, strict=True)]
    x, y = axes
    write_csv(Path(f"{path}_band.csv"), ("class", x, f"{y}_low", f"{y}_high", "level"), rows)


def _unit_square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = new_figure(4.4, 4.4)
    axis = axes_at(figure, (0, 0, 4.4, 4.4))
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    tidy(axis)
    return figure, axis
