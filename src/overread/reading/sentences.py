"""A reading in words: page, command line and report take them from here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from overread.decision.referral import UNCERTAIN, UNFAMILIAR
from overread.decision.task import Task
from overread.words import level_of, listed

if TYPE_CHECKING:
    from overread.reading.reading import Reading

# Over the columns of a table of readings.
READS_AS, UNFAMILIARITY, REFERRAL = "Reads as", "Unfamiliarity", "Referral"
_SHORT = {UNCERTAIN: "uncertain", UNFAMILIAR: "unlike the training images"}
_MOST_DIGITS = 6


def probability_heading(task: Task) -> str:
    """Over the column of `Reading.probability`."""
    return f"Probability of {task.positive}" if task.positive else "Probability"


def rounded(probability: float, digits: int = 2) -> str:
    """A probability in so many digits that does not claim to be certain when it is not."""
    text, least = f"{probability:.{digits}f}", 10**-digits
    if 0 < probability < 1 and float(text) in (0, 1):
        return f"<{least:.{digits}f}" if probability < least else f">{1 - least:.{digits}f}"
    return text


def told_apart(probability: float, threshold: float) -> tuple[str, str]:
    """A probability and the operating point in as few digits, two or more, as show which is larger."""
    for digits in range(2, _MOST_DIGITS + 1):
        shown = rounded(probability, digits), rounded(threshold, digits)
        if shown[0] != shown[1]:
            break
    return shown


def decision(found: Reading) -> str:
    """What is decided and why, in one sentence."""
    if found.threshold is None:
        several = len(found.probabilities)
        return (
            f"{READS_AS} {found.predicted_label}: the most probable of {several} classes, probability "
            f"{rounded(found.probability)}"
        )
    probability, threshold = told_apart(found.probability, found.threshold)
    compared = "is at or above" if found.positive else f"of {found.task.positive} is below"
    return f"{READS_AS} {found.predicted_label}: probability {probability} {compared} the operating point {threshold}"


def short_reasons(found: Reading) -> str:
    """Why a human should read the image, in a few words; empty where nothing speaks against the reading."""
    return ", ".join(_SHORT[reason] for reason in found.refer).capitalize()


def reasons(found: Reading, coverage: float) -> tuple[str, ...]:
    """Why a human should read the image, a sentence for each reason."""
    return tuple(
        _uncertain(found, level_of(coverage)) if reason == UNCERTAIN else _unfamiliar(found.unfamiliarity)
        for reason in found.refer
    )


def _uncertain(found: Reading, coverage: str) -> str:
    left = found.prediction_set
    if not left:
        return f"Uncertain: at {coverage} coverage it fits no class."
    if len(left) == 1:
        return f"Uncertain: at {coverage} coverage only {left[0]} cannot be ruled out, against the decision."
    return f"Uncertain: at {coverage} coverage {listed(left)} cannot be ruled out."


def _unfamiliar(score: float) -> str:
    if not math.isfinite(score):
        return "Unlike the training images: its features are no finite numbers."
    times = f"{score:.1f}" if score < 100 else f"{score:.0f}"
    if times == "1.0":
        return (
            "Unlike the training images: it lies just beyond the distance within which 99 % of validation images lie."
        )
    return f"Unlike the training images: {times} times as far from them as 99 % of validation images lie at most."
