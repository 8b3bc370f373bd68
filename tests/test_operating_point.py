"""The operating point: Youden's cut, targets, costs, fixed thresholds, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.decision import OperatingPoint, Task, choose_operating_point
from overread.decision.operating_point import check_operating_point_rule, choose_operating_points
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import compute_metrics

pytestmark = pytest.mark.filterwarnings("error")
RULES = ["youden", "0.5", "0", "1", 0.25, "sensitivity=0.9", "specificity=0.8", "cost=5:1", "cost=1:2.5"]


def test_youden_puts_the_threshold_midway_between_the_scores_of_the_best_cut() -> None:
    # J by hand, from the highest score down: 1/3, 2/3, 1/3, 2/3, 1/3, 0; the tie goes to the higher sensitivity.
    point = choose_operating_point([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.4, 0.6, 0.7, 0.9])
    assert point.threshold == pytest.approx(0.3)
    assert (point.sensitivity, point.specificity) == (1, pytest.approx(2 / 3))
    assert (point.n_positive, point.n_negative, point.rule) == (3, 3, "youden")


def test_a_score_that_separates_nothing_calls_every_case_positive() -> None:
    point = choose_operating_point([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4])
    assert (point.threshold, point.sensitivity, point.specificity) == (0, 1, 0)


def test_neighbouring_floats_are_still_told_apart() -> None:
    low = 0.5
    high = math.nextafter(low, 1)
    point = choose_operating_point([0, 1], [low, high])
    assert low < point.threshold <= high and (point.sensitivity, point.specificity) == (1, 1)


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=25))]
    scores = draw(st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 9


@given(scored_cases())
@settings(deadline=None)
def test_no_threshold_beats_youden_nor_equals_it_with_higher_sensitivity(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score)
    n_positive, n_negative = int((y_true == 1).sum()), int((y_true == 0).sum())
    tried = []
    for threshold in [*score, 0.0, 1.1]:
        found = int((score[y_true == 1] >= threshold).sum())
        cleared = int((score[y_true == 0] < threshold).sum())
        tried.append((found * n_negative + cleared * n_positive, found))
    best, found = max(tried)
    assert point.sensitivity == found / n_positive
    assert point.sensitivity + point.specificity == pytest.approx(best / (n_positive * n_negative))


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


def every_point(y_true: np.ndarray, score: np.ndarray) -> list[tuple[int, int]]:
    """True positives and true negatives of every cut that calls some case positive."""
    called = [score >= threshold for threshold in np.unique(score)]
    return [(int((cut & (y_true == 1)).sum()), int((~cut & (y_true == 0)).sum())) for cut in called]


@given(scored_cases(), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
@settings(deadline=None)
def test_no_point_with_the_sensitivity_asked_for_has_more_specificity(
    cases: tuple[np.ndarray, np.ndarray], target: float
) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score, rule=f"sensitivity={target}")
    reached = [(cleared, found) for found, cleared in every_point(y_true, score) if found / point.n_positive >= target]
    cleared, found = max(reached)
    assert (point.specificity, point.sensitivity) == (cleared / point.n_negative, found / point.n_positive)


@given(scored_cases(), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
@settings(deadline=None)
def test_no_point_with_the_specificity_asked_for_has_more_sensitivity(
    cases: tuple[np.ndarray, np.ndarray], target: float
) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score, rule=f"specificity={target}")
    tried = every_point(y_true, score)
    reached = [(found, cleared) for found, cleared in tried if cleared / point.n_negative >= target]
    if reached:
        found, cleared = max(reached)
        assert (point.specificity, point.sensitivity) == (cleared / point.n_negative, found / point.n_positive)
    else:
        assert point.specificity == max(cleared for _, cleared in tried) / point.n_negative
        assert f"Specificity {target:g} is out of reach" in str(point.note)


@given(scored_cases(), st.sampled_from([(5, 1), (1, 1), (1, 9), (0.5, 2.5)]))
@settings(deadline=None)
def test_no_point_costs_less_nor_as_little_with_higher_sensitivity(
    cases: tuple[np.ndarray, np.ndarray], cost: tuple[float, float]
) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score, rule=f"cost={cost[0]}:{cost[1]}")
    n_positive, n_negative = point.n_positive, point.n_negative
    tried = [
        (cost[0] * (n_positive - found) + cost[1] * (n_negative - cleared), -found)
        for found, cleared in every_point(y_true, score)
    ]
    least, found = min(tried)
    spent = cost[0] * n_positive * (1 - point.sensitivity) + cost[1] * n_negative * (1 - point.specificity)
    assert spent == pytest.approx(least) and point.sensitivity == -found / n_positive
    assert ("would cost less" in str(point.note)) == (cost[0] * n_positive < least)


def test_equal_costs_take_the_cut_with_the_fewest_errors_and_dear_misses_a_lower_one() -> None:
    y_true, score = [0, 0, 1, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    equal, dear = (choose_operating_point(y_true, score, rule=rule) for rule in ("cost=1:1", "cost=5:1"))
    assert equal.threshold == pytest.approx(0.55) and dear.threshold == pytest.approx(0.25)
    assert (equal.rule, equal.note, dear.note) == ("cost=1:1", None, None)


def test_a_target_is_met_exactly_where_the_share_is_exact() -> None:
    # 19 of 20 is 0.95 in decimals and must be so in floats.
    y_true, score = np.repeat([0, 1], [20, 20]), np.arange(40) / 40
    score[25] = 0.01
    assert choose_operating_point(y_true, score, rule="sensitivity=0.95").specificity == 1
    assert choose_operating_point(1 - y_true, 1 - score, rule="specificity=0.95").sensitivity == 1


def test_a_point_of_no_use_says_so() -> None:
    y_true, score = [1, 0, 0, 1], [0.1, 0.2, 0.3, 0.25]
    everyone = choose_operating_point(y_true, score, rule="sensitivity=1")
    assert everyone.specificity == 0 and everyone.note == "Every negative case reaches this threshold."
    none = choose_operating_point(y_true, score, rule="0.9")
    assert none.sensitivity == 0 and none.note == "No positive case reaches this threshold."
    tied = choose_operating_point([0, 1, 0], [0.9, 0.9, 0.1], rule="specificity=0.9")
    assert tied.specificity == 0.5 and "because the highest scores tie" in str(tied.note)
    assert choose_operating_point([0, 1], [0.2, 0.8], rule="sensitivity=1").note is None


@given(scored_cases(), st.sampled_from(["youden", "sensitivity=0.9", "specificity=0.8", "cost=3:1"]))
@settings(deadline=None)
def test_a_rule_sees_the_order_of_the_scores_only(cases: tuple[np.ndarray, np.ndarray], rule: str) -> None:
    y_true, score = cases
    plain, bent = (choose_operating_point(y_true, values, rule=rule) for values in (score, score**3 / 2))
    assert (plain.sensitivity, plain.specificity, plain.note) == (bent.sensitivity, bent.specificity, bent.note)


def test_each_of_several_classes_gets_its_point_against_the_rest() -> None:
    random = np.random.default_rng(0)
    y_true, y_prob = random.integers(0, 3, 200), random.dirichlet(np.ones(3), 200)
    points = choose_operating_points(y_true, y_prob, task=Task.of("abc"), rule="sensitivity=0.8")
    assert list(points) == ["a", "b", "c"]
    alone = choose_operating_point(y_true == 1, y_prob[:, 1], rule="sensitivity=0.8")
    assert points["b"] == alone and alone.sensitivity >= 0.8


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


def test_a_point_stored_without_a_note_is_read() -> None:
    point = choose_operating_point([0, 1], [0.2, 0.8])
    fields = point.to_dict()
    del fields["note"]
    assert OperatingPoint.from_dict(fields) == point


@pytest.mark.parametrize(
    "change", [{"threshold": 1.2}, {"threshold": math.nan}, {"sensitivity": -0.1}, {"n_positive": 0}, {"extra": 1}]
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
