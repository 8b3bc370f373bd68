"""Predictions of findings, of ordered grades and of several tasks, for tests of pages and documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task, choose_operating_points
from overread.decision.cuts import FloatArray
from overread.evaluation import Predictions

CHEST = SeveralFindings(("Effusion", "Mass", "Edema"))
GRADES = OrderedGrades(("none", "mild", "moderate", "severe"))
BOTH = SeveralTasks.together({"retinopathy": OrderedGrades(tuple("0123"), (2,)), "signs": CHEST})


def predict_kind(task: Task, n: int = 160, *, unknown: float = 0.1, **changes: Any) -> Predictions:
    """Two images of each patient, read well but not perfectly, too timid before calibration.

    Args:
        task: findings, grades or several of them.
        n: images, an even number.
        unknown: the share of findings, and of the tasks of several, that are not known.
        changes: other values of `Predictions`.
    """
    random = np.random.default_rng(3)
    labels = labels_of(task, n, random, unknown)
    y_true = task.encode(labels)
    logits = np.asarray(2.2 * (_asked(task, y_true) - 0.5) + random.normal(0, 1.2, (n, task.outputs)))
    y_prob = task.probabilities(logits)
    points = choose_operating_points(y_true, y_prob, task=task)
    fields: dict[str, Any] = {
        "cases": [f"images/{i:03d}.png" for i in range(n)],
        "y_true": y_true,
        "y_prob": y_prob,
        "uncalibrated": task.probabilities(logits / 3),
        "task": task,
        "thresholds": dict.fromkeys(task.judged, 0.5) | {name: point.threshold for name, point in points.items()},
        "patients": [f"p-{i // 2:04d}secret" for i in range(n)],
        "columns": {"sex": ["f" if i % 4 < 2 else "m" for i in range(n)]},
    }
    return Predictions(**{**fields, **changes})


def labels_of(task: Task, n: int, random: np.random.Generator, unknown: float = 0.0) -> Sequence[str]:
    """The labels of n cases, drawn at random."""
    if task.parts:
        told = {name: labels_of(part, n, random, unknown) for name, part in task.parts.items()}
        open_to_all = random.random((n, len(told))) < unknown
        open_to_all[:, 0] &= ~open_to_all.all(axis=1)  # something is told of each
        return [
            "; ".join(f"{name}: {own[i]}" for (name, own), skip in zip(told.items(), row, strict=True) if not skip)
            for i, row in enumerate(open_to_all)
        ]
    if task.exclusive:
        return [task.classes[i] for i in random.integers(0, len(task.classes), n)]
    shares = np.linspace(0.5, 0.15, len(task.classes))
    shown = (random.random((n, len(task.classes))) < shares).astype(np.int64)
    shown[random.random(shown.shape) < unknown] = -1
    return [task.label(row) for row in shown]


def _asked(task: Task, y_true: np.ndarray) -> FloatArray:
    """What the outputs should say: 1, 0, or between where a case leaves it open."""
    asked = np.asarray(task.targets(y_true), dtype=np.float64)
    weights = task.loss_weights(y_true, alike=False)
    return asked if weights is None else np.where(np.broadcast_to(weights, asked.shape) > 0, asked, 0.5)
