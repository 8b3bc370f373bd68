"""ONNX graphs of a few nodes that read images, as a stranger could write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (16, 16, 1)
FEATURES = 5


def constant(name: str, values: Any, kind: Any = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def tiny_graph(
    *,
    nodes: Sequence[onnx.NodeProto] = (),
    constants: Sequence[TensorProto] = (),
    bias: float | np.ndarray = 0.5,
    outputs: int = 1,
    names: Sequence[str] = ("image", "logits", "activation_map", "features"),
) -> onnx.ModelProto:
    """A graph whose logits are the mean of an image, times a weight each, and a bias.

    Args:
        nodes: further ones, computed first.
        constants: that they take.
        bias: of the logits, one or one for each.
        outputs: how many logits there are.
        names: of input and outputs.
    """
    image, logits, maps, features = names
    made = [
        *nodes,
        helper.make_node("Cast", [image], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["turned", "kernel"], ["seen"], strides=[4, 4]),
        helper.make_node("Transpose", ["seen"], ["back"], perm=[0, 2, 3, 1]),
        helper.make_node("Add", ["back", "bias"], [maps]),
        helper.make_node("ReduceMean", [maps], [logits], axes=[1, 2], keepdims=0),
        helper.make_node("ReduceMean", ["turned"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], [features]),
    ]
    made.insert(len(nodes) + 1, helper.make_node("Transpose", ["floats"], ["turned"], perm=[0, 3, 1, 2]))
    numbers = [
        *constants,
        constant("kernel", np.full((outputs, 1, 4, 4), 0.01)),
        constant("bias", np.full(outputs, bias)),
        constant("weights", np.ones((1, FEATURES))),
    ]
    graph = helper.make_graph(
        made,
        "graph",
        [helper.make_tensor_value_info(image, TensorProto.UINT8, ["n", *SHAPE])],
        [
            helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["n", outputs]),
            helper.make_tensor_value_info(maps, TensorProto.FLOAT, ["n", "h", "w", outputs]),
            helper.make_tensor_value_info(features, TensorProto.FLOAT, ["n", FEATURES]),
        ],
        numbers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model
