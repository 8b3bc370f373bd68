"""The ONNX graph of a bundle at work, in batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import onnxruntime

from overread.evaluation import to_probabilities

INPUT = "image"
OUTPUTS = ("logits", "activation_map", "features")
BATCH_SIZE = 32


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """Images through the network.

    `logits` is `(n, outputs)`, `activation_maps` `(n, h, w, outputs)`, `features` `(n, f)`, all float32.
    """

    logits: np.ndarray
    activation_maps: np.ndarray
    features: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """`(n, classes)` float64."""
        return to_probabilities(self.logits)


class Graph:
    """An ONNX graph from `(batch, height, width, channels)` uint8 to logits, activation map and features."""

    def __init__(self, content: bytes) -> None:
        self._session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(self, pixels: np.ndarray) -> Outputs:
        """Run prepared images through the network.

        Args:
            pixels: `(n, height, width, channels)` uint8 with n of 1 or more.
        """
        starts = range(0, len(pixels), BATCH_SIZE)
        batches = [
            self._session.run(OUTPUTS, {INPUT: np.ascontiguousarray(pixels[start : start + BATCH_SIZE])})
            for start in starts
        ]
        logits, maps, features = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return Outputs(logits=logits, activation_maps=maps, features=features)

    def probabilities(self, chunks: Iterable[np.ndarray]) -> np.ndarray:
        """`(n, classes)` float64 of all images in the chunks."""
        return np.concatenate([self.run(chunk).probabilities for chunk in chunks])
