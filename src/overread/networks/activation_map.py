"""How every network ends: logits, pooled features, and the exact class activation map."""

from __future__ import annotations

from typing import Any

from overread.errors import InvalidOption
from overread.networks.backend import keras, layers, ops


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


def reveal_activation_map(model: keras.Model) -> keras.Model:
    """A model that ends in logits `(batch, outputs)`, with the outputs of an `ActivationMapHead`.

    Where it ends in global average pooling, dropout or none, and a linear dense layer, this layer is applied at each
    position too, and the map is exact. Any other network has a map of one cell, its logits: it does not say where the
    evidence lies.

    Raises:
        InvalidOption: it ends in a sigmoid or softmax.
    """
    logits, last = model.outputs[0], model.layers[-1]
    if getattr(last, "activation", keras.activations.linear) is not keras.activations.linear:
        raise InvalidOption(
            f"the network ends in {last.activation.__name__}: expected logits, so take activation=None for its last "
            "layer"
        )
    ends_in_dense = isinstance(last, layers.Dense) and last.output is logits
    maps = _pooled_maps(model) if ends_in_dense else None
    outputs = {
        "logits": logits,
        "activation_map": layers.Reshape((1, 1, logits.shape[1]))(logits) if maps is None else last(maps),
        "features": last.input if ends_in_dense else logits,
    }
    exact = {name: layers.Activation("linear", dtype="float32", name=name)(value) for name, value in outputs.items()}
    return keras.Model(model.inputs, exact, name=model.name)


def _pooled_maps(model: keras.Model) -> Any:
    """The maps whose global average, perhaps after dropout, enters the last layer; None where there are no such."""
    wanted = model.layers[-1].input
    for layer in reversed(model.layers[:-1]):
        if layer.output is not wanted:
            return None
        if isinstance(layer, layers.GlobalAveragePooling2D):
            return layer.input if layer.data_format == "channels_last" and not layer.keepdims else None
        if not isinstance(layer, layers.Dropout):
            return None
        wanted = layer.input
    return None
