"""Numbers in words: one way to write a value, its interval, and why either is missing."""

from __future__ import annotations

import math

import pytest

from overread.evaluation import Estimate, Interval, Metric
from overread.evaluation.wording import ends_of, in_cell, in_words, methods_of, p_of, value_of, value_or_reason
from overread.words import clause, count, level_of, listed, low_to_high, moment, paired, percent

SURE = Estimate(Metric("auc", 0.9123, 344), Interval(0.85, 0.9549, 0.9, "DeLong"))
UNSURE = Estimate(Metric("f1", 1.0, 7), Interval.none(0.9, "bootstrap", "It never varies."))
NONE = Estimate(Metric("npv", math.nan, 0, "No case was called normal."), Interval.none(0.9, "none", "There is none."))


@pytest.mark.parametrize(
    ("estimate", "value", "reason", "ends", "cell"),
    [
        (SURE, "0.912", "0.912", "0.850 to 0.955", "0.912 (0.850 to 0.955)"),
        (UNSURE, "1.000", "1.000", "none: It never varies.", "1.000 (no interval: It never varies.)"),
        (
            NONE,
            "undefined",
            "undefined: No case was called normal.",
            "none: There is none.",
            "undefined: No case was called normal.",
        ),
    ],
    ids=["with an interval", "without an interval", "undefined"],
)
def test_a_table_gives_the_value_and_its_interval_or_the_reason(
    estimate: Estimate, value: str, reason: str, ends: str, cell: str
) -> None:
    assert (value_of(estimate.metric), value_or_reason(estimate.metric)) == (value, reason)
    assert (ends_of(estimate.interval), in_cell(estimate)) == (ends, cell)


def test_a_sentence_gives_the_level_and_reasons_without_their_full_stop() -> None:
    assert in_words(SURE) == "0.912 (90 % interval 0.850 to 0.955)"
    assert in_words(SURE, with_level=False) == "0.912 (0.850 to 0.955)"
    assert in_words(SURE, as_share=True, with_level=False) == "91.2\xa0% (85.0\xa0% to 95.5\xa0%)"
    assert in_words(UNSURE) == "1.000 (no interval: it never varies)"
    assert in_words(NONE) == "undefined (no case was called normal)"


def test_a_difference_keeps_its_sign() -> None:
    assert ends_of(Interval(-0.05, 0.1, 0.95, "bootstrap"), "+.3f") == "-0.050 to +0.100"
    assert value_or_reason(Metric("slope", -0.0001, 9), "z.3f") == "0.000"


def test_methods_that_differ_are_told_apart_and_undefined_metrics_have_none() -> None:
    assert methods_of({"AUC": SURE, "NPV": NONE}) == "DeLong"
    assert methods_of({"AUC": SURE, "F1": UNSURE}) == "AUC: DeLong; F1: bootstrap"
    assert methods_of({"NPV": NONE}) == "none"


@pytest.mark.parametrize(
    ("p", "said"), [(0.0004, "< 0.001"), (0.001, "0.001"), (0.5, "0.500"), (math.nan, "undefined")]
)
def test_a_p_value_is_never_written_as_zero(p: float, said: str) -> None:
    assert p_of(p) == said


def test_shares_counts_times_and_lists_stand_as_in_a_sentence() -> None:
    assert (percent(0.12345), level_of(0.95), level_of(0.999)) == ("12.3\xa0%", "95 %", "99.9 %")
    assert (count(1, "image"), count(0, "image"), count(1200, "image")) == ("1 image", "0 images", "1,200 images")
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")
    assert paired({"python": "3.12.1", "keras": "3.15"}) == "python 3.12.1, keras 3.15" and paired({}) == ""
    assert low_to_high(0.1, 0.25, ".1f") == "0.1 to 0.2"
    assert moment("2026-11-22T08:15:30+00:00") == "2026-11-22 08:15"
    assert clause("No case is ill.") == "no case is ill" and clause(None) == ""
