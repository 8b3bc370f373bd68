"""The ROC and the precision-recall curve with their bands: how well probabilities rank the cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from overread.decision.task import Task
from overread.errors import InvalidData
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
from overread.report.figures.curves import ClassCurve, CurveKind, Placed, PrecisionRecall, Roc, Rows
from overread.report.figures.side_by_side import MOST_IN_ONE, SideBySide
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
    thresholds: Mapping[str, float] | None = None,
    bands: Mapping[str, Band] | None = None,
) -> Path:
    """Draw the ROC curve of each class or question that is judged, with the operating points that are given.

    A class without cases, or that holds every case, has an entry in the legend but no curve. More than seven questions
    that stand each for itself, such as findings, are drawn side by side. Each rests on the cases that answer it.

    Args:
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        path: without a suffix; the CSV holds class, fpr, tpr, threshold.
        thresholds: by the name of what is judged, to mark as these cases have it.
        bands: by the same names, as `roc_band` makes them of the same cases; a second CSV, `<path>_band.csv`, holds
            class, fpr, tpr_low, tpr_high, level. A class may be left out, and one without a band is drawn without it.

    Raises:
        InvalidData: shapes that do not fit, a probability that is not finite, or a band of an unknown class.
    """
    return _draw(Roc(), list(_class_curves(y_true, y_prob, task)), task, Path(path), thresholds or {}, bands)


@drawing
def draw_precision_recall(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    task: Task,
    path: str | Path,
    thresholds: Mapping[str, float] | None = None,
    bands: Mapping[str, Band] | None = None,
) -> Path:
    """Draw precision against recall, and as a dotted line the prevalence, which is what chance would give.

    Args:
        y_true: the truth of n cases, as the task has it.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        path: without a suffix; the CSV holds class, recall, precision, threshold.
        thresholds: as in `draw_roc`; no mark where one calls no case positive.
        bands: as in `draw_roc`, made by `precision_recall_band`; their CSV holds class, recall, precision_low,
            precision_high, level.

    Raises:
        InvalidData: as `draw_roc`.
    """
    curves = list(_class_curves(y_true, y_prob, task))
    return _draw(PrecisionRecall(), curves, task, Path(path), thresholds or {}, bands)


def _draw(
    kind: CurveKind,
    curves: Sequence[ClassCurve],
    task: Task,
    path: Path,
    thresholds: Mapping[str, float],
    bands: Mapping[str, Band] | None,
) -> Path:
    if bands is not None and (unknown := set(bands) - {*task.classes, *task.judged}):
        raise InvalidData(
            f"there is a band of {min(unknown)!r}, which is no class here: give bands of {list(task.classes)}"
        )
    there = {name: band for name, band in (bands or {}).items() if band.reason is None}
    apart = bool(task.questions) and len(curves) > MOST_IN_ONE
    figure, rows = (_apart if apart else _in_one)(kind, curves, thresholds, there)
    if bands is not None:
        points = [
            (name, *point, band.level)
            for name, band in there.items()
            for point in zip(band.x, band.low, band.high, strict=True)
        ]
        x, y = kind.columns
        write_csv(Path(f"{path}_band.csv"), ("class", x, f"{y}_low", f"{y}_high", "level"), points)
    write_csv(Path(f"{path}.csv"), ("class", *kind.columns, "threshold"), rows)
    return write_png(path, figure)


def _in_one(
    kind: CurveKind, curves: Sequence[ClassCurve], thresholds: Mapping[str, float], bands: Mapping[str, Band]
) -> tuple[Figure, Rows]:
    figure, axis = _unit_square(*kind.axes)
    rows: Rows = []
    for one in curves:
        if not one.is_defined:
            axis.plot([], [], **one.style, label=wrapped(f"{kind.area} undefined, {one.name}"))
            continue
        rows += kind.draw(axis, one, wrapped(", ".join((*kind.measures(one), one.name))))
        _shade(axis, bands.get(one.name), one.style["color"], 0.2 / len(curves) ** 0.6)
        if (threshold := thresholds.get(one.name)) is not None:
            _mark(axis, kind.place(one, threshold), threshold, one.style["color"] if len(curves) > 1 else None)
    if len(curves) > 1 and thresholds:
        axis.plot([], [], "o", markersize=7, color="0.4", markeredgecolor="white", label="operating point")
    kind.draw_chance(axis)
    _explain_bands(axis, bands)
    legend_below(axis)
    return figure, rows


def _apart(
    kind: CurveKind, curves: Sequence[ClassCurve], thresholds: Mapping[str, float], bands: Mapping[str, Band]
) -> tuple[Figure, Rows]:
    titles = [(one.name, *(kind.measures(one) if one.is_defined else (f"{kind.area} undefined",))) for one in curves]
    plots, rows = SideBySide(titles), Rows()
    for one, axis in zip(curves, plots.axes(), strict=True):
        axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        kind.draw_chance(axis)
        if not one.is_defined:
            axis.text(0.5, 0.5, "undefined", ha="center", va="center", fontsize=8, color="0.35")
            continue
        plain = one._replace(style={"color": PALETTE[0], "linewidth": 1.3})
        rows += kind.draw(axis, plain, "")
        _shade(axis, bands.get(one.name), PALETTE[0], 0.2)
        if (threshold := thresholds.get(one.name)) is not None:
            _mark(axis, kind.place(one, threshold), threshold, PALETTE[1], size=5)
    last = plots.figure.axes[-1]
    if thresholds:
        last.plot([], [], "o", markersize=5, color=PALETTE[1], markeredgecolor="white", label="operating point")
    _explain_bands(last, bands)
    plots.label(*kind.axes)
    plots.legend(last)
    return plots.figure, rows


def _class_curves(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, task: Task) -> Iterator[ClassCurve]:
    n, probabilities = len(np.asarray(y_true)), np.asarray(y_prob, dtype=np.float64)
    if probabilities.shape != (n, len(task.classes)):
        raise InvalidData(
            f"{n} labels and probabilities of shape {probabilities.shape} do not fit {len(task.classes)} classes: "
            "give one row a case and one column a class"
        )
    for number, name in enumerate(task.judged):
        turn, colour = divmod(number, len(PALETTE))
        style = {"color": PALETTE[colour], "linestyle": DASHES[turn % len(DASHES)], "linewidth": 1.8}
        known = task.known(y_true, name)
        yield ClassCurve(name, task.shows(y_true, name)[known], task.score(probabilities, name)[known], style)


def _mark(axis: Axes, placed: Placed | None, threshold: float, colour: str | None, size: int = 7) -> None:
    """Mark an operating point: of the only curve in orange with its figures, of one of several in its own colour."""
    if placed is None:
        return
    if colour is None:
        mark(axis, placed.point, f"operating point at threshold {threshold:.3g}:\n{placed.rates}")
    else:
        axis.plot(*placed.point, "o", markersize=size, color=colour, markeredgecolor="white", zorder=3)


def _shade(axis: Axes, band: Band | None, colour: str, faint: float) -> None:
    if band is not None:  # faint: many on top of one another would turn to mud
        axis.fill_between(band.x, band.low, band.high, color=colour, alpha=faint, linewidth=0, zorder=1)


def _explain_bands(axis: Axes, bands: Mapping[str, Band]) -> None:
    for level in sorted({band.level for band in bands.values()}):
        label = f"{level_of(level)} interval at each point"
        axis.fill_between([], [], [], color="0.5", alpha=0.3, linewidth=0, label=label)


def _unit_square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = new_figure(4.4, 4.4)
    axis = axes_at(figure, (0, 0, 4.4, 4.4))
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    tidy(axis)
    return figure, axis
