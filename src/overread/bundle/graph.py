"""The ONNX graph of a bundle at work, in batches."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

import numpy as np
import onnxruntime

from overread.bundle.onnx_file import check_onnx
from overread.decision import measure_traits
from overread.errors import InvalidBundle, InvalidOption

# Where another program had loaded it before overread said that nothing is to be sent.
onnxruntime.disable_telemetry_events()

INPUT = "image"
OUTPUTS = ("logits", "activation_map", "features")
# Type and number of axes of each.
_VALUES = {
    INPUT: ("tensor(uint8)", 4),
    "logits": ("tensor(float)", 2),
    "activation_map": ("tensor(float)", 4),
    "features": ("tensor(float)", 2),
}
BATCH_SIZE = 32
PROVIDER = "OVERREAD_PROVIDER"
_FATAL = 4
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class GraphShape:
    """What a graph takes and gives: an image of (height, width, channels), so many outputs and so many features."""

    image: tuple[int, ...]
    outputs: int
    features: int

    @classmethod
    def of(cls, session: onnxruntime.InferenceSession) -> GraphShape:
        """Look it up.

        Raises:
            InvalidBundle: it takes or gives something else.
        """
        inputs, outputs = session.get_inputs(), session.get_outputs()
        found = {value.name: (value.type, len(value.shape)) for value in (*inputs, *outputs)}
        if found != _VALUES or len(inputs) != 1:
            raise InvalidBundle("the network of the bundle is none that reads images: get it again from its source")
        shapes = {value.name: value.shape[1:] for value in (*inputs, *outputs)}
        return cls(image=(*shapes[INPUT],), outputs=shapes["logits"][0], features=shapes["features"][0])


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
        InvalidBundle: the file is no such graph.
    """

    def __init__(self, content: bytes, threads: int = 0, provider: str = _CPU) -> None:
        check_onnx(content)
        self._content, self._threads, self.provider = content, threads, provider
        try:
            self._session = _session(content, threads, provider)
            self.shape = GraphShape.of(self._session)
        except InvalidBundle:
            raise
        except Exception as error:  # noqa: BLE001 - those of ONNX Runtime have no other base
            raise _refused(error) from None
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

        Raises:
            InvalidBundle: it takes no such images, or does not answer each with finite numbers.
        """
        starts = range(0, len(pixels), BATCH_SIZE)
        batches = [self._run_batch(np.ascontiguousarray(pixels[start : start + BATCH_SIZE])) for start in starts]
        logits, maps, features = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return Outputs(logits=logits, activation_maps=maps, features=features)

    def _run_batch(self, pixels: np.ndarray) -> list[np.ndarray]:
        try:
            found: list[np.ndarray] = self._session.run(OUTPUTS, {INPUT: pixels})
        except Exception as error:  # noqa: BLE001 - those of ONNX Runtime have no other base
            raise _refused(error) from None
        maps, n = found[1], len(pixels)
        shapes = ((n, self.shape.outputs), (n, *maps.shape[1:3], self.shape.outputs), (n, self.shape.features))
        if tuple(values.shape for values in found) != shapes or not all(v.size and np.isfinite(v).all() for v in found):
            raise InvalidBundle(
                "the network of the bundle does not answer with finite numbers for each image: get it from its source"
            )
        return found

    def logits_and_traits(self, chunks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """`(n, outputs)` and `(n, t)` float32 of all images in the chunks: logits and what `measure_traits` tells."""
        logits, traits = [], []
        for chunk in chunks:
            outputs = self.run(chunk)
            logits.append(outputs.logits)
            traits.append(measure_traits(outputs.features, chunk))
        return np.concatenate(logits), np.concatenate(traits)


def _session(content: bytes, threads: int, provider: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Else it takes bytes that spell another format of its own for that.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if provider == _CPU:
        options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(content, options, providers=list(dict.fromkeys([provider, _CPU])))


def _refused(error: Exception) -> Exception:
    """What to raise for an error of ONNX Runtime."""
    if isinstance(error, MemoryError):
        return error
    return InvalidBundle(
        f"the network of the bundle is none that ONNX Runtime can run ({type(error).__name__}): get the bundle again "
        "from its source"
    )
