"""Each layout in which people have their images is read rightly, or refused with the option that makes it right."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from overread.decision.find_task import find_task
from overread.study.audit import audit
from overread.study.data import read_cases
from support.layouts import LAYOUTS, shortcomings


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_rightly_or_its_refusal_names_what_makes_it_right(tmp_path: Path, name: str) -> None:
    expected = LAYOUTS[name](tmp_path)
    wrong = shortcomings(tmp_path, expected)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "name",
    [
        "plain_class_folders", "copies_without_patients", "near_copies_without_patients", "copies_across_named_sides",
        "copies_across_classes", "masks_beside_images", "two_labels_for_one_image",
    ],
)  # fmt: skip
def test_the_audit_blocks_only_what_the_data_themselves_do_wrong(tmp_path: Path, name: str) -> None:
    expected = LAYOUTS[name](tmp_path / "data")
    found = audit(expected.source(tmp_path / "data"), store=tmp_path / "store", verbose=False)
    assert (found.exit_status == 3) == bool(expected.audit_blocks), [finding.code for finding in found.findings]


def test_sides_that_copies_cross_may_be_pooled(tmp_path: Path) -> None:
    expected = LAYOUTS["copies_across_named_sides"](tmp_path / "data")
    pooled = dataclasses.replace(expected.source(tmp_path / "data"), ignore_sides=True)
    assert audit(pooled, store=tmp_path / "store", verbose=False).exit_status != 3
    assert not any(case.split for case in read_cases(pooled).cases)


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        ("Uninfected", "Parasitized"), ("uninfected", "Parasitized"), ("NonCOVID", "COVID"),
        ("CT_NonCOVID", "CT_COVID"),
        ("notumor", "tumor"), ("no_tumor", "yes_tumor"), ("no", "yes"), ("No", "Yes"), ("no_finding", "pneumothorax"),
        ("No Finding", "Mass"), ("NoFinding", "Finding"), ("nonviolence", "violence"), ("non-cancer", "cancer"),
        ("Non Demented", "Mild Demented"), ("NonDemented", "Demented"), ("unaffected", "affected"),
        ("not fractured", "fractured"), ("NoDR", "DR"), ("No_DR", "Any_DR"), ("without_polyp", "polyp"),
        ("NORMAL", "ABNORMAL"), ("Normal cases", "Lung_Cancer"), ("healthy", "asthma"), ("Healthy", "Abnormal"),
        ("0", "1"), ("0.0", "1.0"), ("False", "True"), ("neg", "cancer"), ("study1_negative", "study1_positive"),
        ("benign", "adenoma malignant"), ("undiseased", "diseased"),
        ("control", "case"), ("absent", "Present"), ("NON_COVID", "COVID"), ("noncovid", "covid"),
        ("nofinding", "atelectasis"), ("nonTB", "TB"), ("non-TB", "TB"),
    ],
)  # fmt: skip
def test_the_negative_class_is_told_by_its_name_in_any_spelling(negative: str, positive: str) -> None:
    task, notes = find_task([negative, positive, positive])
    assert task.positive == positive, notes


@pytest.mark.parametrize(
    "classes",
    [
        ("Nodule", "Mass"), ("nodule", "opacity"), ("north", "south"), ("nose", "throat"), ("unilateral", "bilateral"),
        ("Noonan", "Turner"), ("node", "vessel"), ("uncertain", "typical"), ("uniform", "mixed"), ("union", "malunion"),
    ],
)  # fmt: skip
def test_a_name_that_only_begins_like_a_negation_is_no_negative_class(classes: tuple[str, str]) -> None:
    task, notes = find_task(classes)
    assert task.positive == max(classes)
    assert any("no name tells" in note for note in notes), notes
