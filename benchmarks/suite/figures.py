"""What the readings of the arms are worth, and the table of it."""

from __future__ import annotations

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


COLUMNS = (
    "folds x seeds", "AUC", "accuracy", "balanced accuracy", "regret of the point", "sensitivity where .95 was asked",
    "log loss", "calibration slope", "AUC, worst shift", "minutes",
)  # fmt: skip


def figures(readings: Mapping[int, Sequence[Readings]], point: str) -> dict[str, Figure]:
    """Every column of one arm.

    All is computed fold by fold, but for the calibration slope: it is of all folds of a seed together, since a fold of
    few cases is often parted without error, which leaves it undefined.

    Args:
        readings: of the folds, by seed.
        point: which of the arm's operating points decides.
    """
    every = [one for of_seed in readings.values() for one in of_seed]
    metrics = [
        compute_metrics(one.y_true, one.y_prob, task=one.task, thresholds=one.points[point]).metrics for one in every
    ]

    def over_folds(value: Callable[[Readings], float]) -> Figure:
        return _figure(map(value, every))

    return {
        "folds x seeds": Figure(len(every), float("nan"), 1),
        "AUC": _figure(found["auc"].value for found in metrics),
        "accuracy": _figure(found["accuracy"].value for found in metrics),
        "balanced accuracy": _figure(found["balanced_accuracy"].value for found in metrics),
        "regret of the point": over_folds(lambda one: _regret(one, one.points[point])),
        "sensitivity where .95 was asked": over_folds(_sensitivity_reached),
        "log loss": _figure(found["loss"].value for found in metrics),
        "calibration slope": _figure(map(_slope, readings.values())),
        "AUC, worst shift": _worst_shift(every),
        "minutes": over_folds(lambda one: one.seconds / 60),
    }


def table(title: str, rows: Mapping[str, Mapping[str, Figure]]) -> str:
    """Markdown with a line for each arm."""
    lines = [("", *COLUMNS), ("---",) * (len(COLUMNS) + 1)]
    for name, found in rows.items():
        counted, *others = (found[column] for column in COLUMNS)
        lines.append((name, f"{counted.mean:g}", *map(str, others)))
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines)])


def mean_of_sets(sets: Mapping[str, Mapping[str, Mapping[str, Figure]]]) -> dict[str, dict[str, Figure]]:
    """For each arm the mean over the sets, of those that were measured on all of them."""
    every = [*sets.values()]
    common = [name for name in every[0] if all(name in rows for rows in every)]
    return {name: {c: _figure(rows[name][c].mean for rows in every) for c in COLUMNS} for name in common}


def _figure(values: Iterable[float], note: str = "") -> Figure:
    known = [value for value in values if np.isfinite(value)]
    mean = statistics.fmean(known) if known else float("nan")
    return Figure(mean, statistics.stdev(known) if len(known) > 1 else float("nan"), len(known), note)


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
    """On the test side, with a point that was to reach .95 by the validation readings."""
    try:
        points = choose_operating_points(
            readings.val_true, readings.val_prob, task=readings.task, rule="sensitivity=0.95"
        )
    except InvalidData:  # a class that validation does not show
        return float("nan")

    def of_class(name: str, actual: np.ndarray) -> float:
        return float(np.mean(readings.y_prob[actual, readings.task.column(name)] >= points[name].threshold))

    return _over_classes(readings.task, readings.y_true, of_class)


def _slope(folds: Sequence[Readings]) -> float:
    y_true, y_prob = (np.concatenate([getattr(one, name) for one in folds]) for name in ("y_true", "y_prob"))
    task = folds[0].task
    return _over_classes(
        task, y_true, lambda name, actual: measure_reliability(actual, y_prob[:, task.column(name)]).slope.value
    )


def _worst_shift(every: Sequence[Readings]) -> Figure:
    """The shift under which the mean AUC is lowest."""

    def auc(one: Readings, y_prob: np.ndarray) -> float:
        return _over_classes(
            one.task, one.shifted_true, lambda name, actual: roc_auc(actual, y_prob[:, one.task.column(name)])
        )

    found = [
        _figure((auc(one, one.shifted_prob[number]) for one in every), f" ({name})")
        for number, name in enumerate(every[0].shifts)
    ]
    return min(found, key=lambda figure: figure.mean)
