"""Reporting checklists: every item once and in order, drafted from the run's own numbers or left to the authors."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from overread.report.documents.checklists import CHECKLISTS, FOR_AUTHORS, checklists, read_checklist, statements
from overread.report.documents.markdown import shown
from overread.report.documents.statements import CardFacts
from overread.study.train import Study
from support.documents import SECRET, THREE, TWO, assessed, bundle_of, facts_of, predictions, tables
from support.reports import bear_up

# Collins et al. 2024: 27 items, 52 with their parts.
PARTS = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc", 23: "ab", 27: "abc"}
TRIPOD_AI = [f"{number}{part}" for number in range(1, 28) for part in PARTS.get(number, [""])]
CLAIM = [str(number) for number in range(1, 45)]


def drafted(classes: tuple[str, ...], facts: CardFacts | None = None, **options: Any) -> str:
    found = predictions(classes)
    return checklists(bundle_of(found), assessed(found, **options), facts or facts_of(classes))


def answers(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The last cell of each item of TRIPOD+AI and of CLAIM."""
    tripod_ai, claim = ({row[0]: row[-1] for row in found[1:]} for found in tables(text))
    return tripod_ai, claim


def test_every_item_stands_once_and_in_order() -> None:
    tripod_ai, claim = tables(drafted(TWO))
    assert len(TRIPOD_AI) == 52
    assert [row[0] for row in tripod_ai[1:]] == TRIPOD_AI
    assert [row[0] for row in claim[1:]] == CLAIM
    assert all(all(row) for found in (tripod_ai, claim) for row in found)


def test_the_top_says_that_a_machine_drafted_it_and_cites_the_checklists() -> None:
    text = drafted(TWO)
    assert "Drafted by a machine, to be checked by the authors." in text.split("\n## ")[0]
    assert "doi:10.1136/bmj-2023-078378" in text and "doi:10.1148/ryai.240300" in text


@pytest.mark.parametrize("classes", [TWO, THREE])
@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_template_can_be_filled(name: str, classes: tuple[str, ...]) -> None:
    found = predictions(classes)
    facts = facts_of(classes, robustness=bear_up(found))
    known = statements(bundle_of(found), assessed(found, by=("sex",)), facts)
    for item in read_checklist(name).items:
        assert (item.answered(known) == FOR_AUTHORS) == (item.answer is None), item.number
        assert item.answer is not None or item.authors is None, item.number


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_no_placeholder_is_left_in_the_checklists(classes: tuple[str, ...]) -> None:
    assert not re.search(r"[{}]", drafted(classes, by=("sex",)))


def test_what_the_program_cannot_know_is_left_to_the_authors() -> None:
    tripod_ai, claim = answers(drafted(TWO))
    assert {tripod_ai[number] for number in ("3a", "3b", "5b", "6a", "8c", "14", "17", "18a", "18d", "19", "25")} == {
        FOR_AUTHORS
    }
    assert {claim[number] for number in ("3", "5", "13", "15", "16", "18", "34", "41", "44")} == {FOR_AUTHORS}


def test_an_answer_without_its_facts_is_left_to_the_authors() -> None:
    without, _ = answers(drafted(TWO))
    compared, _ = answers(drafted(TWO, by=("sex",)))
    assert without["12d"] == without["23b"] == FOR_AUTHORS
    assert "sex" in compared["12d"] and re.search(r"By sex: f \(60 images\) AUC 0\.\d{3}; m ", compared["23b"])


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_the_counts_of_the_checklists_are_those_of_the_facts(classes: tuple[str, ...]) -> None:
    facts = facts_of(classes)
    tripod_ai, claim = answers(drafted(classes))
    for answer in (tripod_ai["20a"], tripod_ai["21"], claim["19"], claim["35"]):
        for side, count in facts.counts.items():
            (said,) = re.findall(rf"{side}: ([^;.]*)", answer)
            assert re.findall(r"\d[\d,]*(?= )", said) == [f"{n:,}" for n in (*count.values(), facts.patients[side])]
    total = sum(sum(count.values()) for count in facts.counts.values())
    assert f"One data set of {total:,} images" in claim["7"]
    assert "Images left out as unreadable: 2" in tripod_ai["11"]


def test_the_performance_is_that_of_the_assessment() -> None:
    assessment = assessed(predictions(TWO))
    tripod_ai, claim = answers(drafted(TWO))
    for name, label in {"auc": "AUC", "sensitivity": "Sensitivity (recall)", "npv": "NPV"}.items():
        for answer in (tripod_ai["2"], tripod_ai["23a"], claim["37"]):
            assert f"{label} {shown(assessment[name])}" in answer
    (cleared, alarms), (missed, found) = assessment.evaluation.confusion.tolist()
    assert f"of 60 images of normal, {cleared} as normal and {alarms} as ill" in claim["39"]
    assert f"of 60 images of ill, {missed} as normal and {found} as ill" in claim["39"]
    point = bundle_of(predictions(TWO)).operating_points["ill"]
    assert f"{point.threshold:.4g} or more" in tripod_ai["15"]


def test_each_of_more_classes_has_its_performance() -> None:
    judged = assessed(predictions(THREE)).estimates
    tripod_ai, claim = answers(drafted(THREE))
    for name in THREE:
        assert f"{name} {shown(judged.of_class(name, 'auc'))}" in tripod_ai["23a"]
        assert f"{name}: Sensitivity (recall) {shown(judged.of_class(name, 'sensitivity'))}" in claim["38"]


def test_an_undefined_metric_is_drafted_with_its_reason() -> None:
    found = predictions(TWO)
    ill = dataclasses.replace(found, y_true=np.ones(120, dtype=int))
    _, claim = answers(checklists(bundle_of(found), assessed(ill), facts_of(TWO)))
    assert "Specificity undefined: Every case is ill." in claim["38"]
    assert "nan" not in claim["37"] + claim["38"]


def test_unknown_patients_are_not_called_known() -> None:
    facts = facts_of(TWO, has_patients=False, warnings=("7 images name no patient",))
    tripod_ai, claim = answers(drafted(TWO, facts))
    assert claim["20"] == "Images; their patients are not all known. 7 images name no patient"
    assert "905" not in tripod_ai["20a"] and "whose patients are not all known" in tripod_ai["21"]
    assert answers(drafted(TWO))[1]["20"] == "Patients. None is on two sides."


def test_pretrained_weights_are_told_from_random_ones() -> None:
    found = predictions(TWO)
    bundle = bundle_of(found)
    lite = dataclasses.replace(bundle, network={**bundle.network, "name": "efficientnet-lite0"})
    scratch = dataclasses.replace(lite, recipe={**lite.recipe, "pretrained": False, "seed": 3})
    starts = [answers(checklists(made, assessed(found), facts_of(TWO)))[1]["24"] for made in (bundle, lite, scratch)]
    assert starts == ["Random, seed 0.", "Weights trained on ImageNet.", "Random, seed 3."]


def test_of_what_a_users_own_network_began_with_nothing_is_claimed() -> None:
    found = predictions(TWO)
    bundle = bundle_of(found)
    own = dataclasses.replace(bundle, network={**bundle.network, "name": "my_module:build"})
    further = dataclasses.replace(own, recipe={**own.recipe, "start": "runs/first"})
    starts = [answers(checklists(made, assessed(found), facts_of(TWO)))[1]["24"] for made in (own, further)]
    assert starts == ["to be written by the authors", "Weights of an earlier training."]


def test_folds_are_told_from_one_test_side() -> None:
    held_out, _ = answers(drafted(TWO))
    folds, _ = answers(drafted(TWO, facts_of(TWO, folds=5, best_epoch=None)))
    assert "test is read after every choice" in held_out["12a"]
    assert "Cross-validation in 5 folds" in folds["12a"] and "test is read" not in folds["12a"]


def test_the_checklists_name_no_image_and_no_patient() -> None:
    assert SECRET not in drafted(TWO, by=("sex",))


def test_class_names_with_markup_leave_the_tables_whole() -> None:
    text = drafted(("a|b", "{c} *d*"))
    assert {len(row) for found in tables(text) for row in found} == {4}
    assert "tells apart a|b and {c} *d*." in answers(text)[0]["1"]


def test_the_sections_that_are_referred_to_stand_in_the_report(tiny_study: Study) -> None:
    named = set(re.findall(r"report\.html, section ([A-Z][a-z ]+)", drafted(TWO)))
    headings = set(re.findall(r"<h2[^>]*>([^<]*)</h2>", tiny_study.report.read_text(encoding="utf-8")))
    assert named and named <= headings
