"""One assessment answers everything, from the same predictions and without contradicting itself."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import (
    Assessment,
    AssessmentOptions,
    Predictions,
    assess,
    compute_metrics,
    measure_reliability,
    pool_folds,
)


def predictions(n: int = 120, classes: str = "ab", seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    y_true = np.r_[range(len(classes)), random.integers(0, len(classes), n - len(classes))]
    logits = random.normal(size=(n, len(classes)))
    logits[np.arange(n), y_true] += 1.2
    odds = np.exp(logits)
    sharper = np.exp(2 * logits)
    return Predictions(
        cases=[f"case {i}" for i in range(n)],
        y_true=y_true,
        y_prob=odds / odds.sum(axis=1, keepdims=True),
        uncalibrated=sharper / sharper.sum(axis=1, keepdims=True),
        task=Task.of(classes),
        thresholds={classes[1]: 0.4} if len(classes) == 2 else dict.fromkeys(classes, 0.3),
        columns={"scanner": [f"S{i % 2}" for i in range(n)]},
    )


@pytest.fixture(scope="module")
def two() -> Assessment:
    return assess(predictions(), AssessmentOptions(prevalence=0.05, by=("scanner",), resamples=200))


@pytest.fixture(scope="module")
def three() -> Assessment:
    return assess(predictions(classes="abc"), AssessmentOptions(resamples=200))


def test_every_metric_has_its_interval_and_lies_in_it(two: Assessment, three: Assessment) -> None:
    for assessment in (two, three):
        for name in assessment.evaluation.metrics:
            metric, interval = assessment[name]
            assert metric.value in interval
            assert interval.method


def test_the_frozen_point_and_one_half_decide_differently_and_rank_alike(two: Assessment) -> None:
    assert two.at_half is not None
    assert (two.evaluation.threshold, two.at_half.evaluation.threshold) == (0.4, 0.5)
    assert two["sensitivity"].metric.value > two.at_half["sensitivity"].metric.value
    assert two["auc"].metric == two.at_half["auc"].metric


def test_calibration_is_measured_before_and_after_on_the_same_cases(two: Assessment) -> None:
    given = predictions()
    before, after = two.reliability["b"]
    assert before == measure_reliability(given.y_true, np.asarray(given.uncalibrated)[:, 1])
    assert after == measure_reliability(given.y_true, np.asarray(given.y_prob)[:, 1])
    assert before.slope.value == pytest.approx(after.slope.value / 2)


def test_the_stated_prevalence_reaches_predictive_values_and_decision_curve(two: Assessment) -> None:
    assert two.predictive_values["ppv"].metric.value < two["ppv"].metric.value
    assert two.decision_curves["b"].prevalence == 0.05


def test_groups_are_compared_by_the_column_asked_for(two: Assessment) -> None:
    (scanner,) = two.subgroups
    assert [(group.label, group.n) for group in scanner.groups] == [("S0", 60), ("S1", 60)]
    assert scanner.groups[0].metrics["accuracy"].flagged is not None
    with pytest.raises(InvalidOption, match="no column 'sex' to group by: there are scanner"):
        assess(predictions(), AssessmentOptions(by=("sex",)))


def test_several_classes_have_points_against_the_rest_and_micro_averages(three: Assessment) -> None:
    given = predictions(classes="abc")
    y_true, y_prob = np.asarray(given.y_true), np.asarray(given.y_prob)
    assert three.at_half is None
    assert three.predictive_values == {}
    for index, name in enumerate("abc"):
        actual, called = y_true == index, y_prob[:, index] >= 0.3
        judged = three.at_class_points[name]
        assert judged["sensitivity"].metric.value == pytest.approx(recall_score(actual, called))
        assert judged["auc"].metric.value == pytest.approx(roc_auc_score(actual, y_prob[:, index]))
    argmax, one_hot = y_prob.argmax(axis=1), np.eye(3)[y_true]
    micro = {name: estimate.metric.value for name, estimate in three.micro.items()}
    assert micro["auc"] == pytest.approx(roc_auc_score(one_hot, y_prob, average="micro"))
    assert micro["sensitivity"] == pytest.approx(recall_score(y_true, argmax, average="micro"))
    assert micro["ppv"] == pytest.approx(precision_score(y_true, argmax, average="micro"))
    assert micro["f1"] == pytest.approx(f1_score(y_true, argmax, average="micro"))
    answered = np.eye(3)[argmax]
    assert micro["specificity"] == pytest.approx(recall_score(one_hot.ravel(), answered.ravel(), pos_label=0))
    assert micro["npv"] == pytest.approx(precision_score(one_hot.ravel(), answered.ravel(), pos_label=0))
    assert all(estimate.metric.value in estimate.interval for estimate in three.micro.values())


def test_everything_is_json(two: Assessment, three: Assessment) -> None:
    values = json.loads(json.dumps(two.to_dict(), allow_nan=False))
    assert values["metrics"]["auc"]["interval"]["low"] == two["auc"].interval.low
    assert values["at_threshold_0.5"]["threshold"] == 0.5
    assert set(json.loads(json.dumps(three.to_dict(), allow_nan=False))["at_class_points"]) == {"a", "b", "c"}


def test_a_set_of_one_class_is_assessed_as_far_as_it_goes() -> None:
    given = dataclasses.replace(predictions(), y_true=np.ones(120, dtype=np.int64))
    found = assess(given, AssessmentOptions(prevalence=0.1, by=("scanner",), resamples=200))
    assert found["auc"].metric.reason and found["auc"].interval.reason
    assert found["sensitivity"].metric.reason is None
    assert found.predictive_values["ppv"].metric.reason


@pytest.mark.parametrize("wrong", [{"level": 1}, {"level": 0}, {"prevalence": 0}, {"prevalence": 1}, {"resamples": 10}])
def test_impossible_questions_are_refused_before_the_work(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidOption):
        AssessmentOptions(**wrong)  # type: ignore[arg-type]


def test_pooled_folds_keep_the_decision_of_each_fold() -> None:
    first, second = predictions(seed=1), predictions(seed=2)
    second = dataclasses.replace(second, cases=[f"other {i}" for i in range(120)], thresholds={"b": 0.7})
    pooled = pool_folds([first, second])
    found = assess(pooled, AssessmentOptions(resamples=200)).evaluation
    apart = [compute_metrics(p.y_true, p.y_prob, task=p.task, thresholds=p.thresholds) for p in (first, second)]
    assert found.confusion.tolist() == (apart[0].confusion + apart[1].confusion).tolist()
    assert found.threshold is None
    assert found["auc"].value == pytest.approx(roc_auc_score(pooled.y_true, np.asarray(pooled.y_prob)[:, 1]))
    assert pooled.columns["scanner"][120:] == list(second.columns["scanner"])


def test_folds_of_other_classes_are_not_pooled() -> None:
    with pytest.raises(InvalidData, match="different classes"):
        pool_folds([predictions(seed=1), predictions(classes="abc")])


def test_decisions_that_do_not_fit_are_refused() -> None:
    y_prob = np.full((3, 2), 0.5)
    with pytest.raises(InvalidOption, match="both thresholds and decisions"):
        compute_metrics([0, 1, 1], y_prob, task=Task.of("ab"), thresholds={"b": 0.5}, decided=[0, 1, 1])
    for decided in ([0, 1], [0, 1, 2], [0.0, 1.0, 1.0]):
        with pytest.raises(InvalidData, match="decisions"):
            compute_metrics([0, 1, 1], y_prob, task=Task.of("ab"), decided=decided)
