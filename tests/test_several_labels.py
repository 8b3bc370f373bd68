"""Several findings at once, each with a sigmoid of its own, as a chest radiograph that shows effusion and a mass."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from overread.auditing import Material
from overread.auditing.rules.balance import RULE
from overread.cases import Case, Manifest, split_cases
from overread.decision import (
    Abstentions,
    SeveralFindings,
    Task,
    choose_operating_points,
    choose_referral,
    fit_calibration,
)
from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidData
from overread.evaluation import (
    AssessmentOptions,
    OwnMetric,
    Predictions,
    assess,
    assess_referral,
    compare,
    compute_metrics,
    pool_folds,
)

FINDINGS = ("effusion", "mass", "nodule")
N = 240


TASK = SeveralFindings(FINDINGS)
THRESHOLDS = {"effusion": 0.5, "mass": 0.4, "nodule": 0.3}


def drawn(seed: int = 0) -> tuple[IntArray, FloatArray]:
    random = np.random.default_rng(seed)
    y_true = (random.random((N, 3)) < [0.5, 0.3, 0.2]).astype(np.int64)
    return y_true, random.normal(size=y_true.shape) + 2 * y_true - 1


def predictions(seed: int = 0) -> Predictions:
    y_true, logits = drawn(seed)
    return Predictions(
        cases=[f"case {seed} {i}" for i in range(N)],
        y_true=y_true,
        y_prob=TASK.probabilities(logits),
        task=TASK,
        thresholds=THRESHOLDS,
        patients=[f"patient {i // 2}" for i in range(N)],
        columns={"sex": ["f" if i % 4 < 2 else "m" for i in range(N)]},
    )


def test_the_metrics_agree_with_scikit_learn() -> None:
    y_true, logits = drawn()
    y_prob = TASK.probabilities(logits)
    decided = TASK.decide(y_prob, THRESHOLDS)
    found = compute_metrics(y_true, y_prob, task=TASK, thresholds=THRESHOLDS)
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(y_true, decided),
        "auc": sklearn_metrics.roc_auc_score(y_true, y_prob, average="macro"),
        "sensitivity": sklearn_metrics.recall_score(y_true, decided, average="macro"),
        "ppv": sklearn_metrics.precision_score(y_true, decided, average="macro"),
        "f1": sklearn_metrics.f1_score(y_true, decided, average="macro"),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=1e-12)
    assert found.thresholds == THRESHOLDS and found.threshold is None and set(found.per_class) == set(FINDINGS)
    assert found.confusion.diagonal().tolist() == ((y_true == 1) & (decided == 1)).sum(axis=0).tolist()


def test_everything_is_asked_of_it_with_intervals_by_patient() -> None:
    youden = OwnMetric(
        name="youden_j",
        label="Youden's J",
        function=lambda actual, score, called: called[actual].mean() - called[~actual].mean(),
        limits=(-1, 1),
    )
    found = assess(predictions(), AssessmentOptions(resamples=200, by=("sex",), metrics=(youden,)))
    for name in found.evaluation.metrics:
        metric, interval = found[name]
        assert metric.value in interval and interval.method.startswith("cluster bootstrap by patient"), name
    assert set(found.reliability) == set(found.decision_curves) == set(found.at_class_points) == set(FINDINGS)
    at_point = found.at_class_points["nodule"]["sensitivity"].metric
    assert at_point.value == found.estimates.of_class("nodule", "sensitivity").metric.value
    assert found.subgroups[0].groups[0].metrics["auc"].gap is not None
    json.dumps(found.to_dict(), allow_nan=False)


def test_micro_averages_pool_the_decisions_on_every_class() -> None:
    y_true, logits = drawn()
    decided = TASK.decide(TASK.probabilities(logits), THRESHOLDS)
    micro = assess(predictions(), AssessmentOptions(resamples=100)).micro
    assert micro["f1"].metric.value == pytest.approx(sklearn_metrics.f1_score(y_true, decided, average="micro"))
    assert micro["sensitivity"].metric.value == pytest.approx(
        sklearn_metrics.recall_score(y_true, decided, average="micro")
    )


def test_calibration_and_operating_points_are_chosen_for_it() -> None:
    y_true, logits = drawn()
    calibration = fit_calibration(y_true, 3 * logits, task=TASK)
    y_prob = calibration.apply(3 * logits, TASK)
    assert calibration.n == N and y_prob.shape == (N, 3)
    log_loss = [TASK.log_losses(y_true, p).mean() for p in (y_prob, TASK.probabilities(3 * logits))]
    assert log_loss[0] < log_loss[1]
    points = choose_operating_points(y_true, y_prob, task=TASK, rule="sensitivity=0.9")
    assert list(points) == list(FINDINGS) and all(point.sensitivity >= 0.9 for point in points.values())


def test_prediction_sets_refer_where_they_differ_from_what_was_decided() -> None:
    found = predictions()
    y_prob, decided = np.asarray(found.y_prob), found.decisions
    sets = choose_referral(found.y_true, y_prob, task=TASK, coverage=0.9).sets(y_prob, TASK)
    abstentions = Abstentions(task=TASK, sets=sets, decided=decided, unfamiliarity=np.zeros(N))
    assert abstentions.uncertain.tolist() == [
        a.tolist() != b.tolist() for a, b in zip(sets, TASK.answered(decided), strict=True)
    ]
    worth = assess_referral(found, abstentions, options=AssessmentOptions(resamples=100))
    assert all(worth.coverage[name].metric.value >= 0.9 for name in FINDINGS)


def manifest(*labels: str) -> Manifest:
    """Images of a patient each, but the first two are of one."""
    return Manifest(
        cases=tuple(
            Case(path=Path(f"{i}.png"), name=f"{i}.png", label=label, patient_id=f"p{max(i, 1)}")
            for i, label in enumerate(labels)
        ),
        task=TASK,
    )


def test_a_case_counts_for_each_class_that_it_shows() -> None:
    found = manifest("effusion|mass", "No Finding", "mass", "nodule")
    assert found.y_true.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert found.shown == [("effusion", "mass"), (), ("mass",), ("nodule",)]
    assert [found.of_class(name) for name in FINDINGS] == [[0], [0, 2], [3]]
    with pytest.raises(
        InvalidData, match=r"case 2 has the unknown label 'mass\|edema'; expected one of effusion, mass"
    ):
        manifest("mass", "mass|edema")


def test_a_side_counts_its_images_once_and_each_class_that_they_show() -> None:
    split = split_cases(
        manifest(*["effusion|mass", "No Finding", "mass|nodule", "nodule", "effusion", "No Finding"] * 40)
    )
    counts, sizes = split.counts(), split.sizes()
    assert sum(sizes.values()) == 240 and {name: sum(c[name] for c in counts.values()) for name in FINDINGS} == {
        "effusion": 80,
        "mass": 80,
        "nodule": 80,
    }
    assert all(counts[side]["mass"] == pytest.approx(sizes[side] / 3, abs=3) for side in sizes)
    without = [not shown for shown in split.manifest.shown]
    assert all(sum(without[i] for i in split.manifest.select(side)) >= sizes[side] / 4 for side in sizes)


def test_a_rule_of_the_audit_counts_the_classes_and_not_the_labels() -> None:
    nothing: Any = None
    found = manifest(*["effusion|mass"] * 200, *["mass"] * 200, *["nodule|mass"] * 200)
    findings = RULE.apply(Material(manifest=found, headers=(), data_set=nothing, failures={}))
    (imbalance,) = (finding for finding in findings if finding.code == "class-imbalance")
    assert {row["finding"]: (row["present"], row["absent"]) for row in imbalance.evidence} == {
        "effusion": ("200", "400"),
        "mass": ("600", "0"),
        "nodule": ("200", "400"),
    }


def test_a_reading_is_mainly_about_the_most_probable_class_that_it_names_or_of_all() -> None:
    probabilities = {"effusion": 0.4, "mass": 0.6, "nodule": 0.7}
    assert TASK.foremost("effusion|mass", probabilities) == "mass"
    assert TASK.foremost("No Finding", probabilities) == "nodule"
    assert Task.of(FINDINGS).foremost("effusion", probabilities) == "effusion"


def test_readers_are_pooled_and_compared() -> None:
    first, second = predictions(), predictions(1)
    pooled = pool_folds([first, second])
    assert compute_metrics(pooled.y_true, pooled.y_prob, task=TASK, decided=pooled.decided).n == 2 * N
    other = dataclasses.replace(first, y_prob=np.clip(np.asarray(first.y_prob) + 0.05, 0, 1))
    assert compare(first, other, resamples=100)["sensitivity"].difference >= 0
