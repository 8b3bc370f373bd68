"""Training on findings, grades and several tasks at once: what is not known counts nowhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.decision.cuts import FloatArray, IntArray
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.training.batches import Batches
from overread.training.fit import TrainingData, fit
from overread.training.history import History
from overread.training.linear_head import fit_linear_head
from overread.training.objective import EachAnswer, LogitAUC, compile_for_training

FINDINGS = SeveralFindings(("effusion", "mass", "edema"))
GRADES = OrderedGrades(tuple("0123"))
BOTH = SeveralTasks.together({"severity": GRADES, "signs": FINDINGS})
KINDS = [FINDINGS, GRADES, BOTH]
RECIPE = Recipe(network="compact", epochs=2, size=32, batch_size=8, seed=5, mixup=0.1, label_smoothing=0.05)


def truth_of(task: Task, count: int = 60) -> IntArray:
    """A truth of which a part is not known, as far as the task allows."""
    random = np.random.default_rng(0)
    grades, findings = random.integers(0, 4, count), random.integers(-1, 2, (count, 3))
    if task is GRADES:
        return grades
    if task is FINDINGS:
        return findings
    return np.column_stack([np.where(random.random(count) < 0.3, -1, grades), findings])


def data_of(task: Task, count: int = 60) -> TrainingData:
    """Noise, three quarters of it for training."""
    pixels = np.random.default_rng(1).integers(0, 256, (count, 32, 32, 1)).astype(np.uint8)
    return TrainingData(
        pixels=pixels,
        y_true=truth_of(task, count),
        train=range(count * 3 // 4),
        validation=range(count * 3 // 4, count),
        task=task,
        groups=[f"patient {row // 2}" for row in range(count * 3 // 4)],
    )


def model_of(data: TrainingData, recipe: Recipe = RECIPE) -> keras.Model:
    spec = NetworkSpec(name="compact", height=32, width=32, channels=1, outputs=data.task.outputs)
    network = build_network(spec, augmentation=recipe.augmentation, seed=recipe.seed)
    return compile_for_training(network, recipe, data.task, len(data.batches(recipe)[0]))


def figures_of(history: History) -> list[dict[str, float]]:
    timed = ("seconds", "images_per_second")
    return [{name: value for name, value in row.items() if name not in timed} for row in history.rows]


def cross_entropies(logits: FloatArray, yes: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp(0, -logits) * yes + np.logaddexp(0, logits) * (1 - yes))


@pytest.mark.parametrize("task", KINDS)
@pytest.mark.parametrize("batch_size", [4, 15])
def test_validation_is_the_mean_over_what_is_known_whatever_the_batches(task: Task, batch_size: int) -> None:
    data, recipe = data_of(task), dataclasses.replace(RECIPE, batch_size=batch_size)
    model = model_of(data, recipe)
    figures = model.evaluate(data.batches(recipe)[1], verbose=0, return_dict=True)
    rows = list(data.validation)
    logits = model.predict(data.pixels[rows], verbose=0).astype(np.float64)
    asked = task.asked(data.y_true[rows])  # type: ignore[attr-defined]
    known = asked >= 0
    assert known.all(axis=1).any() and not known.all()
    assert figures["loss"] == pytest.approx(cross_entropies(logits, asked)[known].mean(), rel=1e-4)
    assert figures["accuracy"] == pytest.approx(((logits > 0) == asked)[known].mean())


@pytest.mark.parametrize("absent", [(), (1,), (0, 1, 2)])
def test_the_area_under_the_curve_is_the_mean_over_findings_that_are_there_and_absent(absent: tuple[int, ...]) -> None:
    truth, random = truth_of(FINDINGS), np.random.default_rng(2)
    for column in absent:
        truth[:, column] = np.minimum(truth[:, column], 0)
    logits, known = random.normal(0, 3, truth.shape), truth >= 0
    area = LogitAUC(FINDINGS)
    for rows in (slice(20), slice(20, 60)):
        area.update_state(FINDINGS.targets(truth[rows]), logits[rows], known[rows].astype(np.float32))
    areas = [roc_auc_score(truth[known[:, i], i], logits[known[:, i], i]) for i in range(3) if i not in absent]
    assert float(area.result()) == pytest.approx(np.mean(areas) if areas else 0, abs=0.01)


def test_whatever_stands_for_what_is_not_known_the_loss_is_the_same() -> None:
    data, random = data_of(FINDINGS), np.random.default_rng(3)
    _, targets, weights = data.batches(RECIPE)[0][0]
    other = np.where(weights > 0, targets, 1 - targets)
    logits = random.normal(0, 3, targets.shape).astype(np.float32)
    assert not np.array_equal(other, targets)
    assert float(EachAnswer()(targets, logits, weights)) == float(EachAnswer()(other, logits, weights))


def test_a_mixed_answer_is_known_only_where_both_are() -> None:
    targets = np.array([[0, 1], [1, 0], [1, 1]], dtype=np.float32)
    weights = np.array([[2, 0], [0.5, 1], [0.5, 0]], dtype=np.float32)
    pixels = np.array([0, 100, 200], dtype=np.uint8)[:, None, None, None]
    batches = Batches(pixels, targets, range(3), batch_size=3, shuffle_seed=0, weights=weights, mixup=1.0)
    known = set()
    for epoch in range(12):
        batches.set_epoch(epoch)
        _, mixed, summed = batches[0]
        assert ((mixed >= 0) & (mixed <= 1)).all() and (summed[:, 0] > 0).all()
        assert (mixed[summed == 0] == 0).all()
        known.add(tuple(summed[:, 1] > 0))
        # The second answer of the second image alone is known: mixed with itself it is what it was, else unknown.
        assert set(np.round(summed[:, 1], 5).tolist()) <= {0, 1}
    assert len(known) > 1


@pytest.mark.parametrize("task", [FINDINGS, Task.of(("no", "yes")), Task.of("abc")])
def test_what_fills_up_the_last_batch_of_validation_weighs_nothing(task: Task) -> None:
    y_true = truth_of(task, 10) if task is FINDINGS else np.arange(10) % len(task.classes)
    pixels, targets = np.arange(10, dtype=np.uint8)[:, None, None, None], task.targets(y_true)
    weights = task.loss_weights(y_true, alike=False)
    whole = Batches(pixels, targets, range(10), batch_size=4, weights=weights, is_whole=True)
    shown = [np.broadcast_to(whole[step][2], targets[:4].shape) for step in range(3)]
    found = np.concatenate(shown)
    expected = np.broadcast_to(1.0 if weights is None else weights, targets.shape)
    assert found[:10] == pytest.approx(expected * 12 / 10) and (found[10:] == 0).all()


class Halt(keras.callbacks.Callback):
    """Ends a run amid its second epoch."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if (self._epoch, batch) == (1, 2):
            raise SystemError


@pytest.mark.slow
def test_a_run_of_several_tasks_that_was_interrupted_ends_as_one_that_was_not(tmp_path: Path) -> None:
    data = data_of(BOTH)
    whole = model_of(data)
    history = fit(whole, data, RECIPE, tmp_path / "whole")
    with pytest.raises(SystemError):
        fit(model_of(data), data, RECIPE, tmp_path / "halted", callbacks=[Halt()])
    resumed = model_of(data)
    assert figures_of(fit(resumed, data, RECIPE, tmp_path / "halted")) == figures_of(history)
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True))


@pytest.mark.parametrize("task", KINDS)
def test_each_output_of_a_linear_head_is_a_penalised_regression_on_the_cases_that_know_it(task: Task) -> None:
    data = data_of(task, 120)
    network = build_network(NetworkSpec(name="compact", height=32, width=32, channels=1, outputs=task.outputs), seed=1)
    found = fit_linear_head(network, data, seed=0)
    said, train = network.predict(data.pixels, verbose=0), np.asarray(data.train)
    features = said["features"][train].astype(np.float64)
    deviation = features.std(axis=0)
    standardised = (features - features.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    asked, weights = task.asked(data.y_true[train]), task.loss_weights(data.y_true[train])  # type: ignore[attr-defined]
    assert weights is not None
    for output in range(task.outputs):
        known = asked[:, output] >= 0
        peer = LogisticRegression(C=task.outputs / (found.strength * weights.sum()), tol=1e-10, max_iter=10_000)
        peer.fit(standardised[known], asked[known, output], sample_weight=weights[known, output])
        expected = peer.predict_proba(standardised)[:, 1]
        np.testing.assert_allclose(1 / (1 + np.exp(-said["logits"][train, output])), expected, atol=5e-3)
    held_out = np.asarray(data.validation)
    asked, weights = task.asked(data.y_true[held_out]), task.loss_weights(data.y_true[held_out])  # type: ignore[attr-defined]
    losses = cross_entropies(said["logits"][held_out].astype(np.float64), asked == 1)
    assert found.loss == pytest.approx(np.average(losses, weights=weights), rel=1e-4)
