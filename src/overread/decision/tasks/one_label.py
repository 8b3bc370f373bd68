"""Tasks in which each case is of exactly one class."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.probability import to_probabilities
from overread.decision.task import SMALLEST_PROBABILITY, SUM_TOLERANCE, BoolArray, Choice, Task, refuse_row
from overread.decision.tasks.weights import checked_shares, weights_of
from overread.errors import InvalidData, InvalidOption


@dataclasses.dataclass(frozen=True)
class OneLabel(Task):
    """Each case is of exactly one class."""

    exclusive = True

    def named_in(self, label: str) -> tuple[str, ...]:
        return (label,)

    def label_of(self, names: Sequence[str]) -> str:
        if len(names) != 1 or names[0] not in self.classes:
            raise InvalidOption(f"a case is of one {self.noun[0]}: give one of {', '.join(self.classes)}")
        return names[0]

    def says(self, name: str) -> IntArray:
        return self.shows(np.arange(len(self.classes)), name).astype(np.int64)

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
        refuse_row(~((found >= 0) & (found < len(self.classes))), found, what, expected)
        return found.astype(np.int64)

    def checked_probabilities(self, y_prob: npt.ArrayLike) -> FloatArray:
        values = super().checked_probabilities(y_prob)
        total = values.sum(axis=1)
        refuse_row(np.abs(total - 1) > SUM_TOLERANCE, total, "probabilities", "rows that sum to 1 within 0.001")
        return values

    def loss_weights(self, y_true: npt.ArrayLike, *, alike: bool = True) -> npt.NDArray[np.float32] | None:
        """Of a class ten times as rare as the commonest, or rarer, cases weigh ten times as much."""
        if not alike:
            return None
        labels = np.asarray(y_true)
        counts = self.indicators(labels).sum(axis=0)
        weights = weights_of(np.maximum(counts, 1))[labels]
        return np.asarray(weights / weights.mean(), dtype=np.float32)

    def shares(self, y_true: npt.ArrayLike) -> FloatArray:
        """`(K,)` of each class."""
        return np.asarray(self.indicators(y_true).mean(axis=0))

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
class TwoClasses(OneLabel):
    """Negative and positive: one logit, one probability that is held against the operating point."""

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
        negative, positive = np.log(weights_of(checked_shares(shares, len(self.classes), "classes")))
        return np.array([negative - positive])

    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return np.asarray(y_true)[:, None].astype(np.float32)

    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[Choice, ...]:
        scores = np.column_stack([np.zeros(len(logits)), logits])
        return (Choice(slice(1), np.asarray(y_true), scores, np.array([[0.0, 1.0]])),)

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        threshold = self.thresholds_in_force(thresholds)[self.positive]
        return (np.asarray(y_prob, dtype=np.float64)[:, 1] >= threshold).astype(np.int64)

    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray:
        return np.asarray(np.asarray(y_true).max())

    def _highest(self, y_prob: FloatArray) -> FloatArray:
        highest = y_prob[:, 1].max()
        return np.array([1 - highest, highest])

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return self._squared(y_true, y_prob)[:, 1]

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """Each class is the other's reverse."""
        return activation_map[..., 0] if name == self.positive else -activation_map[..., 0]


@dataclasses.dataclass(frozen=True)
class SeveralClasses(OneLabel):
    """More than two, of which each case is one: the most probable is decided, the first of equal ones."""

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
        return -np.log(weights_of(checked_shares(shares, len(self.classes), "classes")))

    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[Choice, ...]:
        return (Choice(slice(self.outputs), np.asarray(y_true), logits, np.eye(self.outputs)),)

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        return np.asarray(np.asarray(y_prob, dtype=np.float64).argmax(axis=1))

    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray | None:
        labels = np.asarray(y_true)
        return np.asarray(labels[0]) if np.all(labels == labels[0]) else None

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return np.asarray(self._squared(y_true, y_prob).sum(axis=1))

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """What exceeds the mean of all: probabilities depend on differences, and what all share is no evidence."""
        return np.asarray(activation_map[..., self.column(name)] - activation_map.mean(axis=2))
