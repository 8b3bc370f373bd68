"""What a set of predictions is worth: each metric with the cases behind it, an undefined one with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.metrics.built_in import metrics_of
from overread.evaluation.metrics.definition import Cases, ClassMetric, Metric, MetricDefinition
from overread.evaluation.metrics.one_class import Counts
from overread.evaluation.uncertainty.sample import number_patients

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """Every metric of one set of predictions; `compute_metrics` makes it.

    Args:
        task: what is told apart.
        n: the number of cases.
        thresholds: by the name of the class, those that decided; empty where none did, as where the most probable class
            is decided, or the decisions were given.
        definitions: of the metrics, in the order of a table.
        metrics: by name, and the same object by the synonym: recall is sensitivity, precision is ppv. A metric of one
            class against the rest is the plain mean over the judged classes or questions, where there are several; over
            questions that stand each for itself it names those that it leaves out as undefined.
        per_class: for each judged class its metrics against the rest, for each other judged question its own; empty
            where the probability of one class alone decides.
        counts: for each judged question the right and wrong decisions, as far as the truth is known.
        class_counts: how many cases show each class.
        confusion: `(K, K)` int64 counts, a row a true class, a column a predicted one; where a case may show several,
            a cell counts the cases that show the one and were decided to show the other.
        together: `(K, K)` int64, how many cases show both of two classes; None where each is of one.
        predicted: the decisions, as the task has them.
    """

    task: Task
    n: int
    thresholds: Mapping[str, float]
    definitions: tuple[MetricDefinition, ...]
    metrics: Mapping[str, Metric]
    per_class: Mapping[str, Mapping[str, Metric]]
    counts: Mapping[str, Counts[int]]
    class_counts: Mapping[str, int]
    confusion: IntArray
    together: IntArray | None
    predicted: IntArray

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; with two, (negative, positive)."""
        return self.task.classes

    @property
    def positive(self) -> str | None:
        """The class whose probability alone decides, if there is one."""
        return self.task.positive

    @property
    def threshold(self) -> float | None:
        """That of the positive class; None where it did not decide."""
        return self.thresholds.get(self.positive) if self.positive else None

    @property
    def labels(self) -> dict[str, str]:
        """The words for each metric, by name."""
        return {found.name: found.label for found in self.definitions}

    def positives(self, name: str) -> tuple[int, int]:
        """How many cases answer a judged question with yes, and of how many the answer is known."""
        found = self.counts[name]
        return found.tp + found.fn, sum(found)

    def __getitem__(self, name: str) -> Metric:
        """Give a metric by its name."""
        return self.metrics[name]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        counts = {name: found._asdict() for name, found in self.counts.items() if self.task.questions}
        return {
            "n": self.n,
            **self.task.to_dict(),
            "threshold": self.threshold,
            "averaging": "macro" if self.per_class else None,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            "per_class": {
                label: {name: metric.to_dict() for name, metric in metrics.items()}
                for label, metrics in self.per_class.items()
            },
            "confusion": self.confusion.tolist(),
            **({"counts": counts} if counts else {}),
            **({} if self.together is None else {"together": self.together.tolist()}),
        }


def compute_metrics(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    task: Task,
    thresholds: Mapping[str, float] | None = None,
    decided: npt.ArrayLike | None = None,
    own: Sequence[ClassMetric] = (),
    patients: Sequence[str | None] | None = None,
) -> Evaluation:
    """Compute every metric of a set of predictions, once.

    The task decides: two classes by the probability of the second, at or above the threshold; more classes by the most
    probable one, the first of equal ones; findings each at its threshold; grades by the median. What the truth leaves
    open counts nowhere: each finding rests on the cases of which it is known.

    The loss is the mean of -log(probability of the true class), that probability raised to 1e-7 where it is lower; of
    findings the mean of that over those known. Brier is the mean of (p - y)^2 with two classes and findings, and of
    that summed over all classes with more (so it runs to 2). F1 is 2 TP / (2 TP + FP + FN). One class only leaves AUC,
    average precision, balanced accuracy and every rate with an empty denominator undefined, and no positive case leaves
    F1 so: NaN with a reason.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities, rows summing to 1 within 1e-3; they are used as float64 and not rescaled.
        task: what is told apart.
        thresholds: 0 to 1, by the name of a judged class; 0.5 for one that is left out.
        decided: the decisions, where they were not made by these thresholds, such as when readers with different ones
            are pooled; instead of thresholds.
        own: metrics of yours, computed beside the others.
        patients: the patient of each case, None or "" for an unknown one, where cases share patients: means leave out a
            finding or cut that fewer than five of them show, or do not show, unless all are so rare.

    Raises:
        InvalidData: no case, shapes that do not fit, a label out of range, or a row that is no distribution.
        InvalidOption: thresholds that do not fit, or decisions beside them.

    Example:
        >>> from overread.decision import Task
        >>> y_prob = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
        >>> compute_metrics([0, 1, 1], y_prob, task=Task.of(("normal", "ill")))["sensitivity"].value
        0.5
    """
    probabilities = task.checked_probabilities(y_prob)
    if len(probabilities) == 0:
        raise InvalidData("there is no case to evaluate: give at least one label and its probabilities")
    labels = task.checked_cases(y_true, len(probabilities))
    in_force, predicted = _decide(task, probabilities, thresholds or {}, decided)
    definitions = (*metrics_of(task), *own)
    cases = Cases(task, labels, probabilities, predicted, number_patients(patients, len(labels)))
    against_rest = cases.against_rest()
    per_class = {
        name: {found.name: found.estimate_class(one) for found in definitions if isinstance(found, ClassMetric)}
        for name, one in against_rest.items()
    }
    shown = task.indicators(labels)
    return Evaluation(
        task=task,
        n=len(labels),
        thresholds=in_force,
        definitions=definitions,
        metrics=with_synonyms({found.name: found.estimate(cases, per_class) for found in definitions}, definitions),
        per_class={name: with_synonyms(found, definitions) for name, found in per_class.items()}
        if task.positive is None
        else {},
        counts={name: one.counts for name, one in against_rest.items()},
        class_counts=dict(zip(task.classes, shown.sum(axis=0).tolist(), strict=True)),
        confusion=_read_only(shown.T @ task.indicators(predicted)),
        together=None if task.exclusive else _read_only(shown.T @ shown),
        predicted=predicted,
    )


def with_synonyms(found: Mapping[str, T], definitions: Sequence[MetricDefinition]) -> dict[str, T]:
    """What is known of each metric by name, by its synonym, too."""
    synonyms = {one.synonym: found[one.name] for one in definitions if one.synonym and one.name in found}
    return {**found, **synonyms}


def _read_only(counts: IntArray) -> IntArray:
    counts.flags.writeable = False
    return counts


def _decide(
    task: Task, probabilities: FloatArray, thresholds: Mapping[str, float], decided: npt.ArrayLike | None
) -> tuple[dict[str, float], IntArray]:
    """The thresholds that decide, and the decisions."""
    in_force = _checked_thresholds(task, thresholds)
    if decided is None:
        return in_force, task.decide(probabilities, in_force)
    if thresholds and in_force:
        raise InvalidOption("both thresholds and decisions were given: give one of them")
    return {}, task.checked_cases(decided, len(probabilities), what="decisions")


def _checked_thresholds(task: Task, thresholds: Mapping[str, float]) -> dict[str, float]:
    for name, value in thresholds.items():
        if name not in task.judged:
            raise InvalidOption(
                f"there is a threshold of {name!r}, which is not judged: name one of {', '.join(task.judged)}"
            )
        if not 0 <= value <= 1:
            raise InvalidOption(f"threshold={value!r} of {name} is no probability: choose one from 0 to 1")
    return task.thresholds_in_force(thresholds)
