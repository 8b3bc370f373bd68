"""Training against the clock: what is tried next by what was measured, and a run that is killed and goes on."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import pytest
from rich.console import Console

from overread.bundle import Bundle
from overread.errors import Interrupted, InvalidData, InvalidOption
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.run.trials import CUT_SHORT, DONE, FINE_TUNING, HEAD, NO_TIME, UNDER_WAY, TimeRecord, Trial, seconds_of
from overread.study.data import read_manifest
from overread.study.in_time.ledger import Ledger
from overread.study.in_time.schedule import (
    Candidate,
    Step,
    best_of,
    expected_seconds,
    lacked_time,
    ladder_of,
    members_of,
    next_step,
    outlook,
)
from overread.study.train import train
from overread.training.watch import Watch

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


def test_figures_that_are_not_known_are_left_empty() -> None:
    assert FIRST.figures == ("0.2000", "0.9800")
    assert dataclasses.replace(FIRST, auc=None).figures == ("0.2000", "")


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


def test_a_network_that_time_cut_short_in_its_first_half_is_left_out_of_the_bundle() -> None:
    halves = [
        dataclasses.replace(FIRST, fold=fold, state=CUT_SHORT, epochs_done=done) for fold, done in ((2, 5), (3, 3))
    ]

    assert [trial.fold for trial in members_of(after(FIRST_HEAD, FIRST, *halves))] == [1, 2]


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


KILLED_IN_TRIAL = """
import os, sys, time
from pathlib import Path
from overread.study.in_time.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]), given_s=60, since=time.perf_counter())
with ledger.counted(ledger.trials[0]):
    os._exit(9)
"""


def test_a_trial_that_ends_its_process_without_a_word_is_begun_twice_and_then_left_out(tmp_path: Path) -> None:
    path = tmp_path / "time.json"

    def opened() -> Ledger:
        return Ledger.open(path, given_s=60, since=time.perf_counter())

    opened().begin(dataclasses.replace(FIRST, state=UNDER_WAY, loss=None))
    with pytest.raises(KeyboardInterrupt), opened().counted(opened().trials[0]):
        raise KeyboardInterrupt  # which is told, and counts for nothing
    for _ in range(2):
        assert not opened().trials[0].is_killed_always
        subprocess.run([sys.executable, "-c", KILLED_IN_TRIAL, str(path)], check=False)
    assert opened().trials[0].is_killed_always
    opened().reach(opened().trials[0])  # an epoch is whole
    assert not opened().trials[0].is_killed_always


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("2h", 7200), ("90s", 90), ("1h30m", 5400)])
def test_a_time_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "30", "half an hour", "-5m", "m", "30m2h"])
def test_another_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="such as 30m, 2h, 90s or 1h30m"):
        seconds_of(text)


def test_time_that_was_spent_counts_on_and_more_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "time.json"
    first = Ledger.open(path, given_s=100, since=time.perf_counter() - 60)
    trial = first.begin(FIRST_HEAD)
    first.end(trial, state=DONE)

    again = Ledger.open(path, given_s=300, since=time.perf_counter() - 10)

    assert again.left_s == pytest.approx(300 - 70, abs=5)
    assert [one.state for one in again.trials] == [DONE]
    assert again.is_given_more and not Ledger.open(path, given_s=300, since=time.perf_counter()).is_given_more


def test_what_had_too_little_time_is_told_from_what_more_would_not_change() -> None:
    ladder = ladder_of([("lite0", 160, 6)], has_head=True, may_grow=False)
    fewer, cut, none = (
        dataclasses.replace(FIRST, **changes) for changes in ({"epochs": 4}, {"state": CUT_SHORT}, {"state": NO_TIME})
    )

    assert [lacked_time(ladder, trial) for trial in (FIRST_HEAD, FIRST, fewer, cut, none)] == [False] * 2 + [True] * 3


def test_a_trial_that_is_forgotten_leaves_its_number_to_no_earlier_one(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "time.json", given_s=100, since=time.perf_counter())
    first, second = ledger.begin(FIRST_HEAD), ledger.begin(FIRST)

    ledger.forget(first)

    assert ledger.trials == (second,)
    assert ledger.begin(FIRST).number == 3


@pytest.mark.parametrize(
    "damage", ["", "[" * 10_000, '{"given_s": "much"}', '{"given_s": 1, "trials": [{"network": 5}]}']
)
def test_a_record_of_the_time_that_is_damaged_is_told(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "time.json"
    path.write_text(damage)
    with pytest.raises(InvalidData, match=r"time\.json of the run is damaged"):
        TimeRecord.read(path)


def test_a_trial_that_is_killed_before_it_is_judged_is_gone_on_with_as_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "time.json"
    ledger = Ledger.open(path, given_s=100, since=time.perf_counter())
    trial = ledger.begin(dataclasses.replace(FIRST, state=UNDER_WAY, loss=None))
    ledger.reach(trial)
    assert ledger.trials[-1].state == UNDER_WAY
    ledger.reach(trial, CUT_SHORT)

    again = Ledger.open(path, given_s=100, since=time.perf_counter()).trials
    step = next_step(LADDER, again, 50)

    assert step is not None
    assert (again[-1].state, step.candidate.way, step.fold) == (CUT_SHORT, FINE_TUNING, 1)
    assert next_step(LADDER, [dataclasses.replace(again[-1], loss=0.3)], -1) is None


@pytest.mark.parametrize(
    ("options", "why"), [({"time": "soon"}, "is no time"), ({"time": "1m", "folds": 3}, "or --folds")]
)
def test_what_cannot_be_done_in_time_is_told_before_anything_is_read(
    options: dict[str, Any], why: str, two_classes: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidOption, match=why):
        train(two_classes, tmp_path / "run", **options)

    assert not (tmp_path / "run").exists()


def watched(watch: Watch, losses: list[float]) -> int:
    """The epochs of four that a training with these validation losses has."""
    model = keras.Model()
    model.stop_training = False
    watch.set_params({"epochs": 4})
    watch.set_model(model)
    for epoch, loss in enumerate(losses):
        watch.on_epoch_begin(epoch)
        watch.on_train_batch_end(0)
        watch.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return len(losses)


def test_a_training_that_is_clearly_behind_after_half_of_its_epochs_ends() -> None:
    behind, level = (Watch(lambda: 100.0, rival=[0.5, 0.3, 0.2, 0.2], tick=lambda: None) for _ in range(2))

    assert (watched(behind, [0.9, 0.4, 0.3, 0.2]), behind.is_behind) == (2, True)
    assert (watched(level, [0.9, 0.35, 0.24, 0.2]), level.is_behind) == (4, False)


def test_a_training_ends_before_the_epoch_that_there_is_no_time_for() -> None:
    clock = iter(range(100, -200, -15))
    watch = Watch(lambda: float(next(clock)), tick=lambda: None)

    assert (watched(watch, [0.9, 0.4, 0.3, 0.2]), watch.is_out_of_time) == (2, True)


class StopsAt(keras.callbacks.Callback):
    """Counts the trainings that begin, and is Ctrl-C in one of them."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.begun, self._number = 0, number

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.begun += 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.begun == self._number:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("blank_figures")
def test_a_run_that_is_stopped_goes_on_where_it_was_and_its_networks_are_bundled(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overread.study.in_time.left_out.FOLDS", 3)
    manifest, out = read_manifest(two_classes, patient_pattern=r"^\w\d+"), tmp_path / "run"
    recipe = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32", learning_rate=5e-3)
    stopped, again = StopsAt(2), StopsAt(0)

    with pytest.raises(Interrupted, match="--resume"):
        train(manifest, out, recipe, time="20m", callbacks=[stopped], store=tmp_path / "store")
    first = Bundle.load(out)
    result = train(manifest, out, existing="resume", callbacks=[again], store=tmp_path / "store")

    record = TimeRecord.read(RunFolder(out).time)
    assert record is not None
    assert (len(first.members), len(result.bundle.members), again.begun) == (1, 3, 2)
    assert [(trial.fold, trial.state) for trial in record.trials] == [(1, DONE), (2, DONE), (3, DONE)]
    assert result.unseen is not None
    assert result.unseen.evaluation.n == result.split.sizes()["train"] + result.split.sizes()["val"]
    assert "What was tried" in result.report.read_text(encoding="utf-8")
    with pytest.raises(InvalidOption, match="its test side was opened"):
        train(manifest, out, existing="resume", time="30m", store=tmp_path / "store")


@pytest.mark.usefixtures("blank_figures")
def test_the_least_time_gives_a_bundle_and_a_test_too(two_classes: Path, tmp_path: Path) -> None:
    recipe = Recipe(network="compact", size=32, batch_size=8, precision="float32", learning_rate=5e-3)

    said = Console(record=True, file=io.StringIO())
    result = train(two_classes, tmp_path / "run", recipe, time="1s", store=tmp_path / "store", console=said)

    record = TimeRecord.read(RunFolder(tmp_path / "run").time)
    assert record is not None
    assert "--time 1s cannot be kept" in said.export_text()
    assert [trial.state for trial in record.trials] == [CUT_SHORT]
    assert record.outlook.startswith("More time would first go to all")
    assert result.assessment.evaluation.n > 0
