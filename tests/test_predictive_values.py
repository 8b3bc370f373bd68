"""PPV and NPV at the prevalence of the clinic, and how sure they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InvalidOption
from overread.evaluation import Estimate, Interval, Metric, predictive_values, wilson


def rate(right: int, n: int, name: str = "rate") -> Estimate:
    return Estimate(Metric(name, right / n, n), wilson(right, n))


def test_the_liver_scan_has_its_published_predictive_values_at_two_prevalences() -> None:
    # Altman DG, Bland JM. BMJ 1994;309:102: 0.88 and 0.67 at 258/344 ill; 0.45 and 0.95 if a quarter were.
    sensitivity, specificity = rate(231, 258), rate(54, 86)
    own = predictive_values(sensitivity, specificity, prevalence=258 / 344)
    assert own["ppv"].metric.value == pytest.approx(231 / 263)
    assert own["npv"].metric.value == pytest.approx(54 / 81)
    quarter = predictive_values(sensitivity, specificity, prevalence=0.25)
    assert {name: round(found.metric.value, 2) for name, found in quarter.items()} == {"ppv": 0.45, "npv": 0.95}
    assert quarter["ppv"].metric.n == 344


@pytest.mark.parametrize("prevalence", [0.02, 0.3])
def test_with_many_cases_the_interval_is_that_of_mercaldo(prevalence: float) -> None:
    # Mercaldo ND et al. Stat Med 2007;26:2170-2183, standard logit interval, doi:10.1002/sim.2677.
    (tp, n1), (tn, n0) = (3600, 4000), (4250, 5000)
    found = predictive_values(rate(tp, n1), rate(tn, n0), prevalence=prevalence)
    se, sp, prior = tp / n1, tn / n0, math.log(prevalence / (1 - prevalence))
    logits = {
        "ppv": (prior + math.log(se / (1 - sp)), (1 - se) / (n1 * se) + sp / (n0 * (1 - sp))),
        "npv": (-prior + math.log(sp / (1 - se)), se / (n1 * (1 - se)) + (1 - sp) / (n0 * sp)),
    }
    for name, (logit, variance) in logits.items():
        half = 1.959964 * math.sqrt(variance)
        ends = [1 / (1 + math.exp(-logit - side * half)) for side in (-1, 1)]
        assert [found[name].interval.low, found[name].interval.high] == pytest.approx(ends, rel=5e-3)


def test_the_interval_holds_the_true_value_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    se, sp, prevalence, studies = 0.92, 0.8, 0.05, 1000
    truth = {
        "ppv": se * prevalence / (se * prevalence + (1 - sp) * (1 - prevalence)),
        "npv": sp * (1 - prevalence) / (sp * (1 - prevalence) + (1 - se) * prevalence),
    }
    held = dict.fromkeys(truth, 0)
    for found, cleared in zip(random.binomial(60, se, studies), random.binomial(90, sp, studies), strict=True):
        values = predictive_values(rate(int(found), 60), rate(int(cleared), 90), prevalence=prevalence)
        for name, true in truth.items():
            held[name] += true in values[name].interval
    assert 0.93 <= held["ppv"] / studies <= 0.97
    assert 0.93 <= held["npv"] / studies <= 0.97


@given(st.integers(0, 20), st.integers(0, 30), st.floats(0.001, 0.999))
def test_swapping_the_classes_swaps_ppv_and_npv_and_their_intervals(
    found: int, cleared: int, prevalence: float
) -> None:
    one = predictive_values(rate(found, 20), rate(cleared, 30), prevalence=prevalence)
    other = predictive_values(rate(cleared, 30), rate(found, 20), prevalence=1 - prevalence)
    for name, swapped in (("ppv", "npv"), ("npv", "ppv")):
        first, second = one[name], other[swapped]
        assert first.metric.value == pytest.approx(second.metric.value, nan_ok=True)
        assert first.interval.low == pytest.approx(second.interval.low, nan_ok=True)
        if first.metric.reason is None:
            assert 0 <= first.interval.low <= first.metric.value <= first.interval.high <= 1


def test_an_undefined_predictive_value_says_why() -> None:
    never = predictive_values(rate(0, 5), rate(5, 5), prevalence=0.1)
    assert math.isnan(never["ppv"].metric.value)
    assert never["ppv"].metric.reason == never["ppv"].interval.reason == "No case was predicted positive."
    assert never["npv"].metric.value == pytest.approx(0.9)
    none = Interval.none(0.95, "none", "No case is ill.")
    missing = Estimate(Metric("sensitivity", math.nan, 0, "No case is ill."), none)
    values = predictive_values(missing, rate(5, 5), prevalence=0.1)
    assert {found.metric.reason for found in values.values()} == {"No case is ill."}
    vague = Estimate(Metric("sensitivity", 0.8, 5), Interval.none(0.95, "bootstrap", "One patient only."))
    assert predictive_values(vague, rate(4, 5), prevalence=0.1)["ppv"].interval.reason == "One patient only."


@pytest.mark.parametrize("prevalence", [0, 1, -0.1, 2, math.nan])
def test_a_prevalence_that_is_no_share_is_refused(prevalence: float) -> None:
    with pytest.raises(InvalidOption, match="prevalence"):
        predictive_values(rate(9, 10), rate(8, 10), prevalence=prevalence)
