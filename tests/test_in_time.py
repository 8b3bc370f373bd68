"""Training against the clock: what is tried next by what was measured, and a run that is killed and goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from overread.errors import InvalidOption
from overread.run.trials import CUT_SHORT, DONE, FINE_TUNING, HEAD, NO_TIME, UNDER_WAY, TimeRecord, Trial, seconds_of
from overread.study.in_time.ledger import Ledger
from overread.study.in_time.schedule import Candidate, Step, best_of, expected_seconds, ladder_of, next_step, outlook

LADDER = ladder_of([("lite0", 160, 6), ("lite1", 192, 6)], has_head=True, may_grow=True)
FIRST_HEAD = Trial(number=1, network="lite0", size=160, way=HEAD, state=DONE, seconds=20, loss=0.30, auc=0.95)
FIRST = Trial(
    number=2,
    network="lite0",
    size=160,
    way=FINE_TUNING,
    epochs=6,
    epochs_done=6,
    state=DONE,
    seconds=300,
    loss=0.20,
    auc=0.98,
)


def after(*trials: Trial) -> list[Trial]:
    return [dataclasses.replace(trial, number=number) for number, trial in enumerate(trials, start=1)]


def test_a_linear_head_comes_first_whatever_the_time() -> None:
    assert next_step(LADDER, [], -5) == Step(Candidate("lite0", 160, HEAD))


def test_the_whole_network_follows_though_nobody_knows_what_it_takes() -> None:
    assert next_step(LADDER, [FIRST_HEAD], 40) == Step(Candidate("lite0", 160, FINE_TUNING, 6), epochs=6)


def test_what_is_under_way_goes_on_first() -> None:
    halted = dataclasses.replace(FIRST, state=UNDER_WAY, loss=None, epochs=4)

    step = next_step(LADDER, [FIRST_HEAD, halted], 900)

    assert step is not None
    assert (step.candidate.way, step.epochs, step.fold) == (FINE_TUNING, 4, 1)


@pytest.mark.parametrize(
    ("left_s", "expected"),
    [
        (3600, Candidate("lite1", 192, HEAD)),  # 29 s are less than a twentieth
        (400, None),  # a fold of the first
    ],
)
def test_heads_of_further_networks_are_tried_where_they_take_little(left_s: float, expected: Candidate | None) -> None:
    step = next_step(LADDER, [FIRST_HEAD, FIRST], left_s)

    assert step is not None
    assert (step.candidate == expected) if expected else (step.fold == 2 and step.candidate.network == "lite0")


def test_larger_images_are_tried_where_a_third_of_the_time_is_enough_else_the_best_gets_folds() -> None:
    heads = dataclasses.replace(FIRST_HEAD, network="lite1", size=192, seconds=40)
    tried = after(FIRST_HEAD, FIRST, heads)
    larger_s = 300 * (224 / 160) ** 2

    ample, scarce = (next_step(LADDER, tried, times * larger_s) for times in (3.1, 2.9))

    assert ample is not None and scarce is not None
    assert (ample.candidate.size, ample.fold) == (224, 1)
    assert ample.expected_s == pytest.approx(larger_s)
    assert scarce.candidate == Candidate("lite1", 192, FINE_TUNING, 6) or scarce.fold == 2


def test_another_network_is_expected_to_take_longer_as_its_head_did() -> None:
    head = dataclasses.replace(FIRST_HEAD, network="lite1", size=192, seconds=50)

    expected = expected_seconds(Candidate("lite1", 192, FINE_TUNING, 6), after(FIRST_HEAD, FIRST, head))

    assert expected == pytest.approx(300 * 50 / 20)


def test_folds_go_to_the_candidate_of_least_loss_until_all_have_one() -> None:
    ladder = ladder_of([("lite0", 160, 6)], has_head=True, may_grow=False)
    better_head = dataclasses.replace(FIRST_HEAD, loss=0.1)
    tried = after(better_head, FIRST)
    folds = []

    while (step := next_step(ladder, tried, 1000, folds=4)) is not None:
        folds.append(step.fold)
        tried = after(*tried, dataclasses.replace(better_head, fold=step.fold))

    assert folds == [2, 3, 4]
    assert best_of(tried) == tried[0]


def test_the_last_network_gets_the_epochs_that_fit_or_is_not_begun() -> None:
    ladder = ladder_of([("lite0", 160, 6)], has_head=True, may_grow=False)

    enough, too_little = (next_step(ladder, after(FIRST_HEAD, FIRST), left_s) for left_s in (210, 140))

    assert enough is not None
    assert (enough.fold, enough.epochs) == (2, 4)
    assert too_little is None


def test_what_more_time_would_bring_is_told_by_what_was_measured() -> None:
    ladder = ladder_of([("lite0", 160, 6)], has_head=True, may_grow=True)
    larger = dataclasses.replace(FIRST, size=224, seconds=600, loss=0.18)
    no_time = dataclasses.replace(FIRST, epochs=0, epochs_done=0, state=NO_TIME, loss=None)

    assert "at 160 px, whole network, for which there was none" in outlook(ladder, after(FIRST_HEAD, no_time))
    assert "first go to all 6 epochs" in outlook(
        ladder, after(FIRST_HEAD, dataclasses.replace(FIRST, epochs_done=3, state=CUT_SHORT))
    )
    said = outlook(ladder, after(FIRST_HEAD, FIRST))
    assert "lite0 at 224 px, whole network, about 10 min" in said
    assert "from 0.300 to 0.200" in said
    assert "4 more networks of lite0 at 224 px" in outlook(ladder, after(FIRST_HEAD, FIRST, larger))
    whole = [dataclasses.replace(larger, fold=fold) for fold in range(1, 6)]
    assert outlook(ladder, after(FIRST_HEAD, FIRST, *whole)).startswith("All that there is to try was tried")


@pytest.mark.parametrize(("time", "seconds"), [("30m", 1800), ("2h", 7200), ("90s", 90), ("1h30m", 5400)])
def test_a_time_is_read_as_people_write_it(time: str, seconds: int) -> None:
    assert seconds_of(time) == seconds


@pytest.mark.parametrize("time", ["", "0m", "30", "half an hour", "-5m", "m", "30m2h"])
def test_another_time_is_refused(time: str) -> None:
    with pytest.raises(InvalidOption, match="such as 30m, 2h, 90s or 1h30m"):
        seconds_of(time)


def test_time_that_was_spent_counts_on_and_more_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "time.json"
    TimeRecord(given_s=100, spent_s=60)
    first = Ledger.open(path, given_s=100, since=_clock() - 60)
    trial = first.begin(FIRST_HEAD)
    first.end(trial, state=DONE)

    again = Ledger.open(path, given_s=300, since=_clock() - 10)

    assert again.left_s == pytest.approx(300 - 70, abs=5)
    assert [one.state for one in again.trials] == [DONE]


def _clock() -> float:
    import time

    return time.perf_counter()
