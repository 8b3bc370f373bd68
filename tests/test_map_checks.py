"""Two checks of activation maps: they change when the weights are random, and where the evidence lies is counted."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from overread.decision import Task
from overread.networks.build import NetworkSpec, build_network
from overread.study.train import Study
from overread.training.history import History
from overread.training.map_checks import compare_randomised, likeness, place_evidence
from overread.training.train_network import TrainedNetwork


def trained(network: keras.Model, spec: NetworkSpec, folder: Path) -> TrainedNetwork:
    network.save_weights(weights := folder / "network.weights.h5")
    return TrainedNetwork(spec=spec, weights=weights, precision="float32", history=History(rows=(), best_epoch=1))


TASK = Task.of(("well", "ill"))


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 160, 160, 1), dtype=np.uint8)


def test_random_weights_give_other_maps_and_the_network_itself_stays_as_it_is(
    noise: np.ndarray, tmp_path: Path
) -> None:
    spec = NetworkSpec(name="compact", height=160, width=160, channels=1, outputs=1)
    network = build_network(spec, seed=7)
    before = network.predict(noise, verbose=0)["activation_map"]
    found = compare_randomised(trained(network, spec, tmp_path), TASK, noise, before[..., 0], ["ill"] * 6)
    assert (found["images"], found["cells"], found["draws"]) == (6, [5, 5], 3)
    assert [stage["name"] for stage in found["stages"]] == ["head", "head and upper half", "all"]
    assert all(0 <= stage["rank_correlation"] < 0.6 and stage["ssim"] < 0.6 for stage in found["stages"])
    assert np.array_equal(network.predict(noise, verbose=0)["activation_map"], before)


def test_maps_that_do_not_depend_on_weights_are_found_to_be_alike(noise: np.ndarray, tmp_path: Path) -> None:
    spec = NetworkSpec(name="compact", height=160, width=160, channels=1, outputs=1)
    network = build_network(spec, seed=7)
    found = compare_randomised(
        trained(network, spec, tmp_path), TASK, noise, _first_random_maps(spec, noise), ["ill"] * 6
    )
    # A third of the draws is the very network that made the maps.
    assert found["stages"][-1]["rank_correlation"] > 0.4


def _first_random_maps(spec: NetworkSpec, pixels: np.ndarray) -> np.ndarray:
    maps: np.ndarray = build_network(spec, seed=1).predict(pixels, verbose=0)["activation_map"][..., 0]
    return maps


def test_maps_of_too_few_cells_are_not_compared(tmp_path: Path) -> None:
    spec = NetworkSpec(name="compact", height=64, width=64, channels=1, outputs=1)
    found = compare_randomised(
        trained(build_network(spec), spec, tmp_path),
        TASK,
        np.zeros((2, 64, 64, 1), np.uint8),
        np.zeros((2, 2, 2)),
        ["ill"] * 2,
    )
    assert found["cells"] == [2, 2] and found["stages"] == []


def test_a_map_is_like_itself_and_its_reverse_by_rank_and_a_constant_one_is_like_none() -> None:
    one = np.random.default_rng(0).normal(size=(7, 9))
    assert likeness(one, 3 * one + 2) == pytest.approx((1, 1))
    correlation, ssim = likeness(one, -one)
    assert correlation == pytest.approx(1) and ssim < 0
    assert likeness(one, np.full((7, 9), 2.0)) == likeness(np.zeros((7, 9)), one) == (0, 0)
    correlations = [likeness(one, np.random.default_rng(seed).normal(size=(7, 9)))[0] for seed in range(1, 50)]
    assert np.mean(correlations) < 0.15


def test_even_evidence_lies_on_the_border_as_much_as_its_area_says() -> None:
    pixels = np.full((3, 70, 70, 1), 200, np.uint8)
    even, corner = np.ones((2, 7, 7)), np.full((1, 7, 7), -5.0)
    corner[0, 0, 0] = 3
    first, second, third = place_evidence(pixels, np.concatenate([even, corner]), ["a", "a", "b"], ["a", "b", "c"])
    assert first["border"] == [0.36, 0.36] and first["rim"] == [0, 0] and first["images"] == 2
    assert second["border"] == [0.91, 0.36] and np.sum(second["mean_map"]) == 3
    assert (third["images"], third["border"]) == (0, [None, 0])


def test_an_image_counts_for_each_class_that_it_is_decided_to_be_of_and_none_may_be() -> None:
    pixels, maps = np.full((2, 70, 70, 1), 200, np.uint8), np.ones((2, 7, 7))
    both = place_evidence(pixels, maps, ["a", "b"], ["a", "b"])
    assert [found["images"] for found in both] == [1, 1]
    (none,) = place_evidence(pixels[:0], maps[:0], [], ["a"])
    assert (none["images"], none["border"], np.sum(none["mean_map"])) == (0, [None, 0], 0)


def test_black_rows_and_columns_at_the_edge_are_the_rim() -> None:
    pixels = np.full((1, 100, 100, 3), 90, np.uint8)
    pixels[:, :20] = pixels[:, :, 90:] = 0
    maps = np.zeros((1, 10, 10))
    maps[0, 0, 0] = maps[0, 5, 5] = 1
    (found,) = place_evidence(pixels, maps, ["a"], ["a"])
    assert found["rim"] == [0.5, 0.28]
    (black,) = place_evidence(0 * pixels, maps, ["a"], ["a"])
    assert black["rim"] == [0, 0]


def test_a_training_run_keeps_the_checks_of_validation_images_in_its_bundle(tiny_study: Study) -> None:
    found = tiny_study.bundle.data["activation_maps"]
    validation = tiny_study.split.manifest.select("val")
    assert sum(each["images"] for each in found["placed"]) == len(validation)
    assert [each["class"] for each in found["placed"]] == ["Normal", "Disease"]
    assert found["randomised"]["cells"] == [1, 1] and found["border"] == 0.1
    assert (tiny_study.out / "figures" / "mean_maps.png").exists()
    assert "Activation maps" in tiny_study.report.read_text()
