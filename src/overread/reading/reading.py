"""What is said of one image."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What a bundle says of one image.

    Args:
        path: as it was named.
        label: the class decided on: for two classes by the operating point, for more the most probable.
        probabilities: of each class, calibrated; they sum to 1.
        positive: for two classes, whether the probability of the positive one reaches the operating point; else None.
        threshold: the operating point; None for more than two classes.
        activation_map: `(h, w, outputs)` float32, the evidence at each position in logits, whose mean is the logit
            (before calibration; of an ensemble, the mean of its members').
        pixels: `(height, width, channels)` uint8, the image as the network saw it.
        prediction_set: the classes that cannot be ruled out at the coverage of `Bundle.referral`; none, one or several.
        unfamiliarity: how unlike the training images it is (see `Familiarity`), over the 99th percentile of validation
            images: above 1 it is unlike them. Of an ensemble, the mean of its networks'.
        refer: why a human should read it: "uncertain" (the prediction set is not exactly the label) and "unfamiliar";
            empty where nothing speaks against the reading.
        projection: `(k,)` float32, up to 16 whitened principal components of the features, to watch for drift; of
            an ensemble, those of its first network.
    """

    path: str
    label: str
    probabilities: Mapping[str, float]
    positive: bool | None
    threshold: float | None
    activation_map: np.ndarray
    pixels: np.ndarray
    prediction_set: tuple[str, ...]
    unfamiliarity: float
    refer: tuple[str, ...]
    projection: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain values, without arrays."""
        return {
            "path": self.path,
            "label": self.label,
            "probabilities": dict(self.probabilities),
            "positive": self.positive,
            "threshold": self.threshold,
            "prediction_set": list(self.prediction_set),
            "unfamiliarity": self.unfamiliarity,
            "refer": list(self.refer),
            "error": None,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """An image that could not be read, and why."""

    path: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """The failure under the keys of a reading."""
        return {
            "path": self.path,
            "label": None,
            "probabilities": None,
            "positive": None,
            "threshold": None,
            "prediction_set": None,
            "unfamiliarity": None,
            "refer": None,
            "error": self.error,
        }
