"""The positive class follows from the names of two classes, in any spelling of the negative one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decision.find_task import find_task, told_negative
from overread.decision.negative_names import reads_as_negative

NEGATIVE = """
    Normal NORMAL normal_lung Healthy healthy_control HC NC CN control Controls benign negative neg. Neg
    COVID-negative HER2_negative absent disease_absent clear none no N false 0 - 00 0.0 class0 class_0 label_0 grade0
    0_normal 01_Normal NORMAL2 Uninfected unaffected unremarkable unruptured NonCOVID non-COVID noncovid19
    non_cancerous nondemented non-diabetic notumor NOTUMOR no_tumor NoFinding no_finding nofindings no-cancer NoDR
    No_DR nodisease not_cancer not_pneumonia without_effusion tumor-free sain gesund unauffällig sano 正常 阴性
"""
NOT_NEGATIVE = """
    nodule Nodules NODE node-positive nose Norwood nocardia notch novel nonunion nephritis neuropathy unstable
    unhealthy uncontrolled undifferentiated unknown unclear abnormal not_normal no_normal nonspecific_pneumonia
    non-small-cell nonproliferative_DR non-Hodgkin_lymphoma non-STEMI triple-negative gram_negative not_sure
    not_graded malignant COVID-19 1 class_1 N1 nevus NSCLC noise
"""


@pytest.mark.parametrize(
    "name",
    NEGATIVE.split(),
)
def test_a_name_reads_as_negative_in_any_spelling(name: str) -> None:
    assert reads_as_negative(name)


@pytest.mark.parametrize(
    "name",
    NOT_NEGATIVE.split(),
)
def test_a_name_that_only_begins_so_does_not(name: str) -> None:
    assert not reads_as_negative(name)


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        ("NonCOVID", "COVID"),
        ("uninfected", "infected"),
        ("Uninfected", "Parasitized"),
        ("no Pneumonia", "Pneumonia"),
        ("notumor", "glioma"),
        ("non-proliferative", "proliferative"),
        ("nonspecific", "specific"),
        ("normal", "abnormal"),
        ("normal", "not normal"),
        ("healthy", "unhealthy"),
        ("node-negative", "node-positive"),
        ("class0", "class1"),
        ("0", "1"),
    ],
)
def test_the_other_class_is_the_positive_one(negative: str, positive: str) -> None:
    task, notes = find_task([positive, negative])
    assert task.classes == (negative, positive)
    assert notes == (f"the positive class is {positive} ({negative} reads as the negative one)",)


@pytest.mark.parametrize(
    "names", [("stable", "unstable"), ("benign", "normal"), ("cat", "dog"), ("grade 2", "grade 3")]
)
def test_where_no_name_tells_the_last_is_taken_and_it_is_said(names: tuple[str, str]) -> None:
    assert told_negative(names) is None
    task, notes = find_task(names)
    assert task.positive == names[1]
    assert "(it sorts last, since no name tells)" in notes[0]


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_names_are_judged_alike_in_either_order(one: str, other: str) -> None:
    assert told_negative([one, other]) == told_negative([other, one])
