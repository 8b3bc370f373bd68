"""How a network is trained: every choice, with a default for each network, in one value that a bundle records."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from overread.errors import InvalidOption

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
MONITORS = {"val_loss": "min", "val_auc": "max", "val_accuracy": "max"}

# Chosen on patient-grouped validation of chest_xray, November 2026; lite0 at 160 px costs a third of 224.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "compact": {"size": 224, "epochs": 20, "learning_rate": 2e-3},
    "efficientnet-lite0": {"size": 160, "epochs": 6, "learning_rate": 2e-4},
}
_OTHER_DEFAULTS = {"size": 224, "epochs": 8, "learning_rate": 1e-4}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The range of each random change; 0 (or False) turns a change off.

    Args:
        rotation_degrees: angle drawn from [-r, r].
        shift: translation drawn from [-s, s] as a fraction of each side.
        zoom: scale drawn log-uniformly from [1 / (1 + z), 1 + z].
        horizontal_flip: mirror left and right for half of the images. Off by default: a chest or
            a larynx is not symmetric.
        vertical_flip: mirror top and bottom for half of the images.
        brightness: offset drawn from [-b, b] as a fraction of the pixel range.
        contrast: factor about the image's mean drawn from [1 - c, 1 + c].

    Raises:
        InvalidOption: a range is negative, not finite or so wide that images would vanish.
    """

    rotation_degrees: float = 10.0
    shift: float = 0.06
    zoom: float = 0.12
    horizontal_flip: bool = False
    vertical_flip: bool = False
    brightness: float = 0.1
    contrast: float = 0.2

    def __post_init__(self) -> None:
        limits = {"rotation_degrees": 180.0, "shift": 0.5, "zoom": 1.0, "brightness": 1.0, "contrast": 1.0}
        for name, limit in limits.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= limit):
                raise InvalidOption(f"augmentation {name}={value!r} is outside 0 to {limit:g}: choose a value in it")

    @property
    def is_identity(self) -> bool:
        """True when every change is off."""
        return not any(dataclasses.astuple(self))

    @classmethod
    def off(cls) -> Augmentation:
        """The augmentation that changes nothing."""
        return cls(rotation_degrees=0, shift=0, zoom=0, brightness=0, contrast=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """The options of a training run; a size, epochs or learning_rate of 0 takes the default of the chosen network.

    Args:
        network: `compact` (from scratch), `efficientnet-lite0` or a keras.applications network.
        size: side of the square that images are fitted to, in pixels.
        fit: `pad` keeps the aspect on black, `stretch` fills the square.
        colour: `auto` finds out from the images, `grey` or `colour` decides.
        pretrained: start from ImageNet weights; `compact` has none and ignores it.
        frozen_stages: for efficientnet-lite0, how many of seven stages keep their weights.
        augmentation: changes made to training images.
        epochs: at most.
        patience: epochs without a better `monitor` before training stops.
        monitor: `val_loss`, `val_auc` or `val_accuracy`; the weights of its best epoch are kept.
        batch_size: images a step.
        learning_rate: the highest, reached after a first epoch of warm-up and lowered along a cosine.
        weight_decay: of AdamW, on kernels.
        dropout: fraction of pooled features dropped.
        class_weights: weigh the loss so that every class counts alike.
        precision: a Keras dtype policy, or `auto`, which measures what is faster here.
        calibration: how validation logits become probabilities: `temperature`, `isotonic`, `beta` or `none`.
        operating_point: the rule that chooses the threshold on validation: `youden`, `sensitivity=0.95`,
            `specificity=0.9`, `cost=5:1` (a miss to a false alarm) or a probability such as `0.5`.
        coverage: share of the images of each class whose prediction set is to hold it; images whose set is not exactly
            the class decided on are referred to a human.
        validation: fraction of the images outside test, where the data name no validation side.
        test: fraction of the images, where the data name no test side.
        seed: of the split, the weights, the order of images, the augmentation and the dropout.

    Raises:
        InvalidOption: a value outside its range.
    """

    network: str = "compact"
    size: int = 0
    fit: str = "pad"
    colour: str = "auto"
    pretrained: bool = True
    frozen_stages: int = 0
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    epochs: int = 0
    patience: int = 10
    monitor: str = "val_loss"
    batch_size: int = 32
    learning_rate: float = 0.0
    weight_decay: float = 1e-4
    dropout: float = 0.3
    class_weights: bool = True
    precision: str = "auto"
    calibration: str = "temperature"
    operating_point: str = "youden"
    coverage: float = 0.9
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", self.network.lower())
        for name, value in _DEFAULTS.get(self.network, _OTHER_DEFAULTS).items():
            if getattr(self, name) == 0:
                object.__setattr__(self, name, value)
        for name, allowed in (
            ("fit", ("pad", "stretch")),
            ("colour", ("auto", "grey", "colour")),
            ("monitor", tuple(MONITORS)),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in allowed:
                raise InvalidOption(f"{name}={getattr(self, name)!r} is unknown: expected {', '.join(allowed)}")
        # Not above: the command line reads the defaults here and should not wait for NumPy.
        from overread.decision import check_calibration_method, check_coverage, check_operating_point_rule

        check_calibration_method(self.calibration)
        check_operating_point_rule(self.operating_point)
        check_coverage(self.coverage)
        for name, low, high in (
            ("size", 32, 4096),
            ("epochs", 1, 10_000),
            ("patience", 1, 10_000),
            ("batch_size", 1, 65_536),
            ("learning_rate", 1e-8, 10),
            ("weight_decay", 0, 1),
            ("dropout", 0, 0.95),
            ("seed", 0, 2**31 - 1),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidOption(f"{name}={value} is outside {low:g} to {high:g}: choose a value in it")

    @property
    def channels(self) -> int | None:
        """1 or 3, or None when the images decide."""
        return {"auto": None, "grey": 1, "colour": 3}[self.colour]

    def to_dict(self) -> dict[str, Any]:
        """All options as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` wrote."""
        return cls(**{**values, "augmentation": Augmentation(**values["augmentation"])})
