"""A linear head on frozen features: what a network that was trained elsewhere tells before it is trained itself."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import numpy.typing as npt

from overread.cases.stratify import stratify
from overread.decision import Task
from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidOption
from overread.networks.activation_map import ActivationMapHead
from overread.networks.backend import keras
from overread.training.answers import Answers
from overread.training.batches import Batches, failing_as_read
from overread.training.fit import TrainingData
from overread.training.minimise import minimise

# Of the mean loss, on standardised features; the first that is worse than the one before it ends the search.
_STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_FOLDS = 5
# Of so many images a linear head learns what it can, and its fit takes seconds.
_MOST_IMAGES = 8192
_BATCH = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearHead:
    """A head that was fitted.

    Args:
        strength: of the penalty, chosen on training images.
        loss: the mean log loss of validation images, or of what is known of them, weighted as training was.
        seconds: that features and fit took.
    """

    strength: float
    loss: float
    seconds: float

    def __str__(self) -> str:
        return f"a linear head on frozen features: validation loss {self.loss:.4f}, in {self.seconds:.0f} s"


def has_linear_head(network: keras.Model) -> bool:
    """Whether a network ends in a linear layer on pooled features, which `fit_linear_head` can fit."""
    return isinstance(network.layers[-1], ActivationMapHead)


def fit_linear_head(network: keras.Model, data: TrainingData, *, seed: int, class_weights: bool = True) -> LinearHead:
    """Set the last layer of a network by logistic regression on its features, without training the rest.

    The features are those of training images as they are, without augmentation. The coefficients of standardised
    features have an L2 penalty, one for all outputs, whose strength is chosen by cross-validation among the training
    images, by patient where these are known. Of more than 8,192 training images so many are drawn.

    Args:
        network: as `build_network` makes it.
        data: the pixels and cases.
        seed: of the folds, and of the images that are drawn.
        class_weights: let every class count alike.

    Raises:
        InvalidOption: the network does not end in a linear layer on pooled features.
    """
    if not has_linear_head(network):
        raise InvalidOption(
            f"the network {network.name} has an end of its own, so no linear head can be fitted: take one whose body "
            "ends in feature maps"
        )
    start, rng = time.perf_counter(), np.random.default_rng([seed, len(data.train)])
    train = np.asarray(data.train)
    chosen = np.sort(rng.permutation(len(train))[:_MOST_IMAGES])
    train, groups = train[chosen], np.asarray(data.groups or [str(row) for row in data.train])[chosen]
    kernel, bias, strength = solve_linear_head(
        _features(network, data, train), data.y_true[train], groups, data.task, rng, class_weights=class_weights
    )
    network.layers[-1].set_weights([kernel, bias])
    held_out = np.asarray(data.validation)
    answers = Answers.of(data.y_true[held_out], data.task, alike=class_weights)
    loss, _ = answers.loss_and_error(_features(network, data, held_out) @ kernel + bias)
    return LinearHead(strength=strength, loss=loss / answers.choices, seconds=time.perf_counter() - start)


def solve_linear_head(
    features: npt.NDArray[np.float32],
    y_true: IntArray,
    groups: npt.NDArray,
    task: Task,
    rng: np.random.Generator,
    *,
    class_weights: bool = True,
) -> tuple[FloatArray, FloatArray, float]:
    """Fit a linear layer to features, with the penalty that cross-validation by group finds.

    Args:
        features: `(n, f)`.
        y_true: the truth of the n cases, as the task has it.
        groups: `(n,)` to whom each belongs.
        task: what is told apart.
        rng: deals the folds.
        class_weights: let every class count alike.

    Returns:
        `(f, outputs)` kernel, `(outputs,)` bias, and the strength of the penalty.
    """
    problem = _Problem.of(features, Answers.of(y_true, task, alike=class_weights))
    strength = _choose_strength(problem, deal_folds(y_true, groups, task, rng))
    return *problem.unfolded(problem.fit(strength)), strength


def _features(network: keras.Model, data: TrainingData, rows: npt.NDArray) -> npt.NDArray[np.float32]:
    model = keras.Model(network.input, network.output["features"])
    batches = Batches(data.pixels, data.y_true, rows.tolist(), batch_size=_BATCH)
    with failing_as_read(batches):
        return np.asarray(model.predict(batches, verbose=0), dtype=np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """A penalised logistic regression, in coordinates in which its curvature is about the same in all directions.

    Args:
        columns: `(n, r)` principal components of the standardised features, and a column of ones.
        variances: `(r,)` of the columns; of the last, which has no penalty, 1.
        answers: of the n cases.
        basis: `(features, r - 1)` from features less `mean` to the components.
        mean: `(features,)`.
    """

    columns: npt.NDArray[np.float32]
    variances: FloatArray
    answers: Answers
    basis: FloatArray
    mean: FloatArray

    @classmethod
    def of(cls, features: npt.NDArray[np.float32], answers: Answers) -> _Problem:
        mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
        deviation[deviation == 0] = 1
        standardised = (features - mean) / deviation
        vectors, variances = _principal(standardised)
        return cls(
            columns=np.column_stack([standardised @ vectors, np.ones(len(features))]).astype(np.float32),
            variances=np.append(variances, 1.0),
            answers=answers,
            basis=vectors / deviation[:, None],
            mean=mean,
        )

    def only(self, rows: npt.NDArray) -> _Problem:
        """The same for some of the cases."""
        return dataclasses.replace(self, columns=self.columns[rows], answers=self.answers.only(rows))

    def fit(self, strength: float, start: FloatArray | None = None) -> FloatArray:
        """The coefficients `(r, outputs)` of least penalised loss, sought from those of another strength."""
        penalty = np.append(np.full(len(self.variances) - 1, strength), 0.0)[:, None]
        # The curvature of this loss is at most a quarter of the variance (of several classes half; Boehning 1992).
        scale = 1 / np.sqrt(self.variances[:, None] / 4 + penalty)
        shape = (len(scale), self.answers.outputs)

        def loss_and_slope(scaled: FloatArray) -> tuple[float, FloatArray]:
            coefficients = scale * scaled.reshape(shape)
            loss, slope = self._loss_and_slope(coefficients)
            loss += float((penalty * coefficients**2).sum()) / 2
            return loss, (scale * (slope + penalty * coefficients)).ravel()

        first = np.zeros(shape) if start is None else start / scale
        return np.asarray(scale * minimise(loss_and_slope, first.ravel()).reshape(shape))

    def loss(self, coefficients: FloatArray) -> float:
        """The mean loss without its penalty."""
        return self._loss_and_slope(coefficients)[0]

    def _loss_and_slope(self, coefficients: FloatArray) -> tuple[float, FloatArray]:
        loss, error = self.answers.loss_and_error(self.columns @ coefficients.astype(np.float32))
        return loss, (self.columns.T @ error.astype(np.float32)).astype(np.float64)

    def unfolded(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Kernel and bias of a layer on the features as they are."""
        kernel = self.basis @ coefficients[:-1]
        return kernel, coefficients[-1] - self.mean @ kernel


def _principal(standardised: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Principal directions `(features, r)` and the variance of each, from the smaller of the two products."""
    n, features = standardised.shape
    is_wide = n < features
    product = standardised @ standardised.T if is_wide else standardised.T @ standardised
    variances, vectors = np.linalg.eigh(product / n)
    kept = variances > 1e-6 * max(variances.max(), 1e-12)
    variances, vectors = variances[kept], vectors[:, kept]
    return (standardised.T @ vectors / np.sqrt(n * variances) if is_wide else vectors), variances


def _choose_strength(problem: _Problem, fold_of: IntArray) -> float:
    """The strength of least loss on the folds that are left out in turn."""
    folds = np.unique(fold_of)
    parts = [(problem.only(fold_of != fold), problem.only(fold_of == fold)) for fold in folds]
    starts: list[FloatArray | None] = [None] * len(parts)
    best, least = _STRENGTHS[0], np.inf
    for strength in _STRENGTHS:
        fitted = [fold.fit(strength, start) for (fold, _), start in zip(parts, starts, strict=True)]
        loss = float(np.mean([rest.loss(found) for (_, rest), found in zip(parts, fitted, strict=True)]))
        if loss >= least:
            break
        best, least, starts = strength, loss, list(fitted)
    return best


def deal_folds(y_true: IntArray, groups: npt.NDArray, task: Task, rng: np.random.Generator) -> IntArray:
    """The fold of each case: those of a group are in one, and every fold has its share of each class or finding."""
    names, group_of = np.unique(groups, return_inverse=True)
    if len(names) < _FOLDS:
        names, group_of = np.arange(len(y_true)), np.arange(len(y_true))
    order = rng.permutation(len(names))
    if not task.exclusive:
        yes = np.stack([task.shows(y_true, name) for name in task.judged], axis=1)
        no = np.stack([task.known(y_true, name) for name in task.judged], axis=1) & ~yes
        units = order[group_of]
        return stratify(yes, no, units, shares=[1 / _FOLDS] * _FOLDS)[units]
    label_of = np.zeros(len(names), dtype=int)
    label_of[group_of] = y_true
    order = order[np.argsort(label_of[order], kind="stable")]
    fold_of = np.empty(len(names), dtype=int)
    fold_of[order] = np.arange(len(names)) % _FOLDS
    return np.asarray(fold_of[group_of])
