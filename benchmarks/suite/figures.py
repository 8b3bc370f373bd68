"""What the readings of the arms are worth, and the table of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from overread.decision import Task, choose_operating_points
from overread.decision.cuts import cut_table
from overread.errors import InvalidData
from overread.evaluation import compute_metrics, measure_reliability, roc_auc
from suite.arm import Readings


class Figure(NamedTuple):
    """The mean of a figure over folds and seeds with its standard deviation, and over how many it could be taken."""

    mean: float
    sd: float
    n: int
    note: str = ""

    def __str__(self) -> str:
        spread = f" ± {self.sd:.3f}" if self.n > 1 else ""
        return f"{self.mean:.3f}{spread}{self.note}" if self.n else "-"

    def to_dict(self) -> dict[str, object]:
        """As JSON values; None for what is undefined."""
        return {name: None if value != value else value for name, value in self._asdict().items()}


# Of one arm, by seed and fold.
Cells = Mapping[tuple[int, str], Readings]


def figures(arm: Cells, point: str, ours: Cells) -> dict[str, Figure]:
    """Every column of one arm.

    All is computed fold by fold, but for the calibration slope: it is of all folds of a seed together, since a fold of
    few cases is often parted without error, which leaves it undefined.

    Args:
        arm: its readings.
        point: which of its operating points decides.
        ours: the readings of overread as by default.
    """
    every = [*arm.values()]
    metrics = {
        cell: compute_metrics(one.y_true, one.y_prob, task=one.task, thresholds=one.points[point]).metrics
        for cell, one in arm.items()
    }

    def metric(name: str) -> Figure:
        return _figure(found[name].value for found in metrics.values())

    return {
        "folds x seeds": Figure(len(every), math.nan, 1),
        "AUC": _figure(map(_auc, every)),
        "overread's AUC beyond it": _figure(_auc(ours[cell]) - _auc(arm[cell]) for cell in arm if cell in ours),
        "accuracy": metric("accuracy"),
        "balanced accuracy": metric("balanced_accuracy"),
        "regret of the point": _figure(_regret(one, one.points[point]) for one in every),
        "sensitivity where .95 was asked": _figure(map(_sensitivity_reached, every)),
        "log loss": metric("loss"),
        "calibration slope": _figure(_slope(arm, seed) for seed in {seed for seed, _ in arm}),
        "AUC, worst shift": _worst_shift(every),
        "minutes": _figure(one.seconds / 60 for one in every),
    }


def table(title: str, rows: Mapping[str, Mapping[str, Figure]]) -> str:
    """Markdown with a line for each arm."""
    columns = [*next(iter(rows.values()))]
    lines = [("", *columns), ("---",) * (len(columns) + 1)]
    for name, found in rows.items():
        counted, *others = found.values()
        lines.append((name, f"{counted.mean:g}", *map(str, others)))
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines)])


def mean_of_sets(sets: Mapping[str, Mapping[str, Mapping[str, Figure]]]) -> dict[str, dict[str, Figure]]:
    """For each arm that was measured on all sets, the mean over them."""
    first, *others = sets.values()
    return {
        name: {column: _figure(rows[name][column].mean for rows in sets.values()) for column in row}
        for name, row in first.items()
        if all(name in rows for rows in others)
    }


def _figure(values: Iterable[float], note: str = "") -> Figure:
    known = [value for value in values if np.isfinite(value)]
    mean = statistics.fmean(known) if known else math.nan
    return Figure(mean, statistics.stdev(known) if len(known) > 1 else math.nan, len(known), note)


def _over_classes(task: Task, y_true: np.ndarray, value: Callable[[str, np.ndarray], float]) -> float:
    """The mean over the judged classes that some, and not all, of the cases show."""
    shown = {name: task.shows(y_true, name) for name in task.judged}
    return _figure(value(name, actual) for name, actual in shown.items() if 0 < actual.sum() < actual.size).mean


def _regret(readings: Readings, thresholds: Mapping[str, float]) -> float:
    """How much balanced accuracy the best threshold would have given beyond the frozen one."""

    def of_class(name: str, actual: np.ndarray) -> float:
        score = readings.y_prob[:, readings.task.column(name)]
        cuts = cut_table(actual, score)
        right = cuts.true_positives / cuts.n_positive + (cuts.n_negative - cuts.false_positives) / cuts.n_negative
        called = score >= thresholds.get(name, 0.5)
        return float(max(right.max(), 1) - called[actual].mean() - (~called[~actual]).mean()) / 2

    return _over_classes(readings.task, readings.y_true, of_class)


def _sensitivity_reached(readings: Readings) -> float:
    """On the test side, at the point that overread's rule places by the validation readings of the arm."""
    try:
        points = choose_operating_points(
            readings.val_true, readings.val_prob, task=readings.task, rule="sensitivity=0.95"
        )
    except InvalidData:  # a class that validation does not show
        return math.nan

    def of_class(name: str, actual: np.ndarray) -> float:
        return float(np.mean(readings.y_prob[actual, readings.task.column(name)] >= points[name].threshold))

    return _over_classes(readings.task, readings.y_true, of_class)


def _slope(arm: Cells, seed: int) -> float:
    folds = [one for (of, _), one in arm.items() if of == seed]
    y_true, y_prob = (np.concatenate([getattr(one, name) for one in folds]) for name in ("y_true", "y_prob"))
    task = folds[0].task
    return _over_classes(
        task, y_true, lambda name, actual: measure_reliability(actual, y_prob[:, task.column(name)]).slope.value
    )


def _auc(one: Readings) -> float:
    return _mean_auc(one.task, one.y_true, one.y_prob)


def _mean_auc(task: Task, y_true: np.ndarray, y_prob: np.ndarray) -> float:
    return _over_classes(task, y_true, lambda name, actual: roc_auc(actual, y_prob[:, task.column(name)]))


def _worst_shift(every: Sequence[Readings]) -> Figure:
    """The shift under which the mean AUC is lowest."""
    found = [
        _figure((_mean_auc(one.task, one.shifted_true, one.shifted_prob[number]) for one in every), f" ({name})")
        for number, name in enumerate(every[0].shifts)
    ]
    return min(found, key=lambda figure: figure.mean)
