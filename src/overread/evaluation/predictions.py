"""What one reader said of a set of cases: the one input of assessment and comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from overread.cases import counts_as
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.of_patients import join_patients
from overread.decision.task import HIGHEST, Task
from overread.errors import InvalidData, InvalidOption
from overread.machine.frames import data_frame

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """What one reader said of a set of cases.

    Args:
        cases: n different names, in any order.
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities, as for `compute_metrics`.
        task: what is told apart.
        thresholds: of this reader, by the name of a judged class; where a threshold decides, 0.5 for one left out.
        decided: the decisions, where they were not made by these thresholds, as for `compute_metrics`.
        patients: the patient of each case, None or "" for an unknown one; None if no patient is known.
        uncalibrated: `(n, K)` probabilities before calibration, where they are known.
        columns: further facts about each case by name, n cells each, to group by.
        unit: what a case is called.
        patient_thresholds: those of patients, where they were chosen on patients; see `by_patient`.

    Raises:
        InvalidData: the names are not n, or one of them stands twice.
    """

    cases: Sequence[str]
    y_true: npt.ArrayLike
    y_prob: npt.ArrayLike
    task: Task
    thresholds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    decided: npt.ArrayLike | None = None
    patients: Sequence[str | None] | None = None
    uncalibrated: npt.ArrayLike | None = None
    columns: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    unit: str = "image"
    patient_thresholds: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(np.asarray(self.y_true))
        if len(self.cases) != n or len(set(self.cases)) != n:
            raise InvalidData(
                f"{len(self.cases)} case names, {len(set(self.cases))} of them different, for {n} labels: "
                "name each case once"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; with two, (negative, positive)."""
        return self.task.classes

    @property
    def decisions(self) -> IntArray:
        """The decision on each case, as the task has it."""
        if self.decided is not None:
            return np.asarray(self.decided)
        return self.task.decide(self.y_prob, self.thresholds)

    def of_part(self, name: str) -> Predictions:
        """What was said of one of several tasks, of the cases of which the truth tells anything about it.

        Args:
            name: of a part of the task.

        Raises:
            InvalidOption: the task has no such part.
        """
        task, rows = self.task, np.flatnonzero(self.task.told(name, self.y_true))
        return Predictions(
            **self._facts(rows),
            y_true=task.cases_of(name, self.y_true)[rows],
            y_prob=task.probabilities_of(name, self.y_prob)[rows],
            task=task.parts[name],
            thresholds=task.of_part(name, self.thresholds),
            decided=None if self.decided is None else task.cases_of(name, self.decided)[rows],
            patient_thresholds=task.of_part(name, self.patient_thresholds),
            uncalibrated=None if self.uncalibrated is None else task.probabilities_of(name, self.uncalibrated)[rows],
        )

    def of_question(self, name: str) -> Predictions:
        """What was said of one judged question, no against yes, of the cases of which the truth tells the answer.

        Decided at the operating point of the question; where it has none, as the case was.

        Args:
            name: of a judged question.
        """
        task, rows = self.task, np.flatnonzero(self.task.known(self.y_true, name))
        points = {name: self.thresholds[name]} if name in self.thresholds else {}

        def no_and_yes(y_prob: npt.ArrayLike) -> FloatArray:
            yes = task.score(y_prob, name)[rows]
            return np.column_stack([1 - yes, yes])

        return Predictions(
            **self._facts(rows),
            y_true=task.shows(self.y_true, name)[rows].astype(np.int64),
            y_prob=no_and_yes(self.y_prob),
            task=Task.of((f"not {name}", name)),
            thresholds=points,
            decided=None if points else task.shows(self.decisions, name)[rows].astype(np.int64),
            uncalibrated=None if self.uncalibrated is None else no_and_yes(self.uncalibrated),
        )

    def by_patient(self, way: str) -> Predictions:
        """What was said of each patient, of all that was said of his images; who is not known has one image.

        A patient is decided on at `patient_thresholds`, else at the operating points of images; where only decisions on
        images are known, as the worst of them, which "max" alone does. Left out is of whom the truth says several
        things, none of them worse, such as two of several classes.

        Args:
            way: "mean" of the probabilities, or "max": of each finding, cut or positive class the highest.

        Raises:
            InvalidOption: an unknown way, or one that the task does not have; "mean" where only decisions are known.
            InvalidData: no patient is left.
        """
        if self.decided is not None and way != HIGHEST:
            raise InvalidOption("patients are decided on fold by fold: join each fold by patient, and pool these")
        task = self.task
        who = [counts_as(*pair) for pair in zip(self.patients or [None] * len(self.cases), self.cases, strict=True)]
        found = join_patients(who, self.y_true, self.y_prob, task=task, way=way)
        uncalibrated, decided = self.uncalibrated, self.decided
        if uncalibrated is not None:
            before = np.asarray(uncalibrated)
            uncalibrated = np.array([task.probabilities_of_all(before[rows], way) for rows in found.rows])
        if decided is not None:
            of_images = np.asarray(decided)
            decided = np.array([task.truth_of_all(of_images[rows]) for rows in found.rows])
        return Predictions(
            cases=found.names,
            y_true=found.y_true,
            y_prob=found.y_prob,
            task=task,
            thresholds=self.patient_thresholds or self.thresholds,
            decided=decided,
            patients=found.names,
            uncalibrated=uncalibrated,
            unit="patient",
        )

    def _facts(self, rows: IntArray) -> dict[str, Any]:
        def chosen(values: Sequence[T]) -> list[T]:
            return [values[row] for row in rows.tolist()]

        return {
            "cases": chosen(self.cases),
            "patients": None if self.patients is None else chosen(self.patients),
            "columns": {column: chosen(cells) for column, cells in self.columns.items()},
            "unit": self.unit,
        }

    def to_frame(self) -> pandas.DataFrame:
        """A data frame with a row a case: path, patient_id, true and predicted label, probabilities, further columns.

        Raises:
            MissingExtra: pandas is not installed.
        """
        task, y_prob = self.task, np.asarray(self.y_prob)
        return data_frame(
            {
                "path": self.cases,
                "patient_id": self.patients or [None] * len(self.cases),
                "true_label": [task.label(one) for one in np.asarray(self.y_true)],
                "predicted_label": [task.label(one) for one in self.decisions],
                **{f"probability_{name}": y_prob[:, task.column(name)].tolist() for name in task.classes},
                **self.columns,
            }
        )


def pool_folds(parts: Sequence[Predictions]) -> Predictions:
    """Join predictions of different cases; each case keeps the decision of its own reader.

    Args:
        parts: of the same task, no case in two of them; one or more.

    Raises:
        InvalidData: the tasks differ, or a case stands twice.
    """
    _require_same_task(parts)
    return Predictions(
        cases=[name for part in parts for name in part.cases],
        y_true=np.concatenate([np.asarray(part.y_true) for part in parts]),
        y_prob=np.concatenate([np.asarray(part.y_prob) for part in parts]),
        task=parts[0].task,
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
        unit=parts[0].unit,
    )


def _require_same_task(parts: Sequence[Predictions]) -> None:
    if len({part.task for part in parts}) != 1:
        raise InvalidData("the readers have different classes: pool readers of the same ones")
