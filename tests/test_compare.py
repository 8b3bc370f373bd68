"""Paired comparison: published examples, SciPy and brute force as oracles, properties, and errors in simulations."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.compare import Comparison, Predictions, compare
from overread.evaluation.compute_metrics import compute_metrics
from overread.evaluation.uncertainty.delong import placements
from overread.evaluation.uncertainty.mcnemar import mcnemar, paired_interval

pytestmark = pytest.mark.filterwarnings("error")
BINARY = ("normal", "ill")
TASK = Task.of(BINARY)

# Albumin, total protein, K-G score and outcome of patients with ovarian cancer: DeLong et al., Biometrics
# 1988;44:837-845, as printed in the SAS/STAT User's Guide, PROC LOGISTIC, "Comparing ROC Curves".
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1  3.8 5.7 5 1
3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0
4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1
4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1
2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


def reader(y_true: np.ndarray, score: np.ndarray, **fields: object) -> Predictions:
    names = [f"image{row}" for row in range(len(y_true))]
    y_prob = np.column_stack([1 - score, score])
    return Predictions(**{"cases": names, "y_true": y_true, "y_prob": y_prob, "task": TASK, **fields})


def two_readers(
    random: np.random.Generator, n_patients: int, images: int = 1, shifts: tuple[float, float] = (1.5, 1.5)
) -> tuple[Predictions, Predictions]:
    """Two readers whose errors go together, of patients with 1 to `images` images each."""
    patient = np.repeat(np.arange(n_patients), random.integers(1, images + 1, n_patients))
    y_true = (random.random(n_patients) < 0.4)[patient].astype(np.int64)
    shared = random.normal(0, 0.7, n_patients)[patient]
    found = []
    for shift in shifts:
        signal = shift * (y_true - 0.5) + shared + random.normal(0, 0.7, len(patient))
        found.append(reader(y_true, 1 / (1 + np.exp(-signal)), patients=[f"P{i}" for i in patient]))
    return found[0], found[1]


def shuffled(predictions: Predictions, order: np.ndarray) -> Predictions:
    return dataclasses.replace(
        predictions,
        cases=[predictions.cases[i] for i in order],
        y_true=np.asarray(predictions.y_true)[order],
        y_prob=np.asarray(predictions.y_prob)[order],
        patients=[predictions.patients[i] for i in order] if predictions.patients else None,
    )


def judged(first: Predictions, second: Predictions, **options: object) -> Comparison:
    return compare(first, second, **{"resamples": 200, **options})


@pytest.mark.parametrize(
    ("column", "difference", "error", "interval", "chi_squared", "p"),
    [(0, 0.0108, 0.0953, (-0.1761, 0.1976), 0.0127, 0.9102), (1, -0.0780, 0.1046, (-0.2830, 0.1271), 0.5554, 0.4561)],
)
def test_the_ovarian_cancer_scores_of_delong_compare_as_published(
    column: int, difference: float, error: float, interval: tuple[float, float], chi_squared: float, p: float
) -> None:
    # "ROC Contrast Estimation and Testing Results by Row" of the SAS example: albumin and total protein against K-G.
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    y_true, kg_score = table[:, 3].astype(np.int64), table[:, 2]
    found = judged(reader(y_true, 1 - kg_score / 10), reader(y_true, table[:, column] / 10))["auc"]
    assert (round(found.first, 4), found.test) == (0.7258, "paired DeLong")
    assert (round(found.difference, 4), round(found.p, 4)) == (difference, p)
    assert (round(found.interval.low, 4), round(found.interval.high, 4)) == interval
    measured = (found.interval.high - found.interval.low) / 2 / 1.959964
    assert (round(measured, 4), round((found.difference / measured) ** 2, 4)) == (error, chi_squared)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=25))
def test_the_paired_variance_is_that_of_the_covariance_matrix_over_every_pair(drawn: list) -> None:
    rows = np.array([(0, 1, 2), (0, 3, 1), (1, 2, 2), (1, 4, 3), *drawn])
    y_true = rows[:, 0]
    kernels = [
        np.array([[(p > n) + (p == n) / 2 for n in s[y_true == 0]] for p in s[y_true == 1]]) for s in rows[:, 1:].T
    ]
    by_positive = np.cov([kernel.mean(axis=1) for kernel in kernels])
    by_negative = np.cov([kernel.mean(axis=0) for kernel in kernels])
    matrix = by_positive / (y_true == 1).sum() + by_negative / (y_true == 0).sum()
    expected = matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1]
    paired = placements(y_true, rows[:, 2]).minus(placements(y_true, rows[:, 1]))
    assert paired.variance == pytest.approx(expected, abs=1e-12)


def test_mcnemar_gives_published_p_values() -> None:
    # Exact: Fagerland, Lydersen, Laake, Statistical Analysis of Contingency Tables, 2017, chapter 8 (Cavo et al. 2012).
    assert (round(mcnemar(6, 16)[0], 6), mcnemar(6, 16)[1]) == (0.052479, "McNemar, exact binomial")
    # Corrected: the approval ratings of Agresti, Categorical Data Analysis, 1990, p. 350, whose uncorrected statistic
    # (150 - 86)^2 / 236 = 17.36 becomes 63^2 / 236 = 16.82.
    p, test = mcnemar(150, 86)
    assert (f"{p:.3e}", test) == ("4.115e-05", "McNemar, continuity-corrected")


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_scipy(only_first: int, only_second: int) -> None:
    p, test = mcnemar(only_first, only_second)
    discordant = only_first + only_second
    if discordant >= 25:
        expected = chi2.sf(max(abs(only_first - only_second) - 1, 0) ** 2 / discordant, 1)
    else:
        expected = binomtest(only_first, discordant).pvalue if discordant else 1.0
    assert p == pytest.approx(expected, abs=1e-12)
    assert ("exact" in test) == (discordant < 25)


@pytest.mark.parametrize(
    ("table", "published"), [((59, 6, 16, 80), (-0.1186, -0.0046)), ((36, 12, 2, 0), (0.0569, 0.3404))]
)
def test_newcombes_interval_of_a_paired_difference_is_as_published(table: tuple, published: tuple) -> None:
    # Fagerland, Lydersen, Laake, Statistical Analysis of Contingency Tables, 2017, chapter 8 (Cavo et al. 2012), and
    # Newcombe, Stat Med 1998;17:2635-2650, table III, method 10; both are of the first less the second.
    both, only_first, only_second, neither = table
    found = paired_interval(both, only_second, only_first, neither)
    assert (round(found.low, 4), round(found.high, 4)) == published


def test_independent_cases_are_compared_by_delong_mcnemar_and_a_paired_bootstrap() -> None:
    first, second = two_readers(np.random.default_rng(1), 150)
    found = judged(first, second, resamples=1000)
    right = [np.asarray(one.y_prob).argmax(axis=1) == one.y_true for one in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    accuracy = found["accuracy"]
    assert (accuracy.p, accuracy.test) == mcnemar(only_first, only_second)
    assert accuracy.difference == pytest.approx((only_second - only_first) / 150)
    assert accuracy.difference in accuracy.interval and accuracy.interval.method == "Newcombe, paired"
    assert found["auc"].test == "paired DeLong"
    rest = {difference.test for name, difference in found.differences.items() if name not in ("accuracy", "auc")}
    assert rest == {"paired bootstrap, 1,000 resamples"}
    metrics = compute_metrics(first.y_true, first.y_prob, task=TASK).metrics
    assert set(found.differences) == set(metrics) - {"precision", "recall"}
    assert {name: found[name].first for name in found.differences} == {
        name: metrics[name].value for name in found.differences
    }


def test_the_bootstrap_of_independent_cases_agrees_with_delong() -> None:
    first, second = two_readers(np.random.default_rng(2), 300, shifts=(1.2, 2.2))
    exact = judged(first, second)["auc"]
    twins = [dataclasses.replace(one, patients=[*one.patients[:-1], one.patients[0]]) for one in (first, second)]
    drawn = judged(*twins, resamples=2000)["auc"]
    assert drawn.test == "paired cluster bootstrap by patient, 2,000 resamples"
    assert drawn.interval.low == pytest.approx(exact.interval.low, abs=0.01)
    assert drawn.interval.high == pytest.approx(exact.interval.high, abs=0.01)
    assert exact.interval.low > 0 and exact.p < 0.001 and drawn.p < 0.001


def test_copies_of_an_image_make_no_difference_significant() -> None:
    first, second = two_readers(np.random.default_rng(3), 60)
    once = judged(first, second, resamples=1000)
    tenfold = []
    for one in (first, second):
        y_true, y_prob = np.tile(one.y_true, 10), np.tile(one.y_prob, (10, 1))
        names = [f"{name}-{copy}" for copy in range(10) for name in one.cases]
        tenfold.append(Predictions(cases=names, y_true=y_true, y_prob=y_prob, task=TASK, patients=one.patients * 10))
    copied = judged(*tenfold, resamples=1000)
    assert (copied.n, copied.n_patients) == (600, 60)
    assert all("cluster bootstrap" in difference.test for difference in copied.differences.values())
    for name in ("loss", "brier", "f1", "sensitivity"):
        assert copied[name].p == pytest.approx(once[name].p, abs=1e-9)
    for name in ("auc", "accuracy"):
        assert abs(copied[name].p - once[name].p) < 0.15


def test_the_order_of_the_cases_does_not_matter() -> None:
    first, second = two_readers(np.random.default_rng(4), 60, images=3)
    order = np.random.default_rng(5).permutation(len(first.cases))
    found, again = judged(first, second), judged(first, shuffled(second, order))
    for name, difference in found.differences.items():
        assert again[name].difference == pytest.approx(difference.difference, abs=1e-12)
        assert again[name].p == pytest.approx(difference.p, abs=1e-9)


@pytest.mark.parametrize("images", [1, 3])
def test_swapping_the_readers_turns_every_difference_round(images: int) -> None:
    first, second = two_readers(np.random.default_rng(6), 80, images=images)
    found, swapped = judged(first, second), judged(second, first)
    for name, one in found.differences.items():
        other = swapped[name]
        assert (other.difference, other.p) == pytest.approx((-one.difference, one.p), abs=1e-12)
        assert (other.interval.low, other.interval.high) == pytest.approx(
            (-one.interval.high, -one.interval.low), abs=1e-12
        )


def test_a_reader_does_not_differ_from_itself() -> None:
    first, _ = two_readers(np.random.default_rng(7), 60)
    found = judged(first, first)
    assert all(difference.difference == 0 for difference in found.differences.values())
    assert found["accuracy"].p == 1.0
    assert found["accuracy"].interval.low < 0 < found["accuracy"].interval.high
    for name in ("auc", "f1"):
        assert math.isnan(found[name].p) and math.isnan(found[name].interval.low) and found[name].interval.reason


def test_each_reader_decides_at_its_own_threshold() -> None:
    y_true, score = np.array([0, 0, 1, 1] * 5), np.array([0.1, 0.4, 0.35, 0.9] * 5)
    found = judged(reader(y_true, score), reader(y_true, score, thresholds={BINARY[1]: 0.3}))["sensitivity"]
    assert (found.first, found.second) == (0.5, 1.0)


def test_an_undefined_metric_is_not_compared_and_says_why() -> None:
    y_true, score = np.array([0, 1] * 10), np.linspace(0.1, 0.4, 20)
    found = judged(reader(y_true, score), reader(y_true, score[::-1] + 0.3))["ppv"]
    assert math.isnan(found.difference) and math.isnan(found.p)
    assert found.interval.reason == "No case was predicted ill."
    fields = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (fields["first"], fields["difference"], fields["p"], fields["interval"]["low"]) == (None,) * 4


def test_several_classes_are_compared_by_their_means() -> None:
    random = np.random.default_rng(8)
    y_true = random.integers(0, 3, 200)
    sides = []
    for shift in (0.5, 2.0):
        weight = np.exp(random.normal(0, 1, (200, 3)) + shift * np.eye(3)[y_true])
        y_prob = weight / weight.sum(axis=1, keepdims=True)
        sides.append(Predictions(cases=[str(i) for i in range(200)], y_true=y_true, y_prob=y_prob, task=Task.of("abc")))
    found = judged(*sides)
    assert found["auc"].test == "paired bootstrap, 200 resamples"
    assert found["accuracy"].test.startswith("McNemar")
    assert found["auc"].p < 0.001 and found["auc"].interval.low > 0 and found["loss"].interval.high < 0
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_different_cases_are_refused_with_the_count_of_what_differs() -> None:
    first, second = two_readers(np.random.default_rng(9), 30)
    keep = np.arange(30) >= 4
    fewer = shuffled(second, np.flatnonzero(keep))
    labels = np.asarray(fewer.y_true).copy()
    labels[:3] = 1 - labels[:3]
    altered = dataclasses.replace(fewer, cases=[*fewer.cases[:-1], "another"], y_true=labels)
    with pytest.raises(InvalidData, match="5 are in the first only, 1 in the second only, 3 have another label"):
        judged(first, altered)


def test_other_classes_and_other_patients_are_refused() -> None:
    first, second = two_readers(np.random.default_rng(10), 30, images=2)
    with pytest.raises(InvalidData, match="compare readers of the same classes"):
        judged(first, dataclasses.replace(second, task=Task.of(("ill", "normal"))))
    with pytest.raises(InvalidData, match="grouped differently"):
        judged(first, dataclasses.replace(second, patients=second.patients[::-1]))
    named = judged(first, dataclasses.replace(second, patients=[f"another {name}" for name in second.patients]))
    missing = judged(dataclasses.replace(first, patients=None), second)
    assert named.n_patients == missing.n_patients == 30


def test_names_that_repeat_and_options_out_of_range_are_refused() -> None:
    first, second = two_readers(np.random.default_rng(11), 20)
    with pytest.raises(InvalidData, match="19 of them different"):
        dataclasses.replace(first, cases=[*first.cases[:-1], first.cases[0]])
    for options in ({"level": 1.5}, {"resamples": 10}, {"seed": -1}):
        with pytest.raises(InvalidOption, match=next(iter(options))):
            compare(first, second, **options)


def errors(studies: int, n_patients: int, images: int) -> dict[str, float]:
    """How often two readers of equal worth are told apart with p < 0.05."""
    told_apart: dict[str, int] = {}
    for number in range(studies):
        found = judged(*two_readers(np.random.default_rng([2, number]), n_patients, images), resamples=400, seed=number)
        for name, difference in found.differences.items():
            told_apart[name] = told_apart.get(name, 0) + (difference.p < 0.05)
    return {name: count / studies for name, count in told_apart.items()}


def test_equal_readers_are_seldom_told_apart_in_a_few_simulated_studies() -> None:
    # 40 studies at 5 %: 7 or more errors have a chance of 0.3 % for one metric.
    assert max(errors(40, 60, 3).values()) <= 7 / 40


@pytest.mark.slow
@pytest.mark.parametrize(("n_patients", "images"), [(150, 1), (150, 4)])
def test_equal_readers_are_told_apart_in_about_5_percent_of_1000_simulated_studies(
    n_patients: int, images: int
) -> None:
    found = errors(1000, n_patients, images)
    print({"patients": n_patients, "images": images, **found})
    # 1,000 studies at 5 % give 2.5 to 7.5 % by chance; McNemar's tests err on the safe side.
    assert all(share <= 0.075 for share in found.values()), found
    assert all(share >= 0.025 for name, share in found.items() if name != "accuracy"), found
