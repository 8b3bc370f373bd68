"""Tasks of which a network answers several questions with yes or no, each by an output of its own."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import Choice, Task
from overread.decision.tasks.weights import checked_shares, weights_of

# In a truth, of what is not known; among the questions, of one that is not asked.
UNKNOWN = -1


@dataclasses.dataclass(frozen=True)
class Questions(Task):
    """Each output answers one question, with a sigmoid; a case may leave some of them open."""

    activation = "sigmoid"

    @property
    def positive(self) -> None:
        return None

    @property
    def questions(self) -> tuple[str, ...]:
        return self.judged

    @abstractmethod
    def asked(self, y_true: npt.ArrayLike) -> IntArray:
        """`(n, outputs)` 1 for yes, 0 for no, -1 for a question that a case leaves open."""

    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """0 where a question is left open: its weight is 0, too."""
        return np.asarray(self.asked(y_true) == 1, dtype=np.float32)

    def loss_weights(self, y_true: npt.ArrayLike, *, alike: bool = True) -> npt.NDArray[np.float32] | None:
        """`(n, outputs)`: of each question the rarer answer weighs up to ten times as much, and an open one nothing."""
        asked = self.asked(y_true)
        if not alike:
            return None if np.all(asked != UNKNOWN) else _of_mean_1((asked != UNKNOWN).astype(np.float64))
        weights = np.zeros(asked.shape)
        for column, answers in enumerate(asked.T):
            counts = np.array([np.count_nonzero(answers == answer) for answer in (0, 1)])
            no, yes = weights_of(np.maximum(counts, 1))
            own = np.where(answers == 1, yes, no) * (answers != UNKNOWN)
            # Each question has the say that its cases give it, however rare its yes.
            weights[:, column] = own / (own.sum() or 1.0) * counts.sum()
        return _of_mean_1(weights)

    def shares(self, y_true: npt.ArrayLike) -> FloatArray:
        """`(outputs,)` of the yes among those that were asked, as if half a case more had answered with each."""
        asked = self.asked(y_true)
        return np.asarray(((asked == 1).sum(axis=0) + 0.5) / ((asked != UNKNOWN).sum(axis=0) + 1))

    def share_logits(self, shares: npt.ArrayLike) -> FloatArray:
        pairs = [
            np.log(weights_of(np.array([1 - yes, yes]))) for yes in checked_shares(shares, self.outputs, "questions")
        ]
        return np.array([no - yes for no, yes in pairs])

    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[Choice, ...]:
        """One for each question, of the cases that do not leave it open."""
        found = []
        for output, answers in enumerate(self.asked(y_true).T):
            told = answers != UNKNOWN
            scores = np.column_stack([np.zeros(np.count_nonzero(told)), logits[told, output]])
            found.append(Choice(slice(output, output + 1), answers[told], scores, np.array([[0.0, 1.0]])))
        return tuple(found)


def sigmoid(logits: npt.ArrayLike) -> FloatArray:
    """The probability of yes, in float64."""
    return np.asarray(np.exp(-np.logaddexp(0, -np.asarray(logits, dtype=np.float64))))


def _of_mean_1(weights: FloatArray) -> npt.NDArray[np.float32]:
    return np.asarray(weights / (weights.mean() or 1.0), dtype=np.float32)
