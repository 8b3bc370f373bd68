"""Whom a result rests on: the patients of the cases, and how sure their number lets it be."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.cases import counts_as
from overread.decision.choosing.resample import checked_patients
from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation.uncertainty.interval import Interval, edge_interval, resampled_interval


def number_patients(patients: Sequence[str | None] | None, n: int) -> IntArray:
    """Number the patients from 0, for each case; without a patient a case stands for itself.

    Args:
        patients: n names in the order of the cases, None or "" for an unknown one; None if no patient is known.
        n: the number of cases.

    Raises:
        InvalidData: there are not n of them.
    """
    if patients is None:
        return np.arange(n)
    names = [counts_as(name, str(row)) for row, name in enumerate(checked_patients(patients, n))]
    return np.unique(names, return_inverse=True)[1]


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """The patients of the cases, and the level that intervals are asked for.

    Args:
        patient: `(n,)` numbers from 0 without a gap, as `number_patients` gives them.
        level: above 0 and below 1.
    """

    patient: IntArray
    level: float

    @property
    def n_patients(self) -> int:
        """The number of patients; 0 where there is no case."""
        return int(self.patient.max(initial=-1)) + 1

    @property
    def alone(self) -> bool:
        """Whether each case has its own patient."""
        return self.n_patients == self.patient.size

    def of(self, rows: IntArray) -> Sample:
        """That of some of the cases, in rising order."""
        if rows.size == self.patient.size:
            return self
        return Sample(np.unique(self.patient[rows], return_inverse=True)[1], self.level)

    def resampled(self, value: float, values: FloatArray, limits: tuple[float, float], trials: int = 0) -> Interval:
        """The interval that resamples tell.

        Args:
            value: of the cases themselves.
            values: of the resamples.
            limits: as `resampled_interval` has them.
            trials: patients that a value of exactly 0 or 1 rests on; 0 where they say nothing.
        """
        if trials and value in (0, 1):
            return edge_interval(value, trials, level=self.level)
        return resampled_interval(value, values, level=self.level, alone=self.alone, limits=limits)
