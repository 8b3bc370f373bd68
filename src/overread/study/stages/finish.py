"""The end of a training run: the bundle, the test side opened once, report and documents."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

from rich.console import Console

from overread.bundle import Bundle
from overread.errors import InvalidBundle, MissingPath
from overread.evaluation import Assessment, AssessmentOptions
from overread.evaluation.robustness import Robustness
from overread.evaluation.wording import in_words
from overread.machine.files import write_text
from overread.machine.terminal import say
from overread.report import pages
from overread.report.documents import CardFacts, checklists, model_card
from overread.report.of_exams import in_exams
from overread.report.operating_points import threshold_sentences
from overread.run import FinishedTraining, RunFolder
from overread.run.trials import TimeRecord
from overread.study.data import tell
from overread.study.robustness import measure_robustness
from overread.study.stages.begin import Begun
from overread.study.stages.out_of_fold import judge_unseen
from overread.test_side.lock import open_test_side
from overread.test_side.outcome import Outcome
from overread.training.history import History
from overread.words import count

if TYPE_CHECKING:
    from overread.training.make_bundle import Fitted


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """What a run made: its networks, their bundle, and what the images say that they never saw and those of test."""

    fitted: tuple[Fitted, ...]
    bundle: Bundle
    unseen: Assessment | None
    robustness: Robustness | None
    outcome: Outcome

    @property
    def histories(self) -> tuple[History, ...]:
        """How the training of each network went."""
        return tuple(each.trained.history for each in self.fitted)


def make(
    begun: Begun, fitted: tuple[Fitted, ...], options: AssessmentOptions, console: Console
) -> tuple[Made, tuple[str, ...]]:
    """Export, choose all that is chosen on unseen images, and open the test side; also warn of what is unrecorded."""
    from overread.training.make_bundle import write_bundle

    _tell_damage(begun.folder, console)
    bundle = write_bundle(fitted, begun.run, begun.folder)
    unseen = judge_unseen(fitted, bundle, begun.folder, options) if len(fitted) > 1 else None
    if unseen is not None:
        say(console, f"{count(unseen.evaluation.n, 'out-of-fold reading')}: AUC {in_words(unseen['auc'])}")
    tell(console, threshold_sentences(bundle))
    sides = [each.data_set for each in fitted]
    robustness = None
    if not begun.data_set.is_of_exams:  # whose overviews alone are at hand, and no exam is read by its overview
        robustness = measure_robustness(bundle, sides, begun.folder, level=options.level, console=console)
    test_side = begun.split.manifest.select("test")
    say(console, f"the bundle is written; the test side ({len(test_side)} {begun.split.manifest.noun}s) is opened once")
    outcome, unrecorded = open_test_side(bundle, begun.data_set, test_side, begun.folder.test.path, options)
    made = Made(fitted=fitted, bundle=bundle, unseen=unseen, robustness=robustness, outcome=outcome)
    return made, unrecorded


def _tell_damage(folder: RunFolder, console: Console) -> None:
    try:
        Bundle.load(folder.bundle)
    except InvalidBundle:
        tell(console, (), ("the bundle is damaged and is made anew, and so is its record of evaluations",))
    except MissingPath:
        pass


def report(begun: Begun, made: Made, unrecorded: tuple[str, ...]) -> None:
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
    card, lists = model_card(bundle, assessment, facts), checklists(bundle, assessment, facts)
    of_exams = bundle.exams is not None
    bundle.write_card(in_exams(card) if of_exams else card)
    write_text(folder.checklists, in_exams(lists) if of_exams else lists)
