"""What a set of predictions is worth: each metric with the cases behind it, an undefined one with the reason."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import SMALLEST_PROBABILITY, Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.curves import average_precision, roc_auc

# The words for each metric in a report, in the order of a table.
LABELS = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity (recall)",
    "specificity": "Specificity",
    "ppv": "PPV (precision)",
    "npv": "NPV",
    "f1": "F1",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "brier": "Brier score",
    "loss": "Loss (negative log likelihood)",
}
SUM_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number and what it rests on.

    Args:
        name: as in `Evaluation.metrics`.
        value: NaN where it is undefined, never 0 in its place.
        n: cases in its denominator: the positive ones for sensitivity, those predicted positive for PPV, all for
            accuracy; 0 for a rate that is undefined because its denominator is empty.
        reason: a sentence, present exactly where the value is NaN.

    Raises:
        InvalidData: a NaN without a reason, or a reason without a NaN.
    """

    name: str
    value: float
    n: int
    reason: str | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.value) != (self.reason is not None):
            raise InvalidData(
                f"metric {self.name} is {self.value} for reason {self.reason!r}: NaN and reason go together"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values; an undefined value is None."""
        return {**dataclasses.asdict(self), "value": None if self.reason else self.value}


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """Every metric of one set of predictions; `evaluate` makes it.

    Args:
        classes: the class names; with two, (negative, positive).
        n: the number of cases.
        positive: the positive class of two, None with more.
        threshold: the decision threshold of two classes; None with more, where the most probable class is decided, and
            where the decisions were given.
        metrics: by name: loss, accuracy, balanced_accuracy, brier, auc, average_precision, sensitivity, specificity,
            ppv, npv, f1; recall is the very object of sensitivity, and precision that of ppv. With more than two
            classes the last seven are macro averages: the plain mean over classes.
        per_class: for each class the last seven against the rest; empty with two classes.
        confusion: `(K, K)` int64 counts, a row a true class, a column a predicted one.
        predicted: `(n,)` int64, the index of the class decided on.
    """

    classes: tuple[str, ...]
    n: int
    positive: str | None
    threshold: float | None
    metrics: Mapping[str, Metric]
    per_class: Mapping[str, Mapping[str, Metric]]
    confusion: IntArray
    predicted: IntArray

    def __getitem__(self, name: str) -> Metric:
        """Give a metric by its name."""
        return self.metrics[name]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        return {
            "n": self.n,
            "classes": list(self.classes),
            "positive": self.positive,
            "threshold": self.threshold,
            "averaging": "macro" if self.per_class else None,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            "per_class": {
                label: {name: metric.to_dict() for name, metric in metrics.items()}
                for label, metrics in self.per_class.items()
            },
            "confusion": self.confusion.tolist(),
        }


def evaluate(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    classes: Sequence[str],
    positive: str | None = None,
    threshold: float | None = None,
    decided: npt.ArrayLike | None = None,
) -> Evaluation:
    """Compute every metric of a set of predictions, once.

    Two classes are decided by the probability of the second, at or above the threshold; more classes by the most
    probable one, the first of equal ones. The loss is the mean of -log(probability of the true class), that
    probability raised to 1e-7 where it is lower. Brier is the mean of (p - y)^2 with two classes, and of that summed
    over all classes with more (so it runs to 2). F1 is 2 TP / (2 TP + FP + FN). One class only leaves AUC, average
    precision, balanced accuracy and every rate with an empty denominator undefined, and no positive case leaves F1
    so: NaN with a reason.

    Args:
        y_true: `(n,)` integers, the index of the true class.
        y_prob: `(n, K)` probabilities, rows summing to 1 within 1e-3; they are used as float64 and not rescaled.
        classes: K names, with two (negative, positive).
        positive: with two classes, the name of the second, to have the order checked.
        threshold: 0 to 1, with two classes only; 0.5 if left out.
        decided: `(n,)` the index of the class that was decided on, where it was not by one threshold, such as when
            readers with different ones are pooled; instead of a threshold.

    Raises:
        InvalidData: no case, shapes that do not fit, a label out of range, or a row that is no distribution.
        InvalidOption: the classes, positive or threshold do not fit.

    Example:
        >>> evaluate([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], classes=("normal", "ill"))["sensitivity"].value
        0.5
    """
    classes = _checked_classes(classes, positive, threshold)
    labels, probabilities = _checked_predictions(y_true, y_prob, len(classes))
    binary = len(classes) == 2
    if decided is not None:
        predicted = _checked_decisions(decided, labels.size, len(classes), threshold)
    else:
        threshold = (0.5 if threshold is None else float(threshold)) if binary else None
        predicted = Task.of(classes).decide(probabilities, None if threshold is None else {classes[1]: threshold})
    per_class = {
        name: _one_versus_rest(labels == index, predicted == index, probabilities[:, index], name)
        for index, name in enumerate(classes)
        if index == 1 or not binary
    }
    ranked = per_class[classes[1]] if binary else _macro(per_class, len(labels))
    return Evaluation(
        classes=classes,
        n=len(labels),
        positive=classes[1] if binary else None,
        threshold=threshold,
        metrics={**_overall(labels, predicted, probabilities, ranked), **ranked},
        per_class={} if binary else per_class,
        confusion=_confusion(labels, predicted, len(classes)),
        predicted=predicted,
    )


def _overall(
    labels: IntArray, predicted: IntArray, probabilities: FloatArray, ranked: dict[str, Metric]
) -> dict[str, Metric]:
    n, n_classes = probabilities.shape
    true_probability = np.maximum(probabilities[np.arange(n), labels], SMALLEST_PROBABILITY)
    squared = np.square(probabilities - np.eye(n_classes)[labels])
    brier = squared[:, 1] if n_classes == 2 else squared.sum(axis=1)
    halves = [ranked["sensitivity"], ranked["specificity"]] if n_classes == 2 else [ranked["sensitivity"]]
    return {
        "loss": Metric("loss", float(-np.log(true_probability).mean()), n),
        "accuracy": Metric("accuracy", float((labels == predicted).mean()), n),
        "balanced_accuracy": _mean("balanced_accuracy", halves, n),
        "brier": Metric("brier", float(brier.mean()), n),
    }


def _one_versus_rest(
    actual: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_], score: FloatArray, name: str
) -> dict[str, Metric]:
    n = len(actual)
    tp, fp = int((actual & predicted).sum()), int((~actual & predicted).sum())
    fn, tn = int((actual & ~predicted).sum()), int((~actual & ~predicted).sum())
    none, every = f"No case is {name}.", f"Every case is {name}."
    one_class = none if tp + fn == 0 else every if fp + tn == 0 else None
    metrics = [
        Metric("auc", math.nan if one_class else roc_auc(actual, score), n, one_class),
        Metric("average_precision", math.nan if one_class else average_precision(actual, score), n, one_class),
        _ratio("sensitivity", tp, tp + fn, none),
        _ratio("specificity", tn, fp + tn, every),
        _ratio("ppv", tp, tp + fp, f"No case was predicted {name}."),
        _ratio("npv", tn, fn + tn, f"Every case was predicted {name}."),
        Metric("f1", math.nan, 0, none) if tp + fn == 0 else Metric("f1", 2 * tp / (2 * tp + fp + fn), tp + fp + fn),
    ]
    return _with_synonyms({metric.name: metric for metric in metrics})


def _macro(per_class: dict[str, dict[str, Metric]], n: int) -> dict[str, Metric]:
    names = dict.fromkeys(metric.name for metrics in per_class.values() for metric in metrics.values())
    return _with_synonyms({name: _mean(name, [metrics[name] for metrics in per_class.values()], n) for name in names})


def _with_synonyms(metrics: dict[str, Metric]) -> dict[str, Metric]:
    return {**metrics, "precision": metrics["ppv"], "recall": metrics["sensitivity"]}


def _ratio(name: str, numerator: int, denominator: int, if_empty: str) -> Metric:
    if denominator == 0:
        return Metric(name, math.nan, 0, if_empty)
    return Metric(name, numerator / denominator, denominator)


def _mean(name: str, parts: list[Metric], n: int) -> Metric:
    reasons = dict.fromkeys(part.reason for part in parts if part.reason)
    if reasons:
        return Metric(name, math.nan, n, " ".join(reasons))
    return Metric(name, math.fsum(part.value for part in parts) / len(parts), n)


def _confusion(labels: IntArray, predicted: IntArray, n_classes: int) -> IntArray:
    counts = np.bincount(labels * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    counts.flags.writeable = False
    return counts


def _checked_classes(classes: Sequence[str], positive: str | None, threshold: float | None) -> tuple[str, ...]:
    names = tuple(classes)
    if len(names) < 2 or len(set(names)) != len(names):
        raise InvalidOption(f"classes={names!r} are not two or more different names: name each class once")
    if len(names) > 2 and (positive is not None or threshold is not None):
        raise InvalidOption(f"{len(names)} classes are decided by the most probable: leave out positive and threshold")
    if positive is not None and positive != names[1]:
        raise InvalidOption(
            f"positive={positive!r} is not the second of classes={names!r}: order them negative, positive"
        )
    if threshold is not None and not 0 <= threshold <= 1:
        raise InvalidOption(f"threshold={threshold!r} is not a probability: choose one from 0 to 1")
    return names


def _checked_predictions(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, n_classes: int) -> tuple[IntArray, FloatArray]:
    labels, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=np.float64)
    if labels.size == 0:
        raise InvalidData("there is no case to evaluate: give at least one label and its probabilities")
    if labels.ndim != 1 or probabilities.shape != (labels.size, n_classes):
        raise InvalidData(
            f"y_true has shape {labels.shape} and y_prob {probabilities.shape}: "
            f"give (n,) labels and (n, {n_classes}) probabilities, one column a class"
        )
    if labels.dtype.kind not in "biu":
        raise InvalidData(f"y_true holds {labels.dtype}: give the integer index of each true class")
    _refuse_row(~((labels >= 0) & (labels < n_classes)), labels, f"a class index from 0 to {n_classes - 1}")
    _refuse_row(~np.isfinite(np.abs(probabilities).max(axis=1)), probabilities, "finite probabilities")
    _refuse_row(probabilities.min(axis=1) < 0, probabilities, "probabilities of 0 or more (softmax of the logits)")
    total = probabilities.sum(axis=1)
    _refuse_row(np.abs(total - 1) > SUM_TOLERANCE, total, "probabilities that sum to 1 within 0.001")
    return labels.astype(np.int64), probabilities


def _checked_decisions(decided: npt.ArrayLike, n: int, n_classes: int, threshold: float | None) -> IntArray:
    predicted = np.asarray(decided)
    if threshold is not None:
        raise InvalidOption("both a threshold and decisions were given: give one of them")
    if predicted.shape != (n,) or predicted.dtype.kind not in "biu" or not np.isin(predicted, range(n_classes)).all():
        raise InvalidData(f"the decisions do not fit {n} cases: give each the index of a class, 0 to {n_classes - 1}")
    return predicted.astype(np.int64)


def _refuse_row(wrong: npt.NDArray[np.bool_], values: npt.NDArray[Any], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidData(f"row {row} (from 0) of the predictions has {values[row]}: give {expected}")
