"""Judging patients by the readings of their images."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import AssessmentOptions, Predictions, assess, pool_folds
from overread.evaluation.summary import summarise
from overread.test_side.outcome import patient_thresholds

TWO = Task.of(("well", "ill"))


def said(task: Task, y_true: object, y_prob: object, patients: list[str | None], **more: object) -> Predictions:
    cases = [f"{n}.png" for n in range(len(patients))]
    return Predictions(cases=cases, y_true=y_true, y_prob=y_prob, task=task, patients=patients, **more)  # type: ignore[arg-type]


def of_two(probabilities: list[float], truth: list[int], patients: list[str | None], **more: object) -> Predictions:
    return said(TWO, truth, [[1 - p, p] for p in probabilities], patients, **more)


def test_a_patient_is_ill_where_any_image_is_and_has_the_mean_or_the_highest_probability() -> None:
    images = of_two([0.2, 0.6, 0.1, 0.9], [0, 1, 0, 1], ["a", "a", "b", None], thresholds={"ill": 0.5})
    mean, highest = images.by_patient("mean"), images.by_patient("max")
    assert np.asarray(mean.y_true).tolist() == [1, 0, 1]
    assert np.asarray(mean.y_prob)[:, 1] == pytest.approx([0.4, 0.1, 0.9])
    assert np.asarray(highest.y_prob)[:, 1] == pytest.approx([0.6, 0.1, 0.9])
    assert (mean.decisions.tolist(), highest.decisions.tolist()) == ([0, 0, 1], [1, 0, 1])


def test_a_finding_of_a_patient_is_absent_where_every_image_is_known_not_to_show_it() -> None:
    task = SeveralFindings(("x", "y", "z"))
    images = said(task, [[1, 0, 0], [0, -1, 0]], [[0.9, 0.2, 0.1], [0.1, 0.4, 0.3]], ["a", "a"])
    patients = images.by_patient("max")
    assert np.asarray(patients.y_true).tolist() == [[1, -1, 0]]
    assert np.asarray(patients.y_prob)[0] == pytest.approx([0.9, 0.4, 0.3])


def test_a_patient_has_the_worst_grade_and_the_highest_probability_of_each_cut() -> None:
    task = OrderedGrades(("0", "1", "2"))
    images = said(task, [0, 2], [[0.7, 0.2, 0.1], [0.5, 0.1, 0.4]], ["a", "a"])
    patients = images.by_patient("max")
    assert np.asarray(patients.y_true).tolist() == [2]
    assert np.asarray(patients.y_prob)[0] == pytest.approx([0.5, 0.1, 0.4])


def test_a_patient_of_two_classes_of_several_is_left_out_and_counted() -> None:
    task = Task.of(("a", "b", "c"))
    y_true = [0, 1, 0, 0, 1, 1, 2, 2]
    y_prob = np.eye(3)[y_true] * 0.4 + 0.2
    images = said(task, y_true, y_prob, ["p", "p", "q", "q", "r", "r", "s", "s"])
    patients = images.by_patient("mean")
    assert patients.cases == ["patient q", "patient r", "patient s"]
    found = assess(images, AssessmentOptions(by_patient="mean", resamples=100))
    assert "Left out by patient: 1 patient, whose images are of several classes." in summarise(found).notes
    with pytest.raises(InvalidOption, match="give --by-patient mean"):
        images.by_patient("max")
    torn = said(task, [0, 1], y_prob[:2], ["p", "p"])
    with pytest.raises(InvalidData, match="every patient has images of several classes"):
        torn.by_patient("mean")


def test_of_several_tasks_each_is_joined_by_its_own_rule() -> None:
    task = SeveralTasks.together({"sex": Task.of(("f", "m")), "grade": OrderedGrades(("0", "1", "2"))})
    images = said(task, [[1, 0], [-1, 2]], [[0.3, 0.7, 0.7, 0.2, 0.1], [0.5, 0.5, 0.2, 0.2, 0.6]], ["p", "p"])
    patients = images.by_patient("mean")
    assert np.asarray(patients.y_true).tolist() == [[1, 2]]
    assert np.asarray(patients.y_prob)[0] == pytest.approx([0.4, 0.6, 0.45, 0.2, 0.35])


def test_patients_stand_beside_images_and_change_nothing_of_them() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat(rng.integers(0, 2, 40), 3)
    images = of_two(np.clip(truth * 0.3 + rng.uniform(0, 0.7, 120), 0, 1).tolist(), truth.tolist(),
                    [f"p{n // 3}" for n in range(120)], thresholds={"ill": 0.4})  # fmt: skip
    plain = assess(images, AssessmentOptions(resamples=100)).to_dict()
    found = assess(images, AssessmentOptions(resamples=100, by_patient="mean"))
    both = found.to_dict()
    assert both.pop("by_patient")["way"] == "mean"
    assert both == plain
    assert found.by_patient is not None
    assert (found.by_patient.evaluation.n, found.by_patient.unit, found.by_patient.n_patients) == (40, "patient", 40)
    captions = [table.caption for table in summarise(found).tables]
    assert captions[0].startswith("120 test images of 40 patients")
    assert captions[-1].startswith("By patient: 40 test patients: ")


def test_the_operating_point_of_images_and_what_it_does_to_the_highest_is_said() -> None:
    images = of_two([0.2, 0.6, 0.1, 0.9], [0, 1, 0, 1], ["a", "a", "b", "c"], thresholds={"ill": 0.5})
    notes = summarise(assess(images, AssessmentOptions(by_patient="max", resamples=100))).notes
    assert any("operating point is that of images: who has more of them is called sooner" in note for note in notes)


def test_patients_are_decided_on_at_their_own_operating_point_where_one_was_chosen() -> None:
    images = of_two([0.2, 0.6, 0.1, 0.9], [0, 1, 0, 1], ["a", "a", "b", "c"], thresholds={"ill": 0.5})
    own = dataclasses.replace(images, patient_thresholds={"ill": 0.3})
    assert own.by_patient("mean").decisions.tolist() == [1, 0, 1]
    found = assess(own, AssessmentOptions(by_patient="mean", resamples=100))
    assert any("chosen on validation patients" in note for note in summarise(found).notes)
    assert found.evaluation.threshold == 0.5


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({"way": "max", "thresholds": {"ill": 0.7}}, {"ill": 0.7}),
        ({"way": "mean", "thresholds": {"ill": 0.7}}, {}),
        ({"way": "max", "thresholds": {"other": 0.7, "ill": "x"}}, {}),
        ({"way": "max", "thresholds": [1]}, {}),
        ("max", {}),
        (None, {}),
    ],
)
def test_a_bundle_tells_the_point_of_patients_for_the_way_that_it_was_chosen_for(
    recorded: object, expected: dict[str, float]
) -> None:
    bundle = SimpleNamespace(data={"by_patient": recorded}, thresholds={"ill": 0.5})
    assert patient_thresholds(bundle, AssessmentOptions(by_patient="max")) == expected  # type: ignore[arg-type]


def test_patients_of_folds_are_decided_on_at_the_point_of_their_fold() -> None:
    folds = [
        of_two([0.2, 0.4], [0, 1], ["a", "a"], thresholds={"ill": 0.25}),
        dict_of(of_two([0.2, 0.4], [0, 1], ["b", "b"], thresholds={"ill": 0.35})),
    ]
    assert pool_folds([fold.by_patient("mean") for fold in folds]).decisions.tolist() == [1, 0]
    pooled = pool_folds(folds)
    assert pooled.by_patient("max").decisions.tolist() == [1, 1]
    with pytest.raises(InvalidOption, match="fold by fold"):
        pooled.by_patient("mean")


def dict_of(fold: Predictions) -> Predictions:
    return Predictions(
        cases=[f"other {case}" for case in fold.cases], y_true=fold.y_true, y_prob=fold.y_prob, task=fold.task,
        thresholds=fold.thresholds, patients=fold.patients,
    )  # fmt: skip


def test_what_cannot_be_judged_by_patient_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidOption, match="--by-patient median is unknown: expected mean or max"):
        AssessmentOptions(by_patient="median")
    options = AssessmentOptions(by_patient="max")
    with pytest.raises(InvalidOption, match="no image names one: give --patient-column or --patient-pattern"):
        options.require_patients([None, ""], TWO)
    with pytest.raises(InvalidOption, match="by the mean"):
        options.require_patients(["a"], Task.of(("a", "b", "c")))
    options.require_patients(["a", None], TWO)
