"""What can be said of a bundle and its test in sentences, for the model card and the checklists alike.

References:
    Vergouwe Y et al. J Clin Epidemiol 2005;58:475-483 (100 cases of a class). doi:10.1016/j.jclinepi.2004.06.017
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping

from overread.bundle.bundle import Bundle
from overread.cases.carver import MIN_VALIDATION_PER_CLASS
from overread.decision.task import Task
from overread.evaluation import ALL, Assessment, ReferralAssessment
from overread.evaluation.robustness import Robustness
from overread.evaluation.wording import share_in_cell
from overread.formats.windows import described_windows
from overread.report.calibrations import calibration_sentences
from overread.report.documents.told_apart import decided, gives
from overread.report.operating_points import unplaced_sentences
from overread.report.robustness import worst_sentence
from overread.words import count, level_of, listed, percent

# Fewer leave little power to tell how good a prediction is (Vergouwe et al. 2005).
FEWEST_TEST_CASES = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What a training run knows beside its bundle and its assessment.

    Args:
        counts: images by side and class.
        sizes: images by side.
        patients: by side; an image without one counts as a patient of its own.
        has_patients: whether every image names its patient.
        notes: what was decided about the data and the split.
        warnings: what may flatter the result.
        failures: by name of the image, why it was left out.
        epochs: that were trained, by all networks of an ensemble together.
        best_epoch: whose weights are kept; None for an ensemble.
        seconds: of training.
        machine: in words.
        command: that was run.
        referral: what abstaining gave on the test side; None where that is not known.
        robustness: what changed validation images cost; None where that was not measured.
        folds: of a cross-validation, whose left-out folds are the test; 0 where one test side was held out.
    """

    counts: Mapping[str, Mapping[str, int]]
    sizes: Mapping[str, int]
    patients: Mapping[str, int]
    has_patients: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: Mapping[str, str]
    epochs: int
    best_epoch: int | None
    seconds: float
    machine: str
    command: str
    referral: ReferralAssessment | None = None
    robustness: Robustness | None = None
    folds: int = 0


def kind(bundle: Bundle) -> str:
    """Say what network it is and what it gives."""
    networks = (
        "A convolutional neural network"
        if len(bundle.members) == 1
        else (f"{len(bundle.members)} convolutional neural networks, whose calibrated probabilities are averaged")
    )
    return f"{networks} ({bundle.network['name']}): from one image {gives(bundle.task)}."


def preprocessing(bundle: Bundle) -> str:
    """Say how an image becomes the input."""
    made = bundle.preprocessing
    fitted = "with its aspect kept, on black" if made.fit == "pad" else "stretched to fill it"
    colour = "grey" if made.channels == 1 else "colour"
    windows = made.view.windows
    seen = f", its grey values seen through {described_windows(windows)}" if windows else ""
    return f"Each image is resized to {made.width} x {made.height} pixels in 8-bit {colour}{seen}, {fitted}."


def left_out(facts: CardFacts) -> str:
    """Say how many images were left out and why, without their names."""
    if not facts.failures:
        return "No image was left out as unreadable."
    reasons = Counter(_what_happened(reason) for reason in facts.failures.values())
    found = "; ".join(f"{n:,} {reason}" for reason, n in reasons.items())
    return f"Images left out as unreadable: {len(facts.failures):,} ({found})."


def _what_happened(reason: str) -> str:
    """A reason without what to do about it, which follows the first colon outside brackets."""
    found = re.match(r"(\([^)]*\)|:(?! )|[^:])*", reason)
    return found.group().strip() if found else reason


def training(facts: CardFacts) -> str:
    """Say how long it was trained and which weights are kept."""
    if facts.epochs == 0:
        return f"Only the last layer was fitted, to features of pretrained layers, without epochs ({facts.machine})."
    kept = "" if facts.best_epoch is None else f" The weights of epoch {facts.best_epoch} are kept."
    return f"Training took {facts.epochs:,} epochs in {facts.seconds / 60:,.1f} minutes ({facts.machine}).{kept}"


def decision(bundle: Bundle, facts: CardFacts) -> str:
    """Say how probabilities become a decision."""
    when = f"{bundle.chosen_on}, before the test was read"
    if facts.folds:
        when = "what networks said of images that they were not trained on"
    if (point := bundle.operating_point) is None:
        unplaced = unplaced_sentences(bundle.unplaced, bundle.chosen_on)
        return " ".join((decided(bundle.task, when), *unplaced))
    return (
        f"An image is called {bundle.positive} where the probability of that is {point.threshold:.4g} or more, a "
        f"threshold chosen on {when} (rule {point.rule})."
    )


def refers(bundle: Bundle) -> str:
    """Say when a reading is referred to a human."""
    found, task = bundle.referral, bundle.task
    always = f" {listed(found.always)} had too few images there and is in every set." if found.always else ""
    counts = listed([f"{n:,} images of {name}" for name, n in found.counts.items()])
    holds, leaves = "the true class of {} of the images of each class", "is not exactly the class decided on"
    if not task.exclusive:
        holds, leaves = "the true answer to each question for {} of the images", "does not bear out each answer"
        counts = f"{min(found.counts.values()):,} to {max(found.counts.values()):,} images of each answer"
        always = f" {count(len(found.always), 'answer')} had too few images there to be ruled out." * bool(found.always)
    elif task.ordered:
        one = task.noun[0]
        holds, leaves = f"the true {one} of {{}} of the images of each {one}", f"is not exactly the {one} decided on"
        counts += f" (of a rare {one} with its neighbours)"
    return (
        f"A reading is referred to a human where the conformal prediction set, which is to hold "
        f"{holds.format(level_of(found.coverage))}, {leaves}, or where the "
        f"features or the look of the image lie further from the training images than in all but 1 % of the "
        f"{bundle.chosen_on}. "
        f"The thresholds come from {counts} that the "
        f"weights were not fitted to.{always}"
    )


def referred(found: ReferralAssessment | None) -> str:
    """Say what abstaining gave on the test images."""
    if found is None:
        return "What abstaining is worth was not tested."
    rates = {name: share_in_cell(estimate) for name, estimate in found.referred.items()}
    return (
        f"On the test images, {_held(found)}. Referred: {rates['referred']} (uncertain "
        f"{rates['uncertain']}, unfamiliar {rates['unfamiliar']}). Wrongly decided: "
        f"{share_in_cell(found.errors['read'])} of those read, {share_in_cell(found.errors[ALL])} of all."
        f"{_unsure(found)}"
    )


def _held(found: ReferralAssessment) -> str:
    """How often the sets hold the truth; of many answers on the mean and at least."""
    if ALL in found.coverage:
        each = "; ".join(f"{name} {share_in_cell(estimate)}" for name, estimate in found.coverage.items())
        return f"the set holds the true class of {each}"
    shares = [estimate.metric.value for estimate in found.coverage.values() if estimate.metric.reason is None]
    if not shares:
        return "it is not known how often the sets hold the true answers"
    return (
        f"the sets hold the true answer for {percent(sum(shares) / len(shares))} of the images that give it, on the "
        f"mean over all answers, and for {percent(min(shares))} at least"
    )


def _unsure(found: ReferralAssessment) -> str:
    said = [
        f"{name} unsure {share_in_cell(one.unsure)}, wrong where sure {share_in_cell(one.errors['sure'])}"
        for name, one in found.questions.items()
    ]
    return f" By question: {'; '.join(said)}." if said else ""


def bears_up(found: Robustness | None) -> str:
    """Say what changed images cost."""
    return "Images changed as by another scanner were not read." if found is None else worst_sentence(found)


def calibrations(bundle: Bundle) -> tuple[str, ...]:
    """Say of each network how its logits become probabilities."""
    return calibration_sentences([member.calibration for member in bundle.members])


def tested(assessment: Assessment, facts: CardFacts) -> str:
    """Say what the result rests on."""
    side = "test side has"
    if facts.folds:
        side = f"{facts.folds} folds, each read by networks that were not trained on it, have"
    whose = f"of {assessment.n_patients:,} patients" if facts.has_patients else "whose patients are not all known"
    level = level_of(assessment.options.level)
    return f"The {side} {assessment.evaluation.n:,} images {whose}; intervals are {level} intervals."


def limits(bundle: Bundle, assessment: Assessment, facts: CardFacts) -> list[str]:
    """Give the limits of the result that the program knows."""
    sizes = assessment.evaluation.class_counts
    return [
        "Training and test images come from one data set: the test is internal, and nothing is known of other "
        "hospitals, devices or years.",
        "No external test and no comparison with human readers is part of this run.",
        "The labels are taken as true; an error in them counts as one of the network.",
        *["The figures are of each network alone; their average, which the bundle gives, was not tested."]
        * bool(facts.folds),
        *["Patients are not known for all images: those of one may stand on both sides."] * (not facts.has_patients),
        *facts.warnings,
        *_few(sizes, FEWEST_TEST_CASES, bundle.task, "The test has {} images of {}", "its figures are"),
        *_few(
            bundle.referral.counts,
            MIN_VALIDATION_PER_CLASS,
            bundle.task,
            f"Among the {bundle.chosen_on} are {{}} of {{}}",
            "threshold and calibration are",
        ),
        *_mixture(assessment),
        *["No groups of cases were compared: differences between patients are not known."] * (not assessment.subgroups),
    ]


def _few(sizes: Mapping[str, int], fewest: int, task: Task, there_are: str, what: str) -> tuple[str, ...]:
    """Of what there are few images; one sentence of all where there may be dozens."""
    few = {name: n for name, n in sizes.items() if n < fewest}
    if task.exclusive:
        return tuple(
            f"{there_are.format(f'{n:,}', name)}, fewer than {fewest}: {what} unsure." for name, n in few.items()
        )
    named = listed([f"{name} ({n:,})" for name, n in few.items()])
    return (f"{there_are.format(f'fewer than {fewest}', named)}: {what} unsure.",) * bool(few)


def _mixture(assessment: Assessment) -> tuple[str, ...]:
    """What the figures hold for."""
    evaluation, differ = assessment.evaluation, "where the clinic sees other shares, PPV, NPV and calibration differ."
    if assessment.task.exclusive:
        shares = listed([f"{n / evaluation.n:.1%} {name}" for name, n in evaluation.class_counts.items()])
        return (f"The test images are {shares}: {differ}",)
    answered = {name: evaluation.positives(name) for name in evaluation.counts}
    told = listed([f"{name} in {n / known:.1%}" for name, (n, known) in answered.items() if known])
    return (f"Of the test images that tell, these show {told}: {differ}",)
