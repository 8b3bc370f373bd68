"""Who is referred and why, and what that is worth on labelled images."""

from __future__ import annotations

import numpy as np
import pytest

from overread.decision import Abstentions, Referral, Task
from overread.evaluation import ALL, AssessmentOptions, Predictions, assess_referral, wilson
from overread.evaluation.uncertainty.proportions import proportions

TASK = Task.of(("no", "yes"))
OPTIONS = AssessmentOptions(resamples=200)


def abstain(sets: list[list[int]], decided: list[int], unfamiliarity: list[float]) -> Abstentions:
    return Abstentions(
        task=TASK, sets=np.array(sets, dtype=bool), decided=np.array(decided), unfamiliarity=np.array(unfamiliarity)
    )


def test_the_reasons_are_those_that_hold() -> None:
    found = abstain(
        [[0, 1], [1, 0], [1, 1], [0, 0], [0, 1], [0, 1]], [1, 1, 1, 1, 1, 1], [1.0, 0.2, 0.2, 2.0, 1.01, float("nan")]
    )
    assert found.reasons == [
        (),
        ("uncertain",),
        ("uncertain",),
        ("uncertain", "unfamiliar"),
        ("unfamiliar",),
        ("unfamiliar",),
    ]
    assert found.referred.tolist() == [bool(reasons) for reasons in found.reasons]


def test_no_images_have_no_reasons() -> None:
    found = Abstentions(task=TASK, sets=np.zeros((0, 2), bool), decided=np.zeros(0, int), unfamiliarity=np.zeros(0))
    assert found.reasons == [] and found.referred.shape == (0,)


def predict(patients: list[str] | None = None) -> Predictions:
    p = np.array([0.1, 0.2, 0.6, 0.9, 0.8, 0.3])
    return Predictions(
        cases=list("abcdef"),
        y_true=[0, 0, 0, 1, 1, 1],
        y_prob=np.column_stack([1 - p, p]),
        task=TASK,
        thresholds={"yes": 0.5},
        patients=patients,
    )


SETS = [[1, 0], [1, 0], [1, 1], [0, 1], [0, 0], [1, 0]]


def test_coverage_referrals_and_errors_are_counted() -> None:
    found = assess_referral(
        predict(), abstain(SETS, [0, 0, 1, 1, 1, 0], [0.5, 1.5, 0.5, 0.5, 0.5, 0.5]), options=OPTIONS
    )
    assert {name: estimate.metric.value for name, estimate in found.coverage.items()} == pytest.approx(
        {ALL: 4 / 6, "no": 1, "yes": 1 / 3}
    )
    assert found.coverage["no"].interval == wilson(3, 3)
    assert found.set_sizes == (1, 4, 1)
    assert {name: round(estimate.metric.value * 6) for name, estimate in found.referred.items()} == {
        "uncertain": 2,
        "unfamiliar": 1,
        "referred": 3,
    }
    # c and f are wrong; c is referred, f is not.
    assert (found.errors["read"].metric.value, found.errors["read"].metric.n) == (pytest.approx(1 / 3), 3)
    assert found.errors["referred"].metric.value == pytest.approx(1 / 3)
    assert found.to_dict()["coverage"]["yes"]["interval"]["method"] == "Wilson"


def test_another_coverage_is_applied_to_the_same_images_and_familiarity() -> None:
    lax = Referral(coverage=0.8, thresholds={"no": 0.35, "yes": 0.3}, counts={"no": 9, "yes": 9})
    found = assess_referral(
        predict(), abstain(SETS, [0, 0, 1, 1, 1, 0], [0.5, 1.5, 0.5, 0.5, 0.5, 0.5]), others=[lax], options=OPTIONS
    )
    (at,) = found.tradeoffs
    # Sets: a no, b no (but unfamiliar), c none, d yes, e yes, f no.
    assert (at.coverage, at.read.metric.value, at.errors.metric.value) == (0.8, pytest.approx(4 / 6), 0.25)


def test_where_nothing_is_read_the_error_is_undefined_with_a_reason() -> None:
    found = assess_referral(predict(), abstain([[1, 1]] * 6, [0] * 6, [0.5] * 6), options=OPTIONS)
    assert np.isnan(found.errors["read"].metric.value) and found.errors["read"].metric.reason
    assert found.to_dict()["errors"]["read"]["value"] is None


def test_images_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    hits, every = np.repeat(rng.random(50) < 0.7, 8), np.ones(400, dtype=bool)
    alone = proportions({"a": (hits, every)}, resamples=500)["a"]
    grouped = proportions({"a": (hits, every)}, patients=[f"p{i // 8}" for i in range(400)], resamples=500)["a"]
    assert alone.metric == grouped.metric
    widths = [found.interval.high - found.interval.low for found in (alone, grouped)]
    assert widths[1] == pytest.approx(widths[0] * np.sqrt(8), rel=0.2)
    assert "by patient" in grouped.interval.method


def test_a_share_of_all_or_none_counts_each_patient_as_one_trial() -> None:
    every = np.ones(40, dtype=bool)
    found = proportions({"a": (every, every)}, patients=[f"p{i // 2}" for i in range(40)], resamples=100)["a"]
    assert (found.interval.low, found.interval.high) == (wilson(20, 20).low, 1.0)


def test_the_interval_of_clustered_shares_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(200):
        rates = rng.beta(4, 2, 60)
        sizes = rng.integers(1, 6, 60)
        hits = np.concatenate([rng.random(size) < rate for rate, size in zip(rates, sizes, strict=True)])
        patients = [f"p{i}" for i in np.repeat(np.arange(60), sizes)]
        found = proportions({"a": (hits, np.ones(len(hits), dtype=bool))}, patients=patients, resamples=200, seed=seed)[
            "a"
        ]
        held += 4 / 6 in found.interval
    assert 0.9 <= held / 200 <= 0.99
