"""The networks by name, each assembled alike: augmentation, body, activation-map head."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import keras

from overread.errors import InvalidOption
from overread.networks.activation_map import ActivationMapHead
from overread.networks.applications import application, application_names
from overread.networks.augment import Augment
from overread.networks.compact import compact
from overread.networks.efficientnet_lite import STAGE_COUNT, efficientnet_lite0
from overread.recipe import Augmentation

MINIMUM_SIDE = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Everything that fixes a network's shape, so that a bundle can build it again.

    Args:
        name: `compact`, `efficientnet-lite0` or a keras.applications network in lower case.
        height: of the images, in pixels.
        width: of the images, in pixels.
        channels: 1 (grey) or 3 (colour).
        outputs: logits: 1 for two classes, else one a class.
        dropout: fraction of pooled features dropped while training.
        frozen_stages: for efficientnet-lite0, how many of its seven stages keep their ImageNet weights.

    Raises:
        InvalidOption: an unknown network, images below 32 pixels, or another value outside its range.
    """

    name: str
    height: int
    width: int
    channels: int
    outputs: int
    dropout: float = 0.3
    frozen_stages: int = 0

    def __post_init__(self) -> None:
        require_network(self.name)
        if min(self.height, self.width) < MINIMUM_SIDE:
            raise InvalidOption(f"images of {self.height} x {self.width} are too small: take {MINIMUM_SIDE} or more")
        if self.frozen_stages and self.name != "efficientnet-lite0":
            raise InvalidOption(f"{self.name} has no stages to freeze: only efficientnet-lite0 has")
        if not 0 <= self.frozen_stages <= STAGE_COUNT:
            raise InvalidOption(f"frozen_stages={self.frozen_stages} is outside 0 to {STAGE_COUNT}")


def require_network(name: str) -> None:
    """Refuse a name that no network has.

    Raises:
        InvalidOption: it is neither compact nor efficientnet-lite0 nor one of keras.applications.
    """
    if name not in ("compact", "efficientnet-lite0") and name not in application_names():
        raise InvalidOption(
            f"there is no network {name!r}: expected compact, efficientnet-lite0 or one of keras.applications "
            f"({', '.join(application_names())})"
        )


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Build layers under a Keras dtype policy (`float32`, `mixed_bfloat16`, ...) and put the former one back."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def build_network(
    spec: NetworkSpec,
    *,
    augmentation: Augmentation | None = None,
    pretrained: bool = False,
    policy: str = "float32",
    averaged_steps: float = 100,
    seed: int = 0,
) -> keras.Model:
    """Assemble a network that takes images as `images.prepare` makes them.

    Args:
        spec: its shape.
        augmentation: changes made to the images while training; none by default.
        pretrained: start from ImageNet weights where the network has them (`compact` has none).
        policy: the Keras dtype policy of the body; the head always computes in float32.
        averaged_steps: see `compact`; the other networks have their own or no running statistics.
        seed: of the initial weights, the augmentation and the dropout.

    Returns:
        A model from `(batch, height, width, channels)` uint8 to a dictionary of `logits` `(batch, outputs)`,
        `activation_map` `(batch, h, w, outputs)` and `features` `(batch, features)`.
    """
    keras.utils.set_random_seed(seed)
    with precision(policy):
        image = keras.Input((spec.height, spec.width, spec.channels), dtype="uint8", name="image")
        x = Augment(augmentation or Augmentation.off(), seed=seed)(image)
        maps = _body(spec, pretrained, averaged_steps)(x)
        outputs = ActivationMapHead(spec.outputs, dropout=spec.dropout, seed=seed, name="head")(maps)
        return keras.Model(image, outputs, name=spec.name)


def _body(spec: NetworkSpec, pretrained: bool, averaged_steps: float) -> Any:
    if spec.name == "compact":
        return compact(spec.channels, averaged_steps=averaged_steps)
    if spec.name == "efficientnet-lite0":
        return efficientnet_lite0(spec.channels, pretrained=pretrained, frozen_stages=spec.frozen_stages)
    return application(spec.name, spec.channels, (spec.height, spec.width), pretrained=pretrained)


def logits_of(network: keras.Model) -> keras.Model:
    """The same network with its logits as the only output, for training."""
    return keras.Model(network.input, network.output["logits"], name=network.name)
