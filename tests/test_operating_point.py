"""The operating point: Youden's cut, fixed thresholds, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InvalidData, InvalidOption
from overread.evaluation import OperatingPoint, choose_operating_point, evaluate

pytestmark = pytest.mark.filterwarnings("error")


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


@given(scored_cases(), st.sampled_from(["youden", "0.5", "0", "1", 0.25]))
@settings(deadline=None)
def test_evaluating_at_the_threshold_gives_the_rates_of_the_point(
    cases: tuple[np.ndarray, np.ndarray], rule: str | float
) -> None:
    y_true, score = cases
    point = choose_operating_point(y_true, score, rule=rule)
    result = evaluate(y_true, np.column_stack([1 - score, score]), classes=("no", "yes"), threshold=point.threshold)
    assert (point.sensitivity, point.specificity) == (result["sensitivity"].value, result["specificity"].value)
    assert (point.n_positive, point.n_negative) == (result["sensitivity"].n, result["specificity"].n)


@pytest.mark.parametrize(("rule", "threshold", "name"), [("0.5", 0.5, "0.5"), (0.35, 0.35, "0.35"), (1, 1.0, "1")])
def test_a_number_is_a_fixed_threshold(rule: str | float, threshold: float, name: str) -> None:
    point = choose_operating_point([0, 1], [0.2, 0.8], rule=rule)
    assert (point.threshold, point.rule) == (threshold, name)


@pytest.mark.parametrize("rule", ["yuoden", "1.5", "-0.1", "nan", "inf", "", None, math.nan])
def test_an_unknown_rule_is_refused_with_the_allowed_ones(rule: object) -> None:
    with pytest.raises(InvalidOption, match="'youden' or a threshold from 0 to 1"):
        choose_operating_point([0, 1], [0.2, 0.8], rule=rule)  # type: ignore[arg-type]


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
