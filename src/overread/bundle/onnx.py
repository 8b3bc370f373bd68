"""Keras network to ONNX graph, and the proof that both give the same probabilities."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.bundle.graph import INPUT, OUTPUTS, Graph
from overread.errors import ExportMismatch, MissingExtra
from overread.evaluation import to_probabilities

if TYPE_CHECKING:
    from overread.networks.zoo import NetworkSpec

_OPSET = 18


def export_onnx(spec: NetworkSpec, weights: Path, target: Path) -> None:
    """Write a network as an ONNX graph from `image` to `logits`, `activation_map` and `features`.

    The graph takes `(batch, height, width, channels)` uint8 with any batch size. TensorFlow converts it; under another
    Keras backend that happens in a process of its own.

    Raises:
        MissingExtra: TensorFlow or tf2onnx is not installed.
        ExportMismatch: the converter failed.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        _convert(spec, weights, target)
        return
    arguments = json.dumps({**dataclasses.asdict(spec), "weights": str(weights), "target": str(target)})
    code = "import json, sys; from overread.bundle.onnx import _main; _main(json.loads(sys.argv[1]))"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ExportMismatch(
            f"the ONNX graph could not be written ({done.stderr.strip().splitlines()[-1]}): install overread[train]"
        )


def _main(arguments: dict[str, Any]) -> None:
    from overread.networks.zoo import NetworkSpec

    weights, target = Path(arguments.pop("weights")), Path(arguments.pop("target"))
    _convert(NetworkSpec(**arguments), weights, target)


def _convert(spec: NetworkSpec, weights: Path, target: Path) -> None:
    try:
        import onnx
        import tensorflow
        import tf2onnx
    except ImportError as error:
        raise MissingExtra(f"writing a bundle needs {error.name}: pip install 'overread[train]'") from None
    from overread.networks.zoo import build_network

    network = build_network(spec)
    network.load_weights(weights)
    shape = (None, spec.height, spec.width, spec.channels)
    signature = [tensorflow.TensorSpec(shape, tensorflow.uint8, name=INPUT)]
    graph = tensorflow.function(
        lambda image: [network(image, training=False)[name] for name in OUTPUTS], input_signature=signature
    )
    model, _ = tf2onnx.convert.from_function(graph, input_signature=signature, opset=_OPSET)
    _name_outputs(model)
    onnx.checker.check_model(model, full_check=True)
    if [value.name for value in model.graph.input] != [INPUT]:
        raise ExportMismatch("the converter made a graph with other inputs than the image: report this network")
    target.write_bytes(model.SerializeToString())


def _name_outputs(model: Any) -> None:
    """Rename the graph's outputs, which the converter names after tensors."""
    names = dict(zip((value.name for value in model.graph.output), OUTPUTS, strict=True))
    for value in model.graph.output:
        value.name = names[value.name]
    for node in model.graph.node:
        for names_of_node in (node.input, node.output):
            for position, name in enumerate(names_of_node):
                names_of_node[position] = names.get(name, name)


def check_parity(network: Any, graph: Graph, pixels: np.ndarray, *, tolerance: float = 1e-3) -> float:
    """The largest difference in probability between a Keras network and its ONNX graph on the same images.

    Args:
        network: as `build_network` makes it, in float32.
        graph: the exported one.
        pixels: `(n, height, width, channels)` uint8, real images.
        tolerance: the difference that is allowed.

    Raises:
        ExportMismatch: it is exceeded.
    """
    expected = to_probabilities(network.predict(pixels, verbose=0)["logits"])
    difference = float(np.abs(expected - to_probabilities(graph.run(pixels).logits)).max())
    if not difference <= tolerance:
        raise ExportMismatch(
            f"the ONNX graph and the Keras network differ by {difference:.2g} in probability; expected at most "
            f"{tolerance:g}: the bundle is not written; report this network"
        )
    return difference
