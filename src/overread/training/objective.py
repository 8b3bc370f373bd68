"""What training minimises and watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from overread.decision import Task
from overread.networks.backend import keras, ops
from overread.networks.build import logits_of
from overread.recipe import Recipe
from overread.training.optimizer import LayerwiseAdamW

# The kept weights, and the statistics of normalisation, are moving averages over about this fraction of all steps.
_AVERAGED_FRACTION = 0.05
_STAGES = 8


def averaged_steps(recipe: Recipe, steps: int) -> float:
    """How many steps the moving averages of a run reach back, for the batches of an epoch."""
    return max(2.0, _AVERAGED_FRACTION * steps * recipe.epochs_of(steps))


def compile_for_training(network: keras.Model, recipe: Recipe, task: Task, steps: int) -> keras.Model:
    """The network with its logits as output, compiled with loss, metrics and optimizer of a recipe.

    Args:
        network: as `build_network` makes it.
        recipe: gives learning rate, epochs and weight decay.
        task: gives loss and metrics.
        steps: batches an epoch, which the learning-rate schedule counts in.
    """
    peak = recipe.peak_learning_rate
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 20,
        decay_steps=max(1, steps * (recipe.epochs_of(steps) - 1)),
        alpha=0.01,
        warmup_target=peak,
        warmup_steps=steps,
    )
    # Averaged weights validate more steadily: on chest_xray, compact, after epoch 1 the validation loss reached 0.30 at
    # most with them and 2.1 without (November 2026).
    momentum = 1 - 1 / averaged_steps(recipe, steps)
    averages = {"use_ema": True, "ema_momentum": momentum}
    model = logits_of(network)
    factors = layer_factors(model, recipe.rate_decay)
    optimizer = LayerwiseAdamW(schedule, factors=factors, weight_decay=recipe.weight_decay, **averages)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = EachAnswer() if task.activation == "sigmoid" else keras.losses.CategoricalCrossentropy(from_logits=True)
    # XLA halves the speed of TensorFlow on CPUs; JAX needs it.
    jit = keras.backend.backend() == "jax"
    model.compile(optimizer, loss, weighted_metrics=[Accuracy(task), LogitAUC(task)], jit_compile=jit)
    return model


def layer_factors(model: keras.Model, decay: float) -> list[float]:
    """The factor of the learning rate for each trainable variable of a model, in their order.

    It is 1 for the last layer and falls evenly, to `decay` to the power of eight for the first: what a decay for each
    of the eight stages of an EfficientNet is, for networks of any build.
    """
    layers = [layer for layer in _layers_of(model) if layer.trainable_variables]
    places = {id(variable): place for place, layer in enumerate(layers) for variable in layer.trainable_variables}
    last = max(1, len(layers) - 1)
    return [decay ** (_STAGES * (1 - places[id(variable)] / last)) for variable in model.trainable_variables]


def _layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers in the order in which an image meets them, those of models inside it in their place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)
        else:
            yield layer


class EachAnswer(keras.losses.Loss):
    """The binary cross-entropy of each output, from logits, so that weights may say of each what it counts.

    Keras's own takes the mean over the outputs of a case before it is weighed.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.binary_crossentropy(y_true, y_pred, from_logits=True)


class Accuracy(keras.metrics.Mean):
    """The share of right answers while training: one a case where its classes exclude each other, else one an output.

    Those that a case leaves open are not counted.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(name="accuracy")
        self._task = task

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        expected = foremost(y_true, self._task)
        if self._task.activation == "softmax":
            right = ops.equal(ops.argmax(expected, axis=-1), ops.argmax(y_pred, axis=-1))
        else:
            right = ops.equal(expected > 0, y_pred > 0)
        super().update_state(ops.cast(right, self.dtype), _counted(sample_weight))


class LogitAUC(keras.metrics.AUC):
    """Area under the ROC curve from logits while training: the mean over the outputs that saw both a yes and a no."""

    def __init__(self, task: Task, **kwargs: Any) -> None:
        several = {"multi_label": True, "num_labels": task.outputs} if task.outputs > 1 else {}
        super().__init__(num_thresholds=1000, name="auc", **several, **kwargs)
        self._task = task

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        to_probability = getattr(keras.ops, self._task.activation)
        super().update_state(foremost(y_true, self._task), to_probability(y_pred), _counted(sample_weight))

    def result(self) -> Any:
        if not self.multi_label:
            return super().result()
        yes, no = self.true_positives + self.false_negatives, self.false_positives + self.true_negatives
        found, alarms = ops.divide_no_nan(self.true_positives, yes), ops.divide_no_nan(self.false_positives, no)
        areas = ops.sum((alarms[:-1] - alarms[1:]) * ((found[:-1] + found[1:]) / 2), axis=0)
        both = ops.cast((yes[0] > 0) & (no[0] > 0), self.dtype)
        return ops.divide_no_nan(ops.sum(areas * both), ops.sum(both))


def _counted(weights: Any) -> Any:
    """Of all that have a weight in the loss each counts once in a metric; the rest is open, or fills up a batch."""
    return None if weights is None else ops.cast(weights > 0, "float32")


def foremost(targets: Any, task: Task) -> Any:
    """The targets of 0 and 1 that smoothed or mixed ones come closest to, by which training is measured."""
    if task.activation == "softmax":
        return ops.one_hot(ops.argmax(targets, axis=-1), task.outputs)
    return ops.cast(targets > 0.5, "float32")
