"""Net benefit and predictive values: published worked examples, limits and properties."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InvalidData, InvalidOption
from overread.evaluation.decision_curve import USUAL_THRESHOLDS, DecisionCurve, decision_curve

pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=25))]
    scores = draw(st.lists(st.integers(0, 20), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 20


def test_treating_all_of_a_cohort_with_30_percent_ill_has_its_published_net_benefit() -> None:
    # PMC6993280, table 4 (hepatocellular carcinoma): net benefit of intervention to all patients.
    published = {
        0.03: 0.278, 0.05: 0.263, 0.08: 0.239, 0.10: 0.222, 0.20: 0.125, 0.30: 0.0, 0.40: -0.167,
        0.50: -0.4, 0.60: -0.75, 0.70: -1.333, 0.80: -2.5, 0.90: -6.0, 0.96: -16.5,
    }  # fmt: skip
    y_true = np.repeat([1, 0], [30, 70])
    curve = decision_curve(y_true, np.ones(100), thresholds=list(published))
    assert [round(value, 3) for value in curve.treat_all] == pytest.approx(list(published.values()), abs=1e-9)
    assert curve.net_benefit == pytest.approx(curve.treat_all) and curve.prevalence == 0.3


def test_the_same_table_gives_its_published_number_of_needless_interventions_avoided() -> None:
    # Model 0.206 and treat-all 0.125 at 20 %, 0.135 and -0.4 at 50 %: 32 and 54 of 100 (54 from unrounded figures).
    curve = DecisionCurve(
        thresholds=(0.2, 0.5), net_benefit=(0.206, 0.135), treat_all=(0.125, -0.4), prevalence=0.3, n=1
    )
    assert curve.avoided_per_100 == pytest.approx([32.4, 53.5])
    assert curve.advantage == pytest.approx([0.081, 0.135])


def test_net_benefit_agrees_with_a_count_by_hand() -> None:
    # At 0.25: 3 of 4 ill found, 2 of 6 healthy alarmed, weighted 1/3.
    y_true = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    score = [0.9, 0.6, 0.25, 0.1, 0.8, 0.3, 0.2, 0.2, 0.1, 0.0]
    curve = decision_curve(y_true, score, thresholds=[0.25])
    assert curve.net_benefit[0] == pytest.approx(3 / 10 - 2 / 10 / 3)
    weighted = decision_curve(y_true, score, thresholds=[0.25], prevalence=0.02)
    assert weighted.net_benefit[0] == pytest.approx(0.75 * 0.02 - (2 / 6) * 0.98 / 3)


@given(scored_cases())
@settings(deadline=None)
def test_every_threshold_agrees_with_the_definition(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    curve = decision_curve(y_true, score, thresholds=[0.0, *USUAL_THRESHOLDS])
    for threshold, value in zip(curve.thresholds, curve.net_benefit, strict=True):
        acted = score >= threshold
        expected = (acted & (y_true == 1)).mean() - (acted & (y_true == 0)).mean() * threshold / (1 - threshold)
        assert value == pytest.approx(expected, abs=1e-12)


@given(scored_cases(), st.sampled_from([None, 0.02, 0.5]))
@settings(deadline=None)
def test_the_limits_are_treating_all_and_treating_none(
    cases: tuple[np.ndarray, np.ndarray], prevalence: float | None
) -> None:
    y_true, score = cases
    curve = decision_curve(y_true, 0.2 + 0.6 * score, prevalence=prevalence)
    for threshold, value, everyone in zip(curve.thresholds, curve.net_benefit, curve.treat_all, strict=True):
        if threshold < 0.2:
            assert value == pytest.approx(everyone)
        if threshold > 0.8:
            assert value == 0
    perfect = decision_curve(y_true, y_true.astype(float), prevalence=prevalence)
    assert perfect.net_benefit == pytest.approx([perfect.prevalence] * 99)
    assert curve.advantage.max() <= perfect.prevalence + 1e-12


@given(scored_cases())
@settings(deadline=None)
def test_weighting_to_the_prevalence_of_the_cases_changes_nothing(cases: tuple[np.ndarray, np.ndarray]) -> None:
    plain = decision_curve(*cases)
    weighted = decision_curve(*cases, prevalence=float(cases[0].mean()))
    assert weighted.net_benefit == pytest.approx(plain.net_benefit, abs=1e-12)
    assert weighted.treat_all == pytest.approx(plain.treat_all, abs=1e-12)


@given(scored_cases())
@settings(deadline=None)
def test_repeating_the_healthy_equals_weighting_to_the_lower_prevalence(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    more = np.repeat(np.arange(len(y_true)), np.where(y_true == 1, 1, 4))
    repeated = decision_curve(y_true[more], score[more])
    weighted = decision_curve(y_true, score, prevalence=repeated.prevalence)
    assert weighted.net_benefit == pytest.approx(repeated.net_benefit, abs=1e-9)


def test_one_class_only_is_defined_without_a_prevalence() -> None:
    healthy = decision_curve([0, 0], [0.1, 0.6], thresholds=[0.5])
    assert healthy.net_benefit == (-0.5,) and healthy.treat_all == (-1.0,) and healthy.prevalence == 0
    ill = decision_curve([1, 1], [0.1, 0.6], thresholds=[0.5])
    assert ill.net_benefit == (0.5,) and ill.treat_all == (1.0,)
    with pytest.raises(InvalidData, match="0 positive and 2 negative"):
        decision_curve([0, 0], [0.1, 0.6], prevalence=0.1)


def test_nothing_is_avoided_at_a_threshold_of_zero() -> None:
    assert math.isnan(decision_curve([0, 1], [0.2, 0.8], thresholds=[0.0]).avoided_per_100[0])


def test_a_decision_curve_is_json() -> None:
    curve = decision_curve([0, 1, 1], [0.2, 0.3, 0.8], prevalence=0.1)
    assert json.loads(json.dumps(curve.to_dict(), allow_nan=False))["net_benefit"] == list(curve.net_benefit)


@pytest.mark.parametrize("thresholds", [[], [1.0], [-0.1], [0.5, 0.5], [0.5, 0.4], [math.nan]])
def test_thresholds_out_of_range_or_order_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(InvalidOption, match="rise from 0"):
        decision_curve([0, 1], [0.2, 0.8], thresholds=thresholds)


@pytest.mark.parametrize("prevalence", [0, 1, -0.1, 2, math.nan])
def test_a_prevalence_out_of_range_is_refused(prevalence: float) -> None:
    with pytest.raises(InvalidOption, match="prevalence"):
        decision_curve([0, 1], [0.2, 0.8], prevalence=prevalence)


def test_logits_are_refused() -> None:
    with pytest.raises(InvalidData, match="not logits"):
        decision_curve([0, 1], [-2.0, 2.0])
