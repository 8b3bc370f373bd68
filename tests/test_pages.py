"""The report of an evaluation: it says what was measured, in words, tables and figures, with its uncertainty."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from overread.bundle import GRAPH, Bundle, Member, Opening
from overread.decision import Calibration, Referral
from overread.evaluation import AssessmentOptions, DecisionCurve, OwnMetric, assess
from overread.report.sections.decision_curve import helpful_ranges
from overread.report.sections.operating_point import operating_point_section
from support.html_page import Page
from support.reports import (
    LAST,
    RUN,
    SECTIONS,
    TWO,
    Made,
    alts,
    folder_of,
    make,
    predict,
    report,
    row,
    words,
    write_bundle,
)

pytestmark = pytest.mark.usefixtures("blank_figures")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Made:
    options = AssessmentOptions(level=0.9, resamples=200, prevalence=0.05, by=("site",))
    predictions = predict(TWO, 160, columns={"site": ["Bern", "Bern", "Basel", "Chur"] * 40})
    return make(tmp_path_factory.mktemp("two"), predictions, options)


@pytest.fixture(scope="module")
def page(two: Made) -> Page:
    return report(
        folder_of(two), two, warnings=("this test set had been opened before",), failures={"a.png": "is empty"}
    )


def test_an_evaluation_has_every_section(page: Page) -> None:
    assert page.texts("h2") == ["Verdict", "Result", "Data", *SECTIONS, *LAST]
    assert page.texts("h1") == ["Normal / Polyp: evaluation on 160 images"]


def test_the_verdict_gives_the_main_numbers_with_their_intervals(two: Made, page: Page) -> None:
    assessment, (said, design, caution, *_) = two[0].assessment, page.texts("p")[1:]
    auc, sensitivity, specificity = (assessment[name] for name in ("auc", "sensitivity", "specificity"))
    assert f"AUC of {auc.metric.value:.3f} (90 % interval {auc.interval.low:.3f} to {auc.interval.high:.3f})" in said
    for rate in (sensitivity, specificity, *assessment.predictive_values.values()):
        low, high = (f"{100 * end:.1f}\N{NO-BREAK SPACE}%" for end in (rate.interval.low, rate.interval.high))
        assert f"{100 * rate.metric.value:.1f}\N{NO-BREAK SPACE}% ({low} to {high})" in said
    (_, alarms), (missed, _) = assessment.evaluation.confusion.tolist()
    assert f"missing {missed}," in said and f"with {alarms} false alarms" in said and "Where 5 % of images" in said
    assert "160 images come from 80 patients" in design and "90 % intervals" in design
    assert caution == "Read with this result the 1 warning under Test lock."


def test_the_level_of_the_intervals_is_the_one_that_was_asked_for(page: Page) -> None:
    assert "90 % interval" in words(page) and "95 %" not in words(page)
    assert not [alt for alt in alts(page) if "95 %" in alt]


@pytest.mark.parametrize("name", ["auc", "average_precision", "brier", "loss"])
def test_metrics_without_a_threshold_stand_with_interval_cases_and_method(two: Made, page: Page, name: str) -> None:
    metric, interval = two[0].assessment[name]
    labels = {"auc": "AUC", "average_precision": "Average precision", "brier": "Brier score"}
    assert row(page, labels.get(name, "Log loss"))[:4] == [
        f"{metric.value:.3f}",
        f"{interval.low:.3f} to {interval.high:.3f}",
        "160",
        interval.method,
    ]


@pytest.mark.parametrize(("name", "label"), [("sensitivity", "Sensitivity (recall)"), ("npv", "NPV"), ("f1", "F1")])
def test_decisions_are_judged_at_the_frozen_point_and_at_one_half(two: Made, page: Page, name: str, label: str) -> None:
    assessment = two[0].assessment
    assert assessment.at_half is not None
    expected = []
    for metric, interval in (assessment[name], assessment.at_half[name]):
        expected += [f"{metric.value:.3f} ({interval.low:.3f} to {interval.high:.3f})", f"{metric.n}"]
    assert row(page, "Metric", "At 0.4, frozen", "n", "At 0.5, for comparison")[:2] == ["n", "Method"]
    assert row(page, label)[:4] == expected


def test_a_metric_of_the_user_stands_in_the_page_with_its_interval(tmp_path: Path) -> None:
    own = OwnMetric(name="ambition", label="Ambition", function=lambda actual, score, called: score.mean())
    options = AssessmentOptions(level=0.9, resamples=200, metrics=(own,))
    made = make(tmp_path, predict(TWO, 60), options)
    metric, interval = made[0].assessment["ambition"]
    assert row(report(tmp_path, made), "Ambition")[:2] == [
        f"{metric.value:.3f}",
        f"{interval.low:.3f} to {interval.high:.3f}",
    ]


def test_the_choice_of_the_threshold_is_told_with_rule_and_validation_rates(page: Page) -> None:
    assert row(page, "Polyp", "0.4")[:6] == ["0.31 to 0.52", "sensitivity=0.95", "0.963", "0.713", "20", "30"]
    assert "a sensitivity of 0.95 on average over unseen patients" in words(page)
    assert "it would lie from 0.31 to 0.52 in 95 of 100" in words(page)


def test_a_threshold_that_is_one_half_is_not_compared_with_itself(tmp_path: Path) -> None:
    page = report(tmp_path, make(tmp_path, predict(TWO, 60, thresholds={TWO[1]: 0.5})))
    assert "for comparison" not in words(page) and "at 0.5, frozen" in words(page)


def test_the_referrals_stand_with_coverage_rates_errors_and_other_coverages(two: Made, page: Page) -> None:
    found = two[0].referral
    assert found is not None
    for name, (metric, interval) in found.coverage.items():
        assert row(page, name, f"{metric.value:.3f}")[:2] == [
            f"{interval.low:.3f} to {interval.high:.3f}",
            f"{metric.n}",
        ]
    assert row(page, "Unfamiliar")[0] == f"{found.referred['unfamiliar'].metric.value:.3f}"
    assert row(page, "Images that are read")[0] == f"{found.errors['read'].metric.value:.3f}"
    assert row(page, "none", str(found.set_sizes[0]))
    assert row(page, "90 % (chosen)")[0].startswith(f"{found.tradeoffs[0].read.metric.value:.3f} (")
    assert f"The reader refers {100 * found.referred['referred'].metric.value:.1f}" in words(page)


def test_a_coverage_that_is_missed_and_a_class_that_is_never_ruled_out_are_warnings(tmp_path: Path) -> None:
    predictions = predict(TWO, 160)
    asked = Referral(coverage=0.999, thresholds={"Normal": 0.1, "Polyp": 0.2}, counts={"Normal": 5000, "Polyp": 8})
    text = words(report(tmp_path, make(tmp_path, predictions, referral=asked)))
    assert "less often than the 99.9 % asked for: all images with " in text
    assert "among the validation images are 8 of Polyp, too few to rule it out at a coverage of 99.9 %" in text


def test_a_note_of_the_operating_point_is_a_warning(tmp_path: Path) -> None:
    predictions = predict(TWO, 60)
    made = make(tmp_path, predictions)
    point = dataclasses.replace(made[1].operating_points["Polyp"], note="No positive case reaches this threshold.")
    page = report(tmp_path, (made[0], write_bundle(tmp_path, predictions, operating_points={"Polyp": point})))
    assert "no positive case reaches this threshold, on the validation images." in words(page)
    assert "1 warning under Operating point" in words(page)


def test_a_rate_that_the_test_images_do_not_bear_out_is_said_to_have_flattered(tmp_path: Path) -> None:
    made = make(tmp_path, predict(TWO, 160))
    metric, interval = made[0].assessment["specificity"]
    for above, said in ((0.001, True), (-0.001, False)):
        value = interval.high + above
        point = dataclasses.replace(made[1].operating_points["Polyp"], sensitivity=0.1, specificity=value)
        bundle = write_bundle(tmp_path, made[0].predictions, operating_points={"Polyp": point})
        text = words(report(tmp_path, (made[0], bundle)))
        flattered = f"the specificity of {value:.3f} on validation images flattered: on the test images it is"
        assert (f"{flattered} {metric.value:.3f}, at most {interval.high:.3f} by its interval." in text) == said


def test_calibration_is_told_before_and_after_with_its_temperature(two: Made, page: Page) -> None:
    before, after = two[0].assessment.reliability["Polyp"]
    assert row(page, "Expected calibration error")[:2] == [f"{before.ece:.3f}", f"{after.ece:.3f}"]
    assert row(page, "Slope")[:2] == [f"{before.slope.value:.3f}", f"{after.slope.value:.3f}"]
    assert row(page, "Brier: resolution")[:2] == [f"{before.brier_resolution:.3f}", f"{after.brier_resolution:.3f}"]
    assert "temperature 0.333, which makes probabilities more extreme), fitted on 50 validation images" in words(page)
    assert after.ece < before.ece and "calibration made" not in words(page)


def test_a_calibration_that_did_harm_on_the_test_images_is_said_to_have(tmp_path: Path) -> None:
    good = predict(TWO, 120)
    page = report(
        tmp_path, make(tmp_path, dataclasses.replace(good, y_prob=good.uncalibrated, uncalibrated=good.y_prob))
    )
    assert "calibration made the probabilities worse for Polyp: the expected calibration error rose from" in words(page)
    assert "1 warning under Calibration" in words(page)


def test_probabilities_that_are_not_calibrated_are_said_not_to_be(tmp_path: Path) -> None:
    members = (Member(calibration=Calibration(method="none", note="All are of one class.")),)
    page = report(tmp_path, make(tmp_path, predict(TWO, 60, uncalibrated=None), members=members))
    assert "The network is not calibrated: its probabilities are taken as they come. All are of one class." in words(
        page
    )
    assert "By calibration" not in words(page)


def test_each_network_of_an_ensemble_tells_its_calibration(tmp_path: Path) -> None:
    members = tuple(Member(calibration=Calibration(method="temperature", temperature=t, n=9)) for t in (0.5, 2.0))
    page = report(tmp_path, make(tmp_path, predict(TWO, 60), members=members))
    assert "Network 1 is calibrated by temperature scaling (temperature 0.500, which" in words(page)
    assert (
        "Network 2 is calibrated by temperature scaling (temperature 2.000, which makes probabilities milder)"
        in words(page)
    )


def test_the_thresholds_at_which_acting_helps_are_each_stretch_above_all_and_none() -> None:
    at = (0.1, 0.2, 0.3, 0.4, 0.5)
    curve = DecisionCurve(
        thresholds=at, net_benefit=(0.5, 0.6, 0.3, 0.1, -0.1), treat_all=(0.5, 0.4, 0.2, 0.1, 0.0), prevalence=0.5, n=9
    )
    assert helpful_ranges(curve) == ((0.2, 0.3),)
    both = dataclasses.replace(curve, net_benefit=(0.6, 0.3, 0.3, 0.1, 0.1))
    assert helpful_ranges(both) == ((0.1, 0.1), (0.3, 0.3), (0.5, 0.5))
    assert helpful_ranges(dataclasses.replace(curve, net_benefit=(0.0,) * 5)) == ()


def test_the_decision_curve_holds_for_the_prevalence_that_was_stated(two: Made, page: Page) -> None:
    curve = two[0].assessment.decision_curves["Polyp"]
    low, high = helpful_ranges(curve)[0]
    assert "Where 5.0\N{NO-BREAK SPACE}% of images are Polyp, as stated" in words(page)
    assert f"from {100 * low:.0f} % to {100 * high:.0f} %" in words(page)
    at = curve.thresholds.index(0.1)
    assert row(page, "10 %")[:2] == [f"{curve.net_benefit[at]:+.3f}", f"{curve.treat_all[at]:+.3f}"]


def test_groups_are_judged_or_the_reason_is_given(two: Made, page: Page) -> None:
    (found,) = two[0].assessment.subgroups
    bern = next(group for group in found.groups if group.label == "Bern").metrics["accuracy"]
    assert bern.gap is not None and bern.gap_interval is not None and bern.flagged is not None
    gap = f"{bern.gap:+.3f} ({bern.gap_interval[0]:+.3f} to {bern.gap_interval[1]:+.3f})"
    assert row(page, "Bern", "Accuracy")[2:4] == [gap, "flagged" if bern.flagged else "not flagged"]
    judged = sum(m.flagged is not None for group in found.groups for m in group.metrics.values())
    assert f"of {judged} gaps judged here, about {judged * 0.1:.1f} would be flagged by chance alone" in words(page)


def test_a_group_too_small_to_judge_says_so(tmp_path: Path) -> None:
    predictions = predict(TWO, 160, columns={"site": ["Bern"] * 152 + ["Chur"] * 8})
    options = AssessmentOptions(level=0.9, resamples=200, by=("site",))
    page = report(tmp_path, make(tmp_path, predictions, options))
    assert row(page, "Chur", "Accuracy")[3] == "not judged: it rests on 4 patients, fewer than 30"
    assert "No gap could be judged" in words(page)


def test_mistakes_stand_in_a_table_by_number_class_and_probability(two: Made, page: Page) -> None:
    outcome = two[0]
    assert {reading.predicted_label for _, reading, _ in outcome.mistakes} == set(TWO)
    for number, (position, reading, _) in enumerate(outcome.mistakes, start=1):
        true, read = TWO[position % 2], reading.predicted_label
        probability = f"{reading.probabilities['Polyp']:.3f}"
        assert row(page, f"{number}", f"image {position + 1}")[:3] == [true, read, probability]
        assert [alt for alt in alts(page) if f"{number}: {true}, read as {read} ({probability})" in alt]


def test_a_reader_without_mistakes_shows_none(tmp_path: Path) -> None:
    predictions = predict(TWO, 60)
    perfect = dataclasses.replace(predictions, y_true=predictions.decisions)
    page = report(tmp_path, make(tmp_path, perfect))
    assert "0 of 60 test images were decided wrongly." in words(page)
    assert not [alt for alt in alts(page) if "wrongly" in alt]


def test_every_figure_is_told_in_numbers(two: Made, page: Page) -> None:
    assert len(alts(page)) == 7 and all(re.search(r"\d", alt) for alt in alts(page))
    confusion = two[0].assessment.evaluation.confusion
    assert f"of 80 Polyp, {confusion[1, 0]} read as Normal, {confusion[1, 1]} read as Polyp" in "".join(alts(page))
    roc = next(alt for alt in alts(page) if alt.startswith("ROC curve"))
    assert f"AUC {two[0].assessment['auc'].metric.value:.3f} (90 % interval" in roc


def test_every_figure_of_the_page_lies_beside_its_numbers(two: Made, page: Page) -> None:
    curves = ("confusion", "roc", "precision_recall", "reliability", "net_benefit", "subgroups_1")
    tables = {f"{name}.csv" for name in (*curves, "roc_band", "precision_recall_band")}
    pictures = {f"{name}.png" for name in (*curves, "mistakes")}
    assert {path.name for path in (folder_of(two) / "figures").iterdir()} == pictures | tables


def test_no_patient_and_nothing_from_elsewhere_is_in_the_page(page: Page, two: Made) -> None:
    source = (folder_of(two) / "report.html").read_text(encoding="utf-8")
    assert "secret" not in source and not re.search(r"https?:", source)


def test_images_and_patients_are_counted(page: Page) -> None:
    assert row(page, "Polyp", "80")[0] == "40" and row(page, "all")[:2] == ["160", "80"]


def test_images_that_were_left_out_go_by_a_number_with_their_reason(two: Made, page: Page) -> None:
    number = len(two[0].predictions.cases) + 1
    assert "1 unreadable image was left out" in words(page) and row(page, f"image {number}")[0] == "is empty"
    assert "a.png" not in words(page)


def test_images_without_patients_are_said_to_narrow_the_intervals(tmp_path: Path) -> None:
    page = report(tmp_path, make(tmp_path, predict(TWO, 60, patients=None)))
    assert "No image names its patient" in page.texts("p")[2] and "too narrow" in page.texts("p")[2]
    assert "Patients (each picture its own)" in words(page)


def test_one_image_of_each_patient_is_said_to_be_independent(tmp_path: Path) -> None:
    page = report(tmp_path, make(tmp_path, predict(TWO, 60, patients=[f"p{i}" for i in range(60)])))
    assert page.texts("p")[2].startswith("Each image comes from a patient of its own, so")


@pytest.mark.parametrize(
    ("label", "missing"), [(1, "every case is Polyp"), (0, "no case is Polyp")], ids=["only positive", "only negative"]
)
def test_one_class_alone_leaves_an_auc_undefined_and_the_page_says_why(
    tmp_path: Path, label: int, missing: str
) -> None:
    options = AssessmentOptions(level=0.9, resamples=200, prevalence=0.1)
    page = report(tmp_path, make(tmp_path, predict(TWO, 40, y_true=np.full(40, label)), options))
    assert page.texts("h2") == ["Verdict", "Result", "Data", *SECTIONS, *LAST]
    assert f"no AUC can be given ({missing})" in page.texts("p")[1] and "nan" not in words(page).lower()
    assert row(page, "AUC")[:2] == ["undefined", f"{missing[0].upper()}{missing[1:]}."]
    assert f"There is no ROC and no precision-recall curve: {missing}." in words(page)
    assert not [alt for alt in alts(page) if "ROC" in alt]


def test_decisions_by_several_thresholds_are_not_given_one(tmp_path: Path) -> None:
    predictions = predict(TWO, 60)
    pooled = dataclasses.replace(predictions, thresholds={}, decided=predictions.decisions)
    page = report(tmp_path, make(tmp_path, pooled))
    assert "At the operating points fixed beforehand" in page.texts("p")[1]
    assert "At the frozen points" in words(page)
    section = operating_point_section(assess(pooled), {}, tmp_path)
    assert "threshold of its own" in section.paragraphs[0]


def openings(bundle: Bundle, *results: str, data: str = "d" * 64) -> None:
    for result in results:
        bundle.record(Opening(data=data, n=60, result=result, study="a study", time="2026-11-22T08:15:30+00:00"))


def test_a_test_set_opened_once_is_said_to_be(page: Page) -> None:
    assert "This test set was opened once with this bundle, for this result" in words(page)
    assert "this test set had been opened before" in words(page)


@pytest.mark.parametrize(
    ("again", "said", "against"),
    [
        (True, "2 times with this bundle, every time with the same", "the same"),
        (False, "not always with the", "another"),
    ],
    ids=["the same result", "another result"],
)
def test_a_test_set_opened_again_is_said_to_be_with_its_results(
    tmp_path: Path, again: bool, said: str, against: str
) -> None:
    outcome, bundle = make(tmp_path, predict(TWO, 60))
    openings(bundle, outcome.opening("a study").result if again else "0" * 64)
    openings(bundle, "1" * 64, data="another set")
    page = report(tmp_path, (outcome, bundle))
    assert said in words(page) and "1 evaluation with this bundle opened other sets" in words(page)
    assert row(page, "2", "2026-11-22 08:15", "60")[1] == against


def test_what_repeating_it_takes_is_given(page: Page, two: Made) -> None:
    assert row(page, "Command")[0] == RUN["command"] and row(page, "Seed of the training")[0] == "7"
    assert row(page, "Intervals")[0] == "90 %, 200 resamples, seed 0"
    assert row(page, "bundle")[0] == two[1].fingerprint and row(page, GRAPH)[0] == two[1].files[GRAPH]
    assert "python 3.12.1" in row(page, "Versions here")[0]
