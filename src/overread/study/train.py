"""The main job, top to bottom: from a folder of labelled images to a trained network, its evaluation and a bundle."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.console import Console

from overread.auditing import UNREADABLE, Audit, Rule, brief_lines, examine_once, without_names
from overread.bundle import Bundle
from overread.cases import PublicNames, Split
from overread.evaluation import Assessment, AssessmentOptions, Evaluation
from overread.evaluation.robustness import Robustness
from overread.evaluation.wording import in_words
from overread.images import DataSet
from overread.machine.files import write_json, write_text
from overread.machine.terminal import progress_console, say
from overread.recipe import Recipe
from overread.report import pages
from overread.report.documents import CardFacts, checklists, model_card
from overread.report.operating_points import threshold_sentences
from overread.run import Existing, FinishedTraining, RunFolder, TrainingRun, new_study_id
from overread.run.trials import TimeRecord, seconds_of
from overread.study.data import (
    Data,
    name_publicly,
    open_data_set,
    preprocessing_of,
    require_codes,
    require_training,
    split_as,
    tell,
    tell_patients,
    write_names,
)
from overread.study.in_time.ledger import Ledger
from overread.study.out_of_fold import judge_unseen
from overread.study.robustness import measure_robustness
from overread.study.settle import Settled, settle
from overread.study.sides import Decoded
from overread.study.way_on import way_on
from overread.test_side.lock import known_before, open_test_side
from overread.test_side.outcome import Outcome
from overread.training.history import History
from overread.words import count

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
        verbose: show progress; by default on a terminal and in a notebook.
        console: where progress is written instead.

    Raises:
        OverreadError: one sentence on what is wrong with the data, the options, the output or the export.

    Example:
        >>> train("larynx", "runs/larynx", Recipe(network="efficientnet-lite0"))  # doctest: +SKIP
    """
    since = perf_counter()
    require_codes(accept, rules)
    console, folder = console or progress_console(verbose), RunFolder(Path(out))
    former = folder.read(TrainingRun) if existing == "resume" and folder.is_ours else None
    settled = settle(
        data, recipe, options, accept=accept, skip_unreadable=skip_unreadable, folds=folds, time=time, folder=folder,
        former=former,
    )  # fmt: skip
    require_training(settled.recipe, settled.manifest, settled.options)
    tell(console, (*settled.notes, *settled.manifest.notes))
    split_as(settled.manifest, settled.recipe, settled.request.folds)  # an impossible split is told before the decoding
    RunFolder.open(out, existing)
    begun = _begin(settled, folder, former, rules=rules, study_id=study_id, store=store, console=console)
    if settled.request.time is None:
        fitted = _train(begun, callbacks, console)
    else:
        begun, fitted = _train_in_time(begun, callbacks, console, since)
    made, unrecorded = _make(begun, fitted, settled.options, console)
    _report(begun, made, unrecorded)
    return Study(
        out=folder.path,
        bundle=made.bundle,
        split=begun.split,
        histories=made.histories,
        assessment=made.outcome.assessment,
        unseen=made.unseen,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Begun:
    """A run whose images are decoded, split and audited.

    Args:
        folder: of the run.
        run: as it is recorded.
        split: of the readable images.
        data_set: likewise.
        audit: of all images.
        warnings: that others have opened its test side.
        names: what images go by.
    """

    folder: RunFolder
    run: TrainingRun
    split: Split
    data_set: DataSet
    audit: Audit
    warnings: tuple[str, ...]
    names: PublicNames

    @property
    def recipe(self) -> Recipe:
        return self.run.request.recipe


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Made:
    """What a run made: its networks, their bundle, and what the images say that they never saw and those of test."""

    fitted: tuple[Fitted, ...]
    bundle: Bundle
    unseen: Assessment | None
    robustness: Robustness
    outcome: Outcome

    @property
    def histories(self) -> tuple[History, ...]:
        return tuple(each.trained.history for each in self.fitted)


def _begin(
    settled: Settled,
    folder: RunFolder,
    former: TrainingRun | None,
    *,
    rules: Sequence[Rule],
    study_id: str | None,
    store: Path | None,
    console: Console,
) -> _Begun:
    """Decode, split and audit.

    Nothing is written until the audit lets it pass, so that the same folder can be given again; then the run is
    recorded first, so that it can always go on.
    """
    request, recipe = settled.request, settled.recipe
    opened = open_data_set(settled.manifest, preprocessing_of(recipe), store, request.skip_unreadable, console)
    decoded = Decoded.of(settled.manifest, opened, joins_copies=former is None or former.copies is not None)
    split, decoded = decoded.split(recipe, request.folds)
    data_set = decoded.data_set
    tell(console, split.notes, split.warnings)
    if request.source is not None:
        tell_patients(console, split.manifest)
    names = name_publicly(settled.manifest, request.source)
    run = TrainingRun(
        request=settled.for_images(len(split.parts[0].select("train"))).request,
        fingerprint=data_set.fingerprint,
        images=split.counts(),
        patients=split.patients(),
        study=former.study if former else study_id or new_study_id(),
        left_out=names.of_all(data_set.failures),
        copies=decoded.groups if former is None else former.copies,
    )
    if former is not None:
        what = "the images or their split"
        folder.require_same({what: run.fingerprint}, {what: former.fingerprint})
        run = dataclasses.replace(run, started=former.started)
    accept = {*request.accept, *(UNREADABLE if request.skip_unreadable else ())}
    audit = _audited(decoded, accept, rules=rules, console=console)
    audit.require(way_on(audit, rules, request.source, folder.path))
    folder.write(run)
    write_names(folder, names)
    split.manifest.write_csv(folder.manifest)
    write_json(folder.audit, without_names(audit, names).to_dict())
    warnings = known_before(data_set, split.manifest.select("test"), study=run.study, began=run.started)
    tell(console, (), warnings)
    return _Begun(folder=folder, run=run, split=split, data_set=data_set, audit=audit, warnings=warnings, names=names)


def _train(begun: _Begun, callbacks: Sequence[Any], console: Console) -> tuple[Fitted, ...]:
    """Train the network, or one for each fold; the networks of folds that an earlier run has finished are loaded."""
    from overread.training.make_bundle import Fitted
    from overread.training.train_network import train_network

    fitted, folds = [], len(begun.split.parts)
    for number, part in enumerate(begun.split.parts, start=1):
        data_set, recipe, folder = begun.data_set.with_split(part), begun.recipe, begun.folder
        if folds > 1:
            console.rule(f"fold {number} of {folds}")
            # Networks that begin alike err more alike.
            recipe = dataclasses.replace(recipe, seed=(recipe.seed + number - 1) % 2**31)
            folder = folder.network(number)
            folder.path.mkdir(parents=True, exist_ok=True)
            part.write_csv(folder.manifest)
        trained = train_network(data_set, recipe, folder.path, console=console, callbacks=callbacks)
        fitted.append(Fitted(trained=trained, data_set=data_set, folder=folder))
    return tuple(fitted)


def _train_in_time(
    begun: _Begun, callbacks: Sequence[Any], console: Console, since: float
) -> tuple[_Begun, tuple[Fitted, ...]]:
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


def _make(
    begun: _Begun, fitted: tuple[Fitted, ...], options: AssessmentOptions, console: Console
) -> tuple[_Made, tuple[str, ...]]:
    """Export, choose all that is chosen on unseen images, and open the test side; also warn of what is unrecorded."""
    from overread.training.make_bundle import write_bundle

    bundle = write_bundle(fitted, begun.run, begun.folder)
    unseen = judge_unseen(fitted, bundle, begun.folder, options) if len(fitted) > 1 else None
    if unseen is not None:
        say(console, f"{count(unseen.evaluation.n, 'out-of-fold reading')}: AUC {in_words(unseen['auc'])}")
    tell(console, threshold_sentences(bundle.operating_points))
    sides = [each.data_set for each in fitted]
    robustness = measure_robustness(bundle, sides, begun.folder, level=options.level, console=console)
    test_side = begun.split.manifest.select("test")
    say(console, f"the bundle is written; the test side ({len(test_side)} images) is opened once")
    outcome, unrecorded = open_test_side(bundle, begun.data_set, test_side, begun.folder.test.path, options)
    made = _Made(fitted=fitted, bundle=bundle, unseen=unseen, robustness=robustness, outcome=outcome)
    return made, unrecorded


def _report(begun: _Begun, made: _Made, unrecorded: tuple[str, ...]) -> None:
    """Write what came out, pack the bundle, and record that the run is finished."""
    from overread.training.train_network import augmented_previews

    folder, split, outcome = begun.folder, begun.split, made.outcome
    histories, warnings = made.histories, (*begun.warnings, *unrecorded)
    run = FinishedTraining(
        **vars(begun.run),
        precision=made.fitted[0].trained.precision,
        best_epoch=histories[0].best_epoch or None if len(histories) == 1 else None,
        seconds=round(sum(history.seconds for history in histories), 1),
        cut_short=any(history.cut_short for history in histories),
    )
    training = pages.TrainingResult(
        run=run,
        split=split,
        data_set=begun.data_set,
        audit=begun.audit,
        histories=histories,
        unseen=made.unseen,
        time=TimeRecord.read(folder.time),
        augment=functools.partial(augmented_previews, recipe=begun.recipe),
        robustness=made.robustness,
    )
    result = pages.BundleResult(bundle=made.bundle, outcome=outcome, warnings=warnings, names=begun.names)
    pages.write_training_report(folder.path, training, result)
    facts = CardFacts(
        counts=split.counts(),
        sizes=split.sizes(),
        patients=split.patients(),
        has_patients=split.manifest.has_patients,
        notes=begun.names.hide_in((*split.manifest.notes, *split.notes)),
        warnings=begun.names.hide_in((*split.warnings, *begun.audit.warnings, *warnings)),
        failures=begun.data_set.failures,
        epochs=sum(len(history.rows) for history in histories),
        best_epoch=run.best_epoch,
        seconds=run.seconds,
        machine=run.machine,
        command=run.command,
        referral=outcome.referral,
        robustness=made.robustness,
    )
    write_documents(made.bundle, outcome.assessment, facts, folder)
    made.bundle.pack()
    folder.write(run)


def write_documents(bundle: Bundle, assessment: Assessment, facts: CardFacts, folder: RunFolder) -> None:
    """Write the model card into the bundle, and the checklists beside it."""
    bundle.write_card(model_card(bundle, assessment, facts))
    write_text(folder.checklists, checklists(bundle, assessment, facts))


def _audited(decoded: Decoded, accept: Collection[str], *, rules: Sequence[Rule], console: Console) -> Audit:
    """Audit the cases with the sides that training will use."""
    found = examine_once(decoded.manifest, decoded.data_set, decoded.headers, rules=rules).accept(accept)
    for line in brief_lines(found, rules=rules):
        say(console, f"audit {line.text}", "" if line.severity == "info" else "bold yellow")
    return found
