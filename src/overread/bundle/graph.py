"""The ONNX graph of a bundle at work, in batches."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

import numpy as np
import onnxruntime

from overread.decision import measure_traits
from overread.errors import InvalidOption

# Where another program had loaded it before overread said that nothing is to be sent.
onnxruntime.disable_telemetry_events()

INPUT = "image"
OUTPUTS = ("logits", "activation_map", "features")
BATCH_SIZE = 32
PROVIDER = "OVERREAD_PROVIDER"
_CPU, _SUFFIX = "CPUExecutionProvider", "ExecutionProvider"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """Images through the network.

    `logits` is `(n, outputs)`, `activation_maps` `(n, h, w, outputs)`, `features` `(n, f)`, all float32.
    """

    logits: np.ndarray
    activation_maps: np.ndarray
    features: np.ndarray


def provider_asked() -> str:
    """What ONNX Runtime is to compute with where images are read: its CPU, or what OVERREAD_PROVIDER names.

    Such as CUDA, TensorRT, CoreML, Dml or OpenVINO, in any case. The package of ONNX Runtime that is installed decides
    which there are.

    Raises:
        InvalidOption: it is not among those that are installed.
    """
    named = os.environ.get(PROVIDER) or "CPU"
    known = {name.removesuffix(_SUFFIX).lower(): name for name in onnxruntime.get_available_providers()}
    found = known.get(named.removesuffix(_SUFFIX).lower())
    if found is None:
        have = ", ".join(name.removesuffix(_SUFFIX) for name in known.values())
        raise InvalidOption(
            f"{PROVIDER}={named} is not among what the installed ONNX Runtime computes with ({have}): name one of "
            "these, or install a package that brings it, such as onnxruntime-gpu in place of onnxruntime"
        )
    return found


class Graph:
    """An ONNX graph from `(batch, height, width, channels)` uint8 to logits, activation map and features.

    In float32. OpenVINO measured 0.9 to 1.06 times as fast in float32 at batch 32, and 1.8 to 2 times in bfloat16, but
    with probabilities off by up to .028 (efficientnet-lite0, 2 Zen 4 cores, November 2026).

    Args:
        content: the bytes of the file.
        threads: that work on one image or batch together; 0 for one on each core.
        provider: of ONNX Runtime, by its name there.

    Raises:
        InvalidOption: the provider does not come up on this machine.
    """

    def __init__(self, content: bytes, threads: int = 0, provider: str = _CPU) -> None:
        self._content, self._threads, self.provider = content, threads, provider
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(content, options, providers=list(dict.fromkeys([provider, _CPU])))
        # ONNX Runtime only logs that it goes on with the CPU alone.
        if provider not in self._session.get_providers():
            raise InvalidOption(
                f"{provider} of ONNX Runtime does not come up on this machine: see to its driver and libraries, or "
                f"unset {PROVIDER} to read with the CPU"
            )

    def __reduce__(self) -> tuple[type[Graph], tuple[bytes, int, str]]:
        return Graph, (self._content, self._threads, self.provider)

    def on_one_core(self) -> Graph:
        """The same graph worked by the thread that calls it, for threads that read side by side."""
        return Graph(self._content, 1, self.provider)

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
