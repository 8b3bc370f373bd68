"""Gated attention over the frames of exams, fitted with the linear head that reads what it pools.

References:
    Ilse M et al. Attention-based Deep Multiple Instance Learning. ICML 2018. arXiv:1802.04712
    Kingma DP, Ba J. Adam. ICLR 2015. arXiv:1412.6980
    Loshchilov I, Hutter F. Decoupled Weight Decay Regularization. ICLR 2019. arXiv:1711.05101
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from overread.decision.pooling import Attention
from overread.training.answers import Answers
from overread.training.exams.columns import Columns, Floats

_HIDDEN = 16
_EXAMS, _FRAMES = 16, 512  # a step, and of each of its exams
_RATE, _DECAY, _DROPPED = 2e-3, 3.0, 0.5
_PATIENCE = 30
MOST_EPOCHS = 200
# Of a frame that stands out by three standard deviations, against one that does not.
_FIRST_SCORE = 4.0
_PIECE = 16384

Values = Mapping[str, Floats]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Gated:
    """Attention and head on columns.

    Args:
        values: `tanh`, `gate` `(r, hidden)`, `tanh_bias`, `gate_bias`, `weights` `(hidden,)`, `kernel` `(r, outputs)`
            and `bias` `(outputs,)`.
        epochs: that it was fitted for.
    """

    values: Values
    epochs: int = 0

    def logits(self, exams: Columns) -> npt.NDArray[np.float64]:
        """`(n, outputs)` of exams, all of whose frames count."""
        return np.stack([_read(self.values, frames) for frames in exams.frames])

    def unfolded(self, columns: Columns) -> tuple[Attention, Floats, Floats]:
        """Attention, and kernel and bias of the head, on features as they are."""
        tanh, tanh_bias = columns.unfolded(self.values["tanh"], self.values["tanh_bias"])
        gate, gate_bias = columns.unfolded(self.values["gate"], self.values["gate_bias"])
        kernel, bias = columns.unfolded(self.values["kernel"], self.values["bias"])
        weights = self.values["weights"]
        attention = Attention(tanh=tanh, gate=gate, tanh_bias=tanh_bias, gate_bias=gate_bias, weights=weights)
        return attention, kernel, bias


def begin_gated(
    kernel: npt.NDArray, bias: npt.NDArray, exams: Columns, rng: np.random.Generator, *, is_one: bool
) -> Gated:
    """Attention to frames that stand out by what a head says that was fitted to frames with the labels of their exams.

    From values drawn alone, a lesion in few of many frames is found late or never.

    Args:
        kernel, bias: `(r, outputs)` and `(outputs,)` of that head.
        exams: to whose frames it was fitted.
        rng: draws the rest of the values.
        is_one: whether the outputs are classes that exclude each other, of which only what sets them apart counts.
    """
    size, outputs = kernel.shape
    hidden = max(_HIDDEN, outputs)
    tanh, gate = (rng.standard_normal((2, size, hidden)) / np.sqrt(size) / 2).astype(np.float32)
    frames, _ = exams.drawn(_FRAMES, rng)
    if is_one and outputs > 1:
        kernel, bias = kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()
    said = np.asarray(frames @ kernel)
    scale = 1 / (3 * np.maximum(said.std(axis=0), 1e-6))
    tanh[:, :outputs], gate[:, :outputs] = kernel * scale, 0
    tanh_bias, gate_bias, weights = (np.zeros(hidden, np.float32) for _ in range(3))
    tanh_bias[:outputs] = -said.mean(axis=0) * scale
    gate_bias[:outputs], weights[:outputs] = 1, _FIRST_SCORE
    weights[outputs:] = rng.standard_normal(hidden - outputs) / 10
    values = {"tanh": tanh, "gate": gate, "tanh_bias": tanh_bias, "gate_bias": gate_bias, "weights": weights}
    return Gated(values={**values, "kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)})


def fit_gated(
    begun: Gated,
    exams: Columns,
    answers: Answers,
    rng: np.random.Generator,
    *,
    watched: tuple[Columns, Answers] | None = None,
    epochs: int = MOST_EPOCHS,
) -> Gated:
    """Lower the log loss of exams by Adam, with decay and dropped columns.

    Args:
        begun: where from.
        exams, answers: what is fitted.
        rng: draws the order, the frames of long exams and the columns that are dropped.
        watched: others, on which the best epoch is chosen; by default it is the last.
        epochs: at most.
    """
    values, state = dict(begun.values), _Adam.of(begun.values)
    best, least, best_values = 0, np.inf, values
    for epoch in range(epochs + 1):
        if watched is not None:
            loss = float(watched[1].losses(Gated(values=values).logits(watched[0])).sum())
            if loss < least:
                best, least, best_values = epoch, loss, dict(values)
            elif epoch - best >= _PATIENCE:
                break
        if epoch == epochs:
            break
        order = rng.permutation(len(exams.frames))
        for part in np.array_split(order, -(-len(order) // _EXAMS)):
            frames, counts = exams.only(part).drawn(_FRAMES, rng)
            kept = np.where(rng.random(frames.shape[1]) < _DROPPED, 0, 1 / (1 - _DROPPED)).astype(np.float32)
            state.step(values, _slope(values, frames * kept, counts, answers.only(part)))
    return Gated(values=values, epochs=epochs) if watched is None else Gated(values=best_values, epochs=best)


def _read(values: Values, frames: Floats) -> npt.NDArray[np.float64]:
    scores, logits = [], []
    for start in range(0, len(frames), _PIECE):
        own = _Frames.of(values, frames[start : start + _PIECE])
        scores.append(own.scores)
        logits.append(own.logits)
    every = np.concatenate(scores)
    shares = np.exp(every - every.max())
    return np.asarray(shares @ np.concatenate(logits) / shares.sum(), dtype=np.float64)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Frames:
    """What is said of n frames: `tanh`, `gate` `(n, hidden)`, `scores` `(n,)`, `logits` `(n, outputs)`."""

    tanh: Floats
    gate: Floats
    scores: Floats
    logits: Floats

    @classmethod
    def of(cls, values: Values, frames: Floats) -> _Frames:
        tanh = np.tanh(frames @ values["tanh"] + values["tanh_bias"])
        gate = 1 / (1 + np.exp(-np.clip(frames @ values["gate"] + values["gate_bias"], -60, 60)))
        logits = frames @ values["kernel"] + values["bias"]
        return cls(tanh=tanh, gate=gate, scores=(tanh * gate) @ values["weights"], logits=logits)


def _slope(values: Values, frames: Floats, counts: npt.NDArray[np.intp], answers: Answers) -> dict[str, Floats]:
    """How the log loss of exams changes with each of the values; frames lie one exam after the other."""
    own, starts = _Frames.of(values, frames), np.cumsum(counts) - counts
    shares = np.exp(own.scores - np.repeat(np.maximum.reduceat(own.scores, starts), counts))
    shares /= np.repeat(np.add.reduceat(shares, starts), counts)
    exam_logits = np.add.reduceat(shares[:, None] * own.logits, starts)
    error = np.repeat(answers.loss_and_error(exam_logits)[1].astype(np.float32), counts, axis=0)
    by_logits = shares[:, None] * error
    by_share = (own.logits * error).sum(axis=1)
    by_score = shares * (by_share - np.repeat(np.add.reduceat(shares * by_share, starts), counts))
    by_hidden = by_score[:, None] * values["weights"]
    by_tanh = by_hidden * own.gate * (1 - own.tanh**2)
    by_gate = by_hidden * own.tanh * own.gate * (1 - own.gate)
    return {
        "tanh": frames.T @ by_tanh,
        "gate": frames.T @ by_gate,
        "tanh_bias": by_tanh.sum(axis=0),
        "gate_bias": by_gate.sum(axis=0),
        "weights": (own.tanh * own.gate).T @ by_score,
        "kernel": frames.T @ by_logits,
        "bias": by_logits.sum(axis=0),
    }


@dataclasses.dataclass(kw_only=True, eq=False)
class _Adam:
    """The moments of slopes so far, after so many steps."""

    means: dict[str, Floats]
    squares: dict[str, Floats]
    steps: int = 0

    @classmethod
    def of(cls, values: Values) -> _Adam:
        means, squares = ({name: np.zeros_like(value) for name, value in values.items()} for _ in range(2))
        return cls(means=means, squares=squares)

    def step(self, values: dict[str, Floats], slope: Values) -> None:
        """Move the values; matrices decay too."""
        self.steps += 1
        for name, by in slope.items():
            self.means[name] = 0.9 * self.means[name] + 0.1 * by
            self.squares[name] = 0.99 * self.squares[name] + 0.01 * by**2
            mean, square = self.means[name] / (1 - 0.9**self.steps), self.squares[name] / (1 - 0.99**self.steps)
            decayed = _DECAY * values[name] if values[name].ndim == 2 else 0
            values[name] = np.asarray(values[name] - _RATE * (mean / (np.sqrt(square) + 1e-8) + decayed), np.float32)
