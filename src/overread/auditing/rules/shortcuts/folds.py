"""The readable cases of a study, dealt to folds so that a property is tried on patients that were not learnt from."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.cases import Manifest, fold_cases
from overread.decision import BoolArray
from overread.decision.cuts import IntArray
from overread.evaluation.uncertainty.sample import number_patients

FOLDS = 5
# With fewer patients chance alone reaches a high AUC too often.
FEWEST_PATIENTS = 10
# Runs of neighbouring files that stand for patients where none are named.
RUNS = 20


class FoldedCases:
    """The cases, the patient and the fold of each; those of the test side are in no fold (-1)."""

    def __init__(self, manifest: Manifest) -> None:
        sides = np.array([case.split == "test" for case in manifest.cases])
        self.manifest = manifest
        self.questions = {question.name: question for question in contrasts_of(manifest)}
        self.is_test: BoolArray = sides if not sides.all() else np.zeros_like(sides)
        self.fold = np.full(len(manifest), -1)
        self.patients = [case.patient_id or "" for case in manifest.cases]
        if manifest.has_patients:
            self._deal_patients()
        else:
            self._deal_runs()
        self.patient_numbers: IntArray = number_patients(self.patients, len(manifest))

    def shows(self, name: str) -> BoolArray:
        """`(n,)` whether each case is of a class, or answers a question with yes."""
        return self.questions[name].yes

    def told(self, rows: IntArray, name: str) -> IntArray:
        """Those of the cases whose label tells a class or the answer to a question."""
        return rows[self.questions[name].known[rows]]

    def testable_classes(self, rows: IntArray | None = None) -> tuple[str, ...]:
        """The classes, findings or cuts that are judged, where enough patients have them and enough have not.

        Args:
            rows: the cases to count; by default all but the test side.
        """
        rows = np.flatnonzero(~self.is_test) if rows is None else rows
        return tuple(
            name
            for name in self.manifest.task.judged
            if min(self.count_patients(rows, name), self.count_patients(rows, name, without=True)) >= FEWEST_PATIENTS
        )

    def tested_by(self, name: str) -> str | None:
        """The class whose test is also one of this class: of two, the positive one tells both apart."""
        task = self.manifest.task
        return name if name in task.judged else task.positive

    def count_patients(self, rows: IntArray, name: str | None = None, *, without: bool = False) -> int:
        """Patients with, or without, an image of a class among these cases; of any class without a name."""
        if name is not None:
            rows = self.told(rows, name)
            rows = rows[self.shows(name)[rows] != without]
        return np.unique(self.patient_numbers[rows]).size

    def _deal_patients(self) -> None:
        pool = np.flatnonzero(~self.is_test)
        cases = self.manifest.cases
        one_side = self.manifest.replace(dataclasses.replace(cases[i], split=None) for i in pool)
        for number, dealt in enumerate(fold_cases(one_side, folds=FOLDS)):
            self.fold[pool[dealt.select("test")]] = number

    def _deal_runs(self) -> None:
        """Where patients are not named, let runs of files with neighbouring names stand for them.

        Images of one patient mostly have neighbouring names. Taken for patients of their own, they let a property that
        only tells patients apart pass for a shortcut: in 97 of 100 simulated studies of 40 patients, 5 images each.
        """
        keys = [(case.patient_id or "", _in_natural_order(case.name)) for case in self.manifest.cases]
        task, y_true = self.manifest.task, self.manifest.y_true
        # Where an image may be of several classes or of none, all images are cut into twice as many runs.
        of_one = [(task.shows(y_true, name), RUNS, f" of {name}") for name in task.classes if task.exclusive]
        for shown, runs, words in of_one or [(~self.is_test, 2 * RUNS, "")]:
            members = np.flatnonzero(shown & ~self.is_test)
            for rank, i in enumerate(sorted(members.tolist(), key=keys.__getitem__)):
                self.patients[i] = f"run {rank * min(runs, members.size) // members.size}{words}"
                self.fold[i] = rank * FOLDS // members.size


def _in_natural_order(name: str) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", name))]
