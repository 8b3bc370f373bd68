"""Who is referred and why, and what that is worth on labelled images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from overread.decision import Abstentions, OrderedGrades, Referral, SeveralFindings, Task
from overread.evaluation import ALL, AssessmentOptions, Estimate, Predictions, assess_referral, wilson
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


FINDINGS, GRADES = SeveralFindings(("mass", "edema")), OrderedGrades(tuple("0123"), (2,))


def shares(estimates: Mapping[str, Estimate]) -> dict[str, tuple[float, int]]:
    return {name: (round(found.metric.value, 3), found.metric.n) for name, found in estimates.items()}


def test_each_finding_is_counted_by_the_images_that_tell_whether_it_is_there() -> None:
    # Of mass: sure and right, sure and wrong, unsure and wrong, not known.
    y_true = FINDINGS.encode(["mass|edema", "mass|edema", "?edema", "?mass"])
    y_prob = np.array([[0.9, 0.9], [0.1, 0.9], [0.6, 0.9], [0.1, 0.9]])
    sets = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [0, 1, 1, 0]], dtype=bool)
    predictions = Predictions(cases=list("abcd"), y_true=y_true, y_prob=y_prob, task=FINDINGS)
    abstentions = Abstentions(task=FINDINGS, sets=sets, decided=predictions.decisions, unfamiliarity=np.zeros(4))
    lax = Referral(
        coverage=0.8, thresholds=dict.fromkeys(FINDINGS.answers, 0.3), counts=dict.fromkeys(FINDINGS.answers, 9)
    )
    found = assess_referral(predictions, abstentions, others=[lax], options=OPTIONS)
    mass, edema = found.questions["mass"], found.questions["edema"]
    assert mass.unsure.metric.value == 0.25
    assert shares(mass.errors) == {ALL: (0.667, 3), "sure": (0.5, 2), "unsure": (1.0, 1)}
    assert edema.unsure.metric.value == 0 and shares(edema.errors)["sure"] == (0.333, 3)
    assert edema.errors["unsure"].metric.reason
    assert found.errors[ALL].metric.n == 4 and ALL not in found.coverage and shares(found.coverage)["mass"] == (0.5, 2)
    assert shares(found.coverage)["no edema"] == (0, 1) and found.set_sizes == (3, 1, 0)
    (at,) = mass.tradeoffs
    # With the lax thresholds the third holds neither: it is unsure again.
    assert (at.read.metric.value, at.errors.metric.value) == (0.75, 0.5)
    assert found.to_dict()["questions"]["mass"]["errors"]["sure"]["value"] == 0.5
    assert found.far_errors == {} and "far_errors" not in found.to_dict()


def test_of_grades_it_is_told_how_far_off_decisions_are_and_how_sure_each_cut_is() -> None:
    y_prob = np.array([[0.7, 0.2, 0.1, 0], [0.6, 0.3, 0.1, 0], [0, 0.1, 0.8, 0.1], [0, 0.2, 0.2, 0.6]])
    predictions = Predictions(cases=list("abcd"), y_true=[0, 2, 1, 3], y_prob=y_prob, task=GRADES)
    sets = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], dtype=bool)
    abstentions = Abstentions(
        task=GRADES,
        sets=sets,
        decided=predictions.decisions,
        unfamiliarity=np.zeros(4),
        called=GRADES.called(y_prob, {"2 or more": 0.1}),
    )
    found = assess_referral(predictions, abstentions, options=OPTIONS)
    assert predictions.decisions.tolist() == [0, 0, 2, 3]
    assert shares(found.errors) == {ALL: (0.5, 4), "read": (1.0, 2), "referred": (0.0, 2)}
    assert shares(found.far_errors) == {ALL: (0.25, 4), "read": (0.5, 2), "referred": (0.0, 2)}
    assert found.set_sizes == (0, 2, 1, 1, 0) and shares(found.coverage)[ALL] == (0.5, 4)
    cut = found.questions["2 or more"]
    # The first two reach the cut and their sets do not; the last set lies on both sides of it.
    assert shares({"unsure": cut.unsure})["unsure"] == (0.75, 4)
    assert shares(cut.errors) == {ALL: (0.5, 4), "sure": (1.0, 1), "unsure": (0.333, 3)}


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
