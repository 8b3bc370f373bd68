"""Subgroups: how cases are grouped, gaps against a published example, and what is too small to judge."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import Evaluation, compute_metrics
from overread.evaluation.grouping import MOST_GROUPS, group_cases
from overread.evaluation.subgroups import Mask, evaluate_subgroups
from overread.evaluation.uncertainty.interval import Interval

pytestmark = pytest.mark.filterwarnings("error")
BINARY = ("normal", "ill")
TASK = Task.of(BINARY)


def wilson(evaluation: Evaluation, mask: Mask) -> Mapping[str, Interval]:
    """Wilson's score interval of every rate."""
    z, found = 1.959964, {}
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy"):
        metric = evaluation[name]
        if metric.reason is None:
            p, n = metric.value, metric.n
            centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
            low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
            found[name] = Interval(low, high, 0.95, "Wilson")
    return found


def rates(found: int, ill: int, cleared: int, healthy: int) -> tuple[list[int], list[float]]:
    """Labels and scores with these true positives and true negatives at 0.5."""
    labels = [1] * ill + [0] * healthy
    scores = [0.9] * found + [0.1] * (ill - found) + [0.2] * cleared + [0.8] * (healthy - cleared)
    return labels, scores


def two_groups(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> tuple[list[int], np.ndarray, list[str]]:
    (labels, scores), (more_labels, more_scores) = rates(*one), rates(*other)
    score = np.array(scores + more_scores)
    return labels + more_labels, np.column_stack([1 - score, score]), ["F"] * len(labels) + ["M"] * len(more_labels)


def test_the_gap_of_newcombes_example_has_its_published_interval() -> None:
    # Newcombe 1998, table II, example (a): 56/70 against 48/80, method 10: 0.2 (0.0524 to 0.3339).
    labels, y_prob, sex = two_groups((56, 70, 40, 50), (48, 80, 40, 50))
    result = evaluate_subgroups(labels, y_prob, group_cases(sex, column="sex"), task=TASK, find_intervals=wilson)
    women, men = result.groups
    gap = women.metrics["sensitivity"]
    assert gap.gap == pytest.approx(0.2) and gap.flagged is True and gap.method == "Wilson"
    assert tuple(round(end, 4) for end in gap.gap_interval or ()) == (0.0524, 0.3339)
    assert tuple(round(end, 4) for end in men.metrics["sensitivity"].gap_interval or ()) == (-0.3339, -0.0524)
    assert women.metrics["specificity"].flagged is False and women.metrics["specificity"].gap == 0
    assert ("F", "sensitivity") in result.flagged and ("F", "specificity") not in result.flagged
    assert (women.label, women.n, women.patients, women.class_counts) == ("F", 120, 120, {"normal": 50, "ill": 70})


def test_each_group_is_the_evaluation_of_its_cases() -> None:
    random = np.random.default_rng(0)
    labels, y_prob = random.integers(0, 3, 900), random.dirichlet(np.ones(3), 900)
    scanner = random.choice(["A", "B", "C"], 900)
    result = evaluate_subgroups(labels, y_prob, group_cases(list(scanner), column="scanner"), task=Task.of("abc"))
    for group in result.groups:
        alone = compute_metrics(labels[scanner == group.label], y_prob[scanner == group.label], task=Task.of("abc"))
        rest = compute_metrics(labels[scanner != group.label], y_prob[scanner != group.label], task=Task.of("abc"))
        assert list(group.metrics) == ["auc", "sensitivity", "specificity", "accuracy", "ppv", "npv"]
        for name, metric in group.metrics.items():
            assert metric.metric == alone[name] and metric.gap == pytest.approx(alone[name].value - rest[name].value)
            assert metric.flagged is None and metric.not_judged == "There is no interval to judge it by."
    assert sum(group.n for group in result.groups) == 900


def test_the_threshold_is_that_of_the_operating_point() -> None:
    labels, y_prob, sex = two_groups((30, 40, 40, 40), (30, 40, 40, 40))
    grouping = group_cases(sex, column="sex")
    result = evaluate_subgroups(labels, y_prob, grouping, task=TASK, thresholds={BINARY[1]: 0.05})
    assert result.groups[0].metrics["sensitivity"].metric.value == 1


def test_a_metric_that_rests_on_few_patients_is_not_judged() -> None:
    labels, y_prob, sex = two_groups((5, 20, 40, 50), (48, 80, 10, 50))
    grouping = group_cases(sex, column="sex")
    result = evaluate_subgroups(labels, y_prob, grouping, task=TASK, find_intervals=wilson)
    women, men = (group.metrics for group in result.groups)
    assert women["sensitivity"].flagged is None and "rests on 20 patients" in str(women["sensitivity"].not_judged)
    assert "the other cases rest on 20 patients" in str(men["sensitivity"].not_judged)
    assert women["sensitivity"].gap == pytest.approx(0.25 - 0.6) and women["sensitivity"].gap_interval is not None
    assert women["specificity"].flagged is True, "enough patients without the disease"
    assert "rests on 20 patients" in str(women["auc"].not_judged), "the AUC needs both classes"
    assert women["accuracy"].flagged is not None


def test_predictive_values_rest_on_those_predicted_so_at_the_threshold() -> None:
    labels, y_prob, sex = two_groups((35, 40, 20, 20), (90, 99, 80, 99))
    grouping = group_cases(sex, column="sex")
    for threshold, behind_npv in ((0.5, 25), (0.15, 5)):
        result = evaluate_subgroups(
            labels, y_prob, grouping, task=TASK, thresholds={BINARY[1]: threshold}, find_intervals=wilson
        )
        women = result.groups[0].metrics
        assert women["ppv"].not_judged is None and f"rests on {behind_npv} patients" in str(women["npv"].not_judged)


def test_many_images_of_few_patients_are_too_few() -> None:
    labels, y_prob, sex = two_groups((20, 80, 80, 80), (60, 80, 80, 80))
    patients = [f"{cell}{label}{row % 10}" for row, (cell, label) in enumerate(zip(sex, labels, strict=True))]
    result = evaluate_subgroups(
        labels, y_prob, group_cases(sex, column="sex"), task=TASK, patients=patients, find_intervals=wilson
    )
    assert result.groups[0].patients == 20 and result.flagged == ()
    assert "rests on 10 patients" in str(result.groups[0].metrics["sensitivity"].not_judged)


def test_an_undefined_metric_is_nan_with_the_reason_and_has_no_gap() -> None:
    labels, y_prob, sex = two_groups((0, 0, 40, 50), (48, 80, 40, 50))
    grouping = group_cases(sex, column="sex")
    result = evaluate_subgroups(labels, y_prob, grouping, task=TASK, find_intervals=wilson)
    women, men = (group.metrics["sensitivity"] for group in result.groups)
    assert math.isnan(women.metric.value) and women.gap is None and women.not_judged == "No case is ill."
    assert men.gap is None and men.not_judged == "Of the other cases: No case is ill."


def test_one_group_has_nothing_to_compare_with() -> None:
    labels, y_prob, _ = two_groups((40, 50, 40, 50), (40, 50, 40, 50))
    result = evaluate_subgroups(
        labels, y_prob, group_cases(["F"] * 200, column="sex"), task=TASK, find_intervals=wilson
    )
    (only,) = result.groups
    assert only.metrics["sensitivity"].not_judged == "There is no other case to compare with."
    assert only.metrics["sensitivity"].interval is not None and only.metrics["sensitivity"].gap is None


def test_an_interval_with_nan_ends_is_none() -> None:
    labels, y_prob, sex = two_groups((40, 50, 40, 50), (40, 50, 40, 50))
    nothing = {
        name: Interval.none(0.95, "none", "Too few.")
        for name in ("auc", "sensitivity", "specificity", "accuracy", "ppv", "npv")
    }
    result = evaluate_subgroups(
        labels,
        y_prob,
        group_cases(sex, column="sex"),
        task=TASK,
        find_intervals=lambda evaluation, mask: nothing,
    )
    metric = result.groups[0].metrics["auc"]
    assert (metric.interval, metric.method, metric.flagged) == (None, None, None)


def test_subgroups_are_json() -> None:
    labels, y_prob, sex = two_groups((0, 0, 40, 50), (48, 80, 40, 50))
    found = evaluate_subgroups(labels, y_prob, group_cases(sex, column="sex"), task=TASK, find_intervals=wilson)
    groups = json.loads(json.dumps(found.to_dict(), allow_nan=False))["groups"]
    assert groups[0]["metrics"]["sensitivity"]["value"] is None and groups[0]["metrics"]["sensitivity"]["reason"]
    assert groups[1]["metrics"]["npv"]["interval"] is not None


def test_other_lengths_are_refused() -> None:
    labels, y_prob, sex = two_groups((4, 5, 4, 5), (4, 5, 4, 5))
    with pytest.raises(InvalidData, match="19 cells of sex for 20 cases"):
        evaluate_subgroups(labels, y_prob, group_cases(sex[1:], column="sex"), task=TASK)
    with pytest.raises(InvalidData, match="patients"):
        evaluate_subgroups(labels, y_prob, group_cases(sex, column="sex"), task=TASK, patients=["a"])


def test_words_are_sorted_and_an_empty_cell_is_missing() -> None:
    grouping = group_cases(["M", " F ", "", "M"], column="sex")
    assert grouping.labels == ("F", "M", "(missing)") and grouping.index.tolist() == [1, 0, 2, 1]


def test_ages_are_cut_at_their_quartiles_and_named_by_what_is_in_them() -> None:
    ages = [str(age) for age in range(18, 98)]
    grouping = group_cases(["", *ages], column="age")
    assert grouping.labels == ("18 to 37", "38 to 57", "58 to 77", "78 to 97", "(missing)")
    assert np.bincount(grouping.index).tolist() == [20, 20, 20, 20, 1] and grouping.index[0] == 4


def test_few_different_numbers_are_a_group_each_in_their_order() -> None:
    assert group_cases(["10", "9", "2", "9"], column="grade").labels == ("2", "9", "10")


def test_numbers_with_a_word_among_them_are_words() -> None:
    assert group_cases(["10", "9", "unknown"], column="grade").labels == ("10", "9", "unknown")
    assert "nan" in group_cases([*map(str, range(20)), "nan"], column="age").labels


def test_a_number_that_fills_a_quartile_names_it_alone() -> None:
    cells = ["0"] * 50 + [str(number) for number in range(1, 51)]
    assert group_cases(cells, column="pack_years").labels == ("0", "1 to 25", "26 to 50")


@given(st.lists(st.one_of(st.just(""), st.floats(-1e6, 1e6).map(repr)), min_size=1, max_size=60))
def test_groups_of_numbers_hold_every_case_and_do_not_overlap(cells: list[str]) -> None:
    grouping = group_cases(cells, column="x")
    assert grouping.index.size == len(cells) and set(grouping.index) == set(range(len(grouping.labels)))
    numbers = [[float(cell) for cell, i in zip(cells, grouping.index, strict=True) if i == g and cell]
               for g in range(len(grouping.labels))]  # fmt: skip
    filled = [group for group in numbers if group]
    assert all(max(low) < min(high) for low, high in itertools.pairwise(filled))


def test_too_many_groups_are_refused_without_quoting_a_cell() -> None:
    cells = [f"secret{number}" for number in range(MOST_GROUPS + 1)]
    with pytest.raises(InvalidOption, match="51 different values") as refusal:
        group_cases(cells, column="accession")
    assert "secret" not in str(refusal.value)


def test_no_case_is_refused() -> None:
    with pytest.raises(InvalidData, match="no case"):
        group_cases([], column="sex")
