"""A network of frames with the pooling of exams around it, as one model that can be trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from overread.decision.pooling import Attention
from overread.networks.backend import keras, ops

_HIDDEN = 16


def pooled_model(network: keras.Model, attention: Attention | None, *, attends: bool, seed: int) -> keras.Model:
    """A model from `(exams, frames, height, width, channels)` to the logits of exams, around a network of frames.

    Args:
        network: as `build_network` makes it.
        attention: where pooling starts; by default all frames count alike.
        attends: whether frames have shares that are trained.
        seed: of what attention starts from by default.
    """
    images = keras.Input((None, *network.input.shape[1:]), dtype="uint8", name="frames")
    given = network(ops.reshape(images, (-1, *network.input.shape[1:])))
    hidden = 0 if not attends else _HIDDEN if attention is None else len(attention.weights)
    pool = PooledFrames(hidden=hidden, seed=seed, name="pooled")
    model = keras.Model(images, {"logits": pool([images, given["logits"], given["features"]])}, name=network.name)
    if attention is not None and hidden:
        pool.start(attention)
    return model


class PooledFrames(keras.layers.Layer):
    """The logits of exams, `(exams, outputs)`: those of their frames, each by its share, as `decision.pooling` has it.

    Takes the frames `(exams, frames, ...)`, and logits and features `(exams x frames, ...)` of all of them.

    Args:
        hidden: units of the attention; 0 lets all frames count alike.
        seed: of the values that it starts from.
    """

    def __init__(self, *, hidden: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.hidden, self.seed = hidden, seed

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        if self.hidden:
            shape, initial = (input_shape[2][-1], self.hidden), keras.initializers.GlorotUniform
            self.tanh = self.add_weight(shape=shape, initializer=initial(self.seed), name="tanh")
            self.gate = self.add_weight(shape=shape, initializer=initial(self.seed + 1), name="gate")
            self.tanh_bias = self.add_weight(shape=(self.hidden,), initializer="zeros", name="tanh_bias")
            self.gate_bias = self.add_weight(shape=(self.hidden,), initializer="zeros", name="gate_bias")
            self.scoring = self.add_weight(shape=(self.hidden,), initializer="zeros", name="scoring")

    def start(self, attention: Attention) -> None:
        """Take values that were fitted."""
        values = (attention.tanh, attention.gate, attention.tanh_bias, attention.gate_bias, attention.weights)
        self.set_weights(list(values))

    def call(self, inputs: Sequence[Any]) -> Any:
        images, logits, features = inputs
        exams = ops.shape(images)[0]
        logits = ops.reshape(ops.cast(logits, "float32"), (exams, -1, logits.shape[-1]))
        if not self.hidden:
            return ops.mean(logits, axis=1)
        features = ops.cast(features, "float32")
        gate = ops.sigmoid(ops.matmul(features, self.gate) + self.gate_bias)
        hidden = ops.tanh(ops.matmul(features, self.tanh) + self.tanh_bias) * gate
        shares = ops.softmax(ops.reshape(ops.sum(hidden * self.scoring, axis=-1), (exams, -1)), axis=1)
        return ops.sum(shares[..., None] * logits, axis=1)
