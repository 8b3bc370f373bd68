"""Training a network through the pooling of exams."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from rich.console import Console

from overread.cases import Source
from overread.decision import Task
from overread.decision.pooling import Attention, shares_of
from overread.decision.tasks.findings import SeveralFindings
from overread.images import DataSet, Preprocessing
from overread.networks.augmentation import Augmentation
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.study.data import read_manifest
from overread.training.exams.bags import Bags, tune_on_bags
from overread.training.exams.pooled_model import pooled_model
from overread.training.exams.train_exams import train_exams
from overread.training.train_network import TrainedNetwork
from support.exams import write_table
from support.own_networks import maps

SIDE, FRAMES = 32, 4
RECIPE = Recipe(
    network=maps,
    size=SIDE,
    epochs=6,
    batch_size=8,
    precision="float32",
    learning_rate=0.02,
    dropout=0,
    augmentation=Augmentation.off(),
)


class Stopped(Exception):
    """Ends a training as a lost machine would."""


class StopOnce(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch == 1:
            raise Stopped


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    root = tmp_path_factory.mktemp("exams")
    manifest = read_manifest(Source(data=str(write_table(root, ill=10, well=10, size=SIDE, count=FRAMES))))
    sides = ["train"] * 7 + ["val"] * 2 + ["test"]
    cases = [dataclasses.replace(case, split=sides[i % 10]) for i, case in enumerate(manifest.cases)]
    preprocessing = Preprocessing(height=SIDE, width=SIDE, channels=1)
    return DataSet.open(manifest.replace(cases), preprocessing, folder=root / "store")


SPEC = NetworkSpec(name="maps", height=SIDE, width=SIDE, channels=1, outputs=1, dropout=0, builder=maps)


def tuned(data_set: DataSet, folder: Path, recipe: Recipe = RECIPE, *callbacks: Any) -> TrainedNetwork:
    manifest = data_set.manifest
    scores = {position: np.zeros(FRAMES) for side in ("train", "val") for position in manifest.select(side)}
    console = Console(quiet=True)
    begun = build_network(SPEC)
    return tune_on_bags(data_set, SPEC, begun, None, scores, recipe, folder, console=console, callbacks=callbacks)


def test_the_loss_falls_and_the_body_changes_the_same_way_again(data_set: DataSet, tmp_path: Path) -> None:
    one, other = (tuned(data_set, tmp_path / name) for name in ("one", "other"))
    losses = [row["loss"] for row in one.history.rows]
    assert losses[-1] < losses[0]
    values = one.build().get_weights()
    assert not np.array_equal(values[0], build_network(SPEC).get_weights()[0])
    assert all(np.array_equal(*pair) for pair in zip(values, other.build().get_weights(), strict=True))


def test_one_step_changes_the_body(data_set: DataSet, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, batch_size=64)  # all exams in one step
    changed = tuned(data_set, tmp_path, recipe).build().get_weights()
    assert not np.array_equal(changed[0], build_network(SPEC).get_weights()[0])


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(data_set: DataSet, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        tuned(data_set, tmp_path / "stopped", RECIPE, StopOnce())
    resumed, whole = tuned(data_set, tmp_path / "stopped"), tuned(data_set, tmp_path / "whole")
    assert len(resumed.history.rows) == RECIPE.epochs
    weights = zip(resumed.build().get_weights(), whole.build().get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in weights)
    assert not (tmp_path / "whole" / "frames.npy").exists()


@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_a_bag_has_the_logits_that_a_reader_gives_its_exam(pooling: str) -> None:
    rng = np.random.default_rng(0)
    network, frames = build_network(SPEC), rng.integers(0, 255, (2, 5, SIDE, SIDE, 1), np.uint8)
    features = network.output["features"].shape[-1]
    shapes = {"tanh": (features, 3), "gate": (features, 3), "tanh_bias": (3,), "gate_bias": (3,), "weights": (3,)}
    attention = Attention(**{name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()})
    model = pooled_model(network, attention, attends=pooling == "attention", seed=0)
    said = keras.ops.convert_to_numpy(model(frames)["logits"])
    for exam, own in zip(frames, said, strict=True):
        given = {name: keras.ops.convert_to_numpy(value) for name, value in network(exam).items()}
        scores = attention.scores(given["features"]) if pooling == "attention" else np.zeros(len(exam))
        assert shares_of(scores) @ given["logits"] == pytest.approx(own, abs=1e-4)


def test_frames_that_are_drawn_are_new_in_each_epoch_and_half_are_those_that_matter() -> None:
    pixels = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1)
    rows = [np.arange(40 * i // 2, 40 * (i + 1) // 2) for i in range(2)]
    bags = Bags(
        pixels=pixels, y_true=np.array([0, 1]), train=[0, 1], validation=[0, 1], task=Task.of(("a", "b")), rows=rows,
        is_guided=True,
    )  # fmt: skip
    train, validation = bags.batches(dataclasses.replace(RECIPE, batch_size=32))
    assert train[0][0].shape == (2, 8, 1, 1, 1) and validation[0][0].shape == (1, 20, 1, 1, 1)
    first = sorted_frames(train)
    train.set_epoch(1)
    second = sorted_frames(train)
    assert first != second
    for frames in (*first, *second):
        start = 0 if min(frames) < 20 else 20
        assert set(frames) >= set(range(start, start + 4)) and len(set(frames)) == 8


def sorted_frames(batches: Sequence[Any]) -> list[list[int]]:
    return sorted(sorted(exam.ravel().tolist()) for exam in batches[0][0])


@pytest.mark.parametrize("kind", ["several classes", "findings"])
def test_bags_have_the_targets_of_all_kinds_of_tasks(kind: str) -> None:
    if kind == "several classes":
        task, y_true = Task.of(("a", "b", "c")), np.arange(6) % 3
    else:
        task, y_true = SeveralFindings(("one", "two")), np.stack([np.arange(6) % 2, np.arange(6) % 3 - 1], axis=1)
    rows = [np.array([i]) for i in range(6)]
    bags = Bags(
        pixels=np.zeros((6, 1, 1, 1), np.uint8), y_true=y_true, train=[0, 1, 2, 3], validation=[4, 5], task=task,
        rows=rows, is_guided=False,
    )  # fmt: skip
    train, _ = bags.batches(RECIPE)
    assert train[0][1].shape == (4, task.outputs)


def test_epochs_train_a_network_with_weights_through_the_pooling(data_set: DataSet, tmp_path: Path) -> None:
    start = tmp_path / "start.weights.h5"
    build_network(SPEC).save_weights(start)
    said = Console(record=True, width=200, file=io.StringIO())
    (tmp_path / "run").mkdir()
    trained = train_exams(data_set, dataclasses.replace(RECIPE, start=start), tmp_path / "run", console=said)
    text = said.export_text()
    assert "is trained through the pooling of exams" in text and "4 frames of each of 2 exams a step" in text
    assert len(trained.history.rows) == RECIPE.epochs and trained.build().count_params()
