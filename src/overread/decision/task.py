"""What is told apart: the one place that knows what two classes and several have in common and where they differ.

Every other module asks the task of a study: which classes are judged, what the loss is held against, how logits become
probabilities and these a decision, and what a map shows. Another kind of task is one more class here.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.numbers import is_text
from overread.decision.probability import to_probabilities
from overread.errors import InvalidData, InvalidOption

BoolArray = npt.NDArray[np.bool_]
# Of two classes, where no operating point was chosen.
HALF = 0.5
# Of a case over one of the commonest class. On classes thinned out to 1:50 linear heads had a balanced accuracy of .91,
# .94 and .62 so, and of .90, .89 and .53 where classes counted alike (benchmarks/rare_classes.py, November 2026).
HEAVIEST = 10.0
SMALLEST_PROBABILITY = 1e-7
SUM_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Task(ABC):
    """What is told apart; `Task.of` makes the one that fits the classes.

    Truth `y_true` and decisions are arrays with a row a case, of a form that the task knows: with one label a case,
    `(n,)` the index of the class. Ask `shows` instead of comparing them.

    Args:
        classes: two or more different names, in the order of the columns of `y_prob` `(n, K)`.

    Raises:
        InvalidOption: fewer than two names, one stands twice, is empty or holds a null character.
    """

    classes: tuple[str, ...]

    # The Keras loss (from logits), the Keras metric of accuracy with its arguments, and the function of `keras.ops`
    # that makes logits probabilities while training.
    loss: ClassVar[str]
    accuracy: ClassVar[tuple[str, Mapping[str, Any]]]
    activation: ClassVar[str]
    # What is decided on, as a sentence has it.
    decided_on: ClassVar[str]
    # Whether each case is of exactly one class, so that its probabilities sum to 1.
    exclusive: ClassVar[bool]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise InvalidOption(f"classes={self.classes!r} are not two or more different names: name each class once")
        if not all(name and is_text(name) for name in self.classes):
            raise InvalidOption("a class has no name, or one with a null character: name each class by a text")

    @staticmethod
    def of(classes: Sequence[str]) -> Task:
        """The task of telling these classes apart: of two, the second is the positive one."""
        return TwoClasses(tuple(classes)) if len(classes) == 2 else SeveralClasses(tuple(classes))

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON values, by which files know it."""
        return {"classes": list(self.classes), "positive": self.positive}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Task:
        """The task that `to_dict` gave; other values may stand beside its own.

        Raises:
            InvalidOption: it has no classes.
        """
        classes = values.get("classes")
        return Task.of(classes if isinstance(classes, list | tuple) else ())

    @property
    @abstractmethod
    def positive(self) -> str | None:
        """The class whose probability alone decides, held against a threshold; None where no class is."""

    @property
    @abstractmethod
    def judged(self) -> tuple[str, ...]:
        """The classes that are judged, each against the rest, by their own column of `y_prob` and threshold."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many logits a network gives."""

    def column(self, name: str) -> int:
        """The column of a class in `y_prob`."""
        return self.classes.index(name)

    @abstractmethod
    def named_in(self, label: str) -> tuple[str, ...]:
        """The classes that the label of a case names, known or not."""

    def require_label(self, label: str, where: str) -> None:
        """Refuse a label that names an unknown class.

        Args:
            label: of a case.
            where: the case stands, as the error has it.

        Raises:
            InvalidData: it names one.
        """
        if not set(self.named_in(label)) <= set(self.classes):
            raise InvalidData(f"{where} has the unknown label {label!r}; expected one of {', '.join(self.classes)}")

    @abstractmethod
    def encode(self, labels: Sequence[str]) -> IntArray:
        """The truth of cases from their labels."""

    @abstractmethod
    def label(self, decided: Any) -> str:
        """The label of one case, from its row of a truth or a decision."""

    @abstractmethod
    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        """`(n,)` whether each case of a truth or a decision is of a class."""

    def indicators(self, cases: npt.ArrayLike) -> IntArray:
        """`(n, K)` 1 where a case of a truth or a decision is of a class, else 0."""
        return np.stack([self.shows(cases, name) for name in self.classes], axis=1).astype(np.int64)

    @abstractmethod
    def checked_cases(self, cases: npt.ArrayLike, n: int, *, what: str = "labels") -> IntArray:
        """A truth or decisions as an array, once they are found to be of n cases.

        Args:
            cases: what was given.
            n: the number of cases.
            what: they are called in an error.

        Raises:
            InvalidData: another shape or type, or a row that this task does not have.
        """

    def checked_probabilities(self, y_prob: npt.ArrayLike) -> FloatArray:
        """Probabilities as an array `(n, K)`, once they are found to be such.

        Raises:
            InvalidData: another shape, or a row that holds no probabilities.
        """
        values = np.asarray(y_prob, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.classes):
            raise InvalidData(
                f"y_prob has shape {values.shape}: give (n, {len(self.classes)}) probabilities, one column a class"
            )
        _refuse_row(~np.isfinite(values).all(axis=1), values, "probabilities", "finite probabilities")
        outside = np.any((values < 0) | (values > 1 + SUM_TOLERANCE), axis=1)
        _refuse_row(outside, values, "probabilities", "probabilities from 0 to 1, not logits")
        return values

    def thresholds_in_force(self, thresholds: Mapping[str, float] | None = None) -> dict[str, float]:
        """The thresholds that decide, by the name of the class: each as given, or 0.5; empty where none decides."""
        return {name: (thresholds or {}).get(name, HALF) for name in self.judged}

    @abstractmethod
    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """`(n, outputs)` what the loss is held against."""

    @abstractmethod
    def case_weights(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """`(n,)` the weight of each case in the loss that makes classes count alike, or nearly; the mean is 1."""

    def share_logits(self, shares: npt.ArrayLike) -> FloatArray | None:
        """`(outputs,)` what the logits of a network that learnt by `case_weights` lack of those at the true shares.

        None where the weights know no classes.

        Args:
            shares: `(K,)` of each class among the cases that it learnt from, above 0.
        """
        return None

    @abstractmethod
    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        """`(n, K)` probabilities, in float64, of logits `(n, outputs)`."""

    @abstractmethod
    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[IntArray, FloatArray]:
        """The independent choices that a network makes, for a temperature to be fitted on.

        Args:
            y_true: of n cases.
            logits: `(n, outputs)`.

        Returns:
            `(m,)` which alternative is true, and `(m, alternatives)` scores of which softmax makes probabilities.
        """

    @abstractmethod
    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        """Decide each case.

        Args:
            y_prob: `(n, K)`.
            thresholds: by the name of each judged class; one that is missing is 0.5.
        """

    @abstractmethod
    def is_right(self, y_true: npt.ArrayLike, decided: npt.ArrayLike) -> BoolArray:
        """`(n,)` whether the decision on each case is the truth."""

    @abstractmethod
    def log_losses(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """`(n,)` the negative log likelihood of each case, its probability raised to 1e-7 where it is lower."""

    @abstractmethod
    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """`(n,)` the squared error of the probabilities of each case."""

    def foremost(self, label: str, probabilities: Mapping[str, float]) -> str:
        """The class that a reading is mainly about: the most probable one that its label names, or of all if none."""
        return max(self.named_in(label) or self.classes, key=probabilities.__getitem__)

    @abstractmethod
    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """The `(h, w)` evidence in logits for one class of a map `(h, w, outputs)`."""


@dataclasses.dataclass(frozen=True)
class _OneLabel(Task):
    """Each case is of exactly one class."""

    exclusive = True

    def named_in(self, label: str) -> tuple[str, ...]:
        return (label,)

    def encode(self, labels: Sequence[str]) -> IntArray:
        index = {name: column for column, name in enumerate(self.classes)}
        return np.array([index[label] for label in labels], dtype=np.int64)

    def label(self, decided: Any) -> str:
        return self.classes[int(decided)]

    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        return np.asarray(np.asarray(cases) == self.column(name))

    def checked_cases(self, cases: npt.ArrayLike, n: int, *, what: str = "labels") -> IntArray:
        found, expected = np.asarray(cases), f"the integer index of a class, 0 to {len(self.classes) - 1}"
        if found.shape != (n,):
            raise InvalidData(f"the {what} have shape {found.shape} for {n} cases: give each {expected}")
        if found.dtype.kind not in "biu":
            raise InvalidData(f"the {what} are {found.dtype}: give each case {expected}")
        _refuse_row(~((found >= 0) & (found < len(self.classes))), found, what, expected)
        return found.astype(np.int64)

    def checked_probabilities(self, y_prob: npt.ArrayLike) -> FloatArray:
        values = super().checked_probabilities(y_prob)
        total = values.sum(axis=1)
        _refuse_row(np.abs(total - 1) > SUM_TOLERANCE, total, "probabilities", "rows that sum to 1 within 0.001")
        return values

    def case_weights(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Of a class ten times as rare as the commonest, or rarer, cases weigh ten times as much."""
        labels = np.asarray(y_true)
        counts = self.indicators(labels).sum(axis=0)
        weights = _weights(np.maximum(counts, 1))[labels]
        return np.asarray(weights / weights.mean(), dtype=np.float32)

    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        return to_probabilities(np.asarray(logits))

    def is_right(self, y_true: npt.ArrayLike, decided: npt.ArrayLike) -> BoolArray:
        return np.asarray(np.asarray(y_true) == np.asarray(decided))

    def log_losses(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        labels = np.asarray(y_true)
        return np.asarray(-np.log(np.maximum(y_prob[np.arange(len(labels)), labels], SMALLEST_PROBABILITY)))

    def _squared(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return np.asarray(np.square(y_prob - np.eye(len(self.classes))[np.asarray(y_true)]))


@dataclasses.dataclass(frozen=True)
class TwoClasses(_OneLabel):
    """Negative and positive: one logit, one probability that is held against the operating point."""

    loss = "BinaryCrossentropy"
    accuracy = ("BinaryAccuracy", {"threshold": 0.0})
    activation = "sigmoid"
    decided_on = "the class that the operating point tells"

    @property
    def positive(self) -> str:
        return self.classes[1]

    @property
    def judged(self) -> tuple[str, ...]:
        return self.classes[1:]

    @property
    def outputs(self) -> int:
        return 1

    def share_logits(self, shares: npt.ArrayLike) -> FloatArray:
        negative, positive = np.log(_weights(np.asarray(shares, dtype=np.float64)))
        return np.array([negative - positive])

    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return np.asarray(y_true)[:, None].astype(np.float32)

    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[IntArray, FloatArray]:
        return np.asarray(y_true), np.column_stack([np.zeros(len(logits)), logits])

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        threshold = self.thresholds_in_force(thresholds)[self.positive]
        return (np.asarray(y_prob, dtype=np.float64)[:, 1] >= threshold).astype(np.int64)

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return self._squared(y_true, y_prob)[:, 1]

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """Each class is the other's reverse."""
        return activation_map[..., 0] if name == self.positive else -activation_map[..., 0]


@dataclasses.dataclass(frozen=True)
class SeveralClasses(_OneLabel):
    """More than two, of which each case is one: the most probable is decided, the first of equal ones."""

    loss = "CategoricalCrossentropy"
    accuracy = ("CategoricalAccuracy", {})
    activation = "softmax"
    decided_on = "the most probable class"

    @property
    def positive(self) -> None:
        return None

    @property
    def judged(self) -> tuple[str, ...]:
        return self.classes

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return np.asarray(np.eye(len(self.classes), dtype=np.float32)[np.asarray(y_true)])

    def thresholds_in_force(self, thresholds: Mapping[str, float] | None = None) -> dict[str, float]:
        """Thresholds of single classes do not count: a case may reach several of them, or none."""
        return {}

    def share_logits(self, shares: npt.ArrayLike) -> FloatArray:
        return -np.log(_weights(np.asarray(shares, dtype=np.float64)))

    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[IntArray, FloatArray]:
        return np.asarray(y_true), logits

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        return np.asarray(np.asarray(y_prob, dtype=np.float64).argmax(axis=1))

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return np.asarray(self._squared(y_true, y_prob).sum(axis=1))

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """What exceeds the mean of all: probabilities depend on differences, and what all share is no evidence."""
        return np.asarray(activation_map[..., self.column(name)] - activation_map.mean(axis=2))


def _weights(shares: npt.ArrayLike) -> FloatArray:
    """What a case of each class weighs over one of the commonest."""
    return np.asarray(np.minimum(np.max(shares) / shares, HEAVIEST))


def _refuse_row(wrong: npt.ArrayLike, values: np.ndarray, what: str, expected: str) -> None:
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise InvalidData(f"row {row} (from 0) of the {what} has {values[row]}: give {expected}")
