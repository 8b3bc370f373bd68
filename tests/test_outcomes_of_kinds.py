"""What comes out of findings, ordered grades and several tasks: their files, their mistakes, and each part as alone."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from overread.decision import Abstentions, OrderedGrades, SeveralFindings, SeveralTasks, Task, choose_referral
from overread.evaluation import AssessmentOptions, Predictions, assess, assess_referral, pool_folds
from overread.study.crossvalidation import judge_folds
from overread.test_side import Outcome, read_predictions
from overread.test_side.mistakes import surest_mistakes

FINDINGS = SeveralFindings(("mass", "edema", "pleural; effusion"))
GRADES = OrderedGrades(("none", "mild", "moderate", "severe"), (2,))
BOTH = SeveralTasks.together({"grade": GRADES, "signs": SeveralFindings(("drusen", "scar")), "eye": Task.of("lr")})
LABELS = {
    FINDINGS: ("mass|edema", "No Finding", "pleural; effusion|?mass", "edema|?pleural; effusion"),
    GRADES: ("none", "severe", "mild", "moderate"),
    BOTH: (
        "grade: mild; signs: drusen|?scar; eye: l",
        "signs: No Finding; eye: r",
        "grade: severe; eye: r",
        "grade: none",
    ),
}
OPTIONS = AssessmentOptions(resamples=100)
KINDS = pytest.mark.parametrize("task", [FINDINGS, GRADES, BOTH], ids=lambda task: task.kind)


def predictions(task: Task, n: int = 80, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    y_true = task.encode([LABELS[task][i % 4] for i in range(n)])  # type: ignore[index]
    logits = 2.0 * task.targets(y_true) - 1 + random.normal(size=(n, task.outputs))
    return Predictions(
        cases=[f"{seed}/{i}.png" for i in range(n)],
        y_true=y_true,
        y_prob=task.probabilities(logits),
        task=task,
        thresholds={name: 0.3 + 0.1 * i for i, name in enumerate(task.judged)},
        patients=[f"p{i // 2}" for i in range(n)],
        uncalibrated=task.probabilities(logits / 2),
    )


def abstentions(found: Predictions) -> Abstentions:
    y_prob = np.asarray(found.y_prob)
    return Abstentions(
        task=found.task,
        sets=choose_referral(found.y_true, y_prob, task=found.task).sets(y_prob, found.task),
        decided=found.decisions,
        unfamiliarity=np.zeros(len(found.cases)),
        called=found.task.called(y_prob, found.thresholds),
    )


def outcome(found: Predictions) -> Outcome:
    referred = abstentions(found)
    return Outcome(
        predictions=found,
        assessment=assess(found, OPTIONS),
        mistakes=(),
        data="a hash",
        abstentions=referred,
        referral=assess_referral(found, referred, options=OPTIONS),
    )


@KINDS
def test_predictions_come_back_as_they_were_with_what_is_not_known(tmp_path: Path, task: Task) -> None:
    found = predictions(task)
    outcome(found).write(tmp_path)
    again = read_predictions(tmp_path)
    assert (again.task, again.thresholds, again.cases) == (task, found.thresholds, found.cases)
    for name in ("y_true", "y_prob", "uncalibrated", "decisions"):
        assert np.array_equal(getattr(again, name), getattr(found, name)), name
    json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


@KINDS
def test_pooled_folds_come_back_with_the_decision_of_each_reader(tmp_path: Path, task: Task) -> None:
    lax = dataclasses.replace(predictions(task, seed=1), thresholds=dict.fromkeys(task.judged, 0.1))
    pooled = pool_folds([predictions(task), lax])
    Outcome(predictions=pooled, assessment=assess(pooled, OPTIONS), mistakes=(), data="a hash").write(tmp_path)
    again = read_predictions(tmp_path)
    assert again.thresholds == {} and np.array_equal(again.decisions, pooled.decisions)


@KINDS
def test_a_row_tells_the_set_what_is_called_and_what_is_unsure(tmp_path: Path, task: Task) -> None:
    made = outcome(predictions(task))
    made.write(tmp_path)
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    referred = made.abstentions
    assert referred is not None and list(rows[0])[-5:] == [
        "prediction_set",
        "unfamiliarity",
        "refer",
        "called",
        "unsure",
    ]
    for column, names, chosen in (
        ("prediction_set", task.answers, referred.sets),
        ("called", task.questions, referred.called),
        ("unsure", task.questions, referred.unsure),
    ):
        told = [";".join(name for name, is_one in zip(names, row, strict=True) if is_one) for row in chosen]  # type: ignore[arg-type]
        assert [row[column] for row in rows] == told, column
    assert {row["true_label"] for row in rows} == set(LABELS[task])  # type: ignore[index]


def test_of_findings_the_mistakes_furthest_from_their_operating_points_are_shown() -> None:
    task = SeveralFindings(("rare", "common"))
    found = Predictions(
        cases=list("abcdef"),
        y_true=[[1, 1], [0, 0], [0, -1], [1, 1], [0, 0], [1, 0]],
        y_prob=[[0.01, 0.30], [0.30, 0.90], [0.90, 0.99], [0.90, 0.90], [0.01, 0.10], [0.90, 0.55]],
        task=task,
        thresholds={"rare": 0.02, "common": 0.5},
    )
    assert surest_mistakes(found) == [
        (0, "rare"),  # half of the way from 0.02 to 0
        (0, "common"),
        (2, "rare"),
        (1, "common"),
        (1, "rare"),
        (5, "common"),
    ]


def test_of_grades_those_that_are_furthest_off_are_shown() -> None:
    found = Predictions(
        cases=list("abcd"),
        y_true=[0, 3, 0, 0],
        y_prob=[[0.1, 0.9, 0, 0], [0.9, 0.1, 0, 0], [0, 0.4, 0.6, 0], [0, 0, 0.9, 0.1]],
        task=GRADES,
    )
    assert surest_mistakes(found) == [(1, None), (3, None), (2, None), (0, None)]
    assert surest_mistakes(predictions(BOTH)) == []


def test_each_of_several_tasks_refers_as_if_it_were_alone() -> None:
    found = predictions(BOTH)
    referred = abstentions(found)
    whole = assess_referral(found, referred, others=[], options=OPTIONS)
    assert list(whole.parts) == ["grade", "signs", "eye"] and list(whole.questions) == list(BOTH.judged)
    told = np.flatnonzero(BOTH.told("grade", found.y_true))
    alone = found.of_part("grade")
    own = Abstentions(
        task=GRADES,
        sets=referred.sets[told][:, :4],
        decided=alone.decisions,
        unfamiliarity=referred.unfamiliarity[told],
        called=GRADES.called(alone.y_prob, {"moderate or more": 0.3}),
    )
    assert whole.parts["grade"].to_dict() == assess_referral(alone, own, options=OPTIONS).to_dict()
    assert whole.parts["eye"].questions == {} and whole.parts["grade"].far_errors
    assert whole.to_dict()["parts"]["signs"]["questions"].keys() == {"drusen", "scar"}


@KINDS
def test_the_folds_of_each_of_several_tasks_are_judged_as_if_it_were_alone(task: Task) -> None:
    folds = (predictions(task), predictions(task, seed=1))
    pooled = assess(pool_folds(folds), OPTIONS)
    found = judge_folds(Path("run"), {0: folds}, {0: pooled}, OPTIONS)
    assert set(found.parts) == set(task.parts)
    assert ("quadratic_kappa" in found.reported) == task.ordered
    assert found.spread("auc")["seeds_sd"] is None and json.dumps(found.to_dict(), allow_nan=False)
    for name, part in found.parts.items():
        alone = tuple(fold.of_part(name) for fold in folds)
        own = judge_folds(Path("run"), {0: alone}, {0: pooled.parts[name]}, OPTIONS)
        assert part.to_dict() == own.to_dict()


def test_a_fold_that_tells_nothing_of_a_task_is_left_out_of_its_part() -> None:
    silent = predictions(BOTH, seed=1)
    y_true = np.asarray(silent.y_true).copy()
    y_true[:, 0] = -1
    folds = (predictions(BOTH), dataclasses.replace(silent, y_true=y_true))
    found = judge_folds(Path("run"), {0: folds}, {0: assess(pool_folds(folds), OPTIONS)}, OPTIONS)
    assert [len(found.parts[name].folds[0]) for name in BOTH.parts] == [1, 2, 2]
