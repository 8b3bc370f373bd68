"""Training against the clock: one trial after another, as the schedule says, and a bundle as soon as there is one."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from overread.errors import InvalidOption
from overread.images import DataSet
from overread.machine.terminal import say
from overread.run import RunFolder, TrainingRun
from overread.run.trials import DONE, FAILED, HEAD, KILLED, NO_HEAD, NO_TIME, UNDER_WAY, Trial
from overread.study.data import tell
from overread.study.in_time.field import Field
from overread.study.in_time.ledger import Ledger
from overread.study.in_time.schedule import Step, best_of, epochs_that_fit, lacked_time, members_of, next_step, outlook
from overread.training.frozen import train_head
from overread.training.held_out import judge
from overread.training.make_bundle import Fitted, write_bundle
from overread.training.memory import asking_for_less
from overread.training.states.resume import read_progress
from overread.training.states.whole import drop_damaged
from overread.training.train_network import TrainedNetwork, measure_speed, train_network
from overread.training.watch import Watch
from overread.words import duration

# Seconds, as long as they were not measured: to build a network and compile its steps, to make a bundle, to report.
_TO_BEGIN_S, _BUNDLE_S, _REPORT_S = 25.0, 30.0, 20.0
# To read an image of 160 px (efficientnet-lite0 on two cores, November 2026); and how often, for how it bears up.
_READING_S, _READING_PX, _UNDER_SHIFTS, _SHIFTED = 0.0042, 160, 25, 200
# An epoch takes so much longer than its steps alone, of which a few are measured.
_OVER_STEPS = 1.4
# Of the time left, what a bundle may take that something better will likely replace.
_FOR_BUNDLE = 0.15


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """What the bundle is made of: the networks of one candidate, the cases at its size, the run with its recipe."""

    fitted: tuple[Fitted, ...]
    data_set: DataSet
    run: TrainingRun


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class InTime:
    """A run against the clock.

    Args:
        field: what may be trained.
        run: as it is recorded.
        folder: of the run.
        ledger: of its time.
        callbacks: the user's, of every training.
        console: where progress is shown.
    """

    field: Field
    run: TrainingRun
    folder: RunFolder
    ledger: Ledger
    callbacks: Sequence[Any]
    console: Console
    _made: dict[int, Fitted] = dataclasses.field(default_factory=dict, init=False, repr=False)
    _bundled: set[int] = dataclasses.field(default_factory=set, init=False, repr=False)

    def carry_out(self) -> Chosen:
        """Try what there is time for, and give the networks of the best candidate."""
        if self.ledger.is_given_more:
            self._forget_what_lacked_time()
        self._warn_of_too_little()
        while (step := self._next_step()) is not None:
            trial = self._try(step)
            is_new = trial in members_of(self.ledger.trials)
            if is_new and self._bundle_s <= _FOR_BUNDLE * self.ledger.left_s:
                self._write_bundle()
        if not members_of(self.ledger.trials):
            raise InvalidOption(
                "no network could be trained on this machine, for the process of each was killed: begin anew with a "
                "smaller --batch-size or --size"
            )
        chosen, *_ = members_of(self.ledger.trials)
        said = outlook(self.field.ladder, self.ledger.trials, folds=len(self.field.parts))
        self.ledger.save(chosen=chosen.number, outlook=said)
        self._tell()
        return self._chosen()

    def _warn_of_too_little(self) -> None:
        """Say at once where the time is over before a first network is trained."""
        if best_of(self.ledger.trials) is None and self._left() <= 0:
            needed = duration(self.ledger.spent_s + self.ledger.left_s - self._left())
            say(
                self.console,
                f"WARNING: --time {self.run.request.time} cannot be kept: to decode, bundle, test and report takes "
                f"about {needed} alone; the briefest training follows",
                "bold yellow",
            )

    def _forget_what_lacked_time(self) -> None:
        """Let the time that was added go where it was lacking: what had too little is begun anew."""
        for trial in self.ledger.trials:
            if lacked_time(self.field.ladder, trial):
                self.ledger.forget(trial)
                shutil.rmtree(self._folder(trial).path, ignore_errors=True)
        self.ledger.save(chosen=None)

    def _next_step(self) -> Step | None:
        """What is tried next; nothing once a candidate was chosen, for then the test side may have been opened."""
        if self.ledger.record.chosen is not None:
            return None
        return next_step(self.field.ladder, self.ledger.trials, self._left(), folds=len(self.field.parts))

    def _try(self, step: Step) -> Trial:
        """Train what the schedule wants, or go on with it, and judge it by the patients that it never saw."""
        trial = self._begun(step)
        if trial.state == NO_TIME:
            say(self.console, f"{trial}: there is no time for it")
            return trial
        if trial.is_killed_always:
            why = f"its process was killed {trial.starts} times before an epoch was whole, as where memory runs out"
            tell(self.console, (), (f"{trial} is left out, for {why}: a smaller --batch-size needs less",))
            return self.ledger.end(trial, state=KILLED)
        about = "" if step.expected_s is None else f", about {duration(step.expected_s)}"
        say(self.console, f"trying {trial}{about}; {duration(self.ledger.left_s)} left", "bold")
        with self.ledger.counted(trial):
            try:
                return self._judged(trial)
            except InvalidOption as error:  # it diverged, or takes too much, which is no reason to lose the others
                if best_of(self.ledger.trials) is None:
                    raise
                say(self.console, f"{trial}: {error}", "bold yellow")
                return self.ledger.end(trial, state=FAILED)

    def _judged(self, trial: Trial) -> Trial:
        rival = best_of(self.ledger.trials) if trial.fold == 1 else None
        watch = Watch(self._left, rival=self._losses(rival), tick=lambda: self.ledger.reach(trial, watch.ended_as))
        with asking_for_less(self.field.recipe(trial)):
            fitted = self._train(trial, watch)
            if fitted is None:
                return self.ledger.end(trial, state=NO_HEAD)
            loss, auc = judge(fitted.trained, fitted.data_set, class_weights=self.field.base.class_weights)
        done = len(fitted.trained.history.rows)
        state = watch.ended_as or (trial.state if trial.state != UNDER_WAY and done < trial.epochs else DONE)
        trial = self.ledger.end(trial, state=state, loss=loss, auc=auc, epochs_done=done)
        shown_loss, shown_auc = trial.figures
        said = f"log loss {shown_loss}, AUC {shown_auc or 'undefined'} on patients that it never saw"
        say(self.console, f"{trial} ({state}): {said}; it took {duration(trial.seconds)}")
        return trial

    def _begun(self, step: Step) -> Trial:
        """The trial of a step, which is under way, or begins now with the epochs that fit."""
        if self.ledger.trials and self.ledger.trials[-1].is_under_way:
            return self.ledger.trials[-1]
        trial = Trial(**dataclasses.asdict(step.candidate) | {"fold": step.fold, "epochs": step.epochs})
        self.field.cases(trial.size)  # decoding is no part of what a network takes
        if trial.way != HEAD and step.expected_s is None and "epochs" in self.run.request.left_open:
            epochs = self._fitting_epochs(trial)
            trial = dataclasses.replace(trial, epochs=epochs, state=UNDER_WAY if epochs else NO_TIME)
        return self.ledger.begin(trial)

    def _fitting_epochs(self, trial: Trial) -> int:
        """As many epochs as there is time for by the speed of a few steps; one where there is nothing else."""
        data_set, recipe = self.field.cases(trial.size), self.field.recipe(trial)
        least = 0 if best_of(self.ledger.trials) else 1
        if least == 0 and self._left() < 2 * _TO_BEGIN_S:  # to measure takes as long as to begin
            return 0
        if (speed := measure_speed(data_set, recipe)) is None:
            return trial.epochs
        epoch_s = _OVER_STEPS * len(data_set.manifest.select("train")) / speed
        return max(least, epochs_that_fit(trial.epochs, self._left() - _TO_BEGIN_S, epoch_s))

    def _train(self, trial: Trial, watch: Watch | None = None) -> Fitted | None:
        """Train, or load what was trained; None where the network has no linear head."""
        data_set, folder = self.field.cases(trial.size, trial.fold), self._folder(trial)
        recipe = self.field.recipe(trial)
        folder.path.mkdir(parents=True, exist_ok=True)
        trained: TrainedNetwork | None
        if trial.way == HEAD:
            trained = train_head(data_set, recipe, folder.path, console=self.console)
        else:
            callbacks = [*self.callbacks, *([watch] if watch else [])]
            trained = train_network(data_set, recipe, folder.path, console=self.console, callbacks=callbacks)
        if trained is not None:
            self._made[trial.number] = Fitted(trained=trained, data_set=data_set, folder=folder)
        return self._made.get(trial.number)

    def _folder(self, trial: Trial) -> RunFolder:
        return self.folder.trial(trial.number)

    def _losses(self, trial: Trial | None) -> list[float]:
        """The validation loss of each epoch of a trial; of a linear head there is none."""
        if trial is None or trial.way == HEAD:
            return []
        checkpoints = self._folder(trial).checkpoints
        drop_damaged(checkpoints, self.console)
        reached, _ = read_progress(checkpoints)
        return [row["val_loss"] for row in reached.rows]

    def _chosen(self) -> Chosen:
        trials = members_of(self.ledger.trials)
        fitted = [self._made.get(trial.number) or self._train(trial) for trial in trials]
        recipe = self.field.recipe(trials[0])
        return Chosen(
            fitted=tuple(one for one in fitted if one is not None),
            data_set=self.field.cases(trials[0].size),
            run=dataclasses.replace(self.run, request=dataclasses.replace(self.run.request, recipe=recipe)),
        )

    def _write_bundle(self) -> None:
        start, chosen = time.perf_counter(), self._chosen()
        self._bundled.update(trial.number for trial in members_of(self.ledger.trials))
        write_bundle(chosen.fitted, chosen.run, self.folder)
        self.ledger.save(bundle_s=round(time.perf_counter() - start, 1))
        say(self.console, f"{self.folder.bundle} holds {chosen.fitted[0].trained.spec.name} now and can be used")

    @property
    def _bundle_s(self) -> float:
        return self.ledger.record.bundle_s or _BUNDLE_S

    def _left(self) -> float:
        """Seconds that are left for training: bundle, test side and report take theirs."""
        networks = members_of(self.ledger.trials)
        # A bundle takes its time for each network that is new in it: one candidate, or folds and the next one of them.
        waiting = {trial.number for trial in networks} - self._bundled
        bundle_s = self._bundle_s * (1 if len(networks) < 2 else len(waiting) + 1)
        of_val, of_test = (len(self.field.data_set.manifest.select(side)) for side in ("val", "test"))
        members, size = max(1, len(networks)), networks[0].size if networks else self.field.ladder[0].size
        readings = of_test * members + _UNDER_SHIFTS * min(_SHIFTED, of_val * members)
        return self.ledger.left_s - bundle_s - readings * _READING_S * (size / _READING_PX) ** 2 - _REPORT_S

    def _tell(self) -> None:
        """Show what was tried, and what more time would bring."""
        say(self.console, "what was tried (log loss, AUC, time; the chosen one is marked *):")
        record = self.ledger.record
        for trial in record.trials:
            worth = "  ".join(trial.figures) if trial.is_judged else trial.state
            mark = "*" if trial.number == record.chosen else " "
            say(self.console, f" {mark} {trial}: {worth}  {duration(trial.seconds)}")
        say(self.console, record.outlook)
