"""Readings made in code."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.decision import Task
from overread.reading import Reading


def reading(**changes: Any) -> Reading:
    """A reading of one of two classes that nothing speaks against, but for what is changed."""
    values: dict[str, Any] = {
        "path": "a.png",
        "task": Task.of(("Normal", "Disease")),
        "predicted_label": "Disease",
        "probabilities": {"Normal": 0.17, "Disease": 0.83},
        "threshold": 0.41,
        "activation_map": np.zeros((1, 1, 1), np.float32),
        "pixels": np.zeros((1, 1, 1), np.uint8),
        "prediction_set": ("Disease",),
        "unfamiliarity": 0.5,
        "refer": (),
        "projection": np.zeros(1, np.float32),
    }
    return Reading(**{**values, **changes})


def reading_of_three(**changes: Any) -> Reading:
    """A reading of the second of three classes, the most probable one."""
    values: dict[str, Any] = {
        "task": Task.of(("A", "B", "C")),
        "predicted_label": "B",
        "probabilities": {"A": 0.2, "B": 0.5, "C": 0.3},
        "threshold": None,
        "activation_map": np.zeros((1, 1, 3), np.float32),
        "prediction_set": ("B",),
    }
    return reading(**{**values, **changes})
