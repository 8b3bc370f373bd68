"""A network of the user's own: as a function, by module and name, registered; through training, resume and export."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from overread.bundle import GRAPH, WEIGHTS, Bundle, Graph
from overread.decision import Task
from overread.errors import InvalidOption
from overread.networks.augmentation import Augmentation
from overread.networks.build import NetworkSpec, build_network, require_network
from overread.networks.registry import Network, find_network, register_network, registered_networks
from overread.reading import Reader
from overread.recipe import Recipe
from overread.study.train import train
from overread.training.export import check_parity, export_onnx
from overread.training.fit import TrainingData, fit
from overread.training.objective import compile_for_training
from support import own_networks
from support.command_line import overread, sentence
from support.own_networks import flattened, maps, pooled

pytestmark = pytest.mark.usefixtures("blank_figures")
TASK = Task.of(("Normal", "Disease"))
QUICK = Recipe(network="compact", size=32, epochs=2, batch_size=8, precision="float32", learning_rate=5e-3)


def spec_of(build: Any, **changes: Any) -> NetworkSpec:
    fields = {"name": find_network(build).name, "height": 64, "width": 64, "channels": 1, "outputs": 1}
    return NetworkSpec(**{**fields, "builder": build, **changes})


def noise(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 1), dtype=np.uint8)


@pytest.mark.parametrize(("build", "cells"), [(maps, 4), (pooled, 4), (flattened, 1)])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_logits_are_the_mean_of_the_map_which_has_one_cell_where_positions_are_lost(
    build: Any, cells: int, policy: str
) -> None:
    found = build_network(spec_of(build), policy=policy, seed=1)(noise())
    found = {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}
    assert {name: value.dtype.name for name, value in found.items()} == dict.fromkeys(found, "float32")
    assert found["activation_map"].shape == (3, cells, cells, 1)
    assert found["features"].ndim == 2
    assert np.allclose(found["activation_map"].mean(axis=(1, 2)), found["logits"], atol=0.02)
    assert np.ptp(found["logits"]) > 0


def test_a_builder_of_logits_is_told_how_many() -> None:
    network = build_network(spec_of(pooled, outputs=4))
    assert network.output["activation_map"].shape == (None, 4, 4, 4)


@pytest.mark.parametrize("name", ["__main__:build", "größe:netz", "网络:构建"])
def test_a_builder_may_be_named_as_python_allows(name: str) -> None:
    assert build_network(spec_of(maps, name=name))(noise())["logits"].shape == (3, 1)


@pytest.mark.parametrize("build", [maps, pooled, flattened, lambda input_shape: maps(input_shape)])
def test_the_graph_gives_what_the_network_gives(build: Any, tmp_path: Path) -> None:
    spec = spec_of(build)
    network = build_network(spec, seed=2)
    network.save_weights(tmp_path / WEIGHTS)
    export_onnx(spec, tmp_path / WEIGHTS, tmp_path / GRAPH)
    graph = Graph((tmp_path / GRAPH).read_bytes())
    assert check_parity(network, graph, TASK, noise()) < 1e-5
    expected = np.asarray(network(noise())["activation_map"])
    assert np.allclose(graph.run(noise()).activation_maps, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("softmax", "ends in sigmoid: expected logits"),
        ("two_logits", r"gives \[\(None, 2\)\]: expected .* logits \(batch, 1\)"),
        ("other_size", r"takes \[\(None, 48, 48, 1\)\]: expected one input of \(batch, 64, 64, 1\)"),
        ("no_model", "gave a str: expected a functional keras.Model"),
        ("failing", r"cannot be built .* \(RuntimeError: no such layer\): expected build"),
        ("not_a_function", "is no function"),
        ("absent", r"cannot be imported \(AttributeError"),
    ],
)
def test_what_is_no_network_for_these_images_is_told_in_one_sentence(name: str, message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        build_network(spec_of(f"support.own_networks:{name}", builder=None))


def test_a_function_is_named_by_its_module_and_found_again_by_that_name() -> None:
    recipe = Recipe(network=maps)
    assert recipe.to_dict()["network"] == "support.own_networks:maps"
    again = Recipe.from_dict(recipe.to_dict())
    assert again.chosen_network.builder is maps
    assert again.to_dict() == recipe.to_dict()


def test_a_function_that_no_other_process_can_import_has_no_reference() -> None:
    assert find_network(maps).reference == "support.own_networks:maps"
    assert find_network(lambda input_shape: maps(input_shape)).reference is None


def test_another_backend_refuses_a_network_whose_graph_it_could_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert require_network(maps).name == "support.own_networks:maps"
    with pytest.raises(InvalidOption, match="put it in a file of its own"):
        require_network(lambda input_shape: maps(input_shape))


def test_another_process_writes_the_graph_under_another_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(pooled)
    network = build_network(spec, seed=2)
    network.save_weights(tmp_path / WEIGHTS)
    with monkeypatch.context() as patched:
        patched.setattr(keras.backend, "backend", lambda: "jax")
        export_onnx(spec, tmp_path / WEIGHTS, tmp_path / GRAPH)
    assert check_parity(network, Graph((tmp_path / GRAPH).read_bytes()), TASK, noise()) < 1e-5


@pytest.fixture
def registered() -> str:
    register_network(Network(name="test-net", build=maps, size=40, epochs=3, learning_rate=1e-2))
    return "test-net"


def test_a_registered_network_brings_its_defaults(registered: str) -> None:
    recipe = dataclasses.replace(Recipe(), network="Test-Net")
    assert (recipe.image_size, recipe.epochs_of(400), recipe.peak_learning_rate) == (40, 3, 1e-2)
    assert registered in registered_networks()
    assert build_network(spec_of(registered, builder=None)).output["activation_map"].shape == (None, 4, 4, 1)


@pytest.mark.parametrize("name", ["Upper", "a:b", ""])
def test_a_name_that_could_not_be_asked_for_is_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match="cannot name a network"):
        register_network(Network(name=name, build=maps))


@pytest.mark.parametrize("default", [{"size": 8}, {"epochs": 0}, {"learning_rate": 0.0}])
def test_defaults_that_cannot_be_are_refused(default: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption, match="the network own has defaults that cannot be"):
        Network(name="own", build=maps, **default)


def test_an_installed_package_offers_a_network_by_an_entry_point(tmp_path: Path) -> None:
    """In a process of its own, which finds the package as an installed one."""
    (tmp_path / "plain_net.py").write_text(
        "from overread.networks.registry import Network\n"
        "NETWORK = Network(name='plain', build='plain_net:build', size=96)\n"
    )
    info = tmp_path / "plain_net-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-net\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[overread.networks]\nplain = plain_net:NETWORK\n")
    code = "import sys, overread; print(overread.Recipe(network='plain').image_size, 'keras' in sys.modules)"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["96", "False"], done.stderr


def test_a_network_from_the_current_folder_is_trained_on_the_command_line(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_net.py").write_text(Path(own_networks.__file__).read_text())
    monkeypatch.chdir(tmp_path)
    options = ("--size", "32", "--epochs", "1", "--precision", "float32", "--store", "store", "--network")
    refused = overread("train", two_classes, "--out", "no", *options, "my_net:missing")
    assert refused.returncode == 2
    assert "the network my_net:missing cannot be imported" in sentence(refused)
    done = overread("train", two_classes, "--out", "run", *options, "my_net:pooled")
    assert done.returncode == 0, done.stderr
    assert Bundle.load("run/bundle").network["name"] == "my_net:pooled"


class _Stop(keras.callbacks.Callback):
    """Fails as the second epoch begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            raise LookupError("stopped by the test")


def _fitted(folder: Path, *callbacks: keras.callbacks.Callback) -> list[np.ndarray]:
    """The weights after training, with dropout and layers of augmentation that draw for themselves."""
    y_true = np.arange(32) % 2
    noise = np.random.default_rng(0).integers(0, 120, (32, 32, 32, 1))
    pixels = (noise + 90 * y_true[:, None, None, None]).astype("uint8")
    data = TrainingData(pixels=pixels, y_true=y_true, train=range(24), validation=range(24, 32), task=TASK)
    augmentation = Augmentation.off(layers=(keras.layers.RandomFlip(), keras.layers.RandomContrast(0.5)))
    network = build_network(spec_of(pooled, height=32, width=32), augmentation=augmentation)
    model = compile_for_training(network, QUICK, TASK, 3)
    fit(model, data, QUICK, folder, callbacks=callbacks)
    return list(model.get_weights())


def test_an_own_network_with_own_augmentation_is_resumed_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = _fitted(tmp_path / "whole")
    with pytest.raises(LookupError, match="stopped by the test"):
        _fitted(tmp_path / "run", _Stop())
    assert all(np.array_equal(a, b) for a, b in zip(whole, _fitted(tmp_path / "run"), strict=True))


def test_a_function_that_nothing_can_import_makes_a_bundle_that_reads_with_a_map_of_one_cell(
    two_classes: Path, tmp_path: Path
) -> None:
    def build(input_shape: tuple[int, int, int]) -> keras.Model:
        return flattened(input_shape)

    study = train(two_classes, tmp_path / "run", dataclasses.replace(QUICK, network=build), store=tmp_path / "store")
    name = f"{__name__}:{build.__qualname__}"
    assert study.bundle.network["name"] == name
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["network"] == name
    reading = Reader.load(study.out / "bundle").read(next(two_classes.glob("*/*.png")))
    assert reading.activation_map.shape == (1, 1, 1)
    network = build_network(NetworkSpec(**study.bundle.network, builder=build))
    (tmp_path / WEIGHTS).write_bytes(study.bundle.read_file(WEIGHTS))
    network.load_weights(tmp_path / WEIGHTS)
    assert np.allclose(np.asarray(network(reading.pixels[None])["logits"]), reading.activation_map.mean(), atol=1e-4)
