"""What is known and said of patients, of whom several images were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import Task
from overread.errors import InvalidData


class OfPatients(NamedTuple):
    """Truth and probabilities of patients.

    Args:
        names: of the patients, in the order of their first images.
        rows: of the images of each.
        y_true: `(patients,)`, or as the task has it.
        y_prob: `(patients, K)`.
    """

    names: list[str]
    rows: list[list[int]]
    y_true: IntArray
    y_prob: FloatArray


def join_patients(
    who: Sequence[str], y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, task: Task, way: str
) -> OfPatients:
    """Join what is said of the images of each patient; see `Task.truth_of_all` and `Task.probabilities_of_all`.

    Left out is of whom the truth says several things, none of them worse, such as two of several classes.

    Args:
        who: `(n,)` each image is of.
        y_true: of the images.
        y_prob: `(n, K)`.
        task: what is told apart.
        way: "mean" or "max".

    Raises:
        InvalidOption: an unknown way, or one that the task does not have.
        InvalidData: no patient is left.
    """
    labels, probabilities = np.asarray(y_true), np.asarray(y_prob)
    rows_of: dict[str, list[int]] = {}
    for row, patient in enumerate(who):
        rows_of.setdefault(patient, []).append(row)
    truths = {patient: task.truth_of_all(labels[rows]) for patient, rows in rows_of.items()}
    known = {patient: truth for patient, truth in truths.items() if truth is not None}
    if not known:
        raise InvalidData("every patient has images of several classes: patients cannot be judged")
    rows = [rows_of[patient] for patient in known]
    joined = np.array([task.probabilities_of_all(probabilities[own], way) for own in rows])
    return OfPatients([*known], rows, np.array([*known.values()]), joined)
