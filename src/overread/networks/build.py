"""Every network is assembled alike: augmentation, body, and an end that gives logits, activation map and features."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from overread.errors import InvalidOption, OverreadError
from overread.networks.activation_map import ActivationMapHead, reveal_activation_map
from overread.networks.applications import application_names
from overread.networks.augment import Augment
from overread.networks.augmentation import Augmentation
from overread.networks.backend import keras, ops
from overread.networks.registry import MINIMUM_SIDE, Builder, Network, find_network, registered_networks


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Everything that fixes a network's shape, so that a bundle can build it again.

    Args:
        name: of a registered network or one of keras.applications, or `module:function`.
        height: of the images, in pixels.
        width: of the images, in pixels.
        channels: 1 (grey) or 3 (colour).
        outputs: logits: 1 for two classes, else one a class.
        dropout: fraction of pooled features dropped while training.
        frozen_stages: how many stages keep their pretrained weights, where the network has stages.
        second_look: whether an image is read mirrored left to right too, and the mean is given.
        builder: of a network that was given as a function; else the name finds it.

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
    second_look: bool = False
    builder: Builder | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        stages = require_network(self.builder or self.name).stages
        if min(self.height, self.width) < MINIMUM_SIDE:
            raise InvalidOption(f"images of {self.height} x {self.width} are too small: take {MINIMUM_SIDE} or more")
        if self.frozen_stages and not stages:
            raise InvalidOption(f"{self.name} has no stages to freeze: efficientnet-lite0, 1 and 2 have")
        if not 0 <= self.frozen_stages <= stages:
            raise InvalidOption(f"frozen_stages={self.frozen_stages} is outside 0 to {stages}")

    @property
    def network(self) -> Network:
        """What builds it."""
        return find_network(self.builder or self.name)

    def to_dict(self) -> dict[str, Any]:
        """Give all but the builder as plain values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if name != "builder"}


def require_network(network: str | Builder) -> Network:
    """The network of a name or builder, if it can be built and written to a bundle here.

    Raises:
        InvalidOption: nothing has that name, or the graph of a bundle could not be made of it.
    """
    found = find_network(network)
    known = found.name in registered_networks() or ":" in found.name
    if not known and found.name not in application_names():
        raise InvalidOption(
            f"there is no network {network!r}: expected {', '.join(registered_networks())}, module:function of your "
            f"own, or one of keras.applications ({', '.join(application_names())})"
        )
    _ = found.builder  # fails where it cannot be imported
    if known and found.reference is None and keras.backend.backend() != "tensorflow":
        raise InvalidOption(
            f"the network {found.name} lies in no module that can be imported, and under KERAS_BACKEND="
            f"{keras.backend.backend()} another process writes its graph: put it in a file of its own"
        )
    return found


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
        policy: the Keras dtype policy of the body; the end always gives float32.
        averaged_steps: see `compact`; the other networks have their own or no running statistics.
        seed: of the initial weights, the augmentation and the dropout.

    Returns:
        A model from `(batch, height, width, channels)` uint8 to a dictionary of `logits` `(batch, outputs)`,
        `activation_map` `(batch, h, w, outputs)` and `features` `(batch, features)`.

    Raises:
        InvalidOption: the builder fails, or gives what is no network for these images and classes.
    """
    keras.utils.set_random_seed(seed)
    with precision(policy):
        image = keras.Input((spec.height, spec.width, spec.channels), dtype="uint8", name="image")
        x = Augment(augmentation or Augmentation.off(), seed=seed)(image)
        body = _build_body(spec, pretrained, averaged_steps)
        if len(body.outputs[0].shape) == 4:
            head = ActivationMapHead(spec.outputs, dropout=spec.dropout, seed=seed, name="head")
            outputs = _looks(lambda pixels: head(body(pixels)), x, twice=spec.second_look)
        else:
            outputs = _looks(reveal_activation_map(body), x, twice=spec.second_look)
        return keras.Model(image, outputs, name=_scope(spec.name))


def _looks(look: Callable[[Any], dict[str, Any]], pixels: Any, *, twice: bool) -> dict[str, Any]:
    """What a network gives for images, or the mean with what it gives for their mirror images, as these lie."""
    first = look(pixels)
    if not twice:
        return first
    second = look(ops.flip(pixels, axis=2))
    second["activation_map"] = ops.flip(second["activation_map"], axis=2)
    return {name: (first[name] + second[name]) / 2 for name in first}


def _scope(name: str) -> str:
    """A network's name as TensorFlow takes it for a scope, where letters are ASCII and no underscore stands first."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name).lstrip("_-") or "network"


def _build_body(spec: NetworkSpec, pretrained: bool, averaged_steps: float) -> keras.Model:
    shape, builder = (spec.height, spec.width, spec.channels), spec.network.builder
    offered = {
        "outputs": spec.outputs,
        "pretrained": pretrained,
        "frozen_stages": spec.frozen_stages,
        "averaged_steps": averaged_steps,
    }
    taken = inspect.signature(builder).parameters
    try:
        body = builder(shape, **{name: value for name, value in offered.items() if name in taken})
    except OverreadError:
        raise
    except Exception as error:  # the builder is the user's, and may raise anything
        raise InvalidOption(
            f"the network {spec.name} cannot be built for images of {shape} ({type(error).__name__}: {error}): "
            "expected build(input_shape) to return a Keras model"
        ) from error
    _require_body(body, spec)
    return body


def _require_body(body: Any, spec: NetworkSpec) -> None:
    """Refuse what takes no such images, or ends neither in feature maps nor in the logits of the task."""
    if not (isinstance(body, keras.Model) and getattr(body, "outputs", None)):
        raise InvalidOption(
            f"the network {spec.name} gave a {type(body).__name__}: expected a functional keras.Model, or a Sequential "
            "one that begins with keras.Input"
        )
    takes, gives = [tensor.shape for tensor in body.inputs], [tensor.shape for tensor in body.outputs]
    fits = (
        len(takes) == 1
        and len(takes[0]) == 4
        and all(
            one in (None, other)
            for one, other in zip(takes[0][1:], (spec.height, spec.width, spec.channels), strict=True)
        )
    )
    if not fits:
        raise InvalidOption(
            f"the network {spec.name} takes {takes}: expected one input of (batch, {spec.height}, {spec.width}, "
            f"{spec.channels})"
        )
    if len(gives) != 1 or not (len(gives[0]) == 4 or gives[0][1:] == (spec.outputs,)):
        raise InvalidOption(
            f"the network {spec.name} gives {gives}: expected one output, feature maps (batch, h, w, features) or "
            f"logits (batch, {spec.outputs})"
        )


def logits_of(network: keras.Model) -> keras.Model:
    """The same network with its logits as the only output, for training."""
    return keras.Model(network.input, network.output["logits"], name=network.name)
