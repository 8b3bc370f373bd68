"""A network on all frames of an exam, a few at a time, and what it says of the exam in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from overread.bundle.graph import Graph, Outputs
from overread.decision import measure_traits
from overread.decision.familiarity import LOOK
from overread.decision.pooling import Attention, shares_of


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PooledExam:
    """What a network says of an exam of n frames.

    Args:
        logits: `(outputs,)` of the exam: the sum of those of the frames, each by its share.
        shares: `(n,)`, which sum to 1.
        frame_logits: `(n, outputs)`.
        traits: `(t,)` the mean of those of the frames; see `measure_traits`.
    """

    logits: np.ndarray
    shares: np.ndarray
    frame_logits: np.ndarray
    traits: np.ndarray

    @property
    def given(self) -> np.ndarray:
        """`(n, outputs)` what each frame gave to the logits, whose sum they are."""
        return np.asarray(self.shares[:, None] * self.frame_logits)


class Pool:
    """Takes what a network says of frames, piece by piece.

    Args:
        attention: which of them matter; None where all count alike.
    """

    def __init__(self, attention: Attention | None) -> None:
        self._attention, self._frames = attention, 0
        self._logits: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []
        self._traits = np.zeros(0)

    def add(self, outputs: Outputs, pixels: np.ndarray) -> None:
        """Take k frames: what the network gave, and their pixels `(k, height, width, channels)` uint8."""
        self.add_traits(outputs.logits, measure_traits(outputs.features, pixels))

    def add_traits(self, logits: np.ndarray, traits: np.ndarray) -> None:
        """Take k frames whose logits `(k, outputs)` and traits `(k, t)` are known."""
        features = traits[:, : traits.shape[1] - LOOK]
        self._logits.append(logits)
        self._scores.append(np.zeros(len(logits)) if self._attention is None else self._attention.scores(features))
        sums = traits.sum(axis=0, dtype=np.float64)
        self._traits = self._traits + sums if self._frames else sums
        self._frames += len(logits)

    def result(self) -> PooledExam:
        """What the network says of all frames that were taken, one or more."""
        logits, shares = np.concatenate(self._logits), shares_of(np.concatenate(self._scores))
        return PooledExam(
            logits=(shares[:, None] * logits).sum(axis=0),
            shares=shares,
            frame_logits=logits,
            traits=np.asarray(self._traits / self._frames, dtype=np.float32),
        )


def pool_exam(graph: Graph, attention: Attention | None, chunks: Iterable[np.ndarray]) -> PooledExam:
    """Read the frames of one exam, in chunks as `ExamPixels.chunks` gives them."""
    pool = Pool(attention)
    for pixels in chunks:
        pool.add(graph.run(pixels), pixels)
    return pool.result()
