"""What is said of one image: its decision and its evidence."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InvalidOption
from support.readings import reading, reading_of_three


def test_of_two_classes_the_evidence_for_one_is_that_against_the_other() -> None:
    found = reading(activation_map=np.ones((2, 2, 1)))
    assert (found.evidence("Disease") == 1).all() and (found.evidence("Normal") == -1).all()


def test_of_three_classes_the_evidence_for_one_is_what_exceeds_their_mean() -> None:
    three = np.arange(12.0).reshape(2, 2, 3)
    found = reading_of_three(activation_map=three)
    assert (found.evidence("C") == 1).all() and (found.evidence("B") == 0).all()
    shared = np.random.default_rng(0).normal(size=(2, 2, 1))
    assert np.allclose(reading_of_three(activation_map=three + shared).evidence("A"), found.evidence("A"))


def test_the_evidence_is_that_for_the_class_decided_on_unless_another_is_named() -> None:
    found = reading(predicted_label="Normal", activation_map=np.ones((2, 2, 1)))
    assert (found.evidence() == -1).all()
    with pytest.raises(InvalidOption, match="no class 'Polyp': expected one of Normal, Disease"):
        found.evidence("Polyp")


def test_a_reading_is_positive_where_one_class_decides_and_is_decided_on() -> None:
    assert reading().positive is True
    assert reading(predicted_label="Normal").positive is False
    assert reading_of_three().positive is None
