"""Does it hold for every group: the main metrics by the values of a manifest column, and gaps against the rest."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import IntArray
from overread.decision.task import Task
from overread.errors import InvalidData
from overread.evaluation.compute_metrics import Evaluation, compute_metrics
from overread.evaluation.grouping import Grouping
from overread.evaluation.metrics.definition import Cases, ClassMetric, Metric
from overread.evaluation.uncertainty.interval import Interval
from overread.evaluation.uncertainty.sample import number_patients

FEWEST_PATIENTS = 30

Mask = npt.NDArray[np.bool_]
Ends = tuple[float, float]
FindIntervals = Callable[[Evaluation, Mask], Mapping[str, Interval]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SubgroupMetric:
    """A metric in a group, and its gap against all other cases.

    Args:
        metric: in the group.
        interval: of the metric, None where there is none.
        method: of the interval, such as "Wilson"; None where there is none.
        gap: the metric less that of the other cases; None where either is undefined.
        gap_interval: None where the gap or an interval behind it is missing.
        flagged: whether the interval of the gap leaves out 0; None where that cannot be judged.
        not_judged: the reason, present exactly where `flagged` is None.
    """

    metric: Metric
    interval: Ends | None
    method: str | None
    gap: float | None
    gap_interval: Ends | None
    flagged: bool | None
    not_judged: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values, the fields of the metric among the others."""
        rest = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)[1:]}
        pairs = {name: list(rest[name]) if rest[name] else None for name in ("interval", "gap_interval")}
        return {**self.metric.to_dict(), **rest, **pairs}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subgroup:
    """A group: its size, its share of each class (on which PPV, NPV and accuracy depend) and its metrics by name."""

    label: str
    n: int
    patients: int
    class_counts: Mapping[str, int]
    metrics: Mapping[str, SubgroupMetric]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        metrics = {name: metric.to_dict() for name, metric in self.metrics.items()}
        return {**vars(self), "class_counts": dict(self.class_counts), "metrics": metrics}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subgroups:
    """All groups of one manifest column; `evaluate_subgroups` makes it.

    Args:
        column: its name.
        groups: of all cases.
        each: for each finding, or whatever else is judged apart, the groups of the cases that tell it, against the rest
            at its own operating point; empty for classes.
    """

    column: str
    groups: tuple[Subgroup, ...]
    each: Mapping[str, Subgroups] = dataclasses.field(default_factory=dict)

    @property
    def flagged(self) -> tuple[tuple[str, str], ...]:
        """The group and the name of each metric whose gap is flagged, but for those of `each`."""
        return tuple((group.label, name) for group in self.groups for name, m in group.metrics.items() if m.flagged)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        found = {"column": self.column, "groups": [group.to_dict() for group in self.groups]}
        each = {name: groups.to_dict() for name, groups in self.each.items()}
        return {**found, "each": each} if each else found


def evaluate_subgroups(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    grouping: Grouping,
    *,
    task: Task,
    thresholds: Mapping[str, float] | None = None,
    decided: npt.ArrayLike | None = None,
    patients: Sequence[str | None] | None = None,
    find_intervals: FindIntervals | None = None,
) -> Subgroups:
    """Evaluate each group as `compute_metrics` does, and compare it with all other cases.

    A gap is flagged where its interval leaves out 0. That interval joins those of the group and of the rest by
    Newcombe's square-and-add, which holds for any metric with intervals, given groups that share no patient; patients
    in both make it wider than need be. Nothing corrects for the number of groups and metrics: of twenty gaps that are
    none, one is flagged. A flag asks a question; a gap in PPV, NPV or accuracy may be one in prevalence alone.

    A gap is not judged where the metric rests on fewer than 30 patients in the group or in the rest, the fewest for
    which the US National Center for Health Statistics presents a proportion: sensitivity on those with a positive
    case, specificity with a negative, AUC on the fewer of the two, PPV and NPV on those predicted so, macro averages
    on the class with the fewest.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities.
        grouping: of the same cases.
        task: what is told apart.
        thresholds: as in `compute_metrics`.
        decided: likewise.
        patients: of each case, None or "" for an unknown one, who counts as a patient of his own.
        find_intervals: given the evaluation of some cases and `(n,)` which they are, the interval of each metric by
            name; it may leave some out. It is asked of each group and of its rest. Without it no gap is judged.

    Raises:
        InvalidData: as `compute_metrics`, or lengths that differ.
        InvalidOption: as `compute_metrics`.

    References:
        Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(sici)1097-0258(19980430)17:8<873::aid-sim779>3.0.co;2-i
        Zou GY, Donner A. Stat Med 2008;27:1693-1702 (beyond proportions). doi:10.1002/sim.3095
        Parker JD et al. National Center for Health Statistics. Vital Health Stat 2017;2(175) (30 at least).
    """
    labels, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=np.float64)
    predicted = compute_metrics(labels, probabilities, task=task, thresholds=thresholds, decided=decided).predicted
    patient = number_patients(patients, len(labels))
    if len(grouping.index) != len(labels):
        raise InvalidData(
            f"there are {grouping.index.size} cells of {grouping.column} for {len(labels)} cases: give one for each"
        )

    def side(mask: Mask) -> _Side | None:
        if not mask.any():
            return None
        cases = Cases(task, labels[mask], probabilities[mask], predicted[mask])
        own = [str(number) for number in patient[mask]]
        evaluation = compute_metrics(cases.y_true, cases.y_prob, task=task, decided=cases.decided, patients=own)
        behind = _patients_behind(cases, evaluation, patient[mask])
        return _Side(evaluation, behind, find_intervals(evaluation, mask) if find_intervals else {})

    groups = []
    for index, label in enumerate(grouping.labels):
        mask = grouping.index == index
        group, rest = side(mask), side(~mask)
        if group is None:
            raise InvalidData(f"no case is in group {label} of {grouping.column}: group the same cases again")
        groups.append(
            Subgroup(
                label=label,
                n=int(mask.sum()),
                patients=group.patients["accuracy"],
                class_counts={name: int(task.shows(labels[mask], name).sum()) for name in task.classes},
                metrics={name: _compare(name, group, rest) for name in group.patients},
            )
        )
    return Subgroups(column=grouping.column, groups=tuple(groups))


@dataclasses.dataclass(frozen=True)
class _Side:
    evaluation: Evaluation
    patients: Mapping[str, int]
    intervals: Mapping[str, Interval]

    def ends(self, name: str) -> Ends | None:
        found = self.intervals.get(name)
        return None if found is None or math.isnan(found.low) else (float(found.low), float(found.high))


def _compare(name: str, group: _Side, rest: _Side | None) -> SubgroupMetric:
    metric, ends = group.evaluation[name], group.ends(name)
    gap, gap_interval, reason = None, None, metric.reason or "There is no other case to compare with."
    if rest is not None and metric.reason is None:
        other, other_ends = rest.evaluation[name], rest.ends(name)
        reason = f"Of the other cases: {other.reason}" if other.reason else ""
        if metric.left_out != other.left_out:
            reason = "The mean rests on others than that of the other cases: not all are defined in both."
        if not reason:
            gap = metric.value - other.value
            reason = _too_few(group.patients[name], rest.patients[name])
            if ends and other_ends:
                gap_interval = _square_and_add(metric.value, ends, other.value, other_ends)
            reason = reason or ("" if gap_interval else "There is no interval to judge it by.")
    return SubgroupMetric(
        metric=metric,
        interval=ends,
        method=group.intervals[name].method if ends else None,
        gap=gap,
        gap_interval=gap_interval,
        flagged=None if reason or gap_interval is None else not gap_interval[0] <= 0 <= gap_interval[1],
        not_judged=reason or None,
    )


def _too_few(patients: int, others: int) -> str:
    if patients < FEWEST_PATIENTS:
        return f"Too small to judge: it rests on {patients} patients, fewer than {FEWEST_PATIENTS}."
    if others < FEWEST_PATIENTS:
        return f"Too small to judge: the other cases rest on {others} patients, fewer than {FEWEST_PATIENTS}."
    return ""


def _square_and_add(value: float, ends: Ends, other: float, other_ends: Ends) -> Ends:
    below = math.hypot(value - ends[0], other_ends[1] - other)
    above = math.hypot(ends[1] - value, other - other_ends[0])
    return value - other - below, value - other + above


def _patients_behind(cases: Cases, evaluation: Evaluation, patient: IntArray) -> dict[str, int]:
    """How many patients each metric rests on; a mean on those of the question with the fewest that is in it."""
    against_rest = cases.against_rest()
    return {
        found.name: min(
            (
                found.patients_behind(one, patient[one.rows])
                for name, one in against_rest.items()
                if name not in evaluation[found.name].left_out
            ),
            default=0,
        )
        if isinstance(found, ClassMetric)
        else int(np.unique(patient).size)
        for found in evaluation.definitions
        if found.counts_patients
    }
