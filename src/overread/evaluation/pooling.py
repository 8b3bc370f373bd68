"""Predictions of several readers put together: of the folds of a cross-validation, or of the same cases again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.errors import InvalidData
from overread.evaluation.predictions import Predictions


def pool_folds(parts: Sequence[Predictions]) -> Predictions:
    """Join predictions of different cases; each case keeps the decision of its own reader.

    Args:
        parts: of the same classes, no case in two of them; one or more.

    Raises:
        InvalidData: the classes differ, or a case stands twice.
    """
    _require_same_classes(parts)
    return Predictions(
        cases=[name for part in parts for name in part.cases],
        y_true=np.concatenate([np.asarray(part.y_true) for part in parts]),
        y_prob=np.concatenate([np.asarray(part.y_prob) for part in parts]),
        classes=parts[0].classes,
        decided=np.concatenate([part.decisions for part in parts]),
        patients=[name for part in parts for name in part.patients or [None] * len(part.cases)],
        uncalibrated=np.concatenate(
            [np.asarray(part.y_prob if part.uncalibrated is None else part.uncalibrated) for part in parts]
        ),
        columns={
            name: [cell for part in parts for cell in part.columns[name]]
            for name in parts[0].columns
            if all(name in part.columns for part in parts)
        },
    )


def average_readers(parts: Sequence[Predictions]) -> np.ndarray:
    """The mean probabilities, `(n, K)`, of readers of the same cases in the same order.

    Raises:
        InvalidData: the classes or the cases differ.
    """
    _require_same_classes(parts)
    if any(list(part.cases) != list(parts[0].cases) for part in parts):
        raise InvalidData("the readers saw different cases: average readers of the same ones")
    return np.asarray(np.mean([np.asarray(part.y_prob) for part in parts], axis=0))


def _require_same_classes(parts: Sequence[Predictions]) -> None:
    if len({tuple(part.classes) for part in parts}) != 1:
        raise InvalidData("the readers have different classes: pool readers of the same ones")
