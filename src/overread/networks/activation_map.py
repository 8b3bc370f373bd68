"""The head that every network ends in: pooled features, logits, and the exact class activation map."""

from __future__ import annotations

from typing import Any

from keras import layers, ops


class ActivationMapHead(layers.Layer):
    """Global average pooling, dropout and a linear layer, whose evidence can be seen at every position.

    The linear layer is applied to the pooled features for the logits and to each position for the activation map.
    Both are linear, so at prediction the logits are the mean of the map: the map is the evidence itself, no estimate.

    Takes `(batch, h, w, features)`; gives a dictionary of `logits` `(batch, outputs)`, `activation_map`
    `(batch, h, w, outputs)` and `features` `(batch, features)`, all float32.

    References:
        Zhou et al. Learning Deep Features for Discriminative Localization. doi:10.1109/CVPR.2016.319.
    """

    def __init__(self, outputs: int, *, dropout: float = 0.0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.outputs = outputs
        self.dropout = layers.Dropout(dropout, seed=seed, dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.outputs), name="kernel")
        self.bias = self.add_weight(shape=(self.outputs,), initializer="zeros", name="bias")

    def call(self, maps: Any, training: bool = False) -> dict[str, Any]:
        maps = ops.cast(maps, "float32")
        features = ops.mean(maps, axis=(1, 2))
        return {
            "logits": ops.matmul(self.dropout(features, training=training), self.kernel) + self.bias,
            "activation_map": ops.matmul(maps, self.kernel) + self.bias,
            "features": features,
        }
