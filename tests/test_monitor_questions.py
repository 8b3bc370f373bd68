"""Monitoring of findings, clinical cuts and several tasks: how each is answered, drifts, and is corrected by humans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.monitoring.checks import Expected
from overread.monitoring.parts import watch_parts
from overread.monitoring.report import write_monitoring_report
from overread.monitoring.watch import Monitoring, watch
from overread.reading_log import ImageRow, Review

NOW = datetime.now(UTC)
FINDINGS, GRADES = SeveralFindings(("mass", "edema", "肺炎")), OrderedGrades(tuple("0123"), (1, 2))
BOTH = SeveralTasks.together({"grade": GRADES, "signs": SeveralFindings(("scar", "drusen"))})


def rows(task: Task, y_prob: np.ndarray, reviews: Sequence[str | None] = ()) -> list[ImageRow]:
    """Rows as a service logs them, every threshold at 0.5 and nothing unsure."""
    labels = [task.label(one) for one in task.decide(y_prob)]
    asked = {name: task.score(y_prob, name) for name in task.questions}
    return [
        ImageRow(
            sha256=f"{i:064x}",
            latency_ms=10.0,
            predicted_label=labels[i],
            probabilities=dict(zip(task.classes, y_prob[i].tolist(), strict=True)),
            questions=[
                {
                    "name": name,
                    "probability": scores[i],
                    "threshold": 0.5,
                    "answer": "yes" if scores[i] >= 0.5 else "no",
                }
                for name, scores in asked.items()
            ],
            review=None if i >= len(reviews) or reviews[i] is None else Review(true_label=str(reviews[i]), time=NOW),
            reading_id=f"r{i}",
            time=NOW - timedelta(hours=len(y_prob) - i),
        )
        for i in range(len(y_prob))
    ]


def look(task: Task, found: Sequence[ImageRow], scores: dict[str, Any] | None = None) -> Monitoring:
    expected = Expected(scores=scores or {}, projections=np.empty((0, 0)), unfamiliarity=np.empty(0))
    return watch(found, expected, since=NOW - timedelta(days=30), until=NOW, bundle="b", task=task)


def drawn(task: Task, n: int = 120, seed: int = 0) -> np.ndarray:
    return task.probabilities(np.random.default_rng(seed).normal(size=(n, task.outputs)))


@pytest.mark.parametrize("task", [FINDINGS, GRADES, BOTH], ids=lambda task: task.kind)
def test_answers_are_counted_and_the_drift_of_each_is_found(task: Task) -> None:
    y_prob, shifted = drawn(task), drawn(task, seed=1)
    name = task.judged[-1]
    scores = {one: task.score(shifted, one) for one in task.judged} | {name: task.score(shifted, name) ** 3}
    found = look(task, rows(task, y_prob), scores)
    assert set(found.questions) == set(task.judged)
    assert found.questions[name]["yes"] == int((task.score(y_prob, name) >= 0.5).sum())
    assert [check.name for check in found.findings] == [f"score of {name}"]
    assert {check.n for check in found.checks if check.name.startswith("score")} == {120}
    assert found.corrections == {} and found.to_dict()["questions"][name] == found.questions[name]


def test_reviews_correct_single_findings_and_say_nothing_of_what_they_leave_open() -> None:
    y_prob = np.array([[0.9, 0.1, 0.1], [0.9, 0.1, 0.1], [0.1, 0.1, 0.1], [0.1, 0.9, 0.1]])
    found = look(FINDINGS, rows(FINDINGS, y_prob, ["mass", "No Finding", "edema|?mass", "?edema"]))
    told = found.corrections["mass"]
    assert (told.added, told.removed, told.agreement.metric.n) == (0, 1, 3)
    assert told.agreement.metric.value == pytest.approx(2 / 3)
    assert (found.corrections["edema"].added, found.corrections["edema"].removed) == (1, 0)
    # The first and the last agree, as far as they know.
    assert found.rates["agreement"].metric.value == 0.5
    assert found.to_dict()["corrections"]["edema"]["added"] == 1


def test_a_review_of_a_grade_corrects_the_cuts_that_it_lies_beyond() -> None:
    y_prob = np.array([[0.1, 0.8, 0.1, 0.0], [0.1, 0.8, 0.1, 0.0]])
    found = look(GRADES, rows(GRADES, y_prob, ["3", "1"]))
    assert (found.corrections["1 or more"].added, found.corrections["2 or more"].added) == (0, 1)
    parts = rows(BOTH, np.array([[0.1, 0.8, 0.1, 0, 0.9, 0.1]]), ["signs: drusen"])
    found = look(BOTH, parts)
    assert {name: (told.added, told.removed) for name, told in found.corrections.items()} == {
        "grade: 1 or more": (0, 0), "grade: 2 or more": (0, 0), "signs: scar": (0, 1), "signs: drusen": (1, 0)
    }  # fmt: skip
    assert found.corrections["grade: 2 or more"].agreement.metric.reason


def test_the_page_tells_answers_and_corrections_and_draws_names_of_any_script_apart(tmp_path: Path) -> None:
    task, y_prob = SeveralFindings(("mass", "肺炎", "结节")), drawn(FINDINGS)
    scores = {name: task.score(drawn(FINDINGS, seed=1), name) for name in task.judged}
    found = look(task, rows(task, y_prob, ["mass"] * 4), scores)
    page = write_monitoring_report(tmp_path, found).read_text(encoding="utf-8")
    assert "Images read, by the answer to each question" in page and "Only the human says yes" in page
    assert len(list((tmp_path / "figures").glob("score_of*.png"))) == 3
    many = rows(SeveralFindings(tuple("abcdefg")), drawn(SeveralFindings(tuple("abcdefg"))))
    page = write_monitoring_report(tmp_path, look(FINDINGS, many)).read_text(encoding="utf-8")
    assert " others<" in page


def test_answers_in_an_archive_are_counted(tmp_path: Path) -> None:
    header = (
        "path,predicted_label,probability_mass,probability_edema,unfamiliarity,refer,answer_mass,answer_edema,error"
    )
    lines = [
        "a.png,mass,0.9,0.1,0.5,,present,absent,",
        "b.png,No Finding,0.2,0.3,0.5,,absent,unsure,",
        "c.png,,,,,,,,bad",
    ]
    (tmp_path / "0.csv").write_text("\n".join([header, *lines]) + "\n")
    found = watch_parts(tmp_path, None)
    assert found.questions == {"mass": {"present": 1, "absent": 1}, "edema": {"absent": 1, "unsure": 1}}
