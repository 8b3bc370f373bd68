"""How the frames of exams are pooled: what cross-validation among the training exams finds best."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from overread.decision import Task
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.pooling import Attention
from overread.machine.workers import one_blas_thread
from overread.run.pooling import Candidate, PoolingChoice
from overread.training.answers import Answers
from overread.training.exams.columns import Columns, Floats
from overread.training.exams.frame_traits import FrameTraits
from overread.training.exams.gated import Gated, begin_gated, fit_gated
from overread.training.linear_head import deal_folds, solve_linear_head

# Of fewer exams attention learns by heart, and cross-validation says little.
_LEAST_EXAMS = 40
_MOST_WEAK = 8192
_TEMPERATURES = tuple(np.geomspace(0.02, 5, 48).tolist())


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Exams:
    """Exams that a pooling is fitted to.

    Args:
        traits: of their frames.
        y_true: the truth, as the task has it.
        groups: `(n,)` to whom each belongs.
        task: what is told apart.
        class_weights: let every class count alike.
    """

    traits: FrameTraits
    y_true: IntArray
    groups: npt.NDArray
    task: Task
    class_weights: bool

    def fit_mean(self, places: npt.NDArray[np.intp], rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Kernel and bias of a head on the means of some of them."""
        kernel, bias, _ = solve_linear_head(
            self.traits.means[places],
            self.y_true[places],
            self.groups[places],
            self.task,
            rng,
            class_weights=self.class_weights,
        )
        return kernel, bias

    @functools.cached_property
    def answers(self) -> Answers:
        """What is true of them."""
        return Answers.of(self.y_true, self.task, alike=self.class_weights)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FittedPooling:
    """A head on the features of frames, `(f, outputs)` and `(outputs,)`, and how the frames of an exam are pooled."""

    kernel: FloatArray | Floats
    bias: FloatArray | Floats
    attention: Attention | None
    choice: PoolingChoice


@one_blas_thread
def fit_pooling(exams: Exams, pooling: str, rng: np.random.Generator, folder: Path) -> FittedPooling:
    """Fit the pooling that is asked for, or the one that cross-validation by group finds best.

    By default attention is taken where its log loss on the folds left out is less than that of the mean by more than
    the standard error of their difference, of fewer than 40 exams never.

    Args:
        exams: what to fit to.
        pooling: auto, mean or attention.
        rng: deals the folds and draws what is drawn.
        folder: for temporary files.

    Raises:
        OutputUnwritable: the disk cannot hold them.
    """
    counts = exams.traits.counts
    tell = functools.partial(PoolingChoice, exams=len(counts), frames=int(counts.sum()))
    if pooling == "mean":
        return _mean(exams, rng, tell(chosen="mean", why="as asked"))
    if counts.max() == 1:
        return _mean(exams, rng, tell(chosen="mean", why="as each exam has one"))
    if pooling == "auto" and len(counts) < _LEAST_EXAMS:
        return _mean(
            exams, rng, tell(chosen="mean", why=f"as of fewer than {_LEAST_EXAMS} exams attention is not tried")
        )
    columns = Columns.of(exams.traits, rng, folder)
    found = _Compared.of(exams, columns, rng)
    candidates = found.candidates
    if pooling == "auto" and not found.is_worth_it:
        return _mean(exams, rng, tell(chosen="mean", why="as attention was not clearly better", candidates=candidates))
    why = "as asked" if pooling == "attention" else "which was better"
    return _attended(exams, columns, found.epochs, rng, tell(chosen="attention", why=why, candidates=candidates))


def _mean(exams: Exams, rng: np.random.Generator, choice: PoolingChoice) -> FittedPooling:
    kernel, bias = exams.fit_mean(np.arange(len(exams.traits)), rng)
    return FittedPooling(kernel=kernel, bias=bias, attention=None, choice=choice)


def _attended(
    exams: Exams, columns: Columns, epochs: int, rng: np.random.Generator, choice: PoolingChoice
) -> FittedPooling:
    every = np.arange(len(exams.traits))
    fitted = fit_gated(_begun(exams, columns, every, rng), columns, exams.answers, rng, epochs=epochs)
    attention, kernel, bias = fitted.unfolded(columns)
    return FittedPooling(kernel=kernel, bias=bias, attention=attention, choice=choice)


def _begun(exams: Exams, columns: Columns, places: npt.NDArray[np.intp], rng: np.random.Generator) -> Gated:
    """Attention that a head starts which is fitted to frames, each with the label of its exam."""
    own = columns.only(places)
    frames, counts = own.drawn(max(1, _MOST_WEAK // len(places)), rng)
    exam_of = np.repeat(places, counts)
    kernel, bias, _ = solve_linear_head(
        frames, exams.y_true[exam_of], exams.groups[exam_of], exams.task, rng, class_weights=exams.class_weights
    )
    return begin_gated(kernel, bias, own, rng, is_one=exams.answers.choices == 1)


def _tempered_losses(answers: Answers, logits: FloatArray) -> FloatArray:
    """What each exam adds to the log loss at the temperature that is best for all, since calibration comes later.

    Without it, a way that says nothing would be better than one that is right too loudly.
    """
    return min((answers.losses(logits * by) for by in _TEMPERATURES), key=np.sum)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Compared:
    """What each way to pool says of exams that it was not fitted to.

    `losses` has what each exam adds to the log loss of each way, `epochs` how long attention is fitted.
    """

    losses: Mapping[str, FloatArray]
    epochs: int

    @classmethod
    def of(cls, exams: Exams, columns: Columns, rng: np.random.Generator) -> _Compared:
        fold_of = deal_folds(exams.y_true, exams.groups, exams.task, rng)
        folds, answers = np.unique(fold_of), exams.answers
        logits = {name: np.zeros((len(fold_of), answers.outputs)) for name in ("mean", "attention")}
        epochs = []
        for number, fold in enumerate(folds):
            out, rest = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
            kernel, bias = exams.fit_mean(rest, rng)
            logits["mean"][out] = exams.traits.means[out] @ kernel + bias
            watched = rest[fold_of[rest] == folds[number - 1]]
            fitted_to = np.setdiff1d(rest, watched)
            attended = fit_gated(
                _begun(exams, columns, fitted_to, rng),
                columns.only(fitted_to),
                answers.only(fitted_to),
                rng,
                watched=(columns.only(watched), answers.only(watched)),
            )
            logits["attention"][out] = attended.logits(columns.only(out))
            epochs.append(attended.epochs)
        losses = {name: _tempered_losses(answers, each) for name, each in logits.items()}
        return cls(losses=losses, epochs=int(np.median(epochs)))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(Candidate(name=name, log_loss=float(each.sum())) for name, each in self.losses.items())

    @property
    def is_worth_it(self) -> bool:
        """Whether attention is better by more than the standard error."""
        gained = self.losses["mean"] - self.losses["attention"]
        return bool(gained.sum() > gained.std() * np.sqrt(len(gained)))
