"""Logits to probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decision import to_probabilities

finite = st.floats(-500, 500)


@given(st.lists(finite, min_size=1, max_size=20))
def test_one_logit_is_the_sigmoid_of_the_positive_class(values: list[float]) -> None:
    logits = np.array(values)[:, None]
    probabilities = to_probabilities(logits)
    assert np.allclose(probabilities[:, 1], 1 / (1 + np.exp(-np.array(values))))
    assert np.allclose(probabilities.sum(axis=1), 1)


@given(st.lists(finite, min_size=3, max_size=3), finite)
def test_several_logits_are_a_softmax_that_ignores_a_common_shift(values: list[float], shift: float) -> None:
    probabilities = to_probabilities(np.array([values]))
    assert np.allclose(probabilities, to_probabilities(np.array([values]) + shift), atol=1e-9)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.argmax() == np.argmax(values) or np.isclose(
        probabilities.max(), probabilities[0, np.argmax(values)]
    )


def test_huge_logits_do_not_overflow() -> None:
    assert np.array_equal(to_probabilities(np.array([[1e4], [-1e4]])), [[0, 1], [1, 0]])
