"""What is said of one image."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from overread.decision.task import Task
from overread.errors import InvalidOption
from overread.reading.fields import as_json


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reading:
    """What a bundle says of one image.

    Args:
        path: as it was named.
        task: what the bundle tells apart.
        predicted_label: the class decided on: of two by the operating point, of more the most probable.
        probabilities: of each class, calibrated; they sum to 1.
        threshold: the operating point; None where no class's probability alone decides.
        activation_map: `(h, w, outputs)` float32, the evidence at each position in logits, whose mean is the logit
            (before calibration; of an ensemble, the mean of its members').
        pixels: `(height, width, channels)` uint8, the image as the network saw it.
        prediction_set: the classes that cannot be ruled out at the coverage of `Bundle.referral`; none, one or several.
        unfamiliarity: how unlike the training images it is (see `Familiarity`), over the 99th percentile of validation
            images: above 1 it is unlike them. Of an ensemble, the mean of its networks'.
        refer: why a human should read it: "uncertain" (the prediction set is not exactly the predicted label) and
            "unfamiliar"; empty where nothing speaks against the reading.
        projection: `(k,)` float32, up to 16 whitened principal components of the features, to watch for drift; of
            an ensemble, those of its first network.
    """

    path: str
    task: Task
    predicted_label: str
    probabilities: Mapping[str, float]
    threshold: float | None
    activation_map: np.ndarray
    pixels: np.ndarray
    prediction_set: tuple[str, ...]
    unfamiliarity: float
    refer: tuple[str, ...]
    projection: np.ndarray

    @property
    def positive(self) -> bool | None:
        """Whether the positive class is the one decided on; None where the task has no positive class."""
        return None if self.task.positive is None else self.predicted_label == self.task.positive

    @property
    def probability(self) -> float:
        """The probability that the decision rests on: of the positive class, else of the one decided on."""
        return self.probabilities[self.task.positive or self.foremost]

    @property
    def foremost(self) -> str:
        """The class that the reading is mainly about: the one decided on."""
        return self.task.foremost(self.predicted_label, self.probabilities)

    def evidence(self, name: str | None = None) -> np.ndarray:
        """The `(h, w)` evidence for a class in logits, coarse as the last layer of the network.

        Args:
            name: of the class; by default the one decided on.

        Raises:
            InvalidOption: the bundle has no such class.
        """
        name = self.foremost if name is None else name
        require_class(name, self.task.classes)
        return self.task.evidence(self.activation_map, name)

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain values, without arrays."""
        return as_json(self, path=self.path)

    def __repr__(self) -> str:
        refer = f", refer: {' and '.join(self.refer)}" if self.refer else ""
        return f"Reading({self.path!r}: {self.predicted_label}, probability {self.probability:.3f}{refer})"

    def _repr_html_(self) -> str:
        """For notebooks: the image as the network saw it, and the decision in words."""
        # Loaded by notebooks only: a server that reads shows nothing.
        from overread.reading.notebook import reading_html

        return reading_html(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """An image that could not be read, and why."""

    path: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """The failure under the keys of a reading."""
        return as_json(None, path=self.path, error=self.error)


def require_class(name: str, classes: Sequence[str]) -> None:
    """Refuse the name of a class that a bundle does not have.

    Raises:
        InvalidOption: it is none of the classes.
    """
    if name not in classes:
        raise InvalidOption(f"the bundle has no class {name!r}: expected one of {', '.join(classes)}")
