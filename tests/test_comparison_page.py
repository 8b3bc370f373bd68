"""The report of a comparison: each metric of two readers, the difference and how sure it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from overread.evaluation import Predictions, compare
from overread.report.comparison import write_comparison_report
from overread.run import ComparisonRun
from support.html_page import Page
from support.reports import RUN, TWO, predict, row, words

COMPARED = ComparisonRun(**RUN, first="bundle 0a1b", second="bundle 2c3d", folders=("runs/a", "runs/b"))


def other(predictions: Predictions, change: Callable[[np.ndarray], np.ndarray]) -> Predictions:
    positive = change(np.asarray(predictions.y_prob)[:, 1])
    return dataclasses.replace(predictions, y_prob=np.column_stack([1 - positive, positive]))


def test_a_comparison_gives_every_metric_with_difference_interval_p_and_test(tmp_path: Path) -> None:
    first = predict(TWO, 160)
    worse = other(first, lambda p: np.where(np.arange(160) % 5 == 0, 1 - p, p))
    comparison = compare(first, worse, level=0.9, resamples=200)
    page = Page(write_comparison_report(tmp_path, comparison, run=COMPARED))
    found = comparison["auc"]
    assert row(page, "AUC")[:6] == [
        f"{found.first:.3f}",
        f"{found.second:.3f}",
        f"{found.difference:+.3f}",
        f"{found.interval.low:+.3f} to {found.interval.high:+.3f}",
        "< 0.001" if found.p < 0.001 else f"{found.p:.3f}",
        found.test,
    ]
    assert len([text for text in page.texts("th") if text.startswith(("Sens", "Spec", "PPV", "NPV", "F1", "Acc"))]) == 6
    assert (
        row(page, "First")[0] == "bundle 0a1b"
        and "runs/a" not in words(page)
        and row(page, "Metric", "First", "Second", "Difference")[0] == "90 % interval"
    )
    said, caution = page.texts("p")[1:3]
    assert "the same 160 images of 80 patients" in said and "it is lower with the second" in said
    assert "not adjusted for the 11 metrics" in caution and "95 %" not in words(page)


def test_readers_that_hardly_differ_are_not_told_apart(tmp_path: Path) -> None:
    first = predict(TWO, 160)
    second = other(first, lambda p: np.clip(p + np.random.default_rng(5).normal(0, 0.05, 160), 0, 1))
    comparison = compare(first, second, resamples=200)
    assert 0 in comparison["auc"].interval
    page = Page(write_comparison_report(tmp_path, comparison, run=COMPARED))
    assert "the images do not tell the two apart" in page.texts("p")[1].partition("Accuracy")[0]


def test_a_difference_that_cannot_be_told_gives_the_reason(tmp_path: Path) -> None:
    first = predict(TWO, 60)
    shifted = other(first, lambda p: p * 0.999)
    comparison = compare(first, shifted, resamples=200)
    page = Page(write_comparison_report(tmp_path, comparison, run=COMPARED))
    assert "how sure the difference is cannot be told (" in page.texts("p")[1]
    assert row(page, "AUC")[3].startswith("none: ") and row(page, "AUC")[4] == "undefined"


def test_readers_that_gave_the_same_answers_are_told_to_be_the_same(tmp_path: Path) -> None:
    first = predict(TWO, 60)
    comparison = compare(first, first, resamples=200)
    assert comparison.identical and not compare(first, other(first, lambda p: p * 0.999), resamples=100).identical
    page = Page(write_comparison_report(tmp_path, comparison, run=COMPARED))
    assert "there is nothing to compare" in page.texts("p")[1]
