"""Prediction sets: the promised coverage, in each class, whatever the network, and what is told where none can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decision import Referral, Task, choose_referral
from overread.errors import InvalidData, InvalidOption

TWO, THREE = ("Normal", "Disease"), ("a", "b", "c")


def draw(rng: np.random.Generator, n: int, classes: int, *, separation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels with a rare last class, and the probabilities of a middling network that is sure of itself."""
    shares = np.array([8.0] * (classes - 1) + [2.0])
    labels = rng.choice(classes, n, p=shares / shares.sum())
    logits = separation * np.eye(classes)[labels] * 3 + rng.normal(0, 2, (n, classes))
    odds = np.exp(2 * (logits - logits.max(axis=1, keepdims=True)))
    return labels, odds / odds.sum(axis=1, keepdims=True)


def covered(found: Referral, labels: np.ndarray, y_prob: np.ndarray) -> np.ndarray:
    return found.sets(y_prob, Task.of(tuple(found.thresholds)))[np.arange(len(labels)), labels]


@pytest.mark.parametrize("classes", [TWO, THREE])
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_the_sets_of_each_class_hold_it_as_often_as_asked(classes: tuple[str, ...], coverage: float) -> None:
    rng = np.random.default_rng(4)
    held: dict[int, list[float]] = {column: [] for column in range(len(classes))}
    for _ in range(300):
        found = choose_referral(*draw(rng, 250, len(classes)), task=Task.of(classes), coverage=coverage)
        labels, y_prob = draw(rng, 250, len(classes))
        hits = covered(found, labels, y_prob)
        for column, shares in held.items():
            shares.append(float(hits[labels == column].mean()))
    for column, shares in held.items():
        error = np.std(shares) / np.sqrt(len(shares))
        # Without ties it lies between the coverage and 1 / (n + 1) above; the rare class has about 25 images.
        assert coverage - 3 * error <= np.mean(shares) <= coverage + 3 * error + (0.01 if column == 0 else 0.06)


def test_a_network_that_knows_nothing_keeps_the_promise_with_large_sets() -> None:
    rng = np.random.default_rng(5)
    found = choose_referral(*draw(rng, 5000, 2, separation=0), task=Task.of(TWO))
    labels, y_prob = draw(rng, 5000, 2, separation=0)
    assert covered(found, labels, y_prob).mean() == pytest.approx(0.9, abs=0.02)
    assert found.sets(y_prob, Task.of(TWO)).sum(axis=1).mean() > 1.6


@given(st.integers(1, 60), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), st.integers(0, 99))
def test_at_least_k_of_the_images_that_set_a_threshold_are_inside_and_fewer_below_it(
    n: int, coverage: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 20, n) / 20  # many ties
    y_prob, labels = np.column_stack([1 - p, p]), np.ones(n, dtype=int)
    found = choose_referral(labels, y_prob, task=Task.of(TWO), coverage=coverage)
    k = int(np.ceil(round((n + 1) * coverage, 9)))
    inside = int(covered(found, labels, y_prob).sum())
    assert inside >= min(k, n)
    if k <= n:
        assert (1 - p < found.thresholds["Disease"]).sum() < k
    else:
        assert found.thresholds["Disease"] == 1 and "Disease" in found.always


def test_the_order_of_the_images_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    labels, y_prob = draw(rng, 100, 3)
    order = rng.permutation(100)
    assert choose_referral(labels, y_prob, task=Task.of(THREE)) == choose_referral(
        labels[order], y_prob[order], task=Task.of(THREE)
    )


def test_a_class_with_too_few_images_or_none_is_never_ruled_out() -> None:
    y_prob = np.array([[0.99, 0.01]] * 30 + [[0.2, 0.8]] * 8)
    found = choose_referral(np.repeat([0, 1], [30, 8]), y_prob, task=Task.of(TWO), coverage=0.9)
    assert found.counts == {"Normal": 30, "Disease": 8} and found.always == ("Disease",)
    assert found.sets([[1.0, 0.0], [0.0, 1.0]], Task.of(TWO)).tolist() == [[True, True], [False, True]]
    assert choose_referral(np.zeros(30, int), y_prob[:30], task=Task.of(TWO)).always == ("Disease",)
    # With one image more the threshold is the largest score.
    nine = choose_referral(
        np.repeat([0, 1], [30, 9]), np.vstack([y_prob, y_prob[-1:]]), task=Task.of(TWO), coverage=0.9
    )
    assert nine.always == () and nine.thresholds["Disease"] == pytest.approx(0.2)


def test_the_rank_is_the_whole_number_that_decimal_fractions_mean() -> None:
    p = np.arange(1, 20) / 20
    found = choose_referral(np.ones(19, int), np.column_stack([1 - p, p]), task=Task.of(TWO), coverage=0.95)
    assert found.thresholds["Disease"] == pytest.approx(0.95)  # k = 20 * .95 = 19, the last of 19


def test_thresholds_come_back_from_json_in_the_order_of_the_classes() -> None:
    found = choose_referral(*draw(np.random.default_rng(7), 200, 3), task=Task.of(THREE))
    fields = found.to_dict()
    fields["thresholds"] = dict(reversed(fields["thresholds"].items()))
    again = Referral.from_dict(fields, THREE)
    assert again == found and list(again.thresholds) == list(THREE)


@pytest.mark.parametrize("coverage", [0.49, 1.0, -1, float("nan")])
def test_a_coverage_out_of_range_is_refused(coverage: float) -> None:
    with pytest.raises(InvalidOption, match=r"outside 0\.5 to 0\.999"):
        choose_referral([0, 1], [[1, 0], [0, 1]], task=Task.of(TWO), coverage=coverage)


def test_thresholds_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidData, match="a threshold from 0 to 1"):
        Referral(coverage=0.9, thresholds={"a": 1.5, "b": 0.5}, counts={"a": 1, "b": 1})
