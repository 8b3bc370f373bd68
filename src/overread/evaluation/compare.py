"""Whether one reader is better than another on the same cases: each metric's difference, its interval and p."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray
from overread.errors import InvalidData
from overread.evaluation.compute_metrics import Evaluation, compute_metrics
from overread.evaluation.estimates import require_bootstrap
from overread.evaluation.metrics.definition import Cases, Metric
from overread.evaluation.predictions import Predictions
from overread.evaluation.uncertainty.bootstrap import Resampled, bootstrap
from overread.evaluation.uncertainty.delong import placements
from overread.evaluation.uncertainty.interval import Interval, critical_value, spread
from overread.evaluation.uncertainty.mcnemar import mcnemar, paired_interval
from overread.evaluation.uncertainty.sample import Sample, number_patients


@dataclasses.dataclass(frozen=True)
class Difference:
    """One metric of two readers.

    Args:
        name: as in `Evaluation.metrics`.
        first: of the first reader, NaN where undefined.
        second: of the second one.
        difference: second - first.
        interval: of the difference, with the method and, where there is none, the reason.
        p: two-sided, of no difference; NaN exactly where the reason stands. It is not adjusted for the other metrics.
        test: the method of p in words fit for a report.
    """

    name: str
    first: float
    second: float
    difference: float
    interval: Interval
    p: float
    test: str

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values; undefined ones are None."""
        numbers = {name: getattr(self, name) for name in ("first", "second", "difference", "p")}
        defined = {name: None if math.isnan(value) else value for name, value in numbers.items()}
        return {"name": self.name, **defined, "interval": self.interval.to_dict(), "test": self.test}


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """Two readers of the same cases; `compare` makes it.

    Args:
        n: the number of cases.
        n_patients: the number of patients, a case without one counting as its own.
        differences: by metric name, without the synonyms.
        identical: whether both gave every case the same probabilities and the same decision.
        labels: the words for each metric, by name.
        each: by its name the differences of each finding or cut, at each reader's own operating point for it, of the
            cases that tell it; empty for classes, and for several tasks.
        parts: of several tasks each by its name, of the cases that tell anything about it.
    """

    n: int
    n_patients: int
    differences: Mapping[str, Difference]
    identical: bool
    labels: Mapping[str, str]
    each: Mapping[str, Mapping[str, Difference]] = dataclasses.field(default_factory=dict)
    parts: Mapping[str, Comparison] = dataclasses.field(default_factory=dict)

    def __getitem__(self, name: str) -> Difference:
        """Give a difference by the name of its metric."""
        return self.differences[name]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; what there is none of is left out."""
        found = {
            "n": self.n,
            "n_patients": self.n_patients,
            "identical": self.identical,
            "differences": _as_json(self.differences),
        }
        each = {name: _as_json(differences) for name, differences in self.each.items()}
        parts = {name: part.to_dict() for name, part in self.parts.items()}
        return {**found, **({"each": each} if each else {}), **({"parts": parts} if parts else {})}


def _as_json(differences: Mapping[str, Difference]) -> dict[str, Any]:
    return {name: found.to_dict() for name, found in differences.items()}


def compare(
    first: Predictions, second: Predictions, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """Compare two readers of the same cases, metric by metric; a positive difference means the second has more of it.

    With one case for each patient: DeLong's paired test for the AUC of a positive class, McNemar's for accuracy at each
    reader's own threshold. All else, and everything with several cases of some patient, whom those tests would take
    for independent witnesses, comes from a paired bootstrap: both readers meet the same resampled patients, and the
    difference is taken as normal with their standard deviation. Findings and cuts are compared each for itself, too,
    and of several tasks each as if it were alone.

    Args:
        first: the reader to compare with.
        second: the reader in question; its cases may stand in another order.
        level: above 0 and below 1.
        resamples: 100 or more.
        seed: 0 or more.

    Raises:
        InvalidData: the cases, their labels, the classes or the patients of the two differ, or as `compute_metrics`.
        InvalidOption: level, resamples or seed is out of range.

    References:
        DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. doi:10.2307/2531595
        McNemar Q. Psychometrika 1947;12:153-157. doi:10.1007/BF02295996
    """
    critical_value(level)
    require_bootstrap(resamples, seed)
    order = _same_cases(first, second)
    labels, patient = np.asarray(first.y_true).astype(np.int64), _same_patients(first, second, order)
    task = first.task
    readers = []
    for reader, rows in ((first, np.arange(order.size)), (second, order)):
        y_prob, decided = np.asarray(reader.y_prob, dtype=np.float64)[rows], reader.decisions[rows]
        evaluation = compute_metrics(
            labels, y_prob, task=task, decided=decided, patients=[str(number) for number in patient]
        )
        drawn = bootstrap(labels, y_prob, evaluation=evaluation, patient=patient, resamples=resamples, seed=seed)
        readers.append(_Reader(Cases(task, labels, y_prob, evaluation.predicted, patient), evaluation, drawn))
    one, other = readers
    sample = Sample(patient, level)
    again = functools.partial(compare, level=level, resamples=resamples, seed=seed)
    return Comparison(
        n=len(labels),
        n_patients=sample.n_patients,
        differences=_overall(one, other, sample),
        identical=np.array_equal(one.cases.y_prob, other.cases.y_prob)
        and np.array_equal(one.cases.decided, other.cases.decided),
        labels=one.evaluation.labels,
        each={
            name: again(first.of_question(name), second.of_question(name)).differences
            for name in (() if task.parts else task.questions)
            if task.known(labels, name).any()
        },
        parts={
            name: again(first.of_part(name), second.of_part(name))
            for name in task.parts
            if task.told(name, labels).any()
        },
    )


class _Reader(NamedTuple):
    """What one of two readers said of the cases, in the order of the first."""

    cases: Cases
    evaluation: Evaluation
    drawn: Resampled


def _overall(one: _Reader, other: _Reader, sample: Sample) -> dict[str, Difference]:
    first, second, task = one.evaluation, other.evaluation, one.cases.task
    found = {
        defined.name: _Pair(first[defined.name], second[defined.name], sample.level).from_resamples(
            other.drawn.metrics[defined.name] - one.drawn.metrics[defined.name],
            sample.alone,
            one.cases.too_few if defined.is_mean else None,
        )
        for defined in first.definitions
    }
    told = one.cases.told
    if sample.of(np.flatnonzero(told)).alone and told.any():
        right = [task.is_right(each.cases.y_true, each.cases.decided)[told] for each in (one, other)]
        found["accuracy"] = _Pair(first["accuracy"], second["accuracy"], sample.level).from_decisions(*right)
    mine, theirs = (reader.cases.against_rest() for reader in (one, other))
    if len(mine) == 1 and sample.alone and not first["auc"].reason:
        (name,) = mine
        found["auc"] = _Pair(first["auc"], second["auc"], sample.level).from_rankings(
            mine[name].actual, mine[name].score, theirs[name].score
        )
    return found


class _Pair(NamedTuple):
    """One metric of two readers, and the ways to judge their difference."""

    first: Metric
    second: Metric
    level: float

    def from_resamples(self, values: FloatArray, alone: bool, too_few: str | None = None) -> Difference:
        deviation, method, reason = spread(values, alone)
        reason = too_few or reason
        if self.first.left_out != self.second.left_out:
            reason = "It is undefined for other findings in one than in the other, so that the means do not compare."
        return self._from_deviation(deviation, f"paired {method}", self.first.reason or self.second.reason or reason)

    def from_rankings(self, actual: BoolArray, first: FloatArray, second: FloatArray) -> Difference:
        variance, reason = placements(actual, second).minus(placements(actual, first)).variance, None
        if math.isnan(variance):
            reason = "A class has one case only, so DeLong's variance is undefined."
        elif variance == 0:
            reason = "It is the same for every case, which does not tell how sure it is."
        return self._from_deviation(math.sqrt(variance), "paired DeLong", reason)

    def from_decisions(self, first: BoolArray, second: BoolArray) -> Difference:
        both, neither = int((first & second).sum()), int((~first & ~second).sum())
        only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
        p, test = mcnemar(only_first, only_second)
        return self._difference(paired_interval(both, only_first, only_second, neither, level=self.level), p, test)

    def _from_deviation(self, deviation: float, method: str, reason: str | None) -> Difference:
        if reason:
            return self._difference(Interval.none(self.level, method, reason), math.nan, method)
        difference = self.second.value - self.first.value
        half = critical_value(self.level) * deviation
        interval = Interval(difference - half, difference + half, self.level, method)
        return self._difference(interval, math.erfc(abs(difference) / deviation / math.sqrt(2)), method)

    def _difference(self, interval: Interval, p: float, test: str) -> Difference:
        first, second = self.first.value, self.second.value
        return Difference(self.first.name, first, second, second - first, interval, p, test)


def _same_cases(first: Predictions, second: Predictions) -> IntArray:
    """Give the rows of the second in the order of the first."""
    if first.task != second.task:
        raise InvalidData(f"the classes are {first.classes} and {second.classes}: compare readers of the same classes")
    row = {name: number for number, name in enumerate(second.cases)}
    shared = [(number, row[name]) for number, name in enumerate(first.cases) if name in row]
    rows_first, rows_second = np.array(shared, dtype=np.int64).reshape(-1, 2).T
    differs = np.asarray(first.y_true)[rows_first] != np.asarray(second.y_true)[rows_second]
    relabelled = int(differs.reshape(len(shared), -1).any(axis=1).sum()) if shared else 0
    only_first, only_second = len(first.cases) - len(shared), len(second.cases) - len(shared)
    if only_first or only_second or relabelled:
        raise InvalidData(
            f"the readers saw different cases: {only_first} are in the first only, {only_second} in the second only, "
            f"{relabelled} have another label; evaluate both on the same data"
        )
    return rows_second


def _same_patients(first: Predictions, second: Predictions, order: IntArray) -> IntArray:
    """Number the patients in the order of the first, from whichever names them."""
    if second.patients is None:
        return number_patients(first.patients, order.size)
    theirs = number_patients(second.patients, order.size)[order]
    if first.patients is None:
        return theirs
    ours = number_patients(first.patients, order.size)
    n_ours, n_theirs = int(ours.max()) + 1, int(theirs.max()) + 1
    n_together = len(np.unique(np.column_stack([ours, theirs]), axis=0))
    if not n_ours == n_theirs == n_together:
        raise InvalidData(
            f"the cases belong to {n_ours} patients by the first and {n_theirs} by the second, grouped differently: "
            "evaluate both on the same data"
        )
    return ours
