"""The report of an evaluation of several classes: the most probable one, and each against the rest."""

from __future__ import annotations

import re

import pytest

from support.html_page import Page
from support.reports import LAST, SECTIONS, THREE, Made, alts, folder_of, make, predict, report, row, words

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Page]:
    made = make(tmp_path_factory.mktemp("three"), predict(THREE, 180))
    return made, report(folder_of(made), made)


def test_several_classes_are_judged_by_the_most_probable_and_each_against_the_rest(three: tuple[Made, Page]) -> None:
    (outcome, _), page = three
    assessment = outcome.assessment
    assert page.texts("h2") == ["Verdict", "Result", "Data", *SECTIONS, *LAST]
    accuracy, micro = assessment["accuracy"], assessment.micro["f1"]
    assert f"{100 * accuracy.metric.value:.1f}\N{NO-BREAK SPACE}%" in page.texts("p")[1]
    assert row(page, "Accuracy")[0] == f"{accuracy.metric.value:.3f}"
    assert row(page, "F1, micro average")[0] == f"{micro.metric.value:.3f}"
    assert row(page, "AUC, mean")[0] == f"{assessment['auc'].metric.value:.3f}"
    decided, at_point = assessment.estimates.of_class("cyst", "sensitivity"), assessment.at_class_points["cyst"]["npv"]
    assert row(page, "cyst (n = 60)", *row(page, "cyst (n = 60)")[:1])
    assert f"{decided.metric.value:.3f} ({decided.interval.low:.3f} to" in words(page)
    assert row(page, "cyst (n = 60), at 0.3")[3].startswith(f"{at_point.metric.value:.3f} ({at_point.interval.low:.3f}")


def test_the_classes_found_most_and_least_often_are_named(three: tuple[Made, Page]) -> None:
    (outcome, _), page = three
    found = {name: m["sensitivity"].value for name, m in outcome.assessment.evaluation.per_class.items()}
    best, worst = max(found, key=lambda name: found[name]), min(found, key=lambda name: found[name])
    assert re.search(f"recognised {best} most often .* and {worst} least often", page.texts("p")[1])


def test_each_of_several_classes_has_its_calibration_and_decision_curve(three: tuple[Made, Page]) -> None:
    for name in THREE:
        assert [alt for alt in alts(three[1]) if alt.startswith(f"Reliability diagram of {name}.")]
        assert [alt for alt in alts(three[1]) if alt.startswith(f"Decision curve of {name}:")]


def test_a_mistake_among_several_classes_gives_the_probability_of_what_it_was_read_as(three: tuple[Made, Page]) -> None:
    (outcome, _), page = three
    position, reading, _ = outcome.mistakes[0]
    expected = [THREE[position % 3], reading.predicted_label, f"{reading.probabilities[reading.predicted_label]:.3f}"]
    assert row(page, "1", f"image {position + 1}")[:3] == expected


def test_figures_of_several_classes_are_numbered(three: tuple[Made, Page]) -> None:
    drawn = {path.name for path in (folder_of(three[0]) / "figures").iterdir()}
    assert {f"{name}_{number}.png" for name in ("reliability", "net_benefit") for number in (1, 2, 3)} <= drawn
