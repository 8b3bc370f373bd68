"""The operating point: Youden's cut, targets, costs, fixed thresholds, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.decision import (
    OperatingPoint,
    OrderedGrades,
    SeveralFindings,
    Task,
    check_operating_point_rule,
    choose_operating_point,
    choose_operating_points,
)
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import compute_metrics

pytestmark = pytest.mark.filterwarnings("error")
RULES = ["youden", "0.5", "0", "1", 0.25, "sensitivity=0.9", "specificity=0.8", "cost=5:1", "cost=1:2.5"]


def test_youden_takes_the_middle_where_many_thresholds_do_alike() -> None:
    # Nothing lies between .3 and .7, and all the same distance from either side.
    point = choose_operating_point([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert point.threshold == pytest.approx(0.5)
    assert (point.sensitivity, point.specificity) == (1, 1)
    assert (point.n_positive, point.n_negative, point.rule) == (3, 3, "youden")


def test_a_score_that_separates_nothing_leaves_the_threshold_at_the_share_of_the_class() -> None:
    point = choose_operating_point([0, 1, 0, 0], [0.4, 0.4, 0.4, 0.4])
    assert 0.2 < point.threshold < 0.4 and (point.sensitivity, point.specificity) == (1, 0)


def test_neighbouring_floats_are_told_apart_by_a_target() -> None:
    low = 0.5
    high = math.nextafter(low, 1)
    point = choose_operating_point(np.repeat([0, 1], 40), np.repeat([low, high], 40), rule="sensitivity=0.9")
    assert low < point.threshold <= high and (point.sensitivity, point.specificity) == (1, 1)


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=25))]
    scores = draw(st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 9


def normal_scores(n: int, seed: int, *, share: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Classes whose log odds are normal, as calibrated probabilities; the best threshold for Youden is the share."""
    random = np.random.default_rng(seed)
    y_true = (random.random(n) < share).astype(int)
    y_true[:2] = 0, 1
    odds = random.normal(np.where(y_true == 1, 1, -1), np.sqrt(2)) + math.log(share / (1 - share))
    return y_true, 1 / (1 + np.exp(-odds))


def balanced_accuracy(cases: tuple[np.ndarray, np.ndarray], threshold: float) -> float:
    y_true, score = cases
    return float(((score >= threshold)[y_true == 1].mean() + (score < threshold)[y_true == 0].mean()) / 2)


def best_cut(y_true: np.ndarray, score: np.ndarray) -> float:
    return float(max(np.unique(score), key=lambda threshold: balanced_accuracy((y_true, score), threshold)))


def test_youden_loses_half_of_what_the_best_cut_of_its_cases_loses_on_unseen_ones() -> None:
    unseen = normal_scores(20_000, seed=1000)
    highest = balanced_accuracy(unseen, 0.4)
    lost = [
        [highest - balanced_accuracy(unseen, threshold) for threshold in (point.threshold, best_cut(*cases))]
        for cases in (normal_scores(60, seed) for seed in range(40))
        for point in [choose_operating_point(*cases)]
    ]
    ours, best = np.mean(lost, axis=0)
    assert ours < best / 2


def test_with_many_cases_youden_finds_the_best_threshold_of_probabilities_that_are_far_off() -> None:
    y_true, score = normal_scores(4000, seed=0)
    bent = score**4
    point = choose_operating_point(y_true, bent)
    assert balanced_accuracy((y_true, bent), point.threshold) > balanced_accuracy((y_true, score), 0.4) - 0.005


@pytest.mark.parametrize("n", [25, 60, 300])
@pytest.mark.parametrize("rate", ["sensitivity", "specificity"])
def test_unseen_cases_reach_on_average_what_was_asked(n: int, rate: str) -> None:
    y_true, score = normal_scores(20_000, seed=1000)
    reached = []
    for seed in range(60):
        threshold = choose_operating_point(*normal_scores(n, seed), rule=f"{rate}=0.9").threshold
        called = score >= threshold
        reached.append(called[y_true == 1].mean() if rate == "sensitivity" else (~called)[y_true == 0].mean())
    assert 0.88 <= np.mean(reached) <= 0.94


@given(scored_cases(), st.sampled_from(RULES))
@settings(deadline=None)
def test_evaluating_at_the_threshold_gives_the_rates_of_the_point(
    cases: tuple[np.ndarray, np.ndarray], rule: str | float
) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score, rule=rule)
    result = compute_metrics(
        y_true,
        np.column_stack([1 - score, score]),
        task=Task.of(("no", "yes")),
        thresholds={"yes": point.threshold},
    )
    assert (point.sensitivity, point.specificity) == (result["sensitivity"].value, result["specificity"].value)
    assert (point.n_positive, point.n_negative) == (result["sensitivity"].n, result["specificity"].n)


@pytest.mark.parametrize(("rule", "threshold", "name"), [("0.5", 0.5, "0.5"), (0.35, 0.35, "0.35"), (1, 1.0, "1")])
def test_a_number_is_a_fixed_threshold(rule: str | float, threshold: float, name: str) -> None:
    point = choose_operating_point([0, 1], [0.2, 0.8], rule=rule)
    assert (point.threshold, point.rule) == (threshold, name)
    assert point.is_given and not choose_operating_point([0, 1], [0.2, 0.8]).is_given


@given(scored_cases(), st.sampled_from([0.5, 0.8, 0.9]), st.booleans())
@settings(deadline=None)
def test_of_enough_cases_as_many_are_right_as_a_further_one_would_be(
    cases: tuple[np.ndarray, np.ndarray], target: float, positive: bool
) -> None:
    # Each case ten times, so that there are enough of them; equal ones are decided alike.
    y_true, score = np.tile(cases[0], 10), 0.9 * np.tile(cases[1], 10)
    point = choose_operating_point(y_true, score, rule=f"{'sensitivity' if positive else 'specificity'}={target}")
    rate, n = (point.sensitivity, point.n_positive) if positive else (point.specificity, point.n_negative)
    assert round(rate * n) >= math.floor(round((n + 1) * target, 9))
    own = np.sort(score[y_true == positive])[:: -1 if positive else 1]
    beyond = own[math.ceil(round((n + 1) * target, 9)) - 1]
    assert point.threshold >= beyond - 1e-9 if positive else point.threshold <= beyond + 1e-9


def test_dear_misses_lower_the_threshold() -> None:
    y_true, score = normal_scores(1000, seed=0)
    found = [
        choose_operating_point(y_true, score, rule=rule).threshold for rule in ("cost=5:1", "cost=1:1", "cost=1:5")
    ]
    # Calibrated probabilities are to be held against 1 / 6, 1 / 2 and 5 / 6.
    assert found == pytest.approx([1 / 6, 1 / 2, 5 / 6], abs=0.1)


def test_costs_that_nothing_is_worth_are_told() -> None:
    point = choose_operating_point([0] * 60 + [1] * 3, [0.4] * 30 + [0.2] * 30 + [0.4] * 3, rule="cost=1:1")
    assert point.sensitivity == 0 or "would cost less" in str(point.note)


def test_a_target_is_met_exactly_where_the_share_is_exact() -> None:
    # Of 19 cases the lowest leaves 19 of 20, which is 0.95 in decimals and must be so in floats.
    y_true, score = np.repeat([0, 1], [19, 19]), np.arange(38) / 38
    sensitive = choose_operating_point(y_true, score, rule="sensitivity=0.95")
    assert (sensitive.specificity, sensitive.note) == (1, None)
    specific = choose_operating_point(1 - y_true, 1 - score, rule="specificity=0.95")
    assert (specific.sensitivity, specific.note) == (1, None)


def test_too_few_cases_for_a_target_are_told_and_leave_room_below_them() -> None:
    y_true, score = np.repeat([0, 1], [40, 10]), np.concatenate([np.linspace(0, 0.3, 40), np.linspace(0.5, 0.95, 10)])
    point = choose_operating_point(y_true, score, rule="sensitivity=0.95")
    assert point.threshold < 0.4 and point.sensitivity == 1
    assert point.note == "A sensitivity of 0.95 cannot be promised by 10 positive cases: it takes 19."
    assert "cannot be promised by 10 positive cases." in str(
        choose_operating_point(y_true, score, rule="sensitivity=1").note
    )


def test_a_point_of_no_use_says_so() -> None:
    everyone = choose_operating_point([1, 0, 0, 1], [0.1, 0.2, 0.3, 0.25], rule="sensitivity=1")
    assert everyone.specificity == 0 and str(everyone.note).startswith("Every negative case reaches this threshold.")
    none = choose_operating_point([1, 0, 0, 1], [0.1, 0.2, 0.3, 0.25], rule="0.9")
    assert none.sensitivity == 0 and none.note == "No positive case reaches this threshold."


def test_classes_that_are_far_apart_cannot_place_the_threshold() -> None:
    y_true = np.repeat([0, 1], 100)
    apart = np.concatenate([np.linspace(0.01, 0.05, 100), np.linspace(0.95, 0.99, 100)])
    point = choose_operating_point(y_true, apart)
    assert "cannot place the threshold: anything from 0.0" in str(point.note)
    assert 0.3 < point.threshold < 0.7
    assert choose_operating_point(*normal_scores(2000, seed=0)).note is None


def test_the_interval_holds_the_threshold_and_narrows_with_more_patients() -> None:
    few, many = (choose_operating_point(*normal_scores(n, seed=0)) for n in (60, 4000))
    for point in (few, many):
        assert point.interval is not None and point.interval[0] < point.threshold < point.interval[1]
    assert np.ptp(many.interval) < np.ptp(few.interval)
    assert choose_operating_point([0, 1], [0.2, 0.8], rule="0.5").interval is None


@pytest.mark.parametrize("patients", [["a"] * 60, None])
def test_too_few_patients_give_no_interval_rather_than_a_narrow_one(patients: list[str] | None) -> None:
    y_true, score = np.repeat([0, 1], [58, 2]), np.linspace(0.05, 0.95, 60)
    point = choose_operating_point(y_true, score, patients=patients)
    assert point.interval is None
    assert "too few to tell how sure" in str(point.note) or "cannot place" in str(point.note)


@pytest.mark.parametrize("rule", ["youden", "sensitivity=0.9", "specificity=0.9", "cost=2:1"])
def test_images_of_one_patient_are_drawn_together(rule: str) -> None:
    y_true, score = (np.repeat(values, 10) for values in normal_scores(100, seed=0))
    alone = choose_operating_point(y_true, score, rule=rule)
    together = choose_operating_point(y_true, score, rule=rule, patients=[f"p{row // 10}" for row in range(len(score))])
    assert together.threshold == alone.threshold
    assert np.ptp(together.interval) > np.ptp(alone.interval)


def test_as_many_patients_as_cases_are_asked_for() -> None:
    with pytest.raises(InvalidData, match="3 patients for 2 cases"):
        choose_operating_point([0, 1], [0.2, 0.8], patients=["a", "b", None])


def test_each_of_several_classes_gets_its_point_against_the_rest() -> None:
    random = np.random.default_rng(0)
    y_true, y_prob = random.integers(0, 3, 200), random.dirichlet(np.ones(3), 200)
    patients = [f"p{row // 2}" for row in range(200)]
    points = choose_operating_points(y_true, y_prob, task=Task.of("abc"), rule="sensitivity=0.8", patients=patients)
    assert list(points) == ["a", "b", "c"]
    alone = choose_operating_point(y_true == 1, y_prob[:, 1], rule="sensitivity=0.8", patients=patients)
    assert points["b"] == alone and alone.sensitivity >= 0.8


def test_each_finding_gets_its_point_from_the_cases_that_know_it() -> None:
    random = np.random.default_rng(1)
    task = SeveralFindings(("mass", "edema", "hernia", "scar"))
    y_true, y_prob = random.integers(0, 2, (200, 4)), random.random((200, 4))
    y_true[::3, 1] = y_true[:, 3] = -1
    y_true[:, 2] = 0
    patients = [f"p{row // 2}" for row in range(200)]
    points = choose_operating_points(y_true, y_prob, task=task, rule="sensitivity=0.8", patients=patients)
    known = y_true[:, 1] >= 0
    alone = choose_operating_point(
        y_true[known, 1], y_prob[known, 1], rule="sensitivity=0.8", patients=list(np.array(patients)[known])
    )
    assert list(points) == ["mass", "edema"] and points["edema"] == alone
    with pytest.raises(InvalidData, match="3 patients for 200 cases"):
        choose_operating_points(y_true, y_prob, task=task, patients=patients[:3])


def test_each_cut_of_ordered_grades_gets_its_point_by_the_probability_of_reaching_it() -> None:
    random = np.random.default_rng(2)
    task = OrderedGrades(tuple("01234"), (2, 4))
    y_true, y_prob = random.integers(0, 4, 200), random.dirichlet(np.ones(5), 200)
    points = choose_operating_points(y_true, y_prob, task=task)
    # Nobody is of grade 4.
    assert points == {"2 or more": choose_operating_point(y_true >= 2, y_prob[:, 2:].sum(axis=1))}


def test_a_class_without_a_case_is_named() -> None:
    with pytest.raises(InvalidData, match=r"class c against the rest: 0 positive and 2 negative"):
        choose_operating_points([0, 1], [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], task=Task.of("abc"))
    with pytest.raises(InvalidData, match=r"row 1 .*labels has 3"):
        choose_operating_points([0, 3], np.full((2, 3), 1 / 3), task=Task.of("abc"))
    with pytest.raises(InvalidData, match=r"give \(n, 3\) probabilities"):
        choose_operating_points([0, 1], np.full((2, 2), 0.5), task=Task.of("abc"))


@pytest.mark.parametrize(
    "rule",
    ["yuoden", "1.5", "-0.1", "nan", "inf", "", None, math.nan, "sensitivity", "sensitivity=0", "sensitivity=95",
     "specificity=1.01", "specificity=high", "cost=5", "cost=0:1", "cost=1:-1", "cost=inf:1", "cost=5:1:1", "youden=1"],
)  # fmt: skip
def test_an_unknown_rule_is_refused_with_the_allowed_ones(rule: object) -> None:
    with pytest.raises(InvalidOption, match=r"'sensitivity=0.95'.*'youden' or a threshold from 0 to 1"):
        choose_operating_point([0, 1], [0.2, 0.8], rule=rule)  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="is unknown"):
        check_operating_point_rule(rule)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", RULES)
def test_a_known_rule_passes_the_check(rule: str | float) -> None:
    check_operating_point_rule(rule)


@pytest.mark.parametrize(
    ("y_true", "score", "message"),
    [
        ([1, 1], [0.2, 0.8], "2 positive and 0 negative"),
        ([0, 0], [0.2, 0.8], "0 positive and 2 negative"),
        ([], [], "no case"),
        ([0, 1], [0.2, math.nan], "row 1"),
        ([0, 1], [-2.0, 0.5], "not logits"),
        ([0, 1], [0.5, 3.5], "not logits"),
        ([0, 1], [[0.8, 0.2], [0.2, 0.8]], "shape"),
    ],
)
@pytest.mark.parametrize("rule", ["youden", "0.5"])
def test_cases_that_cannot_place_a_threshold_are_refused(
    y_true: list[int], score: list[float], message: str, rule: str
) -> None:
    with pytest.raises(InvalidData, match=message):
        choose_operating_point(y_true, score, rule=rule)


def test_an_operating_point_survives_json_unchanged() -> None:
    point = choose_operating_point([0, 1, 0, 1], np.array([0.1, 0.7, 0.3, 0.9], dtype=np.float32))
    assert OperatingPoint.from_dict(json.loads(json.dumps(point.to_dict()))) == point
    useless = choose_operating_point([0, 1], [0.2, 0.8], rule="1")
    assert OperatingPoint.from_dict(json.loads(json.dumps(useless.to_dict()))) == useless and useless.note


def test_a_point_stored_without_note_and_interval_is_read() -> None:
    point = choose_operating_point([0, 1], [0.2, 0.8], rule="0.5")
    fields = point.to_dict()
    del fields["note"]
    assert OperatingPoint.from_dict(fields) == point


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 1.2},
        {"threshold": math.nan},
        {"sensitivity": -0.1},
        {"n_positive": 0},
        {"interval": [0.5, 0.4]},
        {"extra": 1},
    ],
)
def test_a_damaged_operating_point_is_refused(change: dict[str, float]) -> None:
    fields = choose_operating_point([0, 1], [0.2, 0.8]).to_dict()
    with pytest.raises(InvalidData):
        OperatingPoint.from_dict({**fields, **change})


def test_a_missing_field_is_named() -> None:
    fields = choose_operating_point([0, 1], [0.2, 0.8]).to_dict()
    del fields["rule"]
    with pytest.raises(InvalidData, match=r"\['rule'\]"):
        OperatingPoint.from_dict(fields)


def test_what_was_not_known_of_a_point_is_not_written_so_that_older_bundles_keep_their_fingerprint() -> None:
    older = {
        "threshold": 0.5, "rule": "0.5", "sensitivity": 1.0, "specificity": 1.0, "n_positive": 1, "n_negative": 1,
        "note": None,
    }  # fmt: skip
    assert OperatingPoint.from_dict(older).to_dict() == older
