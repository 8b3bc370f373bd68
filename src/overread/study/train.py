"""The main job, top to bottom: from a folder of labelled images to a trained network, its evaluation and a bundle."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.console import Console

from overread.auditing import Rule
from overread.bundle import Bundle
from overread.cases import Split
from overread.errors import InvalidOption
from overread.evaluation import Assessment, AssessmentOptions, Evaluation
from overread.machine.remote import local_place
from overread.machine.terminal import progress_console, say
from overread.recipe import Recipe
from overread.run import Existing, RunFolder, TrainingRun
from overread.run.trials import seconds_of
from overread.scale import Engine, OneAfterTheOther
from overread.study.data import (
    Data,
    preprocessing_of,
    require_codes,
    require_training,
    split_as,
    tell,
)
from overread.study.in_time.ledger import Ledger
from overread.study.settle import settle
from overread.study.stages.begin import Begun, begin
from overread.study.stages.elsewhere import bring_home, storage_of
from overread.study.stages.finish import make, report
from overread.study.stages.network import NetworkTraining, train_one
from overread.training.history import History

if TYPE_CHECKING:
    from overread.training.make_bundle import Fitted


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Study:
    """A finished training run.

    Args:
        out: its folder.
        bundle: what it made.
        split: the images with their sides.
        histories: how the training of each network went.
        assessment: what the test side says.
        unseen: with folds, what all other images say, each read by the network that never saw its patient.
    """

    out: Path
    bundle: Bundle
    split: Split
    histories: tuple[History, ...]
    assessment: Assessment
    unseen: Assessment | None = None

    @property
    def history(self) -> History:
        """How training went; of several networks, that of the first."""
        return self.histories[0]

    @property
    def evaluation(self) -> Evaluation:
        """The metrics of the test side, without their intervals."""
        return self.assessment.evaluation

    @property
    def report(self) -> Path:
        """The page to open first."""
        return RunFolder(self.out).report

    def __repr__(self) -> str:
        return f"Study({str(self.out)!r}: {self.bundle!r}, tested on {self.assessment!r})"

    def _repr_html_(self) -> str:
        return self.assessment._repr_html_()


def train(
    data: Data | None,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    folds: int | None = None,
    time: str | None = None,
    options: AssessmentOptions | None = None,
    accept: Collection[str] = (),
    rules: Sequence[Rule] = (),
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    study_id: str | None = None,
    callbacks: Sequence[Any] = (),
    engine: Engine | None = None,
    storage: str | None = None,
    verbose: bool | None = None,
    console: Console | None = None,
) -> Study:
    """Split by patient, audit, train, calibrate and choose the operating point on validation, open the test side once.

    Args:
        data: a manifest, or a folder or CSV to read one from; None to resume with those of the run in out.
        out: the folder of this run: `bundle/`, `bundle.zip`, `report.html`, `checklists.md`, `figures/`, `test/`,
            `log.csv`, `run.json`.
        recipe: how to train; by default a default `Recipe`, or as the run that is resumed.
        folds: with 2 to 20, the images outside test are dealt to so many folds by patient, and as many networks are
            trained, each without one of them. What each says of its own fold calibrates all, places the threshold and
            sets the referral, in place of a validation side; the bundle gives their mean. By default one network, or
            as the run that is resumed.
        time: such as "30m", "2h" or "90s": the best bundle that this machine makes in so long, from decoding to report.
            A linear head, the network, larger images and further networks are tried as time allows, the best by log
            loss on validation is chosen, and gets networks on further folds. What recipe fixes stays. A run that is
            resumed goes on with what is left of its time, or of the time that is given then.
        options: what to ask of the test result; by default 95 % intervals, or as the run that is resumed.
        accept: codes of audit findings that block and are accepted; the report records them.
        rules: audit rules of your own, asked besides those of overread.
        existing: what to do when out holds something: refuse, resume the run in it, or replace it.
        skip_unreadable: leave unreadable images out, naming each in the report, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        study_id: runs under one id may open a test set one after the other without a warning; by default a new one.
        callbacks: Keras callbacks that training calls; a run that is resumed calls them again.
        engine: with folds, what runs the trainings, such as `scale.RayTasks`; by default one after the other, here.
        storage: where an engine's trainings keep what they have reached, so that another machine goes on where one is
            lost: an address such as "s3://bucket/run". Not needed where all see out under the same path.
        verbose: show progress; by default on a terminal and in a notebook.
        console: where progress is written instead.

    Raises:
        OverreadError: one sentence on what is wrong with the data, the options, the output or the export.

    Example:
        >>> train("larynx", "runs/larynx", Recipe(network="efficientnet-lite0"))  # doctest: +SKIP
    """
    since = perf_counter()
    require_codes(accept, rules)
    console, folder = console or progress_console(verbose), RunFolder(local_place(out))
    former = folder.read(TrainingRun) if existing == "resume" and folder.is_ours else None
    settled = settle(
        data, recipe, options, accept=accept, skip_unreadable=skip_unreadable, folds=folds, time=time, folder=folder,
        former=former,
    )  # fmt: skip
    require_training(settled.recipe, settled.manifest, settled.options)
    if engine is not None and settled.request.folds < 2:
        raise InvalidOption(
            "an engine spreads trainings that know nothing of each other, which a single network and --time lack: give "
            "--folds 2 to 20 or no --engine"
        )
    if settled.request.time is not None and any(case.instances for case in settled.manifest.cases):
        raise InvalidOption("--time finds a network for images, and these are exams: train them without it")
    tell(console, (*settled.notes, *settled.manifest.notes))
    split_as(settled.manifest, settled.recipe, settled.request.folds)  # an impossible split is told before the decoding
    RunFolder.open(out, existing)
    begun = begin(settled, folder, former, rules=rules, study_id=study_id, store=store, console=console)
    if settled.request.time is None:
        training = functools.partial(
            NetworkTraining,
            every=settled.manifest,
            store=store,
            skip_unreadable=settled.request.skip_unreadable,
            callbacks=tuple(callbacks),
            console=console,
        )
        recipe = _of_all_networks(begun, engine, console)
        fitted = _train(begun, _trainings(begun, recipe, training, storage), engine)
    else:
        if begun.run.hosts > 1:
            raise InvalidOption("--time finds a network on one host: give it without --hosts")
        begun, fitted = _train_in_time(begun, callbacks, console, since)
    made, unrecorded = make(begun, fitted, settled.options, console)
    report(begun, made, unrecorded)
    return Study(
        out=folder.path,
        bundle=made.bundle,
        split=begun.split,
        histories=made.histories,
        assessment=made.outcome.assessment,
        unseen=made.unseen,
    )


def _of_all_networks(begun: Begun, engine: Engine | None, console: Console) -> Recipe:
    """The recipe; of several networks, with the precision that all are trained in."""
    from overread.training.train_network import settle_precision

    if len(begun.split.parts) == 1 or begun.data_set.is_of_exams:
        return begun.recipe
    data_set = begun.data_set.with_split(begun.split.parts[0])
    return settle_precision(data_set, begun.recipe, begun.folder.path, engine, console)


def _train(begun: Begun, trainings: Sequence[NetworkTraining], engine: Engine | None) -> tuple[Fitted, ...]:
    """Train the network, or one for each fold; the networks of folds that an earlier run has finished are loaded."""
    from overread.training.make_bundle import Fitted

    fitted = []
    done = (engine or OneAfterTheOther()).map(train_one, trainings)
    for training, trained in zip(trainings, done, strict=True):
        bring_home(training.out, training.storage)
        data_set = begun.data_set.with_split(training.sides)
        fitted.append(Fitted(trained=trained, data_set=data_set, folder=RunFolder(training.out)))
        if engine is not None and training.console is not None:
            say(training.console, f"{training.title} is finished")
    return tuple(fitted)


def _trainings(
    begun: Begun, recipe: Recipe, training: Callable[..., NetworkTraining], storage: str | None
) -> list[NetworkTraining]:
    """The training of each fold, or of the only network; what they share is in training already."""
    folds, found = len(begun.split.parts), []
    for number, part in enumerate(begun.split.parts, start=1):
        out = begun.folder.network(number).path if folds > 1 else begun.folder.path
        # Networks that begin alike err more alike.
        seed = (recipe.seed + number - 1) % 2**31
        found.append(
            training(
                title=f"fold {number} of {folds}" if folds > 1 else "",
                sides=part,
                data_set=begun.data_set.with_split(part),
                preprocessing=preprocessing_of(recipe),
                recipe=dataclasses.replace(recipe, seed=seed),
                out=out.absolute(),
                storage=storage_of(storage, out, begun.folder.path),
            )
        )
    return found


def _train_in_time(
    begun: Begun, callbacks: Sequence[Any], console: Console, since: float
) -> tuple[Begun, tuple[Fitted, ...]]:
    """Train what there is time for, and give the networks of the best candidate, with its recipe and its pixels."""
    from overread.study.in_time.field import Field
    from overread.study.in_time.work import InTime

    ledger = Ledger.open(begun.folder.time, given_s=seconds_of(begun.run.request.time or ""), since=since)
    work = InTime(
        field=Field(data_set=begun.data_set, request=begun.run.request, console=console),
        run=begun.run,
        folder=begun.folder,
        ledger=ledger,
        callbacks=callbacks,
        console=console,
    )
    try:
        chosen = work.carry_out()
    finally:
        ledger.save()
    return dataclasses.replace(begun, run=chosen.run, data_set=chosen.data_set), chosen.fitted
