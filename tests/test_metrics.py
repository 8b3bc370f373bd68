"""Metrics and curves: published worked examples, scikit-learn as the oracle, and properties."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from overread.decision import Task
from overread.errors import InvalidData, InvalidOption, OverreadError
from overread.evaluation import (
    Evaluation,
    Metric,
    average_precision,
    compute_metrics,
    midranks,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)

pytestmark = pytest.mark.filterwarnings("error")
BINARY = ("normal", "ill")
TASK = Task.of(BINARY)
ONE_VERSUS_REST = ("auc", "average_precision", "sensitivity", "specificity", "ppv", "npv", "f1")


def two_columns(score: np.ndarray | list[float]) -> np.ndarray:
    score = np.asarray(score, dtype=float)
    return np.column_stack([1 - score, score])


def random_cases(n_classes: int, n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y_true = random.integers(0, n_classes, n)
    weight = np.exp(np.round(random.normal(0, 1, (n, n_classes)) + 1.5 * np.eye(n_classes)[y_true], 1))
    return y_true, weight / weight.sum(axis=1, keepdims=True)


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Both classes present, scores from so few values that ties abound and never at 0.5."""
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=30))]
    scores = draw(st.lists(st.integers(0, 7), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 8 + 1 / 16


def test_the_liver_scan_of_altman_and_bland_gives_their_published_rates() -> None:
    # BMJ 1994;308:1552 (sensitivity, specificity) and 309:102 (PPV, NPV): 231 of 258 and 54 of 86 read right.
    y_true = np.repeat([1, 1, 0, 0], [231, 27, 32, 54])
    result = compute_metrics(y_true, two_columns(np.repeat([0.9, 0.1, 0.9, 0.1], [231, 27, 32, 54])), task=TASK)
    published = {"sensitivity": (0.90, 258), "specificity": (0.63, 86), "ppv": (0.88, 263), "npv": (0.67, 81)}
    assert {name: (round(result[name].value, 2), result[name].n) for name in published} == published
    assert result.confusion.tolist() == [[54, 32], [27, 231]]
    assert result["f1"].value == pytest.approx(2 * 231 / (2 * 231 + 32 + 27)) and result["f1"].n == 290


def test_the_ct_ratings_of_hanley_and_mcneil_give_their_published_area() -> None:
    # Radiology 1982;143:29-36, table I: 58 normal and 51 abnormal images rated 1 to 5; area 0.893.
    ratings = np.concatenate([np.repeat(range(1, 6), [33, 6, 6, 11, 2]), np.repeat(range(1, 6), [3, 2, 2, 11, 33])])
    assert round(roc_auc(np.repeat([0, 1], [58, 51]), ratings), 3) == 0.893


def test_loss_and_brier_of_two_and_three_classes_agree_with_a_sum_by_hand() -> None:
    binary = compute_metrics([0, 1], [[0.8, 0.2], [0.4, 0.6]], task=TASK)
    assert binary["loss"].value == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert binary["brier"].value == pytest.approx((0.2**2 + 0.4**2) / 2)
    three = compute_metrics([0, 2], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], task=Task.of("abc"))
    assert three["brier"].value == pytest.approx((0.25 + 0.09 + 0.04 + 0.01 + 0.01 + 0.04) / 2)


def test_a_certain_but_wrong_prediction_costs_the_clipped_loss() -> None:
    assert compute_metrics([0, 1], [[1, 0], [1, 0]], task=TASK)["loss"].value == pytest.approx(-math.log(1e-7) / 2)


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_binary_metrics_agree_with_scikit_learn(threshold: float) -> None:
    y_true, y_prob = random_cases(2)
    score, decision = y_prob[:, 1], y_prob[:, 1] >= threshold
    expected = {
        "loss": sklearn_metrics.log_loss(y_true, y_prob),
        "accuracy": sklearn_metrics.accuracy_score(y_true, decision),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(y_true, decision),
        "auc": sklearn_metrics.roc_auc_score(y_true, score),
        "average_precision": sklearn_metrics.average_precision_score(y_true, score),
        "precision": sklearn_metrics.precision_score(y_true, decision),
        "recall": sklearn_metrics.recall_score(y_true, decision),
        "sensitivity": sklearn_metrics.recall_score(y_true, decision),
        "specificity": sklearn_metrics.recall_score(1 - y_true, ~decision),
        "f1": sklearn_metrics.f1_score(y_true, decision),
        "ppv": sklearn_metrics.precision_score(y_true, decision),
        "npv": sklearn_metrics.precision_score(1 - y_true, ~decision),
        "brier": sklearn_metrics.brier_score_loss(y_true, score),
    }
    result = compute_metrics(y_true, y_prob, task=TASK, thresholds={BINARY[1]: threshold})
    assert {name: metric.value for name, metric in result.metrics.items()} == pytest.approx(expected, abs=1e-12)
    assert np.array_equal(result.confusion, sklearn_metrics.confusion_matrix(y_true, decision))


def test_five_class_metrics_agree_with_scikit_learn() -> None:
    y_true, y_prob = random_cases(5)
    decision = y_prob.argmax(axis=1)
    macro = {"average": "macro"}
    expected = {
        "loss": sklearn_metrics.log_loss(y_true, y_prob),
        "accuracy": sklearn_metrics.accuracy_score(y_true, decision),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(y_true, decision),
        "brier": sklearn_metrics.brier_score_loss(y_true, y_prob, scale_by_half=False),
        "auc": sklearn_metrics.roc_auc_score(y_true, y_prob, multi_class="ovr"),
        "average_precision": sklearn_metrics.average_precision_score(y_true, y_prob),
        "ppv": sklearn_metrics.precision_score(y_true, decision, **macro),
        "sensitivity": sklearn_metrics.recall_score(y_true, decision, **macro),
        "f1": sklearn_metrics.f1_score(y_true, decision, **macro),
    }
    result = compute_metrics(y_true, y_prob, task=Task.of("abcde"))
    assert {name: result[name].value for name in expected} == pytest.approx(expected, abs=1e-12)
    assert np.array_equal(result.confusion, sklearn_metrics.confusion_matrix(y_true, decision))
    assert result.positive is None and result.threshold is None


def test_a_class_against_the_rest_is_the_binary_problem_it_stands_for() -> None:
    y_true, y_prob = random_cases(4)
    result = compute_metrics(y_true, y_prob, task=Task.of("abcd"))
    score = np.where(y_prob.argmax(axis=1) == 2, 1.0, 0.0)
    alone = compute_metrics((y_true == 2).astype(int), two_columns(score), task=TASK)
    for name in ("sensitivity", "specificity", "ppv", "npv", "f1"):
        assert (result.per_class["c"][name].value, result.per_class["c"][name].n) == (alone[name].value, alone[name].n)
    assert result["specificity"].value == pytest.approx(
        np.mean([c["specificity"].value for c in result.per_class.values()])
    )


def test_the_first_of_equally_probable_classes_is_decided() -> None:
    result = compute_metrics([0, 1, 2], [[0.2, 0.4, 0.4], [0.4, 0.2, 0.4], [1 / 3, 1 / 3, 1 / 3]], task=Task.of("abc"))
    assert result.confusion.tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_a_probability_at_the_threshold_is_positive() -> None:
    assert compute_metrics([0, 1], [[0.7, 0.3], [0.5, 0.5]], task=TASK)["sensitivity"].value == 1
    assert (
        compute_metrics([0, 1], [[0.7, 0.3], [0.5, 0.5]], task=TASK, thresholds={BINARY[1]: 0.6})["sensitivity"].value
        == 0
    )


def test_synonyms_are_one_metric_computed_once() -> None:
    result = compute_metrics(*random_cases(2), task=TASK)
    assert result["precision"] is result["ppv"] and result["recall"] is result["sensitivity"]


@pytest.mark.parametrize(("label", "undefined"), [(0, {"sensitivity", "f1"}), (1, {"specificity"})])
def test_one_class_only_leaves_what_needs_two_undefined_with_a_reason(label: int, undefined: set[str]) -> None:
    result = compute_metrics([label] * 4, two_columns([0.1, 0.4, 0.6, 0.9]), task=TASK)
    missing = {metric.name for metric in result.metrics.values() if math.isnan(metric.value)}
    assert missing == undefined | {"auc", "average_precision", "balanced_accuracy"}
    reason = "No case is ill." if label == 0 else "Every case is ill."
    assert {result[name].reason for name in missing} == {reason}


def test_no_predicted_positive_leaves_ppv_undefined_and_f1_at_zero() -> None:
    result = compute_metrics([0, 1], two_columns([0.1, 0.2]), task=TASK)
    assert math.isnan(result["ppv"].value) and result["ppv"].n == 0
    assert result["ppv"].reason == "No case was predicted ill."
    assert result["f1"].value == 0 and result["sensitivity"].value == 0


def test_an_absent_class_leaves_the_macro_average_undefined_and_the_others_defined() -> None:
    result = compute_metrics([0, 1, 0, 1], np.tile([0.5, 0.3, 0.2], (4, 1)), task=Task.of("abc"))
    assert math.isnan(result["sensitivity"].value) and result["sensitivity"].reason == "No case is c."
    assert math.isnan(result["balanced_accuracy"].value)
    assert result.per_class["a"]["sensitivity"].value == 1 and result["accuracy"].value == 0.5
    assert "No case was predicted b." in str(result["ppv"].reason)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_dictionary_is_strict_json_with_none_for_undefined(n_classes: int) -> None:
    y_prob = np.full((3, n_classes), 1 / n_classes)
    fields = compute_metrics([0, 0, 0], y_prob, task=Task.of("abc"[:n_classes])).to_dict()
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields
    assert fields["metrics"]["auc"]["value"] is None and "ase is" in fields["metrics"]["auc"]["reason"]
    assert fields["averaging"] == (None if n_classes == 2 else "macro")
    assert set(fields["per_class"]) == (set() if n_classes == 2 else set("abc"))
    assert fields["metrics"]["accuracy"] == {
        "name": "accuracy",
        "value": 1.0 if n_classes > 2 else 0.0,
        "n": 3,
        "reason": None,
    }


def test_an_evaluation_cannot_be_altered() -> None:
    result = compute_metrics(*random_cases(2), task=TASK)
    with pytest.raises(AttributeError):
        result.n = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.confusion[0, 0] = 1


@pytest.mark.parametrize(("value", "reason"), [(math.nan, None), (0.5, "No case is ill.")])
def test_nan_and_a_reason_go_together(value: float, reason: str | None) -> None:
    with pytest.raises(InvalidData, match="go together"):
        Metric("ppv", value, 0, reason)


GOOD = [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("y_true", "y_prob", "message"),
    [
        ([], np.empty((0, 2)), "no case"),
        ([0, 1, 1], GOOD, r"shape \(3,\)"),
        ([[0, 1]], GOOD, "shape"),
        ([0, 1], [0.5, 0.5], "shape"),
        ([0, 1], np.full((2, 3), 1 / 3), r"\(n, 2\)"),
        ([0.0, 1.0], GOOD, "integer"),
        ([0, 2], GOOD, "row 1 .*0 to 1"),
        ([0, -1], GOOD, "row 1"),
        ([0, 1], [[0.5, 0.5], [0.5, math.nan]], "row 1 .*nan.*finite"),
        ([0, 1], [[0.5, 0.5], [math.inf, -math.inf]], "row 1 .*finite"),
        ([0, 1], [[1.2, -0.2], [0.5, 0.5]], "row 0 .*from 0 to 1"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.502]], "row 1 .*sum to 1"),
    ],
)
def test_predictions_that_do_not_fit_are_refused_with_their_row(y_true: object, y_prob: object, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        compute_metrics(y_true, y_prob, task=TASK)  # type: ignore[arg-type]


def test_rounded_probabilities_are_accepted() -> None:
    assert compute_metrics([0, 1], [[0.667, 0.3335], [0.5, 0.4995]], task=TASK).n == 2


@pytest.mark.parametrize(
    "thresholds",
    [
        {"ill": 1.5},
        {"ill": -0.1},
        {"ill": math.nan},
        {"normal": 0.5},
        {"unknown": 0.5},
    ],
)
def test_thresholds_that_do_not_fit_are_refused(thresholds: dict[str, float]) -> None:
    with pytest.raises(InvalidOption):
        compute_metrics([0, 1], GOOD, task=TASK, thresholds=thresholds)


def test_the_positive_class_and_its_threshold_are_told() -> None:
    found = compute_metrics([0, 1], GOOD, task=TASK)
    assert found.positive == "ill" and found.threshold == 0.5 and found.thresholds == {"ill": 0.5}
    assert compute_metrics([0, 1], GOOD, task=TASK, decided=[0, 1]).threshold is None


def test_thresholds_of_several_classes_do_not_decide() -> None:
    found = compute_metrics([0, 1, 2], np.eye(3), task=Task.of("abc"), thresholds={"a": 0.9})
    assert found.thresholds == {} and found.threshold is None


@pytest.mark.parametrize("decimals", [1, 8])
def test_curves_agree_with_scikit_learn_point_by_point(decimals: int) -> None:
    y_true, y_prob = random_cases(2)
    score = np.round(y_prob[:, 1], decimals)
    for ours, theirs in [
        (roc_curve(y_true, score), sklearn_metrics.roc_curve(y_true, score, drop_intermediate=False)),
        (precision_recall_curve(y_true, score), sklearn_metrics.precision_recall_curve(y_true, score)),
    ]:
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-14)


@pytest.mark.parametrize("measure", [roc_curve, precision_recall_curve, roc_auc, average_precision])
@pytest.mark.parametrize(
    ("y_true", "score"),
    [([], []), ([1, 1], [0.1, 0.2]), ([0, 0], [0.1, 0.2]), ([0, 1], [0.1, math.nan]), ([0, 2], [1, 2])],
)
def test_ranking_refuses_what_cannot_be_ranked(measure: object, y_true: list[int], score: list[float]) -> None:
    with pytest.raises(InvalidData):
        measure(y_true, score)  # type: ignore[operator]


def test_tied_values_share_the_mean_of_their_ranks() -> None:
    assert midranks([30, 10, 20, 20]).tolist() == [4, 1, 2.5, 2.5]


@given(scored_cases())
@settings(deadline=None)
def test_auc_is_the_share_of_pairs_in_order_with_ties_counting_half(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    pairs = [np.sign(p - n) / 2 + 0.5 for p in score[y_true == 1] for n in score[y_true == 0]]
    assert roc_auc(y_true, score) == pytest.approx(np.mean(pairs))


@given(scored_cases())
@settings(deadline=None)
def test_a_strictly_monotone_transform_changes_no_ranking(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    for transformed in (score**3 + 7, np.exp(4 * score), np.log(score)):
        assert roc_auc(y_true, transformed) == roc_auc(y_true, score)
        assert average_precision(y_true, transformed) == average_precision(y_true, score)


@given(scored_cases())
@settings(deadline=None)
def test_auc_of_either_class_as_positive_adds_up_to_one(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    assert roc_auc(y_true, score) + roc_auc(1 - y_true, score) == pytest.approx(1, abs=1e-12)


@given(scored_cases())
@settings(deadline=None)
def test_swapping_the_classes_swaps_sensitivity_with_specificity_and_ppv_with_npv(
    cases: tuple[np.ndarray, np.ndarray],
) -> None:
    y_true, score = cases
    there = compute_metrics(y_true, two_columns(score), task=TASK)
    back = compute_metrics(1 - y_true, two_columns(1 - score), task=Task.of(BINARY[::-1]))
    for one, other in (("sensitivity", "specificity"), ("ppv", "npv")):
        assert there[one].value == pytest.approx(back[other].value, nan_ok=True)
        assert there[other].n == back[one].n
    assert there["auc"].value == pytest.approx(back["auc"].value)


@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 1000))
@settings(deadline=None)
def test_any_predictions_give_a_confusion_that_adds_up_and_reasons_exactly_where_undefined(
    n_classes: int, n: int, seed: int
) -> None:
    y_true, y_prob = random_cases(n_classes, n, seed)
    result: Evaluation = compute_metrics(y_true, y_prob, task=Task.of("abcdef"[:n_classes]))
    assert result.confusion.sum() == n
    assert result["accuracy"].value == pytest.approx(np.trace(result.confusion) / n)
    for metric in result.metrics.values():
        assert metric.reason if math.isnan(metric.value) else metric.value >= 0


def test_evaluation_imports_nothing_beyond_numpy() -> None:
    heavy = "{'scipy', 'sklearn', 'keras', 'tensorflow', 'matplotlib', 'pandas', 'jinja2'}"
    code = f"import sys, overread.evaluation; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_refusals_are_errors_of_overread_and_of_python() -> None:
    with pytest.raises(OverreadError) as refusal:
        compute_metrics([], np.empty((0, 2)), task=TASK)
    assert isinstance(refusal.value, ValueError)
