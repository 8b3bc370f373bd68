"""Intervals: published examples, SciPy and brute force as oracles, properties, and coverage in simulated studies."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.compute_metrics import Evaluation, compute_metrics
from overread.evaluation.estimates import Intervals, intervals
from overread.evaluation.uncertainty.bootstrap import bootstrap
from overread.evaluation.uncertainty.delong import placements
from overread.evaluation.uncertainty.interval import Interval, auc_interval, wilson
from overread.evaluation.uncertainty.sample import number_patients

pytestmark = pytest.mark.filterwarnings("error")
BINARY = ("normal", "ill")
TASK = Task.of(BINARY)
METRICS = ("loss", "accuracy", "balanced_accuracy", "brier", "auc", "average_precision", "sensitivity")
METRICS += ("specificity", "ppv", "npv", "f1")
PROPORTIONS = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


def two_columns(score: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - score, score])


def simulated(
    random: np.random.Generator, n_patients: int, images: int = 1, mixed: bool = False, shift: float = 1.8
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A consecutive cohort: about a third ill, 1 to `images` images each, half the score's variance the patient's."""
    patient = np.repeat(np.arange(n_patients), random.integers(1, images + 1, n_patients))
    illness = random.beta(0.6, 1.2, n_patients) if mixed else random.random(n_patients) < 1 / 3
    y_true = (random.random(len(patient)) < illness[patient]).astype(np.int64)
    noise = random.normal(0, math.sqrt(0.5), n_patients)[patient] + random.normal(0, math.sqrt(0.5), len(patient))
    return y_true, two_columns(1 / (1 + np.exp(shift / 2 + 0.4 - shift * y_true - noise))), [f"P{i}" for i in patient]


def judged(y_true: np.ndarray, y_prob: np.ndarray, **options: object) -> tuple[Evaluation, Intervals]:
    evaluation = compute_metrics(y_true, y_prob, task=TASK)
    return evaluation, intervals(y_true, y_prob, evaluation=evaluation, **{"resamples": 200, **options})


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two or more cases of each class, scores from so few values that ties abound and never at 0.5."""
    labels = [0, 0, 1, 1, *draw(st.lists(st.integers(0, 1), max_size=30))]
    scores = draw(st.lists(st.integers(0, 7), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 8 + 1 / 16


def brute_force_delong(y_true: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """The area and its variance from every pair."""
    positive, negative = score[y_true == 1], score[y_true == 0]
    kernel = np.array([[1.0 if p > n else 0.5 if p == n else 0.0 for n in negative] for p in positive])
    by_positive, by_negative = kernel.mean(axis=1), kernel.mean(axis=0)
    s10 = sum((v - kernel.mean()) ** 2 for v in by_positive) / (len(positive) - 1)
    s01 = sum((v - kernel.mean()) ** 2 for v in by_negative) / (len(negative) - 1)
    return float(kernel.mean()), s10 / len(positive) + s01 / len(negative)


@pytest.mark.parametrize(
    ("successes", "n", "published"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_gives_the_intervals_of_newcombe(successes: int, n: int, published: tuple[float, float]) -> None:
    # Stat Med 1998;17:857-872, table I, method 3.
    found = wilson(successes, n)
    assert (round(found.low, 4), round(found.high, 4)) == published


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_agrees_with_scipy(successes: int, failures: int, level: float) -> None:
    n = successes + failures
    found = wilson(successes, n, level=level)
    if n == 0:
        assert math.isnan(found.low) and found.reason == "There is no case in the denominator."
        return
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert successes / n in found


def test_wilson_refuses_more_successes_than_trials() -> None:
    with pytest.raises(InvalidData, match="21 successes of 20"):
        wilson(21, 20)


def test_the_ct_ratings_of_hanley_and_mcneil_give_the_published_error_of_delong() -> None:
    # Ratings: Radiology 1982;143:29-36, table I. Stata's manual, [R] roctab, gives DeLong's standard error of their
    # area as 0.0307 and the plain interval as 0.83295 to 0.95339.
    ratings = np.concatenate([np.repeat(range(1, 6), [33, 6, 6, 11, 2]), np.repeat(range(1, 6), [3, 2, 2, 11, 33])])
    placed = placements(np.repeat([0, 1], [58, 51]), ratings)
    area, error = placed.positive.mean(), math.sqrt(placed.variance)
    assert (round(area, 4), round(error, 4)) == (0.8932, 0.0307)
    assert (round(area - 1.959964 * error, 5), round(area + 1.959964 * error, 5)) == (0.83295, 0.95339)


@settings(max_examples=60, deadline=None)
@given(scored_cases())
def test_delong_by_sorting_is_delong_by_every_pair(cases: tuple[np.ndarray, np.ndarray]) -> None:
    y_true, score = cases
    area, variance = brute_force_delong(y_true, score)
    placed = placements(y_true, score)
    assert (placed.positive.mean(), placed.negative.mean()) == pytest.approx((area, area), abs=1e-12)
    assert placed.variance == pytest.approx(variance, abs=1e-12)
    if 0 < area < 1 and variance > 0:
        found = auc_interval(y_true, score)
        ends = [math.log(end / (1 - end)) for end in (found.low, found.high)]
        middle, half = math.log(area / (1 - area)), 1.959964 * math.sqrt(variance) / (area * (1 - area))
        assert ends == pytest.approx([middle - half, middle + half], abs=1e-6)


def test_a_perfect_ranking_has_the_interval_of_its_smaller_class() -> None:
    found = auc_interval(np.repeat([0, 1], [50, 10]), np.arange(60))
    assert (found.low, found.high) == (wilson(10, 10).low, 1.0) and found.low == pytest.approx(0.722, abs=5e-4)
    assert found.method == "Wilson, each patient one trial"
    reversed_ranking = auc_interval(np.repeat([0, 1], [50, 10]), -np.arange(60))
    assert (reversed_ranking.low, reversed_ranking.high) == (0.0, wilson(0, 10).high)


@pytest.mark.parametrize(
    ("y_true", "score", "reason"),
    [([0, 0, 0, 1], [1, 2, 4, 3], "one case only"), ([0, 0, 1, 1], [3, 3, 3, 3], "ranks differently")],
)
def test_an_auc_without_a_variance_has_a_reason_instead_of_an_interval(y_true: list, score: list, reason: str) -> None:
    found = auc_interval(y_true, score)
    assert math.isnan(found.low) and math.isnan(found.high) and reason in str(found.reason)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_each_resample_is_the_evaluation_of_copied_cases(n_classes: int) -> None:
    random = np.random.default_rng(3)
    patient = np.repeat([0, 1, 2], [4, 2, 5])
    y_true = np.array([0, 1, 1, 0, 0, 0, 1, 0, 1, 1, n_classes - 1])
    weight = np.round(np.exp(random.normal(0, 1, (11, n_classes)) + np.eye(n_classes)[y_true]), 0) + 0.5
    y_prob, classes = weight / weight.sum(axis=1, keepdims=True), "abc"[:n_classes]
    whole = compute_metrics(y_true, y_prob, task=Task.of(classes))
    drawn = bootstrap(y_true, y_prob, evaluation=whole, patient=patient, resamples=200, seed=1)
    met = np.column_stack([drawn.metrics[name] for name in METRICS])
    met = np.column_stack([met, *(values for found in drawn.per_class.values() for values in found.values())])
    outcomes = []
    for chosen in itertools.combinations_with_replacement(range(3), 3):
        rows = np.concatenate([np.flatnonzero(patient == number) for number in chosen])
        copied = compute_metrics(y_true[rows], y_prob[rows], task=Task.of(classes))
        expected = [copied[name].value for name in METRICS]
        expected += [
            copied.per_class.get(c, copied.metrics)[name].value
            for c, found in drawn.per_class.items()
            for name in found
        ]
        outcomes.append(expected)
    same = np.array([[np.allclose(row, outcome, atol=1e-12, equal_nan=True) for outcome in outcomes] for row in met])
    assert same.any(axis=1).all()
    assert np.isnan(outcomes).any()
    # 6 of the 27 equally likely draws hold each patient once.
    each_once = same[:, [np.allclose(o, outcomes[4], equal_nan=True) for o in outcomes]].any(axis=1)
    assert abs(each_once.mean() - 6 / 27) < 0.1


def test_one_patient_for_each_case_gets_wilson_delong_and_a_bootstrap() -> None:
    y_true, y_prob, patients = simulated(np.random.default_rng(5), 120)
    evaluation, found = judged(y_true, y_prob, patients=patients, resamples=2000)
    assert set(found.metrics) == set(evaluation.metrics)
    methods = {name: found[name].method for name in METRICS}
    assert {name for name, method in methods.items() if method == "Wilson"} == set(PROPORTIONS)
    assert methods["auc"] == "DeLong, logit scale"
    assert methods["f1"] == "bootstrap, 2,000 resamples, logit scale"
    assert methods["loss"] == "bootstrap, 2,000 resamples, log scale"
    positive = evaluation["sensitivity"].n
    right = round(evaluation["sensitivity"].value * positive)
    assert found["sensitivity"] == found["recall"] == wilson(right, positive)
    assert found["auc"] == auc_interval(y_true, y_prob[:, 1])


def test_several_images_of_a_patient_get_the_cluster_bootstrap_throughout() -> None:
    y_true, y_prob, patients = simulated(np.random.default_rng(5), 120, images=3)
    _, found = judged(y_true, y_prob, patients=patients, resamples=2000)
    methods = {interval.method for name, interval in found.metrics.items() if name not in ("loss", "brier")}
    assert methods == {"cluster bootstrap by patient, 2,000 resamples, logit scale"}


def test_copies_of_an_image_add_no_certainty() -> None:
    y_true, y_prob, patients = simulated(np.random.default_rng(6), 80)
    _, once = judged(y_true, y_prob, patients=patients)
    _, fourfold = judged(np.tile(y_true, 4), np.tile(y_prob, (4, 1)), patients=patients * 4)
    for name in set(METRICS) - set(PROPORTIONS) - {"auc"}:
        assert (fourfold[name].low, fourfold[name].high) == pytest.approx((once[name].low, once[name].high), abs=1e-12)
    for name in (*PROPORTIONS, "auc"):
        width = fourfold[name].high - fourfold[name].low
        assert 0.8 < width / (once[name].high - once[name].low) < 1.25


def test_the_seed_decides_and_the_order_of_the_cases_does_not() -> None:
    y_true, y_prob, patients = simulated(np.random.default_rng(7), 60, images=3)
    _, found = judged(y_true, y_prob, patients=patients, seed=3)
    shuffled = np.random.default_rng(8).permutation(len(y_true))
    _, again = judged(y_true[shuffled], y_prob[shuffled], patients=[patients[i] for i in shuffled], seed=3)
    _, other = judged(y_true, y_prob, patients=patients, seed=4)
    for name in METRICS:
        assert (again[name].low, again[name].high) == pytest.approx((found[name].low, found[name].high), abs=1e-9)
        assert other[name].low != found[name].low


@settings(max_examples=25, deadline=None)
@given(scored_cases(), st.integers(1, 3), st.sampled_from([0.8, 0.95]))
def test_an_interval_holds_its_metric_and_stays_in_its_range(
    cases: tuple[np.ndarray, np.ndarray], images: int, level: float
) -> None:
    y_true, score = cases
    patients = [str(row // images) for row in range(len(y_true))]
    evaluation, found = judged(y_true, two_columns(score), patients=patients, level=level, resamples=100)
    for name, interval in found.metrics.items():
        assert interval.level == level
        if interval.reason:
            assert math.isnan(interval.low) and math.isnan(interval.high)
        else:
            assert interval.low - 1e-12 <= evaluation[name].value <= interval.high + 1e-12
            assert interval.low >= 0 and (name == "loss" or interval.high <= 1 or name == "brier")
        if evaluation[name].reason:
            assert (interval.reason, interval.method) == (evaluation[name].reason, "none")


@settings(max_examples=25, deadline=None)
@given(scored_cases(), st.integers(1, 3))
def test_a_monotone_transform_keeps_the_intervals_of_the_ranking(
    cases: tuple[np.ndarray, np.ndarray], images: int
) -> None:
    y_true, score = cases
    patients = [str(row // images) for row in range(len(y_true))]
    _, found = judged(y_true, two_columns(score), patients=patients, resamples=100)
    _, transformed = judged(y_true, two_columns(score**3), patients=patients, resamples=100)
    # As text, for a NaN is not equal to itself.
    assert str(transformed["auc"]) == str(found["auc"])
    assert str(transformed["average_precision"]) == str(found["average_precision"])


@settings(max_examples=25, deadline=None)
@given(scored_cases(), st.integers(1, 3))
def test_swapping_the_classes_swaps_sensitivity_and_specificity(
    cases: tuple[np.ndarray, np.ndarray], images: int
) -> None:
    y_true, score = cases
    patients = [str(row // images) for row in range(len(y_true))]
    _, found = judged(y_true, two_columns(score), patients=patients, resamples=100)
    _, swapped = judged(1 - y_true, two_columns(1 - score), patients=patients, resamples=100)
    exchanged = {"sensitivity": "specificity", "specificity": "sensitivity", "ppv": "npv", "npv": "ppv"}
    for name in ("accuracy", "auc", *exchanged):
        mine, theirs = found[name], swapped[exchanged.get(name, name)]
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12, nan_ok=True)


def test_a_rate_of_one_among_clusters_counts_each_patient_once() -> None:
    y_true, patients = np.repeat([0, 1], [60, 36]), [str(row // 3) for row in range(96)]
    score = np.where(y_true == 1, 0.9, 0.2) - np.arange(96) / 1000
    score[:3] = 0.7
    _, found = judged(y_true, two_columns(score), patients=patients)
    assert (found["sensitivity"].low, found["sensitivity"].high) == (wilson(12, 12).low, 1.0)
    assert found["sensitivity"].method == "Wilson, each patient one trial"
    assert (found["auc"].low, found["auc"].high) == (wilson(12, 12).low, 1.0)
    assert "same in every resample" in str(found["average_precision"].reason)
    assert "cluster bootstrap" in found["specificity"].method


@pytest.mark.parametrize(("ill", "judgement"), [(2, "reason"), (5, "method")])
def test_resamples_without_a_positive_patient_are_counted_and_too_many_of_them_are_a_reason(
    ill: int, judgement: str
) -> None:
    random = np.random.default_rng(0)
    y_true = np.repeat([1, 0], [2 * ill, 40 - 2 * ill])
    score, patients = np.clip(0.3 * y_true + random.random(40) * 0.7, 0, 1), [str(row // 2) for row in range(40)]
    _, found = judged(y_true, two_columns(score), patients=patients, resamples=2000)
    # Chance of no ill patient among 20 draws: (1 - ill / 20)^20, that is 12.2 % and 0.3 %.
    text = str(getattr(found["auc"], judgement))
    count = int(text.split(" of 2,000")[0].split()[-1] if judgement == "reason" else text.split("(")[1].split()[0])
    assert abs(count / 2000 - (1 - ill / 20) ** 20) < 0.02 and count > 0
    assert math.isnan(found["auc"].low) == (judgement == "reason")


def test_one_class_only_leaves_the_ranking_without_an_interval_and_says_why() -> None:
    evaluation, found = judged(np.zeros(30, np.int64), two_columns(np.linspace(0.1, 0.9, 30)))
    assert found["auc"] == found["auc"] and found["auc"].reason == evaluation["auc"].reason == "No case is ill."
    assert math.isnan(found["sensitivity"].low) and not math.isnan(found["specificity"].low)


def test_cases_of_unknown_patients_stand_for_themselves() -> None:
    numbers = number_patients(["a", None, "a", ""], 4)
    assert numbers[0] == numbers[2] and len(set(numbers.tolist())) == 3
    y_true, y_prob, _ = simulated(np.random.default_rng(9), 50)
    _, unknown = judged(y_true, y_prob, patients=[None] * 50)
    assert unknown["accuracy"].method == "Wilson"


def test_several_classes_have_intervals_for_each_class_and_for_their_means() -> None:
    random = np.random.default_rng(10)
    y_true = random.integers(0, 3, 150)
    weight = np.exp(random.normal(0, 1, (150, 3)) + 1.5 * np.eye(3)[y_true])
    y_prob = weight / weight.sum(axis=1, keepdims=True)
    evaluation = compute_metrics(y_true, y_prob, task=Task.of("abc"))
    found = intervals(y_true, y_prob, evaluation=evaluation, resamples=300)
    assert set(found.metrics) == set(evaluation.metrics) and set(found.per_class) == {"a", "b", "c"}
    assert {name: set(of) for name, of in found.per_class.items()} == {
        name: set(of) for name, of in evaluation.per_class.items()
    }
    assert found.per_class["b"]["auc"] == auc_interval(y_true == 1, y_prob[:, 1])
    assert found.per_class["b"]["npv"].method == found["accuracy"].method == "Wilson"
    assert {found[name].method for name in ("sensitivity", "auc")} == {"bootstrap, 300 resamples, logit scale"}
    for name in METRICS:
        assert evaluation[name].value in found[name]
    assert found["auc"].high - found["auc"].low < min(of["auc"].high - of["auc"].low for of in found.per_class.values())


def test_intervals_become_json_with_none_for_what_is_not_there() -> None:
    _, found = judged(np.zeros(30, np.int64), two_columns(np.linspace(0.1, 0.9, 30)))
    fields = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert fields["metrics"]["auc"]["low"] is None and fields["metrics"]["auc"]["reason"] == "No case is ill."
    assert fields["metrics"]["accuracy"]["method"] == "Wilson" and fields["metrics"]["accuracy"]["level"] == 0.95


@pytest.mark.parametrize("ends", [(0.4, 0.3, None), (math.nan, math.nan, None), (0.3, 0.4, "why"), (math.nan, 1, "x")])
def test_an_interval_is_ordered_or_has_a_reason(ends: tuple[float, float, str | None]) -> None:
    with pytest.raises(InvalidData, match="two NaN and a reason"):
        Interval(ends[0], ends[1], 0.95, "Wilson", ends[2])


@pytest.mark.parametrize("options", [{"level": 0}, {"level": 1}, {"level": 95}, {"resamples": 99}, {"seed": -1}])
def test_options_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(InvalidOption, match=next(iter(options))):
        judged(np.array([0, 1]), two_columns(np.array([0.2, 0.8])), **options)


def test_an_evaluation_of_other_predictions_and_a_wrong_number_of_patients_are_refused() -> None:
    y_true, y_prob, patients = simulated(np.random.default_rng(11), 30)
    evaluation = compute_metrics(y_true, y_prob, task=TASK)
    with pytest.raises(InvalidData, match="of other predictions"):
        intervals(y_true[:20], y_prob[:20], evaluation=evaluation)
    with pytest.raises(InvalidData, match="29 patients for 30 cases"):
        intervals(y_true, y_prob, evaluation=evaluation, patients=patients[1:])


def coverage(
    studies: int, n_patients: int, images: int, mixed: bool, shift: float, population: int = 600_000
) -> dict[str, float]:
    """The share of simulated studies whose interval holds the value of a whole population of patients."""
    y_true, y_prob, _ = simulated(np.random.default_rng(0), population, images, mixed, shift)
    truth = compute_metrics(y_true, y_prob, task=TASK)
    held = dict.fromkeys(METRICS, 0)
    for number in range(studies):
        y_true, y_prob, patients = simulated(np.random.default_rng([1, number]), n_patients, images, mixed, shift)
        _, found = judged(y_true, y_prob, patients=patients, seed=number, resamples=400)
        for name in METRICS:
            held[name] += truth[name].value in found[name]
    return {name: count / studies for name, count in held.items()}


@pytest.mark.parametrize(("images", "mixed"), [(1, False), (4, True)])
def test_intervals_of_a_few_simulated_studies_hold_the_truth_about_as_often_as_they_say(
    images: int, mixed: bool
) -> None:
    # 40 studies with 95 %: 34 or fewer hits have a chance of 1 % for one metric.
    held = coverage(40, 100, images, mixed, 1.8, population=100_000)
    assert min(held.values()) >= 33 / 40, held
    assert sum(held.values()) / len(held) < 1, held


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_patients", "images", "mixed", "shift"),
    [
        (150, 1, False, 1.8),
        (400, 1, False, 2.8),
        (150, 4, False, 1.8),
        (150, 4, True, 1.8),
        (400, 4, False, 2.8),
    ],
)
def test_95_percent_intervals_hold_the_truth_in_93_to_97_percent_of_1000_simulated_studies(
    n_patients: int, images: int, mixed: bool, shift: float
) -> None:
    held = coverage(1000, n_patients, images, mixed, shift)
    print({"patients": n_patients, "images": images, "mixed": mixed, "shift": shift, **held})
    assert all(0.93 <= share <= 0.97 for share in held.values()), held
