"""Kinds of tasks beyond one class of several: findings, ordered grades, and several tasks in one pass."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.decision import (
    Abstentions,
    Calibration,
    OrderedGrades,
    SeveralFindings,
    SeveralTasks,
    Task,
    choose_referral,
    fit_calibration,
)
from overread.errors import InvalidData, InvalidOption

CHEST = SeveralFindings(("Effusion", "Mass", "Edema"))
GRADES = OrderedGrades(tuple("01234"))
BOTH = SeveralTasks.together({"retinopathy": OrderedGrades(tuple("012")), "signs": SeveralFindings(("drusen", "scar"))})


@pytest.mark.parametrize("task", [CHEST, GRADES, OrderedGrades(tuple("abc"), (2,)), BOTH])
def test_a_task_is_the_same_after_it_was_written(task: Task) -> None:
    assert Task.from_dict(task.to_dict()) == task and hash(task) == hash(Task.from_dict(task.to_dict()))


def test_a_label_tells_findings_that_are_there_absent_and_not_known() -> None:
    labels = ["Effusion|Mass", "No Finding", "?Edema", "Mass|?Effusion"]
    y_true = CHEST.encode(labels)
    assert y_true.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, -1], [-1, 1, 0]]
    assert [CHEST.label(row) for row in y_true] == labels
    assert CHEST.known(y_true, "Edema").tolist() == [True, True, False, True]
    with pytest.raises(InvalidData, match="unknown label"):
        CHEST.require_label("Mass|?Hernia", "case 1")


@pytest.mark.parametrize("name", ["a|b", "?a", "No Finding"])
def test_a_finding_that_could_not_stand_in_a_label_is_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match="cannot stand in a list of findings"):
        SeveralFindings((name, "b"))


def test_two_findings_that_deny_each_other_are_refused() -> None:
    with pytest.raises(InvalidOption, match="'no Mass' is a finding, and says that 'Mass' is absent"):
        SeveralFindings(("Mass", "no Mass"))


def test_a_finding_that_ends_in_a_question_mark_is_known_by_it() -> None:
    task = SeveralFindings(("Mass?", "Edema"))
    task.require_label("?Mass?|Edema", "case 1")
    assert task.encode(["?Mass?|Edema", "Mass?"]).tolist() == [[-1, 1], [1, 0]]


def test_what_is_not_known_weighs_nothing_and_a_rare_finding_as_much_as_a_common_one() -> None:
    y_true = np.array([[1, 0], [0, 0], [0, 0], [0, 1], [-1, 1], [-1, 0]])
    task = SeveralFindings(("rare", "common"))
    weights = task.loss_weights(y_true)
    assert weights is not None and weights.mean() == pytest.approx(1) and weights[4:, 0].tolist() == [0, 0]
    assert weights[0, 0] == pytest.approx(3 * weights[1, 0]) and task.loss_weights(y_true[:4], alike=False) is None
    unweighted = task.loss_weights(y_true, alike=False)
    assert unweighted is not None and len(set(unweighted[y_true >= 0].tolist())) == 1


@given(st.lists(st.floats(-30, 30), min_size=4, max_size=4))
def test_the_probability_of_a_grade_or_more_only_falls(logits: list[float]) -> None:
    y_prob = GRADES.checked_probabilities(GRADES.probabilities([logits]))
    at_least = [float(GRADES.score(y_prob, name)[0]) for name in GRADES.judged]
    assert all(one >= other for one, other in itertools.pairwise(at_least))
    assert GRADES.judged == ("1 or more", "2 or more", "3 or more", "4 or more")
    decided = int(GRADES.decide(y_prob)[0])
    assert decided == sum(one > 0.5 for one in at_least) or 0.5 in [round(one, 9) for one in at_least]


def test_grades_ask_only_what_the_steps_below_leave_open() -> None:
    assert GRADES.asked([0, 2, 4]).tolist() == [[0, -1, -1, -1], [1, 1, 0, -1], [1, 1, 1, 1]]
    assert GRADES.targets([0, 2]).tolist() == [[0, 0, 0, 0], [1, 1, 0, 0]]
    assert GRADES.shows([0, 2, 4], "2 or more").tolist() == [False, True, True]


@pytest.mark.parametrize("cuts", [(0,), (5,), (2, 1), (2, 2)])
def test_cuts_that_are_none_are_refused(cuts: tuple[int, ...]) -> None:
    with pytest.raises(InvalidOption, match="no rising indices of the grades"):
        OrderedGrades(tuple("01234"), cuts)


def test_sets_of_grades_have_no_hole_and_hold_the_grade_as_often_as_asked() -> None:
    random, held = np.random.default_rng(0), []
    for _ in range(60):
        truth = random.choice(5, 600, p=[0.4, 0.1, 0.25, 0.15, 0.1])
        steps = np.arange(4)
        logits = 1.5 * (truth[:, None] - steps - 0.5) + random.normal(0, 2, (600, 1)) + random.normal(0, 1, (600, 4))
        y_prob = GRADES.probabilities(logits)
        found = choose_referral(truth[:300], y_prob[:300], task=GRADES, coverage=0.8)
        sets = found.sets(y_prob[300:], GRADES)
        assert (np.abs(np.diff(np.pad(sets.astype(int), ((0, 0), (1, 1))), axis=1)).sum(axis=1) <= 2).all()
        held.append([sets[truth[300:] == grade, grade].mean() for grade in range(5)])
    assert (np.mean(held, axis=0) >= 0.79).all()


def test_each_question_is_calibrated_by_itself() -> None:
    random = np.random.default_rng(1)
    y_true = (random.random((4000, 3)) < [0.5, 0.2, 0.05]).astype(int)
    honest = (
        np.log([0.5 / 0.5, 0.2 / 0.8, 0.05 / 0.95])
        + 1.5 * (y_true - 0.5) * 2 * 0.75
        + random.normal(0, 1.5, y_true.shape)
    )
    y_true[::3, 1] = -1
    found = fit_calibration(y_true, honest * [4.0, 1.0, 0.5], task=CHEST)
    assert found.each is not None and [one.n for one in found.each] == [4000, 2666, 4000]
    temperatures = [one.temperature or 0 for one in found.each]
    assert temperatures[0] > 2.5 > 1.5 > temperatures[1] > 0.7 > temperatures[2]
    assert Calibration.from_dict(found.to_dict()) == found
    expected = CHEST.probabilities(honest * [4.0, 1.0, 0.5] / temperatures)
    assert found.apply(honest * [4.0, 1.0, 0.5], CHEST) == pytest.approx(expected)


def test_what_limits_the_calibration_of_a_question_is_told_under_its_name() -> None:
    random = np.random.default_rng(4)
    y_true, logits = random.integers(0, 2, (60, 3)), random.normal(size=(60, 3))
    y_true[:, 0] = 0
    y_true[20:, 2] = -1
    y_true[:20, 2] = 0
    found = fit_calibration(y_true, logits, task=CHEST)
    assert found.note == (
        "Effusion: All 60 validation cases answer it alike, so no temperature calibration could be fitted. "
        "Edema: All 20 validation cases answer it alike, so no temperature calibration could be fitted."
    )
    isotonic = fit_calibration(random.integers(0, 2, (60, 3)), logits, task=CHEST, method="isotonic")
    assert (isotonic.note or "").startswith("Effusion, Mass and Edema: Fitted on 60 cases;")


@pytest.mark.parametrize("method", ["isotonic", "beta", "none"])
def test_a_question_is_calibrated_as_two_classes_are(method: str) -> None:
    random = np.random.default_rng(2)
    y_true, logits = random.integers(0, 2, (300, 3)), random.normal(size=(300, 3)) * 2
    found = fit_calibration(y_true, logits, task=CHEST, method=method)
    two = Task.of(("no", "yes"))
    for column in range(3):
        alone = fit_calibration(y_true[:, column], logits[:, [column]], task=two, method=method)
        expected = alone.apply(logits[:, [column]], two)[:, 1]
        assert found.apply(logits, CHEST)[:, column] == pytest.approx(expected, abs=1e-12)


def test_what_findings_learnt_with_weights_is_brought_back_to_their_shares() -> None:
    y_true = np.zeros((1000, 3), dtype=int)
    y_true[:100, 0] = y_true[:500, 1] = y_true[:20, 2] = 1
    lacking = CHEST.share_logits(CHEST.shares(y_true))
    # A finding of a tenth weighs nine times as much, one of a fiftieth ten times.
    assert lacking == pytest.approx([-np.log(9), 0, -np.log(10)], abs=0.05)


def test_several_tasks_are_each_what_they_are_alone() -> None:
    labels = ["retinopathy: 2; signs: drusen|?scar", "signs: No Finding", "retinopathy: 0"]
    y_true = BOTH.checked_cases(BOTH.encode(labels), 3)
    assert y_true.tolist() == [[2, 1, -1], [-1, 0, 0], [0, -1, -1]]
    assert [BOTH.label(row) for row in y_true] == labels
    assert BOTH.classes == ("retinopathy: 0", "retinopathy: 1", "retinopathy: 2", "signs: drusen", "signs: scar")
    assert BOTH.judged == ("retinopathy: 1 or more", "retinopathy: 2 or more", "signs: drusen", "signs: scar")
    assert BOTH.cases_of("retinopathy", y_true).tolist() == [2, -1, 0]
    assert BOTH.asked(y_true).tolist() == [[1, 1, 1, -1], [-1, -1, 0, 0], [0, -1, -1, -1]]
    logits = np.random.default_rng(3).normal(size=(3, 4))
    y_prob = BOTH.checked_probabilities(BOTH.probabilities(logits))
    grades, signs = BOTH.parts["retinopathy"], BOTH.parts["signs"]
    assert BOTH.probabilities_of("retinopathy", y_prob) == pytest.approx(grades.probabilities(logits[:, :2]))
    decided = BOTH.decide(y_prob, {"signs: scar": 0.0})
    assert decided[:, 2].tolist() == [1, 1, 1]
    assert BOTH.cases_of("signs", decided)[:, 0].tolist() == signs.decide(y_prob[:, 3:])[:, 0].tolist()
    assert BOTH.known(y_true, "signs: scar").tolist() == [False, True, False]
    assert BOTH.is_right(y_true, y_true).all() and not BOTH.is_right(y_true, (y_true + 1) % 2).any()
    losses = BOTH.log_losses(y_true, y_prob)
    assert losses[2] == pytest.approx(-np.log(y_prob[2, 0]))
    assert losses[1] == pytest.approx(signs.log_losses([[0, 0]], y_prob[1:2, 3:])[0])


def test_two_tasks_of_unordered_classes_cannot_share_a_network() -> None:
    with pytest.raises(InvalidOption, match="ordered grades or several findings"):
        SeveralTasks.together({"one": Task.of("ab"), "other": Task.of("abc")})


def test_a_finding_is_unsure_where_its_own_answers_do_not_bear_out_what_was_decided() -> None:
    sets = np.array([[1, 1, 0, 0, 1, 1], [1, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]], dtype=bool)
    found = Abstentions(task=CHEST, sets=sets, decided=np.array([[1, 0, 0]] * 3), unfamiliarity=np.zeros(3))
    assert found.unsure.tolist() == [[False, True, False], [False, False, False], [True, False, False]]
    assert found.uncertain.tolist() == [True, False, True] and CHEST.questions == CHEST.classes


def test_a_cut_is_sure_where_all_grades_that_are_left_lie_on_its_side() -> None:
    task = OrderedGrades(tuple("01234"), (2, 4))
    y_prob = np.array([[0.3, 0.4, 0.2, 0.05, 0.05], [0.3, 0.4, 0.2, 0.05, 0.05], [0.0, 0.1, 0.6, 0.2, 0.1]])
    sets = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], dtype=bool)
    called = task.called(y_prob, {"2 or more": 0.4, "4 or more": 0.05})
    assert called.tolist() == [[False, True], [False, True], [True, True]]
    found = Abstentions(task=task, sets=sets, decided=task.decide(y_prob), unfamiliarity=np.zeros(3), called=called)
    # The first reaches the higher cut and not the lower one: one of them must be unsure.
    assert found.unsure.tolist() == [[False, True], [True, True], [False, True]]
    by_decision = dataclasses.replace(found, called=None)
    assert by_decision.unsure.tolist() == [[False, False], [True, False], [False, False]]


@given(st.integers(0, 2**5 - 1), st.lists(st.booleans(), min_size=4, max_size=4))
def test_no_case_is_surely_called_at_a_higher_cut_and_surely_not_at_a_lower_one(held: int, called: list[bool]) -> None:
    sets = GRADES.closed(np.array([[held >> grade & 1 for grade in range(5)]], dtype=bool))
    found = Abstentions(
        task=GRADES, sets=sets, decided=np.zeros(1, int), unfamiliarity=np.zeros(1), called=np.array([called])
    )
    sure = [yes for yes, unsure in zip(called, found.unsure[0], strict=True) if not unsure]
    assert sure == sorted(sure, reverse=True)


def test_each_of_several_tasks_is_unsure_by_itself_and_one_label_asks_nothing_more() -> None:
    assert BOTH.questions == BOTH.judged
    assert BOTH.answers == (
        *("retinopathy: 0", "retinopathy: 1", "retinopathy: 2"),
        *("signs: drusen", "signs: scar", "signs: no drusen", "signs: no scar"),
    )
    assert BOTH.says("retinopathy: 1 or more").tolist() == [0, 1, 1, -1, -1, -1, -1]
    assert BOTH.says("signs: scar").tolist() == [-1, -1, -1, -1, 1, -1, 0]
    sets = np.array([[0, 1, 1, 1, 0, 1, 1]], dtype=bool)
    found = Abstentions(task=BOTH, sets=sets, decided=np.array([[1, 1, 0]]), unfamiliarity=np.zeros(1))
    assert found.unsure.tolist() == [[False, True, True, False]]
    for task in (Task.of("ab"), Task.of("abc")):
        alone = Abstentions(
            task=task, sets=np.ones((2, len(task.classes)), bool), decided=np.zeros(2, int), unfamiliarity=np.zeros(2)
        )
        assert task.questions == () and alone.unsure.shape == task.called(np.ones((2, 3))).shape == (2, 0)


def test_a_finding_that_is_never_sure_refers_no_image_by_itself() -> None:
    sets = np.array([[1, 0, 1, 0, 1, 1], [1, 1, 1, 0, 1, 1]], dtype=bool)
    found = Abstentions(
        task=CHEST, sets=sets, decided=np.array([[1, 0, 0]] * 2), unfamiliarity=np.zeros(2), always=("Edema",)
    )
    assert found.unsure.tolist() == [[False, False, True], [False, True, True]]
    assert found.uncertain.tolist() == [False, True]
    assert dataclasses.replace(found, always=()).uncertain.all()
    assert BOTH.counted(("signs: scar", "retinopathy: 2")).tolist() == [True, True, True, True, False, True, False]


def test_a_rare_grade_shares_its_threshold_with_its_neighbours() -> None:
    assert GRADES.kin([20, 3, 9, 4, 2], 9) == [[0], [1, 2, 3, 4]]
    truth = np.repeat(np.arange(5), [40, 3, 30, 12, 2])
    y_prob = GRADES.probabilities(np.random.default_rng(5).normal(size=(len(truth), 4)))
    found = choose_referral(truth, y_prob, task=GRADES, coverage=0.9)
    assert found.always == () and list(found.counts.values()) == [40, 33, 33, 14, 14]
    assert found.thresholds["1"] == found.thresholds["2"] and found.thresholds["0"] != found.thresholds["1"]
    few = choose_referral(truth[:8], y_prob[:8], task=GRADES, coverage=0.9)
    assert few.always == GRADES.classes
    with_one = choose_referral(BOTH.encode(["retinopathy: 0; signs: scar"] * 12), np.full((12, 5), 1 / 3), task=BOTH)
    assert with_one.counts["retinopathy: 2"] == 12 and with_one.counts["signs: no scar"] == 0


def test_grades_of_few_cases_are_held_as_often_as_asked_together() -> None:
    random, held = np.random.default_rng(6), []
    for _ in range(80):
        truth = random.choice(5, 400, p=[0.5, 0.03, 0.3, 0.15, 0.02])
        logits = 1.5 * (truth[:, None] - np.arange(4) - 0.5) + random.normal(0, 2, (400, 4))
        y_prob = GRADES.probabilities(logits)
        sets = choose_referral(truth[:100], y_prob[:100], task=GRADES, coverage=0.8).sets(y_prob[100:], GRADES)
        held.append(sets[np.arange(300), truth[100:]].mean())
    assert 0.8 <= np.mean(held) <= 0.97
