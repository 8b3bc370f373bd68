"""Training: what is recorded, how it stops, and that an interrupted run ends as an uninterrupted one."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from rich.console import Console
from tensorflow.errors import ResourceExhaustedError

from overread.decision import Task
from overread.errors import Interrupted, InvalidData, InvalidOption
from overread.images import PixelFile
from overread.networks.augmentation import Augmentation
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.study.train import train
from overread.training.batches import Batches
from overread.training.fit import TrainingData, fit
from overread.training.history import History
from overread.training.memory import asking_for_less
from overread.training.objective import compile_for_training, layer_factors
from overread.training.optimizer import LayerwiseAdamW
from overread.training.precision import choose_precision
from overread.training.states import resume
from overread.training.states.whole import drop_damaged

RECIPE = Recipe(
    network="compact",
    epochs=12,
    size=32,
    batch_size=8,
    patience=2,
    seed=5,
    monitor="val_accuracy",
    learning_rate=3e-3,
    layer_decay=0.9,
    label_smoothing=0.05,
    mixup=0.1,
    augmentation=Augmentation(
        brightness=0.1,
        contrast=0.2,
        gamma=0.1,
        blur=0.3,
        sharpness=0.3,
        noise=0.02,
        erasing=0.2,
        horizontal_flip=True,
    ),
)


def data_of(classes: int = 2, count: int = 48) -> TrainingData:
    """Noise that is brighter for each further class, three quarters of it for training."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    pixels = (rng.integers(0, 120, (count, 32, 32, 1)) + 40 * labels[:, None, None, None]).astype(np.uint8)
    return TrainingData(
        pixels=pixels,
        y_true=labels,
        train=range(count * 3 // 4),
        validation=range(count * 3 // 4, count),
        task=task_of(classes),
    )


def task_of(classes: int) -> Task:
    return Task.of([f"class {number}" for number in range(classes)])


def run(
    folder: Path, recipe: Recipe = RECIPE, *, classes: int = 2, callbacks: Any = (), data: TrainingData | None = None
) -> tuple[keras.Model, History]:
    data = data or data_of(classes)
    task = task_of(classes)
    spec = NetworkSpec(name="compact", height=32, width=32, channels=1, outputs=task.outputs, dropout=recipe.dropout)
    network = build_network(spec, augmentation=recipe.augmentation, seed=recipe.seed)
    model = compile_for_training(network, recipe, task, len(data.batches(recipe)[0]))
    return model, fit(model, data, recipe, folder, callbacks=callbacks)


class StopAt(keras.callbacks.Callback):
    """Does something in an epoch, after so many batches that are shown now (both counted from 0)."""

    def __init__(self, epoch: int, action: Any, batch: int = 2) -> None:
        super().__init__()
        self.epoch, self.action, self.batch = epoch, action, batch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.current = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.current, batch) == (self.epoch, self.batch):
            self.action()


class Count(keras.callbacks.Callback):
    """Counts the steps of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: Counter[int] = Counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.current = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps[self.current] += 1


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def crash() -> None:
    raise SystemError("the machine went down")


def figures_of(history: History) -> list[dict[str, float]]:
    timed = ("seconds", "images_per_second")
    return [{name: value for name, value in row.items() if name not in timed} for row in history.rows]


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that nothing interrupted; early stopping ended it."""

    folder: Path
    model: keras.Model
    history: History


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    return Run(folder, *run(folder))


def test_early_stopping_ends_a_run_before_its_last_epoch(whole: Run) -> None:
    assert whole.history.best_epoch + RECIPE.patience == len(whole.history.rows) < RECIPE.epochs


def test_a_run_stopped_twice_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path, whole: Run) -> None:
    """The second stop falls into the last epoch, so that early stopping must remember its patience."""
    with pytest.raises(SystemError):
        run(tmp_path, callbacks=[StopAt(1, crash)])
    handler = signal.getsignal(signal.SIGTERM)
    last = len(whole.history.rows) - 1
    with pytest.raises(Interrupted, match=rf"after {last} whole epochs.*--resume"):
        run(tmp_path, callbacks=[StopAt(last, terminate)])
    assert signal.getsignal(signal.SIGTERM) == handler
    resumed, history = run(tmp_path)
    assert figures_of(history) == figures_of(whole.history)
    assert history.best_epoch == whole.history.best_epoch
    assert all(np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.get_weights(), strict=True))


def test_a_run_stopped_within_epochs_loses_none_of_the_batches_that_were_saved(
    tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second stop falls into the rest of the epoch that the first one interrupted."""
    monkeypatch.setattr(resume, "STATE_EVERY_S", 0)
    shown = Count()
    for epoch, batch, steps in ((1, 2, 2), (1, 1, 3)):
        with pytest.raises(Interrupted, match=f"after {epoch} whole epochs and {steps} steps of the next"):
            run(tmp_path, callbacks=[shown, StopAt(epoch, terminate, batch)])
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "epoch-00001.npz",
        "epoch-00002-0000003.npz",
    }
    resumed, history = run(tmp_path, callbacks=[shown])
    assert figures_of(history) == figures_of(whole.history)
    assert all(np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.get_weights(), strict=True))
    states = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert states == {f"epoch-{epoch:05d}.npz" for epoch in (history.best_epoch, len(history.rows))}
    assert shown.steps == Counter([1, 1] + 5 * list(range(len(whole.history.rows))))  # one is lost at each stop


@pytest.mark.slow
def test_a_run_stopped_under_jax_ends_as_an_uninterrupted_one() -> None:
    pytest.importorskip("jax")
    command = [sys.executable, "-m", "pytest", "-q", __file__, "-k", "stopped_twice or stopped_within"]
    done = subprocess.run(
        command, env=os.environ | {"KERAS_BACKEND": "jax"}, capture_output=True, text=True, check=False
    )
    assert "2 passed" in done.stdout, done.stdout


def test_a_finished_run_is_not_trained_again(whole: Run) -> None:
    again, history = run(whole.folder, callbacks=[StopAt(0, crash)])
    assert history == whole.history
    assert all(np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), again.get_weights(), strict=True))


def test_a_state_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints"
    in_the_way = StopAt(1, (checkpoints / "epoch-00002.npz").mkdir)
    with pytest.raises(OSError, match="epoch-00002"):
        run(tmp_path, callbacks=[in_the_way])
    assert [path.name for path in checkpoints.iterdir() if path.is_file()] == ["epoch-00001.npz"]


def test_a_run_whose_best_weights_were_a_file_of_their_own_goes_on(tmp_path: Path, whole: Run) -> None:
    with pytest.raises(SystemError):
        run(tmp_path, callbacks=[StopAt(len(whole.history.rows) - 1, crash)])
    best, last = sorted((tmp_path / "checkpoints").iterdir())
    with np.load(best) as state:
        weights = [state[f"weight_{number}"] for number in range(len(whole.model.weights))]
    former, _ = run(tmp_path / "other", dataclasses.replace(RECIPE, epochs=1))
    former.set_weights(weights)
    former.save_weights(best.with_name(f"best-{whole.history.best_epoch:04d}.weights.h5"))
    last.rename(last.with_name("state.npz"))
    best.unlink()
    resumed, history = run(tmp_path)
    assert figures_of(history) == figures_of(whole.history)
    assert all(np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.get_weights(), strict=True))
    assert not list((tmp_path / "checkpoints").glob("state*"))


def test_the_log_the_tensorboard_files_and_the_states_of_the_last_and_the_best_epoch_are_kept(whole: Run) -> None:
    history, tmp_path = whole.history, whole.folder
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["val_loss"]) for row in rows] == [row["val_loss"] for row in history.rows]
    assert {"epoch", "loss", "accuracy", "auc", "val_auc", "learning_rate", "images_per_second"} <= set(rows[0])
    assert list((tmp_path / "tensorboard").glob("events.*"))
    states = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert states == {f"epoch-{epoch:05d}.npz" for epoch in (history.best_epoch, len(history.rows))}
    assert history.best_epoch == 1 + int(np.argmax([row["val_accuracy"] for row in history.rows]))


def test_three_classes_train_with_softmax(tmp_path: Path) -> None:
    plain = dataclasses.replace(RECIPE, epochs=3, mixup=0, layer_decay=1, augmentation=Augmentation.off())
    _, history = run(tmp_path, plain, classes=3)
    assert history.rows[-1]["loss"] < history.rows[0]["loss"]
    assert 0 <= history.rows[-1]["val_auc"] <= 1


def test_a_diverging_run_is_stopped_with_advice(tmp_path: Path) -> None:
    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.set_weights([np.full_like(weight, np.nan) for weight in self.model.get_weights()])

    with pytest.raises(InvalidOption, match=r"diverged in epoch 1 .* --learning-rate"):
        run(tmp_path, callbacks=[Break()])


class OutOfMemory(keras.callbacks.Callback):
    """Memory runs out as training begins."""

    def on_train_begin(self, logs: Any = None) -> None:
        raise MemoryError


def test_where_memory_runs_out_the_options_that_need_less_are_told(two_classes: Path, tmp_path: Path) -> None:
    recipe = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")
    with pytest.raises(InvalidOption, match=r"8 images of 32 x 32 px: .*--resume.* smaller --batch-size or --size"):
        train(two_classes, tmp_path / "run", recipe, store=tmp_path / "s", callbacks=[OutOfMemory()])


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (ResourceExhaustedError(None, None, "OOM when allocating"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), True),  # as JAX says it
        (RuntimeError("another"), False),
    ],
)
def test_every_backend_s_lack_of_memory_is_known(error: Exception, is_told: bool) -> None:
    with pytest.raises(InvalidOption if is_told else RuntimeError), asking_for_less(RECIPE):
        raise error


def test_pixels_that_change_during_a_training_end_it_as_they_are_told(tmp_path: Path) -> None:
    data = data_of()
    pixels = PixelFile.reserve(tmp_path / "pixels.npy", data.pixels.shape)
    pixels.write(0, data.pixels)
    with pixels.path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(bytes([data.pixels.ravel()[-1] ^ 1]))
    with pytest.raises(InvalidData, match=r"pixels of image 48 .* changed on the disk .* --resume"):
        run(tmp_path / "run", data=dataclasses.replace(data, pixels=pixels))


def test_the_order_of_images_depends_on_seed_and_epoch_alone() -> None:
    data = data_of()
    first, again = data.batches(RECIPE)[0], data.batches(RECIPE)[0]
    first.set_epoch(3)
    _ = first[0]
    again.set_epoch(3)
    assert all(np.array_equal(first[i][0], again[i][0]) for i in range(len(first)))
    again.set_epoch(4)
    assert not np.array_equal(first[0][0], again[0][0])


def test_an_epoch_shows_every_image_once_with_its_label() -> None:
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None]
    batches = Batches(pixels, task_of(3).targets(np.arange(10) % 3), range(10), batch_size=4, shuffle_seed=1)
    shown = [batches[i] for i in range(len(batches))]
    seen = np.concatenate([images.ravel() for images, _ in shown])
    assert sorted(seen) == list(range(10))
    assert np.array_equal(np.concatenate([targets for _, targets in shown]).argmax(axis=1), seen % 3)


def test_training_images_are_weighted_so_that_classes_count_alike_and_average_one() -> None:
    data = TrainingData(
        pixels=np.zeros((5, 1, 1, 1), np.uint8),
        y_true=np.array([0, 0, 0, 1, 1]),
        train=range(4),
        validation=[4],
        task=task_of(2),
    )
    train, validation = data.batches(Recipe(batch_size=8))
    _, targets, weights = train[0]
    assert weights[targets[:, 0] == 0].tolist() == pytest.approx([2 / 3] * 3)
    assert weights[targets[:, 0] == 1].tolist() == [2]
    assert len(validation[0]) == len(data.batches(Recipe(class_weights=False))[0][0]) == 2


@pytest.mark.parametrize(("classes", "smoothed"), [(2, {0.1, 0.9}), (4, {0.05, 0.85})])
def test_smoothed_targets_are_for_training_alone(classes: int, smoothed: set[float]) -> None:
    train, validation = data_of(classes).batches(Recipe(label_smoothing=0.2))
    assert {round(float(target), 6) for target in train[0][1].ravel()} == smoothed
    assert set(validation[0][1].ravel()) == {0, 1}


def test_the_loss_of_a_mixed_image_is_that_of_both_in_their_shares() -> None:
    targets = np.array([[0], [1], [1]], dtype=np.float32)
    weights = np.array([2, 0.5, 0.5], dtype=np.float32)
    pixels = np.array([0, 100, 200], dtype=np.uint8)[:, None, None, None]
    batches = Batches(pixels, targets, range(3), batch_size=3, shuffle_seed=0, weights=weights, mixup=1.0)
    shares = set()
    for epoch in range(8):
        batches.set_epoch(epoch)
        images, mixed, summed = batches[0]
        assert images.dtype == np.uint8
        share_of_first = (summed - 0.5) / 1.5  # weight 2 and target 0 are the first image's alone
        assert np.allclose(summed * mixed[:, 0], 0.5 * (1 - share_of_first), atol=1e-5)
        assert all(0 <= value <= 200 for value in images.ravel())
        shares |= set(np.round(share_of_first, 3))
    assert len(shares) > 8


def test_rates_fall_from_the_end_of_a_network_to_its_first_layer() -> None:
    spec = NetworkSpec(name="efficientnet-lite0", height=32, width=32, channels=1, outputs=1, frozen_stages=2)
    model = compile_for_training(build_network(spec), RECIPE, task_of(2), 5)
    factors = layer_factors(model, 0.8)
    assert len(factors) == len(model.trainable_variables)
    assert factors == sorted(factors)
    assert (factors[0], factors[-1]) == pytest.approx((0.8**8, 1))


def test_the_factor_of_a_variable_is_that_of_its_steps() -> None:
    variables = [keras.Variable(np.ones(3, dtype="float32")) for _ in range(3)]
    optimizer = LayerwiseAdamW(0.1, factors=(0.25, 0.5, 1), weight_decay=0)
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(3)] * 3)
    assert [float(1 - keras.ops.mean(variable)) for variable in variables] == pytest.approx(
        [0.025, 0.05, 0.1], rel=1e-3
    )


def test_precision_is_measured_or_taken_as_asked() -> None:
    data, built = data_of(), []

    def build(policy: str) -> keras.Model:
        built.append(policy)
        network = build_network(NetworkSpec(name="compact", height=32, width=32, channels=1, outputs=1), policy=policy)
        return compile_for_training(network, RECIPE, task_of(2), 5)

    batch = data.batches(RECIPE)[0][0]
    assert choose_precision(build, batch, asked="float32").policy == "float32"
    assert built == []
    choice = choose_precision(build, batch)
    assert built == ["float32", "mixed_bfloat16"]
    gain = choice.images_per_second["mixed_bfloat16"] / choice.images_per_second["float32"]
    assert choice.policy == ("mixed_bfloat16" if gain >= 1.1 else "float32")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("monitor", "loss"),
        ("epochs", -1),
        ("size", 8),
        ("precision", "float8"),
        ("learning_rate", float("nan")),
        ("fit", "crop"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(option: str, value: Any) -> None:
    with pytest.raises(InvalidOption, match=f"{option}="):
        Recipe(**{option: value})


def test_a_recipe_survives_its_record() -> None:
    recipe = Recipe(network="EfficientNet-Lite0", augmentation=Augmentation(zoom=0.3))
    again = Recipe.from_dict(recipe.to_dict())
    assert again == dataclasses.replace(recipe, size=160, learning_rate=4e-4, layer_decay=0.8)
    assert again.to_dict() == recipe.to_dict()
    assert recipe.network == "efficientnet-lite0"


def test_what_an_earlier_record_does_not_name_was_not_done() -> None:
    record = Recipe(network="compact", layer_decay=0.5, mixup=0.4, augmentation=Augmentation(gamma=0.3)).to_dict()
    for name in ("layer_decay", "mixup", "label_smoothing"):
        del record[name]
    del record["augmentation"]["gamma"]
    again = Recipe.from_dict(record)
    assert (again.layer_decay, again.mixup, again.label_smoothing, again.augmentation.gamma) == (1, 0, 0, 0)


def test_another_network_brings_its_own_defaults() -> None:
    replaced = dataclasses.replace(Recipe(), network="efficientnet-lite0")
    assert (replaced.image_size, replaced.epochs_of(400), replaced.peak_learning_rate) == (160, 8, 4e-4)
    kept = dataclasses.replace(Recipe(size=96), network="densenet121")
    assert (kept.image_size, kept.epochs_of(400), kept.peak_learning_rate) == (96, 8, 1e-4)


@pytest.mark.parametrize(
    ("images", "epochs", "patience"), [(6000, 20, 10), (1600, 20, 10), (800, 40, 14), (430, 72, 24), (60, 100, 34)]
)
def test_few_images_are_seen_more_often_so_that_training_has_enough_steps(
    images: int, epochs: int, patience: int
) -> None:
    recipe = Recipe(network="compact")
    completed = recipe.for_images(images)
    assert (completed.epochs, completed.patience) == (epochs, patience)
    assert recipe.epochs_of(len(range(0, images, 32))) == epochs
    given = Recipe(network="compact", epochs=3, patience=2).for_images(images)
    assert (given.epochs, given.patience) == (3, 2)


@pytest.mark.parametrize(
    ("losses", "at_most", "is_cut_short"),
    [
        ([0.5, 0.4, 0.3], 3, True),
        ([0.5, 0.4, 0.3], 9, False),
        ([0.5, 0.3, 0.31], 3, False),
        ([0.5, 0.3, 0.299], 3, False),
        ([0.5], 1, False),
        ([0.5, 0.4, 0.3], None, False),
    ],
)
def test_a_training_whose_loss_still_fell_when_its_epochs_ended_says_so_and_what_to_do(
    losses: list[float], at_most: int | None, is_cut_short: bool
) -> None:
    rows = tuple({"val_loss": loss} for loss in losses)
    said = History(rows=rows, best_epoch=1, at_most=at_most).cut_short
    assert (said is not None) == is_cut_short
    if said is not None:
        assert "from 0.4000 to 0.3000, as its 3 epochs ended" in said
        assert said.endswith("--epochs 6")


def damaged_ways() -> dict[str, Any]:
    return {
        "empty": lambda path: path.write_bytes(b""),
        "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "flipped": lambda path: path.write_bytes(path.read_bytes().replace(b"\x3f", b"\x3e", 1)),
        "deep": lambda path: path.write_bytes(b"[" * 10_000),
        "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
        "folder": lambda path: (path.unlink(), path.mkdir()),
    }


@pytest.fixture(scope="module")
def interrupted(whole: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(SystemError):
        run(folder, callbacks=[StopAt(len(whole.history.rows) - 1, crash)])
    return folder


@pytest.mark.parametrize("way", damaged_ways())
def test_a_last_state_that_is_damaged_is_dropped_and_this_is_said(tmp_path: Path, interrupted: Path, way: str) -> None:
    checkpoints = Path(shutil.copytree(interrupted / "checkpoints", tmp_path / "checkpoints"))
    *before, last = sorted(checkpoints.iterdir())
    damaged_ways()[way](last)
    said = Console(record=True, file=io.StringIO())
    drop_damaged(checkpoints, said)
    assert f"{last.name} is damaged: training goes on from the state before it" in said.export_text()
    assert sorted(checkpoints.iterdir()) == before


def test_without_its_last_state_a_training_ends_as_with_it(tmp_path: Path, whole: Run, interrupted: Path) -> None:
    folder = Path(shutil.copytree(interrupted, tmp_path / "run"))
    *_, last = sorted((folder / "checkpoints").iterdir())
    last.unlink()
    resumed, history = run(folder)
    assert figures_of(history) == figures_of(whole.history)
    assert all(np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.get_weights(), strict=True))


def test_where_no_state_is_whole_nothing_is_begun_anew_unasked(tmp_path: Path, whole: Run) -> None:
    checkpoints = Path(shutil.copytree(whole.folder / "checkpoints", tmp_path / "checkpoints"))
    states = sorted(checkpoints.iterdir())
    assert len(states) == 2
    for path in states:
        path.write_bytes(b"no state")
    with pytest.raises(InvalidData, match=r"no state .* is whole: .* --force"):
        drop_damaged(checkpoints, Console(file=io.StringIO()))
    assert sorted(checkpoints.iterdir()) == states


def test_the_state_of_another_network_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    memory = resume.Memory(wait=0, best=0.5, best_epoch=0, rows=[{"val_loss": 0.5}], finished=True)
    np.savez(folder / "epoch-00001.npz", weight_0=np.zeros(3), memory=memory.to_array())
    with pytest.raises(InvalidData, match=r"another network.* --force"):
        run(tmp_path)
