"""The report of findings, of ordered grades and of several tasks: each in its own words, and of sensible length."""

from __future__ import annotations

import csv
import re

import pytest

from overread.decision import SeveralFindings
from overread.evaluation import AssessmentOptions
from overread.evaluation.wording import briefly
from support.html_page import Page
from support.kinds import BOTH, CHEST, GRADES, predict_kind
from support.reports import LAST, SECTIONS, Made, alts, folder_of, make, predict, report, row, words

pytestmark = pytest.mark.usefixtures("blank_figures")

QUICK = AssessmentOptions(resamples=100)
OF_FINDINGS = [*SECTIONS[:2], "Findings together", *SECTIONS[2:]]
MANY = SeveralFindings(tuple(f"sign {number}" for number in range(9)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Made, Page]]:
    made = {
        name: make(tmp_path_factory.mktemp(name), predict_kind(task, 120), QUICK)
        for name, task in {"findings": CHEST, "grades": GRADES, "both": BOTH, "many": MANY}.items()
    }
    return {name: (one, report(folder_of(one), one)) for name, one in made.items()}


def test_findings_stand_a_row_each_with_what_is_known_of_them(pages: dict[str, tuple[Made, Page]]) -> None:
    (outcome, bundle), page = pages["findings"]
    assessment = outcome.assessment
    assert page.texts("h2") == ["Verdict", "Result", "Data", *OF_FINDINGS, *LAST]
    cells, (present, known) = row(page, "Mass", below="Result"), assessment.evaluation.positives("Mass")
    assert cells[:3] == [f"{present}", f"{known - present}", f"{120 - known}"]
    plain = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in cells]
    shown = [briefly(assessment.estimates.of_class("Mass", name)) for name in ("auc", "sensitivity", "specificity")]
    assert plain[4:7] == shown
    assert plain[9] == f"{bundle.operating_points['Mass'].threshold:.3g} (0.31 to 0.52)"


def test_grades_are_told_by_kappa_and_distance(pages: dict[str, tuple[Made, Page]]) -> None:
    (outcome, _), page = pages["grades"]
    kappa, confusion = outcome.assessment["quadratic_kappa"], outcome.assessment.evaluation.confusion
    assert f"a quadratic weighted kappa of {kappa.metric.value:.3f}" in page.texts("p")[1]
    assert row(page, "Quadratic weighted kappa", below="Result")[0].startswith(f"{kappa.metric.value:.3f}")
    too_low, too_high = (int(confusion.trace(offset)) for offset in (-2, 2))
    assert row(page, "2 grades off")[2:4] == [f"{too_low}", f"{too_high}"]
    assert row(page, "right")[0] == f"{int(confusion.trace())}"


def test_a_cut_stands_at_its_own_operating_point(pages: dict[str, tuple[Made, Page]]) -> None:
    (outcome, _), page = pages["grades"]
    name = "moderate or more"
    at_point = outcome.assessment.at_class_points[name]["sensitivity"]
    assert row(page, name, below="Result")[4].replace("\N{NO-BREAK SPACE}", " ") == briefly(at_point)
    assert f"{name} (n = " in words(page)


def test_each_of_several_tasks_has_its_sections_under_its_name(pages: dict[str, tuple[Made, Page]]) -> None:
    (outcome, _), page = pages["both"]
    grades, signs = ([f"{name}: {section}" for section in own] for name, own in
                     (("retinopathy", SECTIONS), ("signs", OF_FINDINGS)))  # fmt: skip
    assert page.texts("h2") == ["Verdict", "Result", "Data", *grades, *signs, "Referral", *LAST]
    told = [text for text in page.texts("p") if text.startswith(("retinopathy: On ", "signs: On "))]
    n = [part.evaluation.n for part in outcome.assessment.parts.values()]
    assert [int(re.search(r"On (\d+) test images", text)[1]) for text in told] == n  # type: ignore[index]
    assert all(number < 120 for number in n)


def test_many_findings_make_tables_longer_and_not_the_sections_more(pages: dict[str, tuple[Made, Page]]) -> None:
    page, other = pages["many"][1], pages["findings"][1]
    assert page.texts("h1")[0].startswith("9 findings:") and page.texts("h2") == other.texts("h2")
    assert len(alts(page)) == len(alts(other)) and page.texts("h2").count("Findings together") == 1
    assert len(page.texts("caption")) == len(other.texts("caption"))


def test_what_is_drawn_of_each_finding_stands_in_one_file(pages: dict[str, tuple[Made, Page]]) -> None:
    folder = folder_of(pages["many"][0]) / "figures"
    for name in ("roc", "precision_recall", "reliability", "net_benefit"):
        with (folder / f"{name}.csv").open(encoding="utf-8") as stream:
            assert {one["class"] for one in csv.DictReader(stream)} == set(MANY.classes)
    assert not list(folder.glob("reliability_*"))


def test_a_finding_that_no_image_shows_is_named_in_the_verdict(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = predict_kind(CHEST, 60)
    y_true = found.y_true.copy()  # type: ignore[union-attr]
    y_true[:, 1], y_true[:, 2] = 0, -1
    made = make(tmp_path_factory.mktemp("open"), predict_kind(CHEST, 60, y_true=y_true))
    said = report(folder_of(made), made).texts("p")[1]
    assert "the mean AUC of 1 of 3 findings" in said
    assert "It cannot be judged for Mass (shown by no image); Edema (not known of any image)." in said


@pytest.mark.parametrize("name", ["findings", "grades", "both", "many"])
def test_no_class_is_spoken_of_where_there_is_none(pages: dict[str, tuple[Made, Page]], name: str) -> None:
    said = words(pages[name][1])
    assert not re.findall(r".*(?:most probable class|each class|true class|1 class\b|of the class\b).*", said)


def test_several_classes_keep_their_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = make(tmp_path_factory.mktemp("three"), predict(("a", "b", "c"), 90))
    said = words(report(folder_of(made), made))
    assert "Each class against the rest" in said and "The most probable class is decided on." in said
