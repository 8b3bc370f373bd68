"""Bands around curves: brute force as the oracle, properties, coverage, and where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overread.errors import InvalidData, InvalidOption
from overread.evaluation import precision_recall_curve, roc_curve
from overread.evaluation.uncertainty.bands import GRID, Band, precision_recall_band, roc_band
from overread.evaluation.uncertainty.interval import wilson

pytestmark = pytest.mark.filterwarnings("error")
BOTH = pytest.mark.parametrize("find", [roc_band, precision_recall_band])
Cases = tuple[np.ndarray, np.ndarray, list[str]]


def simulated(random: np.random.Generator, n: int, shift: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    actual = random.random(n) < 0.5
    return actual, random.normal(0, 1, n) + shift * actual


@st.composite
def cases_of_patients(draw: st.DrawFn) -> Cases:
    """Few distinct scores, so that ties abound, and several cases of some patients, of both classes at times."""
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), min_size=12, max_size=24))]
    of_each = {"min_size": len(labels), "max_size": len(labels)}
    scores = draw(st.lists(st.integers(0, 6), **of_each))
    patients = draw(st.lists(st.integers(0, 15), **of_each))
    return np.array(labels), np.array(scores) / 8, [f"{patient:02d}" for patient in patients]


def sensitivities(actual: np.ndarray, score: np.ndarray) -> list[float]:
    """At each point, the highest one over it of the line that joins the points of the curve."""
    curve, values = roc_curve(actual, score), []
    for x in GRID:
        after = next((i for i, fpr in enumerate(curve.fpr) if fpr > x), len(curve.fpr))
        if after == len(curve.fpr) or curve.fpr[after - 1] == x:
            values.append(curve.tpr[after - 1])
        else:
            (x0, x1), (y0, y1) = curve.fpr[after - 1 : after + 1], curve.tpr[after - 1 : after + 1]
            values.append(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
    return values


def precisions(actual: np.ndarray, score: np.ndarray) -> list[float]:
    """At each recall, the precision of the highest threshold that finds enough, and something."""
    curve = precision_recall_curve(actual, score)
    found = curve.recall[:-1]
    return [curve.precision[max(i for i, r in enumerate(found) if r >= x and r > 0)] for x in GRID]


def patients_called(cases: Cases, recall: float) -> int:
    actual, score, patients = cases
    for cut in sorted(set(score), reverse=True):
        found = int(actual[score >= cut].sum())
        if found and found / actual.sum() >= recall:
            return len({patient for patient, value in zip(patients, score, strict=True) if value >= cut})
    raise ArithmeticError("the lowest score calls every case")


def brute_force(
    curve: Callable[..., list[float]], cases: Cases, level: float, resamples: int, seed: int
) -> np.ndarray | None:
    """Low and high at each point, one resample, one patient and one point after another."""
    actual, score, patients = cases
    rows_of = [[row for row, name in enumerate(patients) if name == patient] for patient in sorted(set(patients))]
    random, values = np.random.default_rng(seed), []
    for drawn in random.integers(0, len(rows_of), (resamples, len(rows_of))):
        rows = [row for patient in drawn for row in rows_of[patient]]
        if 0 < actual[rows].sum() < len(rows):
            values.append(curve(actual[rows], score[rows]))
    if len(values) < 0.95 * resamples:
        return None
    ends = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    positive_patients = len({patient for patient, ill in zip(patients, actual, strict=True) if ill})
    for column, (x, value) in enumerate(zip(GRID, curve(actual, score), strict=True)):
        trials = positive_patients if curve is sensitivities else patients_called(cases, x)
        known = curve is sensitivities and x == 1
        if not known and (value in (0, 1) or np.ptp([row[column] for row in values]) < 1e-12):
            end = wilson(round(value * trials), trials, level=level)
            ends[:, column] = min(ends[0, column], end.low), max(ends[1, column], end.high)
    if curve is sensitivities:
        ends = np.array([[min(ends[0][i:]) for i in range(101)], [max(ends[1][: i + 1]) for i in range(101)]])
    return ends


@pytest.mark.parametrize(("find", "curve"), [(roc_band, sensitivities), (precision_recall_band, precisions)])
@settings(max_examples=15)
@given(cases=cases_of_patients(), seed=st.integers(0, 3), level=st.sampled_from([0.8, 0.95]))
@example(cases=(np.array([0, 1] * 8), np.arange(16) // 2 / 8, [str(i) for i in range(10, 26)]), seed=0, level=0.95)
@example(cases=(np.arange(16) // 8, np.arange(16) / 16, [str(i) for i in range(10, 26)]), seed=0, level=0.95)
def test_a_band_is_that_of_brute_force(
    find: Callable[..., Band], curve: Callable[..., list[float]], cases: Cases, seed: int, level: float
) -> None:
    actual, score, patients = cases
    band = find(actual, score, patients=patients, level=level, resamples=100, seed=seed)
    if len(set(score)) == 1:
        assert band.reason == "No case ranks differently from another."
        return
    expected = brute_force(curve, cases, level, 100, seed)
    assert (band.reason is None) == (expected is not None)
    if expected is not None:
        np.testing.assert_allclose([band.low, band.high], expected, rtol=0, atol=1e-12)


@BOTH
def test_only_the_order_of_the_scores_counts(find: Callable[..., Band]) -> None:
    actual, score = simulated(np.random.default_rng(1), 80)
    one, other = (find(actual, values, resamples=150) for values in (score, np.exp(3 * score)))
    assert np.array_equal(one.low, other.low) and np.array_equal(one.high, other.high)


@BOTH
def test_copies_of_a_patients_cases_tell_nothing_new(find: Callable[..., Band]) -> None:
    actual, score = simulated(np.random.default_rng(2), 90)
    names = [f"P{i:03d}" for i in range(90)]
    one = find(actual, score, patients=names, resamples=300)
    copies = (np.repeat(actual, 4), np.repeat(score, 4))
    together = find(*copies, patients=np.repeat(names, 4).tolist(), resamples=300)
    apart = find(*copies, resamples=300)
    np.testing.assert_allclose([together.low, together.high], [one.low, one.high], atol=1e-12)
    assert (apart.high - apart.low).mean() < 0.7 * (one.high - one.low).mean()
    assert "cluster" in together.method and "cluster" not in apart.method


@BOTH
def test_the_seed_decides_the_band(find: Callable[..., Band]) -> None:
    actual, score = simulated(np.random.default_rng(3), 60)
    first, again, other = (find(actual, score, resamples=100, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.low, again.low) and np.array_equal(first.high, again.high)
    assert not np.array_equal(first.low, other.low)


@BOTH
def test_a_higher_level_gives_a_wider_band(find: Callable[..., Band]) -> None:
    actual, score = simulated(np.random.default_rng(4), 60)
    narrow, wide = (find(actual, score, resamples=200, level=level) for level in (0.8, 0.99))
    assert (wide.low <= narrow.low).all() and (wide.high >= narrow.high).all() and wide.level == 0.99
    assert wide.low.sum() < narrow.low.sum()


def test_where_nothing_varies_the_band_is_wilsons() -> None:
    actual, score = np.arange(40) >= 20, np.arange(40)
    band = roc_band(actual, score)
    assert band.low[:-1] == pytest.approx(wilson(20, 20).low) and (band.high == 1).all() and band.low[-1] == 1
    band = precision_recall_band(actual, score)
    assert band.low[[0, 50, 100]] == pytest.approx([wilson(k, k).low for k in (1, 10, 20)])
    # 20 cases of 4 patients are 4 trials.
    band = roc_band(actual, score, patients=[f"P{i // 5}" for i in range(40)])
    assert band.low[50] == pytest.approx(wilson(4, 4).low)


def test_a_roc_band_never_falls_and_ends_at_one() -> None:
    actual, score = simulated(np.random.default_rng(5), 70)
    band = roc_band(actual, score, resamples=200)
    assert (np.diff(band.low) >= 0).all() and (np.diff(band.high) >= 0).all() and band.low[-1] == band.high[-1] == 1


def test_bands_hold_the_true_curve_about_as_often_as_they_say() -> None:
    # At 60 studies of 95 % the standard error is 2.8 points; 4 of them below is a defect.
    random, normal, points = np.random.default_rng(6), NormalDist(), (10, 30, 60)
    sensitivity = [1 - normal.cdf(normal.inv_cdf(1 - x / 100) - 1.5) for x in points]
    false_alarms = [1 - normal.cdf(1.5 - normal.inv_cdf(x / 100)) for x in points]
    precision = [x / 100 / (x / 100 + rate) for x, rate in zip(points, false_alarms, strict=True)]
    held = np.zeros((2, 3))
    for _ in range(60):
        actual, score = simulated(random, 150)
        for row, (find, true) in enumerate(((roc_band, sensitivity), (precision_recall_band, precision))):
            band = find(actual, score, resamples=150)
            held[row] += [band.low[x] <= value <= band.high[x] for x, value in zip(points, true, strict=True)]
    assert (held / 60 >= 0.95 - 4 * 0.028).all()
    assert held[:, 0].sum() < 120 or held[:, 1].sum() < 120  # a band over everything would hold all


@BOTH
@pytest.mark.parametrize(
    ("actual", "score", "reason"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3], "No case is positive."),
        ([1, 1], [0.1, 0.2], "Every case is positive."),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], "No case ranks differently from another."),
        ([0] * 20 + [1], list(range(21)), "Too few patients"),
    ],
)
def test_where_there_is_no_band_a_reason_is_given(
    find: Callable[..., Band], actual: Sequence[int], score: Sequence[float], reason: str
) -> None:
    band = find(actual, score)
    assert np.isnan(band.low).all() and np.isnan(band.high).all() and band.x.shape == band.low.shape == (101,)
    assert (band.reason or "").startswith(reason)


def test_resamples_of_one_class_are_counted_in_the_method() -> None:
    band = roc_band([0] * 30 + [1] * 4, np.arange(34), resamples=1000)
    assert band.reason is None and "undefined)" in band.method and "1,000 resamples" in band.method


@BOTH
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"level": 1.0}, InvalidOption),
        ({"resamples": 99}, InvalidOption),
        ({"seed": -1}, InvalidOption),
        ({"patients": ["A"]}, InvalidData),
    ],
)
def test_options_out_of_range_are_refused(
    find: Callable[..., Band], options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        find([0, 1], [0.2, 0.7], **options)


@BOTH
@pytest.mark.parametrize(("actual", "score"), [([0, 2], [0.1, 0.2]), ([0, 1], [0.1, math.nan]), ([], [])])
def test_cases_that_cannot_be_ranked_are_refused(
    find: Callable[..., Band], actual: Sequence[int], score: Sequence[float]
) -> None:
    with pytest.raises(InvalidData):
        find(actual, score)


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        ([0.2, 0.5], [0.3, 0.4], None),
        ([0.2, 0.3], [0.3, 0.4], "a reason"),
        ([math.nan] * 2, [math.nan] * 2, None),
        ([0.2, math.nan], [0.3, math.nan], None),
        ([0.2], [0.3], None),
    ],
)
def test_a_band_that_does_not_hold_together_is_refused(low: list[float], high: list[float], reason: str | None) -> None:
    with pytest.raises(InvalidData, match="does not hold together"):
        Band(np.array([0.0, 1.0]), np.array(low), np.array(high), 0.95, "by hand", reason)
