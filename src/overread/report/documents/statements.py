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
from overread.evaluation import ALL, Assessment, ReferralAssessment
from overread.evaluation.robustness import Robustness
from overread.evaluation.wording import share_in_cell
from overread.report.calibrations import calibration_sentences
from overread.report.robustness import worst_sentence
from overread.words import level_of, listed

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
    positive = f" ({bundle.positive} is the positive class)" if bundle.positive else ""
    return (
        f"{networks} ({bundle.network['name']}): from one image the probability of {listed(bundle.classes)}{positive}."
    )


def preprocessing(bundle: Bundle) -> str:
    """Say how an image becomes the input."""
    made = bundle.preprocessing
    fitted = "with its aspect kept, on black" if made.fit == "pad" else "stretched to fill it"
    colour = "grey" if made.channels == 1 else "colour"
    return f"Each image is resized to {made.width} x {made.height} pixels in 8-bit {colour}, {fitted}."


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
        rule = bundle.task.decided_on.capitalize()
        return f"{rule} is decided on. A threshold for each class alone was chosen on {when}."
    return (
        f"An image is called {bundle.positive} where the probability of that is {point.threshold:.4g} or more, a "
        f"threshold chosen on {when} (rule {point.rule})."
    )


def refers(bundle: Bundle) -> str:
    """Say when a reading is referred to a human."""
    found = bundle.referral
    always = f" {listed(found.always)} had too few images there and is in every set." if found.always else ""
    return (
        f"A reading is referred to a human where the conformal prediction set, which is to hold the true class of "
        f"{level_of(found.coverage)} of the images of each class, is not exactly the class decided on, or where the "
        f"features or the look of the image lie further from the training images than in all but 1 % of the "
        f"{bundle.chosen_on}. "
        f"The thresholds come from {listed([f'{n:,} images of {name}' for name, n in found.counts.items()])} that the "
        f"weights were not fitted to.{always}"
    )


def referred(found: ReferralAssessment | None) -> str:
    """Say what abstaining gave on the test images."""
    if found is None:
        return "What abstaining is worth was not tested."
    coverage = "; ".join(f"{name} {share_in_cell(estimate)}" for name, estimate in found.coverage.items())
    rates = {name: share_in_cell(estimate) for name, estimate in found.referred.items()}
    return (
        f"On the test images, the set holds the true class of {coverage}. Referred: {rates['referred']} (uncertain "
        f"{rates['uncertain']}, unfamiliar {rates['unfamiliar']}). Wrongly decided: "
        f"{share_in_cell(found.errors['read'])} of those read, {share_in_cell(found.errors[ALL])} of all."
    )


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
    shares = listed([f"{n / assessment.evaluation.n:.1%} {name}" for name, n in sizes.items()])
    return [
        "Training and test images come from one data set: the test is internal, and nothing is known of other "
        "hospitals, devices or years.",
        "No external test and no comparison with human readers is part of this run.",
        "The labels are taken as true; an error in them counts as one of the network.",
        *["The figures are of each network alone; their average, which the bundle gives, was not tested."]
        * bool(facts.folds),
        *["Patients are not known for all images: those of one may stand on both sides."] * (not facts.has_patients),
        *facts.warnings,
        *(
            f"The test has {n:,} images of {name}, fewer than {FEWEST_TEST_CASES}: its figures are unsure."
            for name, n in sizes.items()
            if n < FEWEST_TEST_CASES
        ),
        *(
            f"Among the {bundle.chosen_on} are {n:,} of {name}, fewer than {MIN_VALIDATION_PER_CLASS}: threshold and "
            "calibration are unsure."
            for name, n in bundle.referral.counts.items()
            if n < MIN_VALIDATION_PER_CLASS
        ),
        f"The test images are {shares}: where the clinic sees other shares, PPV, NPV and calibration differ.",
        *["No groups of cases were compared: differences between patients are not known."] * (not assessment.subgroups),
    ]
