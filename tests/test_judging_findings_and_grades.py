"""What findings, grades and several tasks are worth: scikit-learn and published values as oracles, unknowns, parts."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import (
    Assessment,
    AssessmentOptions,
    Predictions,
    assess,
    compare,
    compute_metrics,
    intervals,
    pool_folds,
)
from overread.evaluation.summary import summarise
from overread.evaluation.uncertainty.bootstrap import bootstrap

N = 200
CHEST = SeveralFindings(("effusion", "mass", "hernia", "ghost"))
AT = {"effusion": 0.5, "mass": 0.4, "hernia": 0.3, "ghost": 0.5}
GRADES = OrderedGrades(tuple("01234"))
REFERABLE = OrderedGrades(tuple("01234"), (2,))
EYE = SeveralTasks.together({"retinopathy": GRADES, "signs": SeveralFindings(("drusen", "scar"))})
BRIEF = AssessmentOptions(resamples=100)


def chest(seed: int = 0) -> tuple[IntArray, FloatArray]:
    """Hernia is there in three cases, of ghost nothing is known, nor of mass in every fourth case and of the first."""
    random = np.random.default_rng(seed)
    y_true = (random.random((N, 4)) < [0.5, 0.3, 0.0, 0.5]).astype(np.int64)
    y_true[10:16:2, 2], y_true[::4, 1], y_true[:, 3], y_true[0] = 1, -1, -1, -1
    return y_true, CHEST.probabilities(random.normal(size=y_true.shape) + 2 * y_true - 1)


def graded(seed: int = 0) -> tuple[IntArray, FloatArray]:
    random = np.random.default_rng(seed)
    y_true = random.choice(5, N, p=[0.4, 0.1, 0.25, 0.15, 0.1])
    logits = 1.5 * (y_true[:, None] - np.arange(4) - 0.5) + random.normal(0, 1.5, (N, 1))
    return y_true, GRADES.probabilities(logits)


def said(task: Task, y_true: IntArray, y_prob: FloatArray, thresholds: dict[str, float]) -> Predictions:
    return Predictions(
        cases=[f"case {i}" for i in range(len(y_true))],
        y_true=y_true,
        y_prob=y_prob,
        task=task,
        thresholds=thresholds,
        patients=[f"patient {i // 2}" for i in range(len(y_true))],
        columns={"sex": ["f" if i % 4 < 2 else "m" for i in range(len(y_true))]},
    )


def of_chest() -> Predictions:
    return said(CHEST, *chest(), AT)


def of_grades(task: OrderedGrades = GRADES, seed: int = 0) -> Predictions:
    return said(task, graded()[0], graded(seed)[1] if seed else graded()[1], dict.fromkeys(task.judged, 0.4))


def of_eyes() -> Predictions:
    y_true = np.column_stack([graded()[0], chest()[0][:, :2]])
    y_true[40:80, 0] = -1
    points = {f"retinopathy: {cut}": 0.4 for cut in GRADES.judged} | {"signs: drusen": 0.5, "signs: scar": 0.3}
    return said(EYE, y_true, np.column_stack([graded()[1], chest()[1][:, :2]]), points)


def test_each_finding_is_judged_on_the_cases_that_tell_it_as_scikit_learn_judges_those() -> None:
    y_true, y_prob = chest()
    decided, found = CHEST.decide(y_prob, AT), compute_metrics(y_true, y_prob, task=CHEST, thresholds=AT)
    oracles = {
        "sensitivity": sklearn_metrics.recall_score,
        "specificity": lambda actual, called: sklearn_metrics.recall_score(actual, called, pos_label=0),
        "ppv": sklearn_metrics.precision_score,
        "npv": lambda actual, called: sklearn_metrics.precision_score(actual, called, pos_label=0),
        "f1": sklearn_metrics.f1_score,
    }
    ranked = {"auc": sklearn_metrics.roc_auc_score, "average_precision": sklearn_metrics.average_precision_score}
    for column, name in enumerate(CHEST.classes[:3]):
        known = y_true[:, column] >= 0
        actual, called, score = y_true[known, column], decided[known, column], y_prob[known, column]
        expected = {rate: oracle(actual, called) for rate, oracle in oracles.items()}
        expected |= {area: oracle(actual, score) for area, oracle in ranked.items()}
        assert {rate: found.per_class[name][rate].value for rate in expected} == pytest.approx(expected, abs=1e-12)
        assert found.positives(name) == (actual.sum(), known.sum())
    assert [found.positives(name)[1] for name in CHEST.classes] == [N - 1, N * 3 // 4, N - 1, 0]


def test_means_are_over_the_common_findings_and_name_what_they_leave_out() -> None:
    y_true, y_prob = chest()
    found = compute_metrics(y_true, y_prob, task=CHEST, thresholds=AT)
    for name in ("auc", "sensitivity", "specificity", "ppv", "npv", "f1", "average_precision"):
        common = [found.per_class[finding][name].value for finding in ("effusion", "mass")]
        assert found[name].value == pytest.approx(np.mean(common)) and found[name].left_out == ("hernia", "ghost")
    halves = [found[rate].value for rate in ("sensitivity", "specificity")]
    assert found["balanced_accuracy"].value == pytest.approx(np.mean(halves))
    assert found.per_class["hernia"]["auc"].reason is None
    assert found.per_class["ghost"]["auc"].reason == "Of no case is it known whether it is ghost."
    assert found["accuracy"].left_out == () and found.labels["accuracy"] == "All findings right (exact match)"


def test_patients_are_counted_for_a_mean_and_not_their_images() -> None:
    y_true, y_prob = np.zeros((40, 2), int), np.full((40, 2), 0.5)
    y_true[:10, 0] = y_true[:20, 1] = 1
    task, patients = SeveralFindings(("few", "many")), [f"patient {i // 4}" for i in range(40)]
    assert compute_metrics(y_true, y_prob, task=task)["auc"].left_out == ()
    assert compute_metrics(y_true, y_prob, task=task, patients=patients)["auc"].left_out == ("few",)


def test_without_a_common_finding_a_mean_has_no_interval_but_a_reason() -> None:
    y_true, y_prob = np.eye(6, 3, dtype=int), np.random.default_rng(6).random((6, 3))
    evaluation = compute_metrics(y_true, y_prob, task=SeveralFindings(tuple("abc")))
    areas = [evaluation.per_class[name]["auc"].value for name in "abc"]
    assert evaluation["auc"].value == pytest.approx(np.mean(areas)) and evaluation["auc"].left_out == ()
    found = intervals(y_true, y_prob, evaluation=evaluation, resamples=100)
    assert found["auc"].reason == "No finding is there in 5 patients and absent in as many."
    assert found["accuracy"].reason is None
    one = said(evaluation.task, y_true, y_prob, {})
    assert compare(one, one, resamples=100)["auc"].interval.reason == found["auc"].reason


def test_what_is_not_known_counts_in_no_mean_over_cases() -> None:
    y_true, y_prob = chest()
    decided, found = CHEST.decide(y_prob, AT), compute_metrics(y_true, y_prob, task=CHEST, thresholds=AT)
    right = np.all((y_true == decided) | (y_true == -1), axis=1)[1:]
    assert found["accuracy"].value == pytest.approx(right.mean()) and found["accuracy"].n == N - 1
    known = y_true >= 0
    micro = assess(of_chest(), BRIEF).micro
    assert micro["f1"].metric.value == pytest.approx(sklearn_metrics.f1_score(y_true[known], decided[known]))
    assert micro["accuracy"].metric.value == pytest.approx((y_true[known] == decided[known]).mean())
    assert micro["auc"].metric.value == pytest.approx(sklearn_metrics.roc_auc_score(y_true[known], y_prob[known]))


def test_what_is_said_of_what_nobody_knows_changes_nothing() -> None:
    first = of_chest()
    y_true, y_prob = np.asarray(first.y_true), np.asarray(first.y_prob).copy()
    y_prob[y_true == -1] = np.random.default_rng(5).random((y_true == -1).sum())
    other = dataclasses.replace(first, y_prob=y_prob)
    found, expected = (assess(one, AssessmentOptions(resamples=100, by=("sex",))).to_dict() for one in (other, first))
    # Which findings were decided together is counted on all cases.
    del found["confusion"], expected["confusion"]
    assert found == expected


def test_findings_that_go_together_are_counted() -> None:
    y_true, y_prob = chest()
    found = compute_metrics(y_true, y_prob, task=CHEST, thresholds=AT)
    both = ((y_true[:, 0] == 1) & (y_true[:, 1] == 1)).sum()
    assert found.together is not None and found.together[0, 1] == found.together[1, 0] == both
    assert found.together.diagonal().tolist() == list(found.class_counts.values())
    assert json.loads(json.dumps(found.to_dict()))["together"] == found.together.tolist()
    assert compute_metrics(*graded(), task=GRADES).together is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_the_metrics_of_grades_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    y_true, decided = np.array(pairs).T
    found = compute_metrics(y_true, np.full((len(pairs), 5), 0.2), task=GRADES, decided=decided)
    kappa = found["quadratic_kappa"]
    if len(set(y_true) | set(decided)) == 1:
        assert kappa.reason == "Every case is of one grade and was decided so."
    else:
        expected = sklearn_metrics.cohen_kappa_score(y_true, decided, weights="quadratic", labels=range(5))
        assert kappa.value == pytest.approx(expected, abs=1e-9)
    assert found["mean_absolute_error"].value == pytest.approx(sklearn_metrics.mean_absolute_error(y_true, decided))
    assert found["within_one_grade"].value == pytest.approx(np.mean(abs(y_true - decided) <= 1))
    assert found["accuracy"].value == pytest.approx(sklearn_metrics.accuracy_score(y_true, decided))
    assert found.confusion.tolist() == sklearn_metrics.confusion_matrix(y_true, decided, labels=range(5)).tolist()


def test_kappa_is_the_one_that_the_r_package_irr_gives_for_its_anxiety_ratings() -> None:
    # kappa2(anxiety[, 2:3], "squared") of irr is 0.2520325; irr leaves out 5, which nobody gave.
    second = [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4]
    third = [2, 1, 4, 4, 3, 2, 1, 6, 1, 1, 1, 2, 3, 3, 1, 1, 3, 3, 2, 2]
    one, other = (np.searchsorted([1, 2, 3, 4, 6], ratings) for ratings in (second, third))
    found = compute_metrics(one, np.full((20, 5), 0.2), task=GRADES, decided=other)
    assert found["quadratic_kappa"].value == pytest.approx(0.2520325, abs=5e-8)


def test_kappa_is_the_correlation_where_both_gave_each_grade_equally_often() -> None:
    # Cohen J. Psychol Bull 1968;70:213-220.
    random = np.random.default_rng(4)
    y_true = random.integers(0, 5, 300)
    decided = y_true.copy()
    decided[:150] = random.permutation(decided[:150])
    found = compute_metrics(y_true, np.full((300, 5), 0.2), task=GRADES, decided=decided)
    assert found["quadratic_kappa"].value == pytest.approx(np.corrcoef(y_true, decided)[0, 1])


@pytest.mark.parametrize("predictions", [of_chest(), of_grades(), of_grades(REFERABLE), of_eyes()])
def test_a_resample_is_judged_as_the_same_cases_copied_are(predictions: Predictions) -> None:
    y_true, y_prob, task = np.asarray(predictions.y_true), np.asarray(predictions.y_prob), predictions.task
    patient, seed = np.arange(N) // 2, 3
    evaluation = compute_metrics(y_true, y_prob, task=task, thresholds=predictions.thresholds)
    drawn = bootstrap(y_true, y_prob, evaluation=evaluation, patient=patient, resamples=100, seed=seed)
    taken = np.random.default_rng(seed).integers(0, N // 2, (100, N // 2))[7]
    rows = np.concatenate([np.flatnonzero(patient == one) for one in taken])
    copied = compute_metrics(y_true[rows], y_prob[rows], task=task, decided=evaluation.predicted[rows])
    for name in evaluation.per_class:
        for metric in drawn.per_class[name]:
            expected = copied.per_class[name][metric].value
            assert drawn.per_class[name][metric][7] == pytest.approx(expected, nan_ok=True), (name, metric)
    for metric in {"quadratic_kappa", "mean_absolute_error", "accuracy", "loss", "brier"} & drawn.metrics.keys():
        assert drawn.metrics[metric][7] == pytest.approx(copied[metric].value), metric


def test_a_finding_has_the_intervals_of_its_own_patients() -> None:
    y_true, y_prob = chest()
    # Two images of a patient, one of which tells of mass: for mass alone each case has its own patient.
    y_true[1::2, 1] = -1
    y_true[::2, 1] = np.arange(N // 2) % 3 == 0
    evaluation = compute_metrics(y_true, y_prob, task=CHEST, thresholds=AT)
    found = intervals(
        y_true, y_prob, evaluation=evaluation, patients=[f"{i // 2}" for i in range(N)], resamples=100
    ).per_class
    assert found["mass"]["sensitivity"].method == "Wilson" and found["mass"]["auc"].method == "DeLong, logit scale"
    assert found["effusion"]["sensitivity"].method.startswith("cluster bootstrap by patient")


@pytest.mark.parametrize("predictions", [of_chest(), of_grades(), of_grades(REFERABLE), of_eyes()])
def test_everything_is_asked_of_every_kind(predictions: Predictions) -> None:
    options = AssessmentOptions(resamples=100, by=("sex",), prevalence=0.1)
    found, task = assess(predictions, options), predictions.task
    json.dumps(found.to_dict(), allow_nan=False)
    told = [name for name in task.judged if task.known(predictions.y_true, name).any()]
    assert list(found.reliability) == list(found.decision_curves) == list(found.at_class_points) == told
    assert set(found.evaluation.per_class) == set(task.judged) and found.at_half is None
    for name in found.evaluation.metrics:
        metric, interval = found[name]
        assert metric.value in interval, name
    assert summarise(found).tables


def test_a_cut_is_judged_at_its_own_operating_point_and_the_grade_by_the_median() -> None:
    predictions = of_grades()
    found, y_true = assess(predictions, BRIEF), np.asarray(predictions.y_true)
    score = np.asarray(predictions.y_prob)[:, 2:].sum(axis=1)
    at_point = found.at_class_points["2 or more"]
    assert at_point.evaluation.threshold == 0.4
    assert at_point["sensitivity"].metric.value == pytest.approx((score[y_true >= 2] >= 0.4).mean())
    by_grade = found.estimates.of_class("2 or more", "sensitivity").metric.value
    assert by_grade == pytest.approx((predictions.decisions[y_true >= 2] >= 2).mean())
    assert at_point["auc"].metric.value == found.estimates.of_class("2 or more", "auc").metric.value


def test_one_cut_has_predictive_values_at_a_prevalence_as_two_classes_have() -> None:
    options = AssessmentOptions(resamples=100, prevalence=0.05)
    predictions = of_grades(REFERABLE)
    found, alone = assess(predictions, options), assess(predictions.of_question("2 or more"), options)
    assert found.predictive_values == alone.predictive_values and set(found.predictive_values) == {"ppv", "npv"}
    assert found.decision_curves["2 or more"].prevalence == 0.05
    assert "Where 5 % of images are 2 or more, as stated" in [table.caption for table in summarise(found).tables]
    several = assess(of_chest(), options)
    assert several.predictive_values == {} and several.decision_curves["mass"].prevalence != 0.05
    unused = "The stated prevalence of 5 % is not used: each of the 4 findings has one of its own."
    assert unused in summarise(several).notes


def test_each_of_several_tasks_is_judged_as_if_it_were_alone() -> None:
    predictions = of_eyes()
    found = assess(predictions, BRIEF)
    eyes = predictions.of_part("retinopathy")
    assert eyes.task == GRADES and len(eyes.cases) == N - 40 and eyes.thresholds == dict.fromkeys(GRADES.judged, 0.4)
    alone = said(GRADES, *graded(), dict.fromkeys(GRADES.judged, 0.4))
    rows = [i for i in range(N) if not 40 <= i < 80]
    expected = Predictions(
        cases=[alone.cases[i] for i in rows],
        y_true=np.asarray(alone.y_true)[rows],
        y_prob=np.asarray(alone.y_prob)[rows],
        task=GRADES,
        thresholds=alone.thresholds,
        patients=[(alone.patients or [])[i] for i in rows],
    )
    assert found.parts["retinopathy"].to_dict() == assess(expected, BRIEF).to_dict()
    assert list(found.parts) == list(found.to_dict()["parts"]) == ["retinopathy", "signs"]
    assert "<caption>retinopathy: 160 images of 80 patients, 95 % intervals</caption>" in found._repr_html_()
    captions = [table.caption for table in summarise(found).tables]
    assert [caption.split(":")[0] for caption in captions] == ["retinopathy"] * 2 + ["signs"] * 2
    with pytest.raises(InvalidOption, match="there is no part 'scar': expected retinopathy or signs"):
        predictions.of_part("scar")


def test_a_part_of_which_no_case_tells_anything_is_not_judged() -> None:
    predictions = of_eyes()
    y_true = np.asarray(predictions.y_true).copy()
    y_true[:, 0] = -1
    found = assess(dataclasses.replace(predictions, y_true=y_true), BRIEF)
    assert list(found.parts) == ["signs"]
    assert "No test image tells anything of retinopathy." in summarise(found).notes


def groups(found: Assessment) -> dict[str, list[str]]:
    return {name: [group.label for group in each.groups] for name, each in found.subgroups[0].each.items()}


def test_groups_are_compared_for_each_finding_and_each_cut_at_its_point() -> None:
    options = AssessmentOptions(resamples=100, by=("sex",))
    found = assess(of_chest(), options)
    assert groups(found) == {name: ["f", "m"] for name in ("effusion", "mass", "hernia")}
    women = found.subgroups[0].each["effusion"].groups[0]
    assert women.metrics["specificity"].flagged is not None and women.class_counts.keys() == {
        "not effusion",
        "effusion",
    }
    graded_groups = assess(of_grades(), options).subgroups[0]
    assert graded_groups.groups[0].metrics["quadratic_kappa"].gap is not None
    alone = assess(of_grades().of_question("3 or more"), options).subgroups[0]
    assert graded_groups.each["3 or more"].to_dict() == alone.to_dict()


def test_readers_are_compared_on_each_finding_each_cut_and_each_part() -> None:
    first, second = of_grades(), of_grades(seed=9)
    found = compare(first, second, resamples=100)
    kappa = found["quadratic_kappa"]
    expected = [
        sklearn_metrics.cohen_kappa_score(first.y_true, reader.decisions, weights="quadratic")
        for reader in (first, second)
    ]
    assert [kappa.first, kappa.second] == pytest.approx(expected) and kappa.difference in kappa.interval
    assert found.labels["quadratic_kappa"] == "Quadratic weighted kappa" and list(found.each) == list(GRADES.judged)
    area = found.each["2 or more"]["auc"]
    assert area.first == pytest.approx(
        sklearn_metrics.roc_auc_score(np.asarray(first.y_true) >= 2, np.asarray(first.y_prob)[:, 2:].sum(axis=1))
    )
    found_ill = found.each["2 or more"]["sensitivity"]
    ill = np.asarray(first.y_true) >= 2
    assert found_ill.second == pytest.approx((np.asarray(second.y_prob)[ill, 2:].sum(axis=1) >= 0.4).mean())
    eyes = compare(of_eyes(), of_eyes(), resamples=100)
    assert list(eyes.parts) == ["retinopathy", "signs"] and eyes.parts["retinopathy"].n == N - 40
    json.dumps(eyes.to_dict(), allow_nan=False)


def test_a_mean_over_other_findings_is_not_compared() -> None:
    first = of_chest()
    silent = dataclasses.replace(first, thresholds={**AT, "mass": 1.0})
    ppv = compare(first, silent, resamples=100)["ppv"]
    assert ppv.interval.reason == (
        "It is undefined for other findings in one than in the other, so that the means do not compare."
    )


def test_truths_that_differ_in_what_is_known_are_not_compared() -> None:
    first = of_chest()
    y_true = np.asarray(first.y_true).copy()
    y_true[4, 1] = 1
    with pytest.raises(InvalidData, match="1 have another label"):
        compare(first, dataclasses.replace(first, y_true=y_true), resamples=100)


def test_folds_of_findings_and_parts_are_pooled() -> None:
    one = of_eyes()
    other = dataclasses.replace(one, cases=[f"other {name}" for name in one.cases])
    pooled = pool_folds([one, other])
    assert assess(pooled, BRIEF).parts["signs"].evaluation.n == 2 * (N - 1)
    assert assess(pooled, BRIEF).at_class_points == {}


def truths_held(task: Task, simulated: dict[str, float], names: tuple[str, ...], studies: int) -> dict[str, float]:
    held = dict.fromkeys(names, 0)
    for number in range(studies):
        y_true, y_prob = cohort(task, number + 1, 120)
        evaluation = compute_metrics(y_true, y_prob, task=task)
        found = intervals(y_true, y_prob, evaluation=evaluation, resamples=200, seed=number)
        for name in names:
            held[name] += simulated[name] in found[name]
    return {name: count / studies for name, count in held.items()}


def cohort(task: Task, seed: int, n: int) -> tuple[IntArray, FloatArray]:
    random = np.random.default_rng(seed)
    if task == GRADES:
        y_true = random.choice(5, n, p=[0.5, 0.1, 0.2, 0.12, 0.08])
        logits = 1.5 * (y_true[:, None] - np.arange(4) - 0.5) + random.normal(0, 1.5, (n, 1))
        return y_true, task.probabilities(logits)
    y_true = (random.random((n, 2)) < [0.4, 0.2]).astype(np.int64)
    y_prob = task.probabilities(random.normal(size=(n, 2)) + 2 * y_true - 1)
    return np.where(random.random(y_true.shape) < 0.2, -1, y_true), y_prob


@pytest.mark.parametrize(
    ("task", "names"),
    [(GRADES, ("quadratic_kappa", "mean_absolute_error")), (SeveralFindings(("a", "b")), ("auc", "sensitivity"))],
)
def test_intervals_of_a_few_simulated_studies_hold_the_truth_about_as_often_as_they_say(
    task: Task, names: tuple[str, ...]
) -> None:
    # 40 studies with 95 %: 34 or fewer hits have a chance of 1 %. benchmarks/interval_coverage.py asks thousands.
    whole = compute_metrics(*cohort(task, 0, 50_000), task=task)
    held = truths_held(task, {name: whole[name].value for name in names}, names, 40)
    assert min(held.values()) >= 33 / 40, held


NOTHING = np.full((N, 4), -1)


@pytest.mark.parametrize(
    ("predictions", "y_true"),
    [
        *((of_chest(), truth) for truth in (NOTHING, np.zeros((N, 4), int), np.ones((N, 4), int))),
        *((of_grades(), np.full(N, grade)) for grade in (0, 4)),
        (of_eyes(), NOTHING[:, :3]),
    ],
)
def test_truths_that_tell_next_to_nothing_are_judged_without_a_number_that_means_nothing(
    predictions: Predictions, y_true: IntArray
) -> None:
    found = assess(dataclasses.replace(predictions, y_true=y_true), AssessmentOptions(resamples=100, by=("sex",)))
    json.dumps(found.to_dict(), allow_nan=False)
    assert found["auc"].metric.reason and found["auc"].interval.reason and summarise(found).notes
