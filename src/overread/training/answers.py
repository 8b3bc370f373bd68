"""What is true of cases, as a loss takes it."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from overread.decision import Task
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.probability import to_probabilities


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What is true of cases: one choice among all classes where they exclude each other, else one for each output.

    Args:
        truth: `(n, choices, alternatives)` 1 for the true alternative, else 0.
        weights: `(n, choices)`; 0 where it is not known.
        outputs: logits a case; of yes and no, yes alone has one.
    """

    truth: FloatArray
    weights: FloatArray
    outputs: int

    @classmethod
    def of(cls, y_true: IntArray, task: Task, *, alike: bool) -> Answers:
        targets = task.targets(y_true).astype(np.float64)
        is_one = task.activation == "softmax"
        truth = targets[:, None, :] if is_one else np.stack([1 - targets, targets], axis=2)
        weights = task.loss_weights(y_true, alike=alike)
        given = np.ones((1, 1)) if weights is None else weights.reshape(len(weights), -1).astype(np.float64)
        return cls(truth=truth, weights=np.broadcast_to(given, truth.shape[:2]), outputs=task.outputs)

    @property
    def choices(self) -> int:
        return self.truth.shape[1]

    @property
    def _sum(self) -> float:
        return float(self.weights.sum()) or 1.0  # of cases of which nothing is known there is no loss

    def only(self, rows: npt.NDArray) -> Answers:
        """The same for some of the cases."""
        return dataclasses.replace(self, truth=self.truth[rows], weights=self.weights[rows])

    def loss_and_error(self, logits: npt.NDArray[np.floating]) -> tuple[float, FloatArray]:
        """The sum of the mean losses of the choices, and its slope by each of the logits `(n, outputs)`."""
        n, choices, _ = self.truth.shape
        probabilities = to_probabilities(logits.reshape(n * choices, -1)).reshape(self.truth.shape)
        share = (choices * self.weights / self._sum)[..., None]
        loss = -float((share * self.truth * np.log(np.maximum(probabilities, 1e-300))).sum())
        own = self.outputs // choices
        return loss, (share * (probabilities - self.truth))[..., -own:].reshape(n, self.outputs)

    def losses(self, logits: npt.NDArray[np.floating]) -> FloatArray:
        """`(n,)` what each case adds to the weighted log loss, whose mean over the choices they sum to."""
        n, choices, _ = self.truth.shape
        probabilities = to_probabilities(logits.reshape(n * choices, -1)).reshape(self.truth.shape)
        share = (self.weights / self._sum)[..., None]
        return np.asarray(-(share * self.truth * np.log(np.maximum(probabilities, 1e-300))).sum(axis=(1, 2)))
