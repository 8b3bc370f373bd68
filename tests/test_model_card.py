"""The model card: its numbers are those of the objects, its blanks are for humans, and no text breaks its Markdown."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from overread.bundle import GRAPH, WEIGHTS, Bundle, Member
from overread.cli import app
from overread.decision import Calibration
from overread.errors import InvalidBundle
from overread.evaluation import LABELS, RATES, OwnMetric
from overread.report.documents.markdown import escaped, shown, table
from overread.report.documents.model_card import model_card
from support.documents import SECRET, THREE, TWO, assessed, bundle_of, facts_of, predictions, tables


def card_of(classes: tuple[str, ...], **options: Any) -> str:
    found = predictions(classes)
    return model_card(bundle_of(found), assessed(found, **options), facts_of(classes))


def table_under(text: str, first: str, number: int = 0) -> list[list[str]]:
    """The rows of the table whose header begins with this cell."""
    return [found for found in tables(text) if found[0][0] == first][number][1:]


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_the_counts_of_the_card_are_those_of_the_facts(classes: tuple[str, ...]) -> None:
    facts = facts_of(classes)
    expected = [
        [side, *(f"{n:,}" for n in count.values()), f"{sum(count.values()):,}", str(facts.patients[side])]
        for side, count in facts.counts.items()
    ]
    assert table_under(card_of(classes), "Side") == expected


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_every_metric_stands_with_its_interval_method_and_cases(classes: tuple[str, ...]) -> None:
    assessment = assessed(predictions(classes))
    rows = table_under(card_of(classes), "Metric")
    assert [row[0] for row in rows] == list(LABELS.values())
    assert set(LABELS) == set(assessment.evaluation.metrics) - {"recall", "precision"}
    for name, row in zip(LABELS, rows, strict=True):
        metric, interval = assessment[name]
        ends = f"{interval.low:.3f} to {interval.high:.3f}"
        assert row[1:] == [f"{metric.value:.3f}", ends, interval.method, f"{metric.n:,}"]


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_a_metric_of_the_user_stands_in_the_card(classes: tuple[str, ...]) -> None:
    own = OwnMetric(name="ambition", label="Ambition", function=lambda actual, score, called: score.mean())
    found, options = predictions(classes), {"metrics": (own,)}
    rows = {row[0]: row[1] for row in table_under(card_of(classes, **options), "Metric")}
    assert rows["Ambition"] == f"{assessed(found, **options)['ambition'].metric.value:.3f}"


def test_two_classes_are_also_judged_at_a_half_and_at_a_stated_prevalence() -> None:
    assessment = assessed(predictions(TWO), prevalence=0.03)
    card = card_of(TWO, prevalence=0.03)
    half = {row[0]: row[1] for row in table_under(card, "Metric", 1)}
    assert assessment.at_half is not None
    assert half[LABELS["sensitivity"]] == f"{assessment.at_half['sensitivity'].metric.value:.3f}"
    assert half[LABELS["sensitivity"]] != dict(row[:2] for row in table_under(card, "Metric"))[LABELS["sensitivity"]]
    assert not {"AUC", "Average precision", "Brier score", "Log loss"} & half.keys()
    assert "Where 3.00% of cases are positive" in card
    assert table_under(card, "Metric", 2) == [
        [LABELS["ppv"], shown(assessment.predictive_values["ppv"])],
        ["NPV", shown(assessment.predictive_values["npv"])],
    ]


def test_a_point_at_a_half_is_judged_once() -> None:
    found = dataclasses.replace(predictions(TWO), thresholds={TWO[1]: 0.5})
    assert "At a threshold of 0.5" not in model_card(bundle_of(found), assessed(found), facts_of(TWO))


def test_each_of_more_classes_is_judged_against_the_rest() -> None:
    assessment, card = assessed(predictions(THREE)), card_of(THREE)
    most_probable, own_point = table_under(card, "Class", 2), table_under(card, "Class", 3)
    assert [row[:2] for row in most_probable] == [[n, shown(assessment.estimates.of_class(n, "auc"))] for n in THREE]
    for name, row in zip(THREE, own_point, strict=True):
        judged = assessment.at_class_points[name]
        assert row == [name, f"{judged.evaluation.threshold:.4g}", *(shown(judged[rate]) for rate in RATES)]
    assert ["AUC", shown(assessment.micro["auc"])] in table_under(card, "Metric", 1)


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_the_operating_points_are_those_of_the_bundle(classes: tuple[str, ...]) -> None:
    points = bundle_of(predictions(classes)).operating_points
    for (name, point), row in zip(points.items(), table_under(card_of(classes), "Class"), strict=True):
        low, high = point.interval or (0, 0)
        assert row[:4] == [name, f"{point.threshold:.4g}", f"{low:.4g} to {high:.4g}", "youden"]


def test_reliability_stands_before_and_after_calibration() -> None:
    pair = assessed(predictions(TWO)).reliability["ill"]
    rows = table_under(card_of(TWO), "Class", 1)
    assert [row[:3] for row in rows] == [
        ["ill", "before", f"{pair.before.ece:.3f}"],
        ["ill", "after", f"{pair.after.ece:.3f}"],
    ]
    assert rows[0] != rows[1]
    assert "by temperature scaling (temperature 1.375, which makes probabilities milder), fitted on 77" in card_of(TWO)


def test_an_undefined_metric_gives_its_reason() -> None:
    found = predictions(TWO)
    ill = dataclasses.replace(found, y_true=np.ones(120, dtype=int))
    rows = {row[0]: row for row in table_under(model_card(bundle_of(found), assessed(ill), facts_of(TWO)), "Metric")}
    assert rows["Specificity"][1:3] == ["undefined: Every case is ill.", "no interval: Every case is ill."]
    assert "nan" not in str(rows).lower()


def test_what_only_humans_know_is_left_to_them() -> None:
    card = card_of(TWO)
    blanks = re.findall(r"\*\*To be written by the authors:\*\* ([a-z -]+) - ", section(card, "Intended use"))
    assert blanks == ["intended use", "users", "setting", "patients", "out-of-scope use"]
    for heading in ("Data", "Ethics"):
        assert "**To be written by the authors:**" in section(card, heading)


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_no_placeholder_is_left_in_the_card(classes: tuple[str, ...]) -> None:
    assert not re.search(r"[{}]", card_of(classes, by=("sex",)))


def test_braces_in_a_class_name_are_no_placeholder() -> None:
    assert "# Model card: {limits} / ill" in card_of(("{limits}", "ill"))


def test_the_card_names_no_image_and_no_patient() -> None:
    card = card_of(TWO, by=("sex",))
    assert SECRET not in card
    assert "Images left out as unreadable: 2 (1 is empty (0 bytes); 1 is no image)." in card


def test_the_hashes_of_the_card_are_those_of_the_bundle_it_travels_in(tmp_path: Path) -> None:
    found = predictions(TWO)
    for name in (GRAPH, WEIGHTS):
        (tmp_path / name).write_bytes(name.encode())
    unwritten = bundle_of(found, files={})
    with pytest.raises(InvalidBundle, match="call write first"):
        model_card(unwritten, assessed(found), facts_of(TWO))
    bundle = unwritten.write(tmp_path / "bundle", {name: tmp_path / name for name in (GRAPH, WEIGHTS)})
    bundle.write_card(model_card(bundle, assessed(found), facts_of(TWO)))
    loaded = Bundle.load(bundle.pack())
    card = (tmp_path / "bundle" / "card.md").read_text(encoding="utf-8")
    facts = dict(table_under(card, "What"))
    assert facts["Bundle, SHA-256"] == loaded.fingerprint
    assert {name: facts[f"{name}, SHA-256"] for name in (GRAPH, WEIGHTS)} == loaded.files
    assert (facts["Images, SHA-256"], facts["overread"]) == ("d" * 64, "9.8.7")
    assert facts["Command"] == "overread train 'my images' --out run"


def test_the_limits_tell_what_weakens_the_result() -> None:
    found = predictions(TWO)
    bundle, facts = bundle_of(found), facts_of(TWO, has_patients=False, warnings=("4 of 9 images name no patient",))
    few = dataclasses.replace(bundle.referral, counts={"normal": 20, "ill": 19})
    limits = section(model_card(dataclasses.replace(bundle, referral=few), assessed(found), facts), "Limits")
    for text in (
        "the test is internal",
        "Patients are not known for all images",
        "4 of 9 images name no patient",
        "The test has 60 images of ill, fewer than 100",
        "Among the validation images are 19 of ill, fewer than 20",
        "50.0% normal and 50.0% ill",
        "No groups of cases were compared",
    ):
        assert text in limits
    assert "are 20 of normal" not in limits
    large = predictions(TWO, 200)
    rest = section(model_card(bundle_of(large), assessed(large, by=("sex",)), facts_of(TWO)), "Limits")
    assert not re.search("fewer than|not known for all|No groups", rest)


def test_subgroups_stand_with_their_size_and_metrics() -> None:
    (found,) = assessed(predictions(TWO), by=("sex",)).subgroups
    header, *rows = next(table for table in tables(card_of(TWO, by=("sex",))) if table[0][0] == "sex")
    assert [row[:3] for row in rows] == [[g.label, str(g.n), str(g.patients)] for g in found.groups]
    for group, row in zip(found.groups, rows, strict=True):
        metric = group.metrics["accuracy"]
        assert metric.interval is not None
        said = dict(zip(header, row, strict=True))[LABELS["accuracy"]]
        assert said.startswith(f"{metric.metric.value:.3f} ({metric.interval[0]:.3f} to {metric.interval[1]:.3f})")
    assert "No groups of cases were compared." in section(card_of(TWO), "Subgroups")


def test_an_ensemble_of_folds_tells_each_calibration_and_what_was_not_tested() -> None:
    found = predictions(TWO)
    members = tuple(
        Member(graph=f"{i}.onnx", weights=f"{i}.h5", calibration=Calibration(method="temperature", temperature=i, n=9))
        for i in (1.5, 2.5)
    )
    pooled = dataclasses.replace(found, thresholds={}, decided=found.decisions)
    facts = facts_of(TWO, folds=2, best_epoch=None)
    card = model_card(bundle_of(found, members=members), assessed(pooled), facts)
    for number, temperature in ((1, "1.500"), (2, "2.500")):
        assert f"- Network {number} is calibrated by temperature scaling (temperature {temperature}, " in card
    assert "At the operating point of the network that read each image:" in card
    assert "2 folds, each read by networks that were not trained on it, have 120 images" in card
    assert "their average, which the bundle gives, was not tested" in section(card, "Limits")
    assert "None" not in section(card, "Training").split("|")[0]


def test_the_command_of_the_card_exists_with_its_options() -> None:
    (line,) = re.findall(r"```console\n(.*)\n```", card_of(TWO))
    _, command, *rest = line.split()
    shown_help = CliRunner().invoke(app, [command, "--help"], terminal_width=200).output
    options = [word for word in rest if word.startswith("--")]
    assert options and all(option in shown_help for option in options)


def test_class_names_with_markup_leave_every_table_whole() -> None:
    names = ("a|b", "<b>c</b> *d*", "__e__ `f`")
    card = card_of(names)
    assert [row[0] for row in table_under(card, "Class")] == list(names)
    assert all(len(row) == len(found[0]) for found in tables(card) for row in found)
    assert "<b>" not in MarkdownIt("commonmark").render(card)


MARKUP = st.sampled_from("\\|*_`<>&[]()!~#$-+=")
CHARACTERS = st.one_of(MARKUP, st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]))


@given(st.text(alphabet=CHARACTERS, max_size=30))
@example(r"\| \\ \* &lt; <b> __a__ ![b](c)")
def test_any_text_in_a_table_is_shown_as_it_is(text: str) -> None:
    assert tables(table(("Head",), [(f"x{text}x",), ("last",)])) == [
        [["Head"], [" ".join(f"x{text}x".split())], ["last"]]
    ]


def test_an_underscore_within_a_word_needs_no_escape() -> None:
    assert escaped("batch_size\n_a_") == r"batch_size \_a\_"
