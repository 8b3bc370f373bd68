"""A metric of the user's own, beside the others."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from overread.errors import InvalidData, InvalidOption
from overread.evaluation import Assessment, AssessmentOptions, OwnMetric, assess
from overread.report.document import Table
from overread.report.documents.model_card import model_card
from overread.report.sections.operating_point import operating_point_section
from support.documents import THREE, TWO, bundle_of, facts_of, predictions


def youden_j(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
    return float(called[actual].mean() - called[~actual].mean())


YOUDEN = OwnMetric(name="youden_j", label="Youden's J", function=youden_j, limits=(-1, 1))


def assessed(classes: tuple[str, ...], *metrics: OwnMetric, **options: object) -> Assessment:
    return assess(predictions(classes), AssessmentOptions(metrics=metrics, resamples=100, **options))  # type: ignore[arg-type]


def test_it_is_what_its_function_says_with_an_interval_by_patient() -> None:
    found = assessed(TWO, YOUDEN)
    metric, interval = found["youden_j"]
    assert metric.value == pytest.approx(found["sensitivity"].metric.value + found["specificity"].metric.value - 1)
    assert metric.n == 120 and metric.value in interval and -1 <= interval.low < interval.high <= 1
    assert interval.method.startswith("cluster bootstrap by patient, 100 resamples")


def test_a_function_of_the_built_in_sort_meets_the_same_resamples() -> None:
    """Sensitivity has no case of a class missing in any draw here, so both give the very same interval."""
    own = OwnMetric(name="mine", label="Mine", function=lambda actual, score, called: called[actual].mean())
    found = assessed(TWO, own)
    assert found["mine"].metric.value == found["sensitivity"].metric.value
    assert found["mine"].interval.low == pytest.approx(found["sensitivity"].interval.low, abs=1e-12)
    assert found["mine"].interval.high == pytest.approx(found["sensitivity"].interval.high, abs=1e-12)


def test_of_several_classes_it_is_judged_for_each_and_averaged() -> None:
    found = assessed(THREE, YOUDEN)
    parts = [found.estimates.of_class(name, "youden_j").metric.value for name in THREE]
    assert found["youden_j"].metric.value == pytest.approx(np.mean(parts))
    assert all("youden_j" in judged.evaluation.metrics for judged in found.at_class_points.values())


def test_it_stands_in_the_json_among_the_metrics() -> None:
    fields = json.loads(json.dumps(assessed(THREE, YOUDEN).to_dict(), allow_nan=False))
    assert fields["metrics"]["youden_j"]["interval"]["low"] < fields["metrics"]["youden_j"]["value"]
    assert fields["per_class"]["polyp"]["youden_j"]["interval"]["method"]


@pytest.mark.parametrize("nothing", [math.nan, math.inf, np.float32("nan")])
def test_where_it_is_undefined_there_is_a_reason_and_no_interval(nothing: float) -> None:
    own = OwnMetric(name="mine", label="My metric", function=lambda actual, score, called: nothing)
    metric, interval = assessed(TWO, own)["mine"]
    assert metric.reason == "My metric is not defined on these cases, of which 60 are ill."
    assert math.isnan(metric.value) and interval.reason == metric.reason


def test_a_metric_without_an_upper_limit_keeps_above_the_lower_one() -> None:
    def odds(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
        return float(called[actual].mean() / called[~actual].mean())

    metric, interval = assessed(TWO, OwnMetric(name="lr", label="LR+", function=odds, limits=(0, math.inf)))["lr"]
    assert 0 < interval.low < metric.value < interval.high and interval.method.endswith("log scale")


def test_a_metric_without_limits_has_a_symmetric_interval() -> None:
    own = OwnMetric(
        name="gap",
        label="Gap",
        function=lambda actual, score, called: 100 * (score[actual].mean() - score[~actual].mean()),
        limits=(-math.inf, math.inf),
    )
    metric, interval = assessed(TWO, own)["gap"]
    assert metric.value - interval.low == pytest.approx(interval.high - metric.value)


def test_a_value_at_the_end_of_its_range_has_no_interval_but_a_reason() -> None:
    def at_the_end_at_first(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
        return min(1.0, float(np.unique(score).size) / 120)

    own = OwnMetric(name="distinct", label="Distinct", function=at_the_end_at_first)
    metric, interval = assessed(TWO, own)["distinct"]
    assert metric.value == 1 and interval.reason == "It has reached 1, the end of its range."


def fails(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
    raise KeyError("patient 17")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fails, "the metric mine failed on 20 cases with KeyError"),
        (lambda actual, score, called: score, "the metric mine gave a ndarray"),
        (lambda actual, score, called: None, "the metric mine gave a NoneType"),
        (lambda actual, score, called: "high", "the metric mine gave a str"),
        (lambda actual, score, called: 1.5, "the metric mine gave 1.5, outside its limits 0 to 1"),
        (lambda actual: 1.0, "the metric mine failed on 20 cases with TypeError"),
    ],
)
def test_a_function_that_fails_or_gives_no_number_is_refused_before_any_work(function: object, message: str) -> None:
    with pytest.raises(InvalidData, match=message) as caught:
        OwnMetric(name="mine", label="Mine", function=function)  # type: ignore[arg-type]
    assert "patient 17" not in str(caught.value)


def test_a_function_that_fails_later_ends_in_one_sentence() -> None:
    def fails_on_many(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
        return 1 / (20 // len(actual))

    own = OwnMetric(name="mine", label="Mine", function=fails_on_many)
    with pytest.raises(InvalidData, match="the metric mine failed on 120 cases with ZeroDivisionError: let"):
        assessed(TWO, own)


@pytest.mark.parametrize("name", ["auc", "recall", "precision", "loss"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match=f"there is a metric '{name}' already"):
        AssessmentOptions(metrics=(OwnMetric(name=name, label="Mine", function=youden_j),))


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidOption, match="there is a metric 'youden_j' already"):
        AssessmentOptions(metrics=(YOUDEN, YOUDEN))


def test_a_bare_function_is_refused() -> None:
    with pytest.raises(InvalidOption, match="a function, which defines no metric"):
        AssessmentOptions(metrics=(youden_j,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"name": "my metric"}, {"name": ""}, {"limits": (1, 1)}, {"limits": (1, 0)}, {"function": 3}]
)
def test_a_definition_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOption):
        OwnMetric(**{"name": "mine", "label": "Mine", "function": youden_j, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_it_has_a_row_in_the_model_card_and_in_the_report(classes: tuple[str, ...], tmp_path: Path) -> None:
    found, assessment = predictions(classes), assessed(classes, YOUDEN)
    bundle = bundle_of(found)
    shown = f"{assessment['youden_j'].metric.value:.3f}"
    card = model_card(bundle, assessment, facts_of(classes))
    assert any("Youden's J" in line and shown in line for line in card.splitlines())
    section = operating_point_section(assessment, bundle.operating_points, tmp_path)
    tables = [item for item in section.items if isinstance(item, Table)]
    assert any("Youden's J" in row[0] and shown in " ".join(row) for table in tables for row in table.rows)
