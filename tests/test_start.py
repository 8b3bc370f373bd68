"""Weights to start from: of a bundle, a run folder or a file, where place and shape are the same."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from rich.console import Console

from overread.bundle import WEIGHTS
from overread.errors import InvalidBundle, InvalidData, InvalidOption, MissingPath
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.study.train import Study, train
from overread.training.start import load_start

pytestmark = pytest.mark.usefixtures("blank_figures")
SPEC = NetworkSpec(name="compact", height=32, width=32, channels=1, outputs=1)


def weights_of(network: keras.Model, part: str) -> list[np.ndarray]:
    return [np.asarray(weight.value) for weight in network.weights if part in weight.path]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("start") / WEIGHTS
    build_network(SPEC, seed=7).save_weights(path)
    return path


def test_the_same_network_takes_every_weight(file: Path) -> None:
    network = build_network(SPEC, seed=1)
    taken = load_start(network, file)
    assert taken.left == ()
    expected = build_network(SPEC, seed=7).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), expected, strict=True))
    assert str(taken) == f"{len(expected)} of {len(expected)} weights start as in {file}"


def test_what_has_another_shape_stays_new_and_is_named(file: Path) -> None:
    network = build_network(dataclasses.replace(SPEC, outputs=3), seed=1)
    taken = load_start(network, file)
    assert taken.left == ("layers/activation_map_head/vars/0", "layers/activation_map_head/vars/1")
    assert str(taken).endswith("; as new: layers/activation_map_head/vars/0, layers/activation_map_head/vars/1")
    fresh, source = build_network(dataclasses.replace(SPEC, outputs=3), seed=1), build_network(SPEC, seed=7)
    for part, expected in (("head", fresh), ("conv", source)):
        pairs = zip(weights_of(network, part), weights_of(expected, part), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs)


def test_a_run_starts_from_another_and_records_what_it_took(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    recipe = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32", start=str(tiny_study.out))
    recipe, told = dataclasses.replace(recipe, head_start=True), io.StringIO()
    study = train(
        two_classes, tmp_path / "run", recipe, store=tmp_path / "store", console=Console(file=told, width=200)
    )
    assert "training starts from a linear head on frozen features" in told.getvalue()
    record = json.loads((tmp_path / "run" / "start.json").read_text())
    assert record["left"] == [] and str(tiny_study.out) not in str(record)
    assert study.bundle.recipe["start"] == "the weights of an earlier training"
    with pytest.raises(InvalidOption, match="differs in start"):
        train(
            two_classes,
            tmp_path / "run",
            dataclasses.replace(recipe, start=str(tiny_study.out / "bundle")),
            existing="resume",
            store=tmp_path / "store",
        )


def test_directory_and_zip_of_a_bundle_serve_too(tiny_study: Study) -> None:
    for name in ("bundle", "bundle.zip"):
        assert load_start(build_network(SPEC), tiny_study.out / name).left == ()


def test_what_cannot_be_a_start_is_told_in_one_sentence(tmp_path: Path) -> None:
    network = build_network(SPEC)
    with pytest.raises(MissingPath, match="to start from"):
        load_start(network, tmp_path / "absent")
    with pytest.raises(InvalidBundle, match=r"has no bundle\.json"):
        load_start(network, tmp_path)
    (tmp_path / "text.weights.h5").write_text("no weights")
    with pytest.raises(InvalidData, match=r"text\.weights\.h5 is no HDF5 file"):
        load_start(network, tmp_path / "text.weights.h5")


def test_a_file_whose_links_lead_elsewhere_gives_nothing(file: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "links.weights.h5", "w") as links:
        links["layers"] = h5py.ExternalLink(str(file), "layers")
    with pytest.raises(InvalidOption, match=r"no weight of .* has the place and the shape"):
        load_start(build_network(SPEC), tmp_path / "links.weights.h5")
