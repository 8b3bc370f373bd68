"""The ONNX graph of a bundle at work, in batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import onnxruntime

from overread.decision import measure_traits

# Where another program had loaded it before overread said that nothing is to be sent.
onnxruntime.disable_telemetry_events()

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


class Graph:
    """An ONNX graph from `(batch, height, width, channels)` uint8 to logits, activation map and features.

    In float32. OpenVINO measured 0.9 to 1.06 times as fast in float32 at batch 32, and 1.8 to 2 times in bfloat16, but
    with probabilities off by up to .028 (efficientnet-lite0, 2 Zen 4 cores, November 2026).

    Args:
        content: the bytes of the file.
        threads: that work on one image or batch together; 0 for one on each core.
    """

    def __init__(self, content: bytes, threads: int = 0) -> None:
        self._content, self._threads = content, threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __reduce__(self) -> tuple[type[Graph], tuple[bytes, int]]:
        return Graph, (self._content, self._threads)

    def on_one_core(self) -> Graph:
        """The same graph worked by the thread that calls it, for threads that read side by side."""
        return Graph(self._content, threads=1)

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

    def logits_and_traits(self, chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """`(n, outputs)` and `(n, t)` float32 of all images in the chunks: logits and what `measure_traits` tells."""
        logits, traits = [], []
        for chunk in chunks:
            outputs = self.run(chunk)
            logits.append(outputs.logits)
            traits.append(measure_traits(outputs.features, chunk))
        return np.concatenate(logits), np.concatenate(traits)
