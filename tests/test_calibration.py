"""Calibration and reliability: published worked examples, scikit-learn as the oracle, and properties."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from overread.decision import (
    CALIBRATION_METHODS,
    Calibration,
    SeveralClasses,
    Task,
    fit_calibration,
    to_probabilities,
)
from overread.decision.calibrating.temperature import LARGEST_TEMPERATURE, SMALLEST_TEMPERATURE
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import roc_auc
from overread.evaluation.reliability import measure_reliability

pytestmark = pytest.mark.filterwarnings("error")
TWO, THREE, FOUR = (Task.of("abcd"[:n]) for n in (2, 3, 4))
# Probability of rain at Tampere, 24 hours ahead, 2003: days and rainy days for forecasts of 0, 10 ... 100 %.
TAMPERE_DAYS = [46, 56, 59, 41, 19, 22, 22, 34, 24, 11, 13]
TAMPERE_RAIN = [1, 1, 5, 5, 4, 8, 6, 16, 16, 8, 11]


def too_extreme(n: int = 4000, *, factor: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of a perfectly calibrated logit, and that logit stretched."""
    random = np.random.default_rng(seed)
    logit = random.normal(0, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-logit))).astype(int), factor * logit[:, None]


def fitted(labels: Any, logits: Any, *, method: str = "temperature") -> Calibration:
    """Fit for two classes where there is one logit a case, else for as many classes as logits."""
    outputs = np.asarray(logits).shape[-1]
    task = TWO if outputs == 1 else SeveralClasses(tuple("abcd"[:outputs]))
    return fit_calibration(labels, logits, task=task, method=method)


def tampere() -> tuple[np.ndarray, np.ndarray]:
    forecast = np.repeat(np.arange(11) / 10, TAMPERE_DAYS)
    rained = [np.arange(days) < rainy for days, rainy in zip(TAMPERE_DAYS, TAMPERE_RAIN, strict=True)]
    return np.concatenate(rained).astype(int), forecast


class Logits(ClassifierMixin, BaseEstimator):
    """A classifier whose features are its logits, for scikit-learn to calibrate."""

    def __init__(self, n_classes: int = 2) -> None:
        self.n_classes = n_classes

    def fit(self, X: Any, y: Any) -> Logits:
        self.classes_ = np.arange(self.n_classes)
        return self

    def decision_function(self, X: Any) -> Any:
        return X[:, 0] if self.n_classes == 2 else X

    def predict(self, X: Any) -> Any:
        return to_probabilities(X).argmax(axis=1)


def scikit_learn_calibrated(labels: np.ndarray, logits: np.ndarray, method: str) -> np.ndarray:
    n_classes = max(2, logits.shape[1])
    model = CalibratedClassifierCV(FrozenEstimator(Logits(n_classes).fit(logits, labels)), method=method)
    return model.fit(logits, labels).predict_proba(logits)


@st.composite
def validation_cases(draw: st.DrawFn, outputs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Every class present, logits from few enough values that ties abound."""
    n_classes = max(2, outputs)
    labels = [*range(n_classes), *draw(st.lists(st.integers(0, n_classes - 1), max_size=25))]
    size = len(labels) * outputs
    values = draw(st.lists(st.integers(-12, 12), min_size=size, max_size=size))
    return np.array(labels), np.array(values, dtype=float).reshape(-1, outputs) / 2


@pytest.mark.parametrize("factor", [0.5, 2.0, 5.0])
def test_temperature_agrees_with_scikit_learn_for_two_classes(factor: float) -> None:
    labels, logits = too_extreme(factor=factor)
    calibration = fitted(labels, logits)
    assert calibration.temperature == pytest.approx(factor, rel=0.1) and calibration.note is None
    assert calibration.apply(logits, TWO) == pytest.approx(
        scikit_learn_calibrated(labels, logits, "temperature"), abs=2e-4
    )


def test_temperature_agrees_with_scikit_learn_for_four_classes() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 1.5, (3000, 4))
    labels = (to_probabilities(logits).cumsum(axis=1) > random.random((3000, 1))).argmax(axis=1)
    calibration = fitted(labels, 3 * logits)
    assert calibration.temperature == pytest.approx(3, rel=0.1)
    expected = scikit_learn_calibrated(labels, 3 * logits, "temperature")
    assert calibration.apply(3 * logits, FOUR) == pytest.approx(expected, abs=2e-4)


def test_temperature_puts_equal_logits_at_the_observed_share() -> None:
    calibration = fitted([0, 1, 1, 1], [[3.0]] * 4)
    assert calibration.apply([[3.0]], TWO)[0] == pytest.approx([0.25, 0.75])


@given(validation_cases(), st.sampled_from([1.0, 0.37, 2.9]))
@settings(deadline=None)
def test_temperature_changes_neither_the_auc_nor_the_decision(
    cases: tuple[np.ndarray, np.ndarray], scale: float
) -> None:
    labels, logits = cases
    calibrated = fitted(labels, scale * logits).apply(logits, TWO)
    assert roc_auc(labels, calibrated[:, 1]) == roc_auc(labels, to_probabilities(logits)[:, 1])
    assert np.array_equal(calibrated.argmax(axis=1), to_probabilities(logits).argmax(axis=1))


@given(validation_cases(outputs=3))
@settings(deadline=None)
def test_temperature_keeps_the_most_probable_of_three_classes(cases: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = cases
    assert np.array_equal(fitted(labels, logits).apply(logits, THREE).argmax(axis=1), logits.argmax(axis=1))


@given(validation_cases())
@settings(deadline=None)
def test_no_temperature_within_the_bounds_has_a_lower_loss(cases: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = cases
    calibration = fitted(labels, logits)
    if calibration.note and "separate" in calibration.note:
        return
    signed = np.where(labels == 1, 1, -1) * logits[:, 0]

    def loss(temperature: float) -> float:
        return float(np.logaddexp(0, -signed / temperature).sum())

    tried = np.geomspace(SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE, 60)
    assert loss(calibration.temperature or math.nan) <= min(map(loss, tried)) + 1e-9


def test_two_logits_are_calibrated_as_their_difference() -> None:
    labels, logits = too_extreme()
    two = np.column_stack([np.ones_like(logits), logits + 1])
    one, both = fitted(labels, logits), fitted(labels, two)
    assert both.temperature == pytest.approx(one.temperature)
    assert both.apply(two, SeveralClasses(("no", "yes"))) == pytest.approx(one.apply(logits, TWO))


def test_isotonic_agrees_with_scikit_learn_inside_and_outside_the_range_it_was_fitted_on() -> None:
    labels, logits = too_extreme(2000)
    logits = np.round(logits, 1)
    n = len(labels)
    oracle = IsotonicRegression(y_min=1 / (n + 2), y_max=(n + 1) / (n + 2), out_of_bounds="clip")
    oracle.fit(logits[:, 0], labels)
    new = np.linspace(-12, 12, 500)[:, None]
    calibration = fitted(labels, logits, method="isotonic")
    assert calibration.apply(new, TWO)[:, 1] == pytest.approx(oracle.predict(new[:, 0]), abs=1e-12)
    assert calibration.note is None and len(calibration.isotonic or ()) < 100


def test_isotonic_pools_the_violators_of_a_small_example_by_hand() -> None:
    # Shares 0, 1/2, 1/3, 1 at the logits 0 to 3: the middle two violate and pool to 2/5; the bounds are 1/10 and 9/10.
    labels, logits = [0, 1, 0, 0, 0, 1, 1, 1], [[0.0], [1.0], [1.0], [2.0], [2.0], [2.0], [3.0], [3.0]]
    calibration = fitted(labels, logits, method="isotonic")
    assert calibration.isotonic == ((0.0, 0.1), (1.0, 0.4), (2.0, 0.4), (3.0, 0.9))
    assert calibration.apply([[0.5], [1.5]], TWO)[:, 1] == pytest.approx([0.25, 0.4])
    assert "8 cases" in str(calibration.note)


def test_beta_agrees_with_an_unpenalised_logistic_regression_on_log_p_and_log_not_p() -> None:
    labels, logits = too_extreme()
    logits = logits + np.where(logits > 0, 0.7 * logits, 0)
    p = to_probabilities(logits)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.log(p) * [-1, 1], labels)
    b, a = oracle.coef_[0]
    calibration = fitted(labels, logits, method="beta")
    assert calibration.beta == pytest.approx((a, b, oracle.intercept_[0]), abs=1e-4) and a > 0 and b > 0
    assert calibration.apply(logits, TWO) == pytest.approx(oracle.predict_proba(np.log(p) * [-1, 1]), abs=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_beta_drops_the_column_whose_weight_would_turn_negative(sign: int) -> None:
    # Outcomes that follow ln(1 - p) or ln p alone, beyond it: the other weight is best below 0.
    random = np.random.default_rng(3)
    logit = random.normal(0, 1.5, 3000)
    score = sign * (1.6 * np.logaddexp(0, sign * logit) + 0.5 * np.logaddexp(0, -sign * logit)) - sign
    labels = (random.random(3000) < 1 / (1 + np.exp(-score))).astype(int)
    calibration = fitted(labels, logit[:, None], method="beta")
    a, b, c = calibration.beta or (math.nan,) * 3
    column = (np.logaddexp(0, logit) if sign == 1 else -np.logaddexp(0, -logit))[:, None]
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(column, labels)
    kept, dropped = (b, a) if sign == 1 else (a, b)
    assert dropped == 0 and (kept, c) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=1e-4)


@given(validation_cases(), st.sampled_from(CALIBRATION_METHODS))
@settings(deadline=None)
def test_every_method_is_finite_never_certain_and_never_swaps_two_cases(
    cases: tuple[np.ndarray, np.ndarray], method: str
) -> None:
    labels, logits = cases
    calibration = fitted(labels, logits, method=method)
    rising = calibration.apply(np.linspace(-8, 8, 60)[:, None], TWO)
    assert np.isfinite(rising).all() and np.allclose(rising.sum(axis=1), 1) and rising.min() >= 0
    assert np.diff(rising[:, 1]).min() >= -1e-12
    if method == "isotonic":
        assert rising.min() >= 1 / (len(labels) + 2) - 1e-12


@given(validation_cases())
@settings(deadline=None)
def test_swapping_the_classes_swaps_the_columns(cases: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = cases
    for method in ("temperature", "isotonic"):
        one = fitted(labels, logits, method=method).apply(logits, TWO)
        other = fitted(1 - labels, -logits, method=method).apply(-logits, TWO)
        assert one == pytest.approx(other[:, ::-1], abs=1e-7)


@given(validation_cases())
@settings(deadline=None)
def test_isotonic_sees_the_order_of_the_logits_only(cases: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = cases
    plain = fitted(labels, logits, method="isotonic").apply(logits, TWO)
    bent = fitted(labels, np.exp(logits), method="isotonic").apply(np.exp(logits), TWO)
    assert plain == pytest.approx(bent)


@pytest.mark.parametrize("method", ["temperature", "beta"])
@pytest.mark.parametrize("n", [2, 20, 200])
def test_separated_classes_get_bounded_probabilities_and_a_note(method: str, n: int) -> None:
    labels = np.arange(n) % 2
    logits = np.where(labels == 1, 4.0, -4.0)[:, None]
    calibration = fitted(labels, logits, method=method)
    assert "separate the validation classes" in str(calibration.note)
    # Laplace's rule: (n + 1) / (n + 2) of the n cases of a class; more cases allow more certainty.
    assert calibration.apply([[4.0]], TWO)[0, 1] == pytest.approx((n / 2 + 1) / (n / 2 + 2), abs=1e-6)


def test_separated_three_classes_get_laplaces_rule() -> None:
    labels = np.repeat([0, 1, 2], 8)
    calibration = fitted(labels, 5 * np.eye(3)[labels])
    assert "separate" in str(calibration.note)
    assert calibration.apply([[5.0, 0.0, 0.0]], THREE)[0] == pytest.approx([9 / 11, 1 / 11, 1 / 11])


def test_a_temperature_out_of_bounds_is_held_and_said() -> None:
    reversed_order = fitted([1, 0, 1, 0], [[-1.0], [1.0], [-2.0], [2.0]])
    assert reversed_order.temperature == LARGEST_TEMPERATURE and "above 20" in str(reversed_order.note)
    tiny = fitted([0, 1, 0, 1, 1], [[-0.01], [0.01], [-0.01], [0.01], [-0.01]])
    assert tiny.temperature == SMALLEST_TEMPERATURE and "below 0.05" in str(tiny.note)


def weighed(shares: tuple[float, ...], n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Classes of these shares, and the logits that a network gives which learnt them by weights of cases, stretched."""
    random = np.random.default_rng(5)
    labels = random.choice(len(shares), n, p=shares)
    evidence = random.normal(0, 1, (n, len(shares))) + 1.5 * np.eye(len(shares))[labels]
    counted = np.minimum(max(shares) / np.array(shares), 10) * shares
    logits = 2 * (1.5 * evidence + np.log(counted))
    return labels, logits if len(shares) > 2 else logits[:, 1:] - logits[:, :1]


@pytest.mark.parametrize("shares", [(0.98, 0.02), (0.7, 0.25, 0.05)])
def test_what_was_learnt_with_weights_is_brought_back_to_the_shares(shares: tuple[float, ...]) -> None:
    task = Task.of("abcd"[: len(shares)])
    labels, logits = weighed(shares)
    plain = fit_calibration(labels, logits, task=task)
    calibration = fit_calibration(labels, logits, task=task, shares=shares)
    y_prob = calibration.apply(logits, task)
    assert calibration.temperature == pytest.approx(2, rel=0.1)
    assert y_prob.mean(axis=0) == pytest.approx(shares, abs=0.01)
    assert task.log_losses(labels, y_prob).mean() < task.log_losses(labels, plain.apply(logits, task)).mean()
    assert measure_reliability(labels == 1, y_prob[:, 1]).slope.value == pytest.approx(1, abs=0.1)
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


@pytest.mark.parametrize(("shares", "weights"), [([8, 4], [1, 2]), ([60, 30, 1], [1, 2, 10])])
def test_classes_count_alike_in_training_but_for_very_rare_ones(shares: list[int], weights: list[int]) -> None:
    task, labels = Task.of("abcd"[: len(shares)]), np.repeat(np.arange(len(shares)), shares)
    found = task.loss_weights(labels)
    assert found.mean() == pytest.approx(1, abs=1e-6)
    assert found / found[0] == pytest.approx(np.array(weights)[labels])
    lacking = task.share_logits(np.array(shares) / sum(shares))
    log_weights = np.log(weights)
    expected = [log_weights[0] - log_weights[1]] if task.outputs == 1 else -log_weights
    assert lacking == pytest.approx(np.asarray(expected))


@pytest.mark.parametrize("shares", [(1.0,), (0.0, 1.0), (0.5, 0.2, 0.3)])
def test_shares_that_do_not_fit_the_classes_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(InvalidData, match="one for each of the 2 classes"):
        fit_calibration([0, 1], [[0.0], [1.0]], task=TWO, shares=shares)


def test_logits_that_say_nothing_keep_temperature_one() -> None:
    for labels, logits in (([0, 1, 1], [[0.0]] * 3), ([0, 1, 2], [[2.0, 2.0, 2.0]] * 3)):
        calibration = fitted(labels, logits)
        assert (calibration.temperature, calibration.note) == (1, None)


def test_beta_of_reversed_logits_gives_every_case_the_share_of_positive_ones() -> None:
    labels, logits = too_extreme(500)
    calibration = fitted(labels, -logits, method="beta")
    assert calibration.apply([[-3.0], [3.0]], TWO)[:, 1] == pytest.approx(labels.mean()) and "chance" in str(
        calibration.note
    )


@pytest.mark.parametrize("method", ["temperature", "isotonic", "beta"])
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_leaves_the_logits_as_they_are_and_says_so(method: str, label: int) -> None:
    calibration = fitted([label] * 3, [[1.0], [2.0], [-1.0]], method=method)
    assert calibration.method == "none" and f"no {method} calibration" in str(calibration.note)
    assert np.array_equal(calibration.apply([[1.5]], TWO), to_probabilities(np.array([[1.5]])))


def test_none_is_the_sigmoid_or_the_softmax() -> None:
    labels, logits = too_extreme(50)
    calibration = fitted(labels, logits, method="none")
    assert np.array_equal(calibration.apply(logits, TWO), to_probabilities(logits)) and calibration.note is None
    assert np.array_equal(calibration.apply([[1.0, 2.0, 3.0]], THREE), to_probabilities(np.array([[1.0, 2.0, 3.0]])))


def test_no_case_gives_no_probability() -> None:
    assert fitted(*too_extreme(50)).apply(np.empty((0, 1)), TWO).shape == (0, 2)


@pytest.mark.parametrize("method", CALIBRATION_METHODS)
def test_a_calibration_survives_json_unchanged(method: str) -> None:
    labels, logits = too_extreme(300)
    calibration = fitted(labels, logits.astype(np.float32), method=method)
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict(), allow_nan=False)))
    assert again == calibration and np.array_equal(again.apply(logits, TWO), calibration.apply(logits, TWO))


@pytest.mark.parametrize(
    "change",
    [
        {"method": "platt"},
        {"temperature": 0.0},
        {"temperature": math.nan},
        {"temperature": None},
        {"temperature": "1"},
        {"beta": [1.0, 1.0, 0.0]},
        {"method": "beta"},
        {"method": "beta", "temperature": None, "beta": [-1.0, 1.0, 0.0]},
        {"method": "beta", "temperature": None, "beta": [1.0, 1.0]},
        {"method": "isotonic", "temperature": None, "isotonic": []},
        {"method": "isotonic", "temperature": None, "isotonic": [[0.0, 0.5], [1.0, 0.4]]},
        {"method": "isotonic", "temperature": None, "isotonic": [[0.0, 0.5], [1.0, 1.4]]},
        {"method": "isotonic", "temperature": None, "isotonic": [[0.0, 0.5, 1.0]]},
        {"extra": 1},
    ],
)
def test_a_damaged_calibration_is_refused(change: dict[str, object]) -> None:
    fields = fitted(*too_extreme(50)).to_dict()
    with pytest.raises(InvalidData, match="fit"):
        Calibration.from_dict({**fields, **change})


@pytest.mark.parametrize("method", ["isotonic", "beta"])
def test_a_two_class_method_refuses_three_classes(method: str) -> None:
    with pytest.raises(InvalidOption, match=r"two classes .* use temperature"):
        fitted([0, 1, 2], np.eye(3), method=method)
    with pytest.raises(InvalidData, match="one logit a case"):
        fitted(*too_extreme(50), method=method).apply(np.eye(3), THREE)
    with pytest.raises(InvalidData, match=r"give \(n, 1\)"):
        fitted(*too_extreme(50), method=method).apply(np.eye(3), TWO)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidOption, match="temperature, isotonic, beta, none"):
        fitted([0, 1], [[0.0], [1.0]], method="platt")


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        ([], np.empty((0, 1)), "one case or more"),
        ([0, 1], [0.1, 0.2], "shape"),
        ([0, 1, 1], [[0.1], [0.2]], "shape"),
        ([0, 2], [[0.1], [0.2]], "0 to 1"),
        ([0.0, 1.0], [[0.1], [0.2]], "integer index of a class"),
        ([0, 1], [[0.1], [math.nan]], "row 1"),
        ([0, 1], [[0.1], [math.inf]], "row 1"),
    ],
)
def test_cases_that_cannot_be_calibrated_on_are_refused(labels: list[int], logits: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        fitted(labels, logits)


def test_the_rain_forecasts_of_tampere_have_their_published_brier_score_and_parts() -> None:
    # WWRP/WGNE verification web site of the CAWCR, "POP3", 24-hour POP: 0.144 = 0.025 - 0.060 + 0.179.
    result = measure_reliability(*tampere(), bins=11)
    published = {"brier": 0.144, "brier_reliability": 0.025, "brier_resolution": 0.060, "brier_uncertainty": 0.179}
    assert {name: round(getattr(result, name), 3) for name in published} == published
    assert result.brier_within_bins == pytest.approx(0, abs=1e-12)
    assert [(point.n, point.n_positive) for point in result.bins] == list(zip(TAMPERE_DAYS, TAMPERE_RAIN, strict=True))
    assert round(1 - result.brier / result.brier_uncertainty, 2) == 0.19


def test_the_hours_of_study_give_their_published_slope_and_intercept() -> None:
    # Wikipedia, "Logistic regression": 20 students, hours of study and exams passed; intercept -4.0777, slope 1.5046.
    hours = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5]
    passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    result = measure_reliability(passed, 1 / (1 + np.exp(-np.array(hours))))
    assert round(result.slope.value, 4) == 1.5046 and round(result.intercept.value, 4) == -4.0777


def test_bins_agree_with_scikit_learn() -> None:
    labels, logits = too_extreme(1003)
    probability = to_probabilities(logits)[:, 1]
    for bins in (5, 10, 15):
        observed, predicted = calibration_curve(labels, probability, n_bins=bins, strategy="quantile")
        result = measure_reliability(labels, probability, bins=bins)
        assert [point.observed for point in result.bins] == pytest.approx(observed)
        assert [point.mean_probability for point in result.bins] == pytest.approx(predicted)
        counts = [point.n for point in result.bins]
        assert sum(counts) == 1003 and max(counts) - min(counts) <= 1


def test_brier_slope_and_intercepts_agree_with_scikit_learn() -> None:
    labels, logits = too_extreme()
    probability = to_probabilities(logits)[:, 1]
    result = measure_reliability(labels, probability)
    assert result.brier == pytest.approx(brier_score_loss(labels, probability))
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(logits, labels)
    assert result.slope.value == pytest.approx(oracle.coef_[0, 0], abs=1e-5)
    assert result.intercept.value == pytest.approx(oracle.intercept_[0], abs=1e-5)
    shifted = to_probabilities(logits + result.in_the_large.value)[:, 1]
    assert shifted.mean() == pytest.approx(labels.mean()), "calibration in the large makes the means agree"


def test_calibration_mends_probabilities_that_are_too_extreme() -> None:
    labels, logits = too_extreme(factor=3)
    test_labels, test_logits = too_extreme(factor=3, seed=1)
    before = measure_reliability(test_labels, to_probabilities(test_logits)[:, 1])
    assert before.ece > 0.1 and before.slope.value == pytest.approx(1 / 3, abs=0.03)
    for method in ("temperature", "isotonic", "beta"):
        calibrated = fitted(labels, logits, method=method).apply(test_logits, TWO)[:, 1]
        after = measure_reliability(test_labels, calibrated)
        assert after.ece < before.ece / 3 and after.brier < before.brier
        assert after.slope.value == pytest.approx(1, abs=0.1) and abs(after.in_the_large.value) < 0.15


def test_the_error_of_perfect_probabilities_falls_towards_zero_with_more_cases() -> None:
    random = np.random.default_rng(0)
    for n in (1_000, 100_000):
        probability = random.random(n)
        result = measure_reliability(random.random(n) < probability, probability)
        assert result.ece <= 0.4 * math.sqrt(10 / n)
    assert result.slope.value == pytest.approx(1, abs=0.03) and result.intercept.value == pytest.approx(0, abs=0.03)


@st.composite
def predicted_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    labels = draw(st.lists(st.integers(0, 1), min_size=1, max_size=40))
    values = draw(st.lists(st.integers(0, 24), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(values) / 24


@given(predicted_cases(), st.integers(1, 12))
@settings(deadline=None)
def test_the_parts_of_the_brier_score_add_up(cases: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    result = measure_reliability(*cases, bins=bins)
    binned = result.brier_reliability - result.brier_resolution + result.brier_uncertainty
    assert result.brier == pytest.approx(binned + result.brier_within_bins, abs=1e-12)
    assert sum(point.n for point in result.bins) == len(cases[0]) and len(result.bins) <= bins
    of_means = [point.n_positive * (1 - point.mean_probability) ** 2 for point in result.bins]
    of_means += [(point.n - point.n_positive) * point.mean_probability**2 for point in result.bins]
    assert binned == pytest.approx(sum(of_means) / result.n, abs=1e-12), "the Brier score of the means of the bins"


@given(predicted_cases())
@example((np.array([0, 1, 1, 1]), np.zeros(4)))
@settings(deadline=None)
def test_swapping_the_classes_mirrors_the_reliability(cases: tuple[np.ndarray, np.ndarray]) -> None:
    labels, probability = cases
    # Each distinct probability is a bin here: quantile bins are closed above only, so mirrored ones would differ.
    one, other = (
        measure_reliability(*pair, bins=25) for pair in ((labels, probability), (1 - labels, 1 - probability))
    )
    for name in ("ece", "brier", "brier_reliability", "brier_resolution", "brier_uncertainty"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-12)
    assert one.in_the_large.value == pytest.approx(-other.in_the_large.value, abs=1e-4, nan_ok=True)
    assert (one.slope.reason is None) == (other.slope.reason is None)


@pytest.mark.parametrize(
    ("labels", "probability", "reason", "in_the_large"),
    [
        ([0, 0], [0.2, 0.4], "No case is positive.", False),
        ([1, 1], [0.2, 0.4], "Every case is positive.", False),
        ([0, 1, 1], [0.5, 0.5, 0.5], "All probabilities are equal.", True),
        ([0, 0, 1], [0.1, 0.4, 0.4], "part the classes", True),
        ([1, 1, 0], [0.1, 0.3, 0.4], "part the classes", True),
    ],
)
def test_an_undefined_slope_is_nan_with_the_reason(
    labels: list[int], probability: list[float], reason: str, in_the_large: bool
) -> None:
    result = measure_reliability(labels, probability)
    for metric in (result.slope, result.intercept):
        assert math.isnan(metric.value) and reason in str(metric.reason)
    assert math.isfinite(result.in_the_large.value) == in_the_large


def test_certain_probabilities_are_bounded_in_the_regression() -> None:
    result = measure_reliability([0, 1, 0, 1, 1], [0.0, 0.0, 0.5, 1.0, 1.0])
    assert math.isfinite(result.slope.value) and result.slope.value > 0


@pytest.mark.parametrize("labels", [[0, 1, 0, 1], [0, 0, 0, 0]])
def test_a_reliability_is_json(labels: list[int]) -> None:
    fields = json.loads(json.dumps(measure_reliability(labels, [0.2, 0.3, 0.4, 0.9]).to_dict(), allow_nan=False))
    assert fields["bins"][0]["n"] == 1 and (fields["slope"]["value"] is None) == (fields["slope"]["reason"] is not None)


@pytest.mark.parametrize(
    ("labels", "probability", "message"),
    [
        ([], [], "no case"),
        ([0, 1], [0.2, 1.2], "not logits"),
        ([0, 1], [0.2], "shape"),
        ([0, 2], [0.1, 0.2], "0 and 1"),
    ],
)
def test_cases_without_reliability_are_refused(labels: list[int], probability: list[float], message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        measure_reliability(labels, probability)


@pytest.mark.parametrize("bins", [0, -1, 2.5])
def test_a_number_of_bins_below_one_is_refused(bins: Any) -> None:
    with pytest.raises(InvalidOption, match="bins"):
        measure_reliability([0, 1], [0.2, 0.8], bins=bins)


def test_an_offset_that_is_none_is_not_written_so_that_older_bundles_keep_their_fingerprint() -> None:
    older = {"method": "temperature", "temperature": 1.5, "beta": None, "isotonic": None, "n": 9, "note": None}
    assert Calibration.from_dict(older).to_dict() == older
