"""The network of a recipe that names none."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from overread.networks import registry
from overread.networks.registry import Network, default_network, find_network
from overread.recipe import Recipe
from overread.study import train

pytestmark = pytest.mark.usefixtures("blank_figures")


def weights(monkeypatch: pytest.MonkeyPatch, are_there: bool) -> None:
    monkeypatch.setattr(
        Network, "has_weights_here", property(lambda network: are_there and network.weights is not None)
    )


@pytest.mark.parametrize("are_there, name, size", [(True, "efficientnet-lite0", 160), (False, "compact", 224)])
def test_it_is_efficientnet_lite0_where_its_weights_are_installed_and_compact_elsewhere(
    are_there: bool, name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights(monkeypatch, are_there)
    recipe = Recipe()
    assert recipe.network is None
    assert (recipe.chosen_network.name, recipe.image_size) == (name, size)
    assert recipe.with_network() == Recipe(network=name)
    assert (recipe.to_dict()["network"], recipe.to_dict()["size"]) == (name, size)


def test_without_weights_from_elsewhere_it_is_the_one_that_is_made_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    weights(monkeypatch, True)
    assert Recipe(pretrained=False).chosen_network.name == default_network(pretrained=False).name == "compact"
    assert Recipe(network="efficientnet-lite0", pretrained=False).chosen_network.name == "efficientnet-lite0"


def test_weights_are_there_only_where_a_package_holds_them() -> None:
    assert not find_network("compact").has_weights_here
    assert not Network(name="own", build="a:b", weights="no_such_package_of_weights").has_weights_here
    assert Network(name="own", build="a:b", weights="json").has_weights_here


def test_a_run_says_and_records_its_network_and_goes_on_with_it(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights(monkeypatch, False)
    told = io.StringIO()
    recipe = Recipe(size=32, epochs=1, batch_size=8, precision="float32")
    options = {"store": tmp_path / "store", "console": Console(file=told, width=200)}
    train(two_classes, tmp_path / "run", recipe, **options)
    lines = [line for line in told.getvalue().splitlines() if line.startswith("network:")]
    assert lines == [
        "network: compact at 32 px, from scratch, for the weights of a better one are not there (overread networks)"
    ]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["network"] == "compact"
    weights(monkeypatch, True)
    told.truncate(0)
    study = train(None, tmp_path / "run", existing="resume", **options)
    assert study.bundle.network["name"] == "compact"
    assert "network:" not in told.getvalue()


def test_names_and_defaults_are_known_without_keras() -> None:
    assert registry.default_network().name in registry.registered_networks()
