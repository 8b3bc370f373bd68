"""Graphs that strangers wrote: what could do harm never reaches ONNX Runtime, or not in this process."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from overread.bundle import Bundle, Graph
from overread.bundle.onnx_file import check_onnx
from overread.bundle.trial import require_sound
from overread.errors import InvalidBundle
from overread.images import Preprocessing
from overread.reading import Reader
from support.bundles import small_reference, write_small_bundle
from support.graphs import FEATURES, SHAPE, constant, tiny_graph

IMAGES = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype=np.uint8)


def bundle_of(folder: Path, graph: bytes, features: int = FEATURES) -> Bundle:
    preprocessing = Preprocessing(height=SHAPE[0], width=SHAPE[1], channels=1)
    reference = small_reference(features)
    return write_small_bundle(folder, graph=graph, reference=reference, preprocessing=preprocessing)


def test_a_graph_of_operators_and_numbers_is_read_with(tmp_path: Path) -> None:
    reader = Reader(bundle_of(tmp_path / "bundle", tiny_graph().SerializeToString()))
    assert reader.read(IMAGES[0, :, :, 0]).predicted_label == "Disease"


def with_external(key: str, value: str, location: int = TensorProto.EXTERNAL) -> onnx.ModelProto:
    model = tiny_graph()
    bias = model.graph.initializer[1]
    bias.ClearField("raw_data")
    bias.data_location = location
    bias.external_data.add(key=key, value=value)
    return model


def in_attribute() -> onnx.ModelProto:
    tensor = with_external("location", "numbers.bin").graph.initializer[1]
    return tiny_graph(nodes=[helper.make_node("Constant", [], ["unused"], value=tensor)])


def with_branch(kind: str) -> onnx.ModelProto:
    value = [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [1])]
    inner = helper.make_graph([helper.make_node("Constant", [], ["inner"], value_floats=[1.0])], "g", [], value)
    attributes = {"Loop": {"body": inner}, "If": {"then_branch": inner, "else_branch": inner}}[kind]
    return tiny_graph(nodes=[helper.make_node(kind, ["yes"], ["unused"], **attributes)])


def with_function() -> onnx.ModelProto:
    model = tiny_graph()
    node = helper.make_node("Relu", ["x"], ["y"])
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], [node], [helper.make_opsetid("", 17)]))
    return model


def with_sparse_numbers() -> onnx.ModelProto:
    model = tiny_graph()
    values, indices = constant("sparse", [1.0]), constant("", [0], np.int64)
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [1]))
    return model


def with_training() -> onnx.ModelProto:
    model = tiny_graph()
    model.training_info.add()
    return model


REFUSED: dict[str, Callable[[], onnx.ModelProto]] = {
    "numbers in other files": lambda: with_external("location", "numbers.bin"),
    "numbers in other files, at an address": lambda: with_external("location", "*/_ORT_MEM_ADDR_/*"),
    "numbers in other files, said in one field only": lambda: with_external("location", "x", TensorProto.DEFAULT),
    "numbers in other files, in an attribute": in_attribute,
    "branches or loops": lambda: with_branch("If"),
    "branches or loops, again": lambda: with_branch("Loop"),
    "functions": with_function,
    "sparse numbers": with_sparse_numbers,
    "training": with_training,
    "operators of another maker": lambda: tiny_graph(
        nodes=[helper.make_node("EPContext", [], ["unused"], domain="com.microsoft", ep_cache_context="/etc/passwd")]
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_graph_with_more_than_operators_and_numbers_is_refused_before_it_is_loaded(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("numbers.bin").write_bytes(np.float32(0.5).tobytes())
    content = REFUSED[what]().SerializeToString()
    with pytest.raises(InvalidBundle, match=what.partition(",")[0]):
        Graph(content)


def refused_by_reader(folder: Path, model: onnx.ModelProto, features: int = FEATURES) -> None:
    bundle = bundle_of(folder, model.SerializeToString(), features)
    with pytest.raises(InvalidBundle, match="the network of the bundle"):
        Reader(bundle)


def test_a_graph_that_is_another_than_the_bundle_describes_is_refused(tmp_path: Path) -> None:
    names = ("image", "logits", "activation_map", "features")
    for other in names:
        renamed = [f"{name}2" if name == other else name for name in names]
        with pytest.raises(InvalidBundle, match="none that reads images"):
            Graph(tiny_graph(names=renamed).SerializeToString())
    refused_by_reader(tmp_path / "classes", tiny_graph(outputs=3))
    refused_by_reader(tmp_path / "features", tiny_graph(), features=FEATURES + 1)
    typed = tiny_graph()
    typed.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    with pytest.raises(InvalidBundle, match="none that reads images"):
        Graph(typed.SerializeToString())


@pytest.mark.parametrize("bias", [float("nan"), float("inf")])
def test_a_graph_that_answers_without_finite_numbers_is_refused(tmp_path: Path, bias: float) -> None:
    refused_by_reader(tmp_path / "bundle", tiny_graph(bias=bias))


def test_a_graph_whose_answers_are_of_another_shape_than_declared_is_refused(tmp_path: Path) -> None:
    model = tiny_graph()
    model.graph.node[-1].input[0] = "once"
    model.graph.node.insert(len(model.graph.node) - 1, helper.make_node("Concat", ["means", "means"], ["once"], axis=0))
    refused_by_reader(tmp_path / "bundle", model)


def test_a_graph_that_takes_all_memory_is_refused_by_a_process_of_its_own() -> None:
    nodes = [
        helper.make_node("Shape", ["image"], ["sizes"]),
        helper.make_node("Mul", ["sizes", "times"], ["many"]),
        helper.make_node("ConstantOfShape", ["many"], ["zeros"]),
    ]
    model = tiny_graph(nodes=nodes, constants=[constant("times", [9000, 100, 10, 1], np.int64)])
    model.graph.node[-1].output[0] = "alone"
    model.graph.node.append(helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["alone", "sum"], ["features"]))
    with pytest.raises(InvalidBundle, match="none that ONNX Runtime can run"):
        require_sound(model.SerializeToString(), SHAPE)


def test_a_graph_with_altered_bits_is_refused_or_runs() -> None:
    content, chance = tiny_graph().SerializeToString(), random.Random(0)
    for _ in range(500):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 4))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        try:
            check_onnx(bytes(changed))
        except InvalidBundle:
            continue
    for length in range(0, len(content), 7):
        with pytest.raises(InvalidBundle):
            Graph(content[:length])
