"""Keras network to ONNX graph, and the proof that both give the same probabilities."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.bundle.graph import INPUT, OUTPUTS, Graph
from overread.decision import Task
from overread.errors import ExportMismatch, MissingExtra
from overread.machine.files import replace_file

if TYPE_CHECKING:
    from overread.networks.build import NetworkSpec

_OPSET = 18


def export_onnx(spec: NetworkSpec, weights: Path, target: Path) -> None:
    """Write a network as an ONNX graph from `image` to `logits`, `activation_map` and `features`.

    The graph takes `(batch, height, width, channels)` uint8 with any batch size. TensorFlow converts it; under another
    Keras backend that happens in a process of its own.

    Raises:
        MissingExtra: TensorFlow or tf2onnx is not installed.
        ExportMismatch: the converter failed.
    """
    from overread.networks.backend import keras

    if keras.backend.backend() == "tensorflow":
        _convert(spec, weights, target)
        return
    arguments = json.dumps(
        {"spec": spec.to_dict(), "build": spec.network.reference, "weights": str(weights), "target": str(target)}
    )
    code = "import json, sys; from overread.training.export import _main; _main(json.loads(sys.argv[1]))"
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),  # the module of a user's network is imported
    }
    # -P: nothing is imported from the folder of the moment, which may hold a stranger's images and more.
    command = [sys.executable, "-P", "-c", code, arguments]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ExportMismatch(f"the ONNX graph could not be written ({reason}): install overread[train]")


def _main(arguments: dict[str, Any]) -> None:
    from overread.networks.build import NetworkSpec
    from overread.networks.registry import find_network

    builder = find_network(arguments["build"]).builder if arguments["build"] else None
    spec = NetworkSpec(**arguments["spec"], builder=builder)
    _convert(spec, Path(arguments["weights"]), Path(arguments["target"]))


def _convert(spec: NetworkSpec, weights: Path, target: Path) -> None:
    try:
        import onnx
        import tensorflow
        import tf2onnx
    except ImportError as error:
        raise MissingExtra(f"writing a bundle needs {error.name}: pip install 'overread[train]'") from None
    from overread.networks.build import build_network

    network = build_network(spec)
    network.load_weights(weights)
    shape = (None, spec.height, spec.width, spec.channels)
    signature = [tensorflow.TensorSpec(shape, tensorflow.uint8, name=INPUT)]
    graph = tensorflow.function(
        lambda image: [network(image, training=False)[name] for name in OUTPUTS], input_signature=signature
    )
    model, _ = tf2onnx.convert.from_function(graph, input_signature=signature, opset=_OPSET)
    _name_outputs(model)
    _give_rank_to_scalars(model)
    onnx.checker.check_model(model, full_check=True)
    if [value.name for value in model.graph.input] != [INPUT]:
        raise ExportMismatch("the converter made a graph with other inputs than the image: report this network")
    replace_file(target, model.SerializeToString())


def _name_outputs(model: Any) -> None:
    """Rename the graph's outputs, which the converter names after tensors."""
    names = dict(zip((value.name for value in model.graph.output), OUTPUTS, strict=True))
    for value in model.graph.output:
        value.name = names[value.name]
    for node in model.graph.node:
        for names_of_node in (node.input, node.output):
            for position, name in enumerate(names_of_node):
                names_of_node[position] = names.get(name, name)


def _give_rank_to_scalars(model: Any) -> None:
    """Write scalars in arithmetic with as many axes of length 1 as what they meet has; the result is the same.

    Over an array whose last axis has length 1, as grey images have, ONNX Runtime 1.31 applies a scalar without axes one
    element at a time: 0.64 ms for each of the two steps of rescaling against 0.02, of 4.6 ms for an image of 224 px by
    compact on one core (November 2026).
    """
    import onnx

    scalars = {constant.name: constant for constant in model.graph.initializer if not constant.dims}
    inferred = onnx.shape_inference.infer_shapes(model).graph
    axes = {value.name: len(value.type.tensor_type.shape.dim) for value in (*inferred.input, *inferred.value_info)}
    for node in model.graph.node:
        if node.op_type not in ("Add", "Sub", "Mul", "Div"):
            continue
        for position, name in enumerate(node.input):
            rank = axes.get(node.input[1 - position], 0)
            if name not in scalars or not rank:
                continue
            # A copy, since nodes of other ranks may share the scalar.
            ranked = onnx.TensorProto()
            ranked.CopyFrom(scalars[name])
            ranked.name = node.input[position] = f"{name}/{node.output[0]}"
            ranked.dims.extend([1] * rank)
            model.graph.initializer.append(ranked)
    used = {name for node in model.graph.node for name in node.input}
    for name, scalar in scalars.items():
        if name not in used:
            model.graph.initializer.remove(scalar)


def check_parity(network: Any, graph: Graph, task: Task, pixels: np.ndarray, *, tolerance: float = 1e-3) -> float:
    """The largest difference in probability between a Keras network and its ONNX graph on the same images.

    Args:
        network: as `build_network` makes it, in float32.
        graph: the exported one.
        task: makes logits probabilities.
        pixels: `(n, height, width, channels)` uint8, real images.
        tolerance: the difference that is allowed.

    Raises:
        ExportMismatch: it is exceeded.
    """
    expected = task.probabilities(network.predict(pixels, verbose=0)["logits"])
    difference = float(np.abs(expected - task.probabilities(graph.run(pixels).logits)).max())
    if not difference <= tolerance:
        raise ExportMismatch(
            f"the ONNX graph and the Keras network differ by {difference:.2g} in probability; expected at most "
            f"{tolerance:g}: the bundle is not written; report this network"
        )
    return difference
