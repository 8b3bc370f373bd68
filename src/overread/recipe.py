"""How a network is trained: every choice, with a default for each network, in one value that a bundle records."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overread.errors import InvalidOption
from overread.machine.content.values import from_values
from overread.machine.option import option
from overread.networks.augmentation import Augmentation
from overread.networks.registry import MINIMUM_SIDE, Builder, Network, default_network, find_network

if TYPE_CHECKING:
    from overread.formats import View

POOLINGS = ("auto", "mean", "attention")
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
MONITORS = {"val_loss": "min", "val_auc": "max", "val_accuracy": "max"}

_LIMITS = {
    "size": (MINIMUM_SIDE, 4096),
    "epochs": (1, 10_000),
    "patience": (1, 10_000),
    "batch_size": (1, 65_536),
    "learning_rate": (1e-8, 10),
    "weight_decay": (0, 1),
    "dropout": (0, 0.95),
    "label_smoothing": (0, 0.5),
    "mixup": (0, 10),
    "layer_decay": (0.1, 1),
    "seed": (0, 2**31 - 1),
}
# More are validated and saved than are learnt from.
_MOST_EPOCHS = 100
_LEAST_PATIENCE = 10
# What the record of an earlier version does not name.
_NOT_DONE = {"layer_decay": 1.0, "label_smoothing": 0.0, "mixup": 0.0, "head_start": False, "second_look": False}
# What is named only where it is not so.
_UNNAMED = {"start": None, "frames": "all", "window": None, "microns": None, "pooling": "auto"}
_STARTED = "the weights of an earlier training"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """The options of a training run.

    Where `network` is None, it is `default_network`; where `size`, `learning_rate` or `layer_decay` is None, the
    network has a default: `chosen_network`, `image_size`, `peak_learning_rate` and `rate_decay` are what holds. Where
    `epochs` or `patience` is None, it depends on the number of training images, for which `for_images` gives the
    recipe.

    Raises:
        InvalidOption: a value outside its range.
    """

    network: str | Builder | None = option(
        None,
        "One that overread networks lists, or module:function of your own; by default efficientnet-lite0 where its "
        "weights are installed, else compact.",
        panel="Network",
        kind=str | None,
    )
    size: int | None = option(
        None, "Side of the square that images are fitted to, in pixels; by default the network's.", panel="Images"
    )
    fit: str = option("pad", "pad (keep the aspect, on black) or stretch.", panel="Images")
    frames: str = option("all", "Of an exam: all, every=3 or middle=20.", panel="Exams")
    window: str | None = option(
        None,
        "What grey values are seen through: lung, bone, brain or soft (Hounsfield units), or CENTER,WIDTH; two or "
        "three joined by + become channels. By default as each file says.",
        panel="Images",
    )
    microns: float | None = option(
        None, "Of a whole slide: the side of a pixel in micrometres; 1 by default.", panel="Exams"
    )
    pooling: str = option(
        "auto",
        "How frames make an exam: mean, attention, or auto (cross-validation among the training exams chooses).",
        panel="Exams",
    )
    colour: str = option("auto", "auto (look at the images), grey or colour.", panel="Images")
    pretrained: bool = option(True, "Start from ImageNet weights; compact has none.", panel="Network")
    frozen_stages: int = option(
        0, "Stages of an efficientnet-lite, of seven, that keep their weights.", panel="Network"
    )
    head_start: bool = option(
        False,
        "Fit the last layer by logistic regression on the features as they are, before all layers are trained.",
        panel="Network",
    )
    second_look: bool = option(
        False,
        "Read each image mirrored left to right too and take the mean, in twice the time; needs --horizontal-flip.",
        panel="Network",
    )
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    epochs: int | None = option(
        None, "At most; by default the network's, and more of few images (100 at most).", panel="Training"
    )
    patience: int | None = option(
        None,
        "Epochs without a better monitor before training stops; by default 10, or a third of all where that is more.",
        panel="Training",
    )
    monitor: str = option(
        "val_loss", "val_loss, val_auc or val_accuracy; the weights of its best epoch are kept.", panel="Training"
    )
    batch_size: int = option(32, "Images a step.", panel="Training")
    learning_rate: float | None = option(
        None,
        "The highest, after one epoch of warm-up, lowered along a cosine; by default the network's.",
        panel="Training",
    )
    layer_decay: float | None = option(
        None,
        "Factor of the learning rate from one eighth of the layers to the one before it, from the end to the first; "
        "1 is the same for all; by default the network's.",
        panel="Training",
    )
    weight_decay: float = option(1e-4, "Of AdamW, on kernels.", panel="Training")
    label_smoothing: float = option(
        0.0, "Share of each training target that is spread over all classes alike.", panel="Training"
    )
    mixup: float = option(
        0.0, "Mix training images in pairs, their shares drawn from Beta(m, m); 0 mixes none.", panel="Training"
    )
    dropout: float = option(0.3, "Fraction of pooled features dropped.", panel="Network")
    class_weights: bool = option(
        True,
        "Weigh the loss so that classes, or of a finding present and absent, count alike, a case ten times at most.",
        panel="Training",
    )
    precision: str = option("auto", f"{', '.join(PRECISIONS)}; auto measures what is faster here.", panel="Training")
    calibration: str = option("temperature", "temperature, isotonic, beta or none.", panel="Decision")
    operating_point: str = option(
        "youden",
        "youden, sensitivity=0.95, specificity=0.9, cost=MISS:ALARM or a probability; chosen on validation.",
        panel="Decision",
    )
    coverage: float = option(
        0.9, "Share of each class whose prediction set must hold it; the unsure are referred.", panel="Decision"
    )
    validation: float = option(0.15, "Fraction, where the data name no such side.", panel="Split")
    test: float = option(0.15, "Fraction, where the data name no such side.", panel="Split")
    seed: int = option(0, "Of split, weights, order, augmentation and dropout.", panel="Split")
    start: str | Path | None = option(
        None,
        "Run folder, bundle or .weights.h5 file whose weights are the start, where their shapes fit.",
        panel="Network",
        flag="--from",
        kind=str | None,
    )

    def __post_init__(self) -> None:
        if isinstance(self.network, str) and ":" not in self.network:
            object.__setattr__(self, "network", self.network.lower())
        if self.start is not None:
            object.__setattr__(self, "start", str(self.start))
        for name, allowed in (
            ("fit", ("pad", "stretch")),
            ("colour", ("auto", "grey", "colour")),
            ("monitor", tuple(MONITORS)),
            ("precision", PRECISIONS),
            ("pooling", POOLINGS),
        ):
            if getattr(self, name) not in allowed:
                raise InvalidOption(f"{name}={getattr(self, name)!r} is unknown: expected {', '.join(allowed)}")
        # Not above: the command line reads the defaults here and should not wait for NumPy.
        from overread.decision import check_calibration_method, check_coverage, check_operating_point_rule

        check_calibration_method(self.calibration)
        check_operating_point_rule(self.operating_point)
        check_coverage(self.coverage)
        _ = self.view
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidOption(f"{name}={value} is outside {low:g} to {high:g}: choose a value in it")

        if self.second_look and not self.augmentation.horizontal_flip:
            raise InvalidOption(
                "second_look reads mirrored images, and without horizontal_flip none are trained on: take "
                "--horizontal-flip too, where left and right are alike"
            )

    @property
    def chosen_network(self) -> Network:
        """The network with its defaults."""
        if self.network is None:
            return default_network(pretrained=self.pretrained)
        return find_network(self.network)

    def with_network(self) -> Recipe:
        """The same recipe with its network named, so that it means the same where other weights are installed."""
        return dataclasses.replace(self, network=self.chosen_network.name) if self.network is None else self

    @property
    def image_size(self) -> int:
        """The side of the images in pixels."""
        return self.chosen_network.size if self.size is None else self.size

    def epochs_of(self, steps: int) -> int:
        """How many epochs of so many steps training lasts at most: of few images enough for the network's steps."""
        if self.epochs is not None:
            return self.epochs
        network = self.chosen_network
        return max(network.epochs, min(_MOST_EPOCHS, math.ceil(network.steps / steps)))

    def patience_of(self, steps: int) -> int:
        """How many epochs of so many steps may pass without a better monitor."""
        return max(_LEAST_PATIENCE, math.ceil(self.epochs_of(steps) / 3)) if self.patience is None else self.patience

    def for_images(self, count: int) -> Recipe:
        """The same recipe with its epochs and its patience for so many training images."""
        steps = math.ceil(count / self.batch_size)
        return dataclasses.replace(self, epochs=self.epochs_of(steps), patience=self.patience_of(steps))

    @property
    def peak_learning_rate(self) -> float:
        """The highest learning rate."""
        return self.chosen_network.learning_rate if self.learning_rate is None else self.learning_rate

    @property
    def rate_decay(self) -> float:
        """The factor of the learning rate from one eighth of the layers to the one before it."""
        if self.layer_decay is not None:
            return self.layer_decay
        return self.chosen_network.layer_decay if self.pretrained else 1.0

    @property
    def view(self) -> View:
        """What is looked at of exams and of deep grey values."""
        from overread.formats import View

        return View(frames=self.frames, window=self.window, microns=self.microns)

    @property
    def channels(self) -> int | None:
        """1 or 3, or None when the images decide."""
        return {"auto": None, "grey": 1, "colour": 3}[self.colour]

    def to_dict(self) -> dict[str, Any]:
        """Give all options as plain values, with the numbers that hold as far as they are known without images.

        The start, and what concerns exams, is among them only where it is not as by default.
        """
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values |= {
            "network": self.chosen_network.name,
            "size": self.image_size,
            "augmentation": self.augmentation.to_dict(),
            "learning_rate": self.peak_learning_rate,
            "layer_decay": self.rate_decay,
        }
        return {name: value for name, value in values.items() if name not in _UNNAMED or value != _UNNAMED[name]}

    def shown(self) -> dict[str, Any]:
        """Give all options for others to see: a path to start from, which may name a person, is not told."""
        values = self.to_dict()
        return {**values, "start": _STARTED} if "start" in values else values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Rebuild what `to_dict` gave; what an earlier version did not name was not done."""
        augmentation = Augmentation.from_dict(values["augmentation"])
        return from_values(cls, {**_NOT_DONE, **values, "augmentation": augmentation})
