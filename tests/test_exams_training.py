"""Training on exams: features of frames that are kept, and poolings that are fitted to them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from overread.decision import Task
from overread.decision.familiarity import LOOK
from overread.decision.pooling import shares_of
from overread.decision.tasks.findings import SeveralFindings
from overread.training.exams.choose_pooling import Exams, fit_pooling
from overread.training.exams.frame_traits import FrameTraits

FEATURES = 24


def kept_frames(folder: Path, exams: list[np.ndarray]) -> FrameTraits:
    """Features of frames `(n, f)` of each exam, as they are kept."""
    paths = []
    for number, features in enumerate(exams):
        traits = np.concatenate([features, np.zeros((len(features), LOOK))], axis=1).astype(np.float32)
        np.save(folder / f"{number}.npy", traits)
        paths.append(folder / f"{number}.npy")
    return FrameTraits(paths=tuple(paths))


def planted(folder: Path, exams: int, *, task: Task | None = None, strength: float = 5.0) -> Exams:
    """Exams of 12 frames of noise, each with an offset of its own; in every second one frame stands out."""
    rng = np.random.default_rng(3)
    y_true = np.arange(exams) % 2
    frames = [rng.standard_normal((12, FEATURES)) + rng.standard_normal(FEATURES) for _ in range(exams)]
    for number in np.flatnonzero(y_true):
        frames[number][number % 12, 0] += strength
        frames[number][number % 12, 1] -= strength
    return Exams(
        traits=kept_frames(folder, frames),
        y_true=y_true,
        groups=np.array([f"patient {i}" for i in range(exams)], dtype=object),
        task=task or Task.of(("none", "lesion")),
        class_weights=True,
    )


def answer(fitted, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and shares of one exam."""
    scores = np.zeros(len(features)) if fitted.attention is None else fitted.attention.scores(features)
    shares = shares_of(scores)
    return shares @ (features @ fitted.kernel + fitted.bias), shares


def test_attention_finds_the_frame_that_stands_out_and_is_chosen(tmp_path):
    exams = planted(tmp_path, 160)
    fitted = fit_pooling(exams, "auto", np.random.default_rng(0), tmp_path)
    assert fitted.choice.chosen == "attention"
    mean, attention = fitted.choice.candidates
    assert attention.log_loss < 0.8 * mean.log_loss
    fresh = planted(tmp_path, 200)
    found = [answer(fitted, fresh.traits.features(i)) for i in range(160, 200)]
    right = [(logits[0] > 0) == fresh.y_true[i] for i, (logits, _) in enumerate(found, start=160)]
    assert np.mean(right) > 0.9
    placed = [shares.argmax() == i % 12 for i, (_, shares) in enumerate(found, start=160) if fresh.y_true[i]]
    assert np.mean(placed) > 0.9


def test_the_mean_is_kept_where_all_frames_say_the_same(tmp_path):
    rng = np.random.default_rng(5)
    y_true = np.arange(60) % 2
    frames = [rng.standard_normal((6, FEATURES)) + np.eye(FEATURES)[0] * 2 * label for label in y_true]
    exams = dataclasses.replace(planted(tmp_path, 60), traits=kept_frames(tmp_path, frames), y_true=y_true)
    assert fit_pooling(exams, "auto", np.random.default_rng(0), tmp_path).choice.chosen == "mean"


@pytest.mark.parametrize("exams", [20, 39])
def test_few_exams_have_the_mean(tmp_path, exams):
    choice = fit_pooling(planted(tmp_path, exams), "auto", np.random.default_rng(0), tmp_path).choice
    assert choice.chosen == "mean" and "fewer than 40 exams" in str(choice)


def test_a_fit_is_the_same_again(tmp_path):
    exams = planted(tmp_path, 40)
    one, other = (fit_pooling(exams, "attention", np.random.default_rng(1), tmp_path) for _ in range(2))
    assert one.choice == other.choice
    assert np.array_equal(one.kernel, other.kernel)
    assert one.attention.to_bytes() == other.attention.to_bytes()


@pytest.mark.parametrize("kind", ["several classes", "findings"])
def test_attention_is_fitted_to_all_kinds_of_tasks(tmp_path, kind):
    exams = planted(tmp_path, 60)
    if kind == "several classes":
        task, y_true = Task.of(("a", "b", "c")), np.arange(60) % 3
    else:
        task = SeveralFindings(("one", "two"))
        y_true = np.stack([np.arange(60) % 2, np.arange(60) // 2 % 3 - 1], axis=1)
    exams = dataclasses.replace(exams, task=task, y_true=y_true)
    fitted = fit_pooling(exams, "attention", np.random.default_rng(0), tmp_path)
    assert fitted.kernel.shape == (FEATURES, task.outputs)
    assert np.isfinite(answer(fitted, exams.traits.features(0))[0]).all()


def test_columns_that_are_too_many_for_memory_lie_in_a_file_and_are_the_same(tmp_path, monkeypatch):
    exams = planted(tmp_path, 40)
    one = fit_pooling(exams, "attention", np.random.default_rng(1), tmp_path)
    monkeypatch.setattr("overread.training.exams.columns._MOST_BYTES", 1)
    other = fit_pooling(exams, "attention", np.random.default_rng(1), tmp_path)
    assert np.array_equal(one.kernel, other.kernel)
