"""A reading in words: page, command line and report take them from here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from overread.decision.referral import UNCERTAIN, UNFAMILIAR
from overread.decision.task import Task
from overread.words import listed, one_in

if TYPE_CHECKING:
    from overread.reading.reading import Reading

# Over the columns of a table of readings.
READS_AS, OPERATING_POINT, UNFAMILIARITY, REFERRAL = "Reads as", "Operating point", "Unfamiliarity", "Referral"
NOT_READ = "Not read: unlike the training images"
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


def is_read(found: Reading) -> bool:
    """Whether an image was read: of one that is unlike the training images no class is told, whatever the numbers."""
    return UNFAMILIAR not in found.refer


def headline(found: Reading) -> str:
    """What is told of an image first: the class decided on, or that it was not read."""
    return found.predicted_label if is_read(found) else NOT_READ


def column_headings(task: Task) -> tuple[str, ...]:
    """Over the columns that `columns_of` gives."""
    points = (OPERATING_POINT,) if task.positive else ()
    return (READS_AS, probability_heading(task), *points, REFERRAL)


def columns_of(found: Reading) -> tuple[str, ...]:
    """A reading in a row: the class, the probability beside the threshold that decides, and why to refer it."""
    if not is_read(found):
        return (NOT_READ, "", *([""] if found.task.positive else []), "Refer to a human")
    if found.threshold is None:
        return (headline(found), rounded(found.probability, 3), short_reasons(found))
    return (headline(found), *told_apart(found.probability, found.threshold, least=3), short_reasons(found))


def told_apart(probability: float, threshold: float, least: int = 2) -> tuple[str, str]:
    """A probability and the operating point in as few digits, but not fewer than the least, as tell which is larger."""
    for digits in range(least, _MOST_DIGITS + 1):
        shown = rounded(probability, digits), rounded(threshold, digits)
        if shown[0] != shown[1]:
            break
    return shown


def decision(found: Reading) -> str:
    """What is decided and why, in one sentence."""
    if not is_read(found):
        return NOT_READ
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
    return ", ".join(_SHORT[reason] for reason in _that_count(found)).capitalize()


def reasons(found: Reading, coverage: float) -> tuple[str, ...]:
    """Why a human should read the image, a sentence or two for each reason."""
    return tuple(
        f"{_uncertain(found)} {promise(coverage)}" if reason == UNCERTAIN else _unfamiliar(found.unfamiliarity)
        for reason in _that_count(found)
    )


def _that_count(found: Reading) -> tuple[str, ...]:
    """The reasons to refer; what an image could be is not told of one that was not read."""
    return found.refer if is_read(found) else (UNFAMILIAR,)


def promise(coverage: float) -> str:
    """What the prediction sets promise, and where it holds."""
    return (
        f"Of the images of each class, at most about {one_in(1 - coverage)} get an answer that leaves out the right "
        "class, as long as new images are like those that the program was checked on."
    )


def possible(found: Reading) -> str:
    """What an image could be: the classes that the bundle does not rule out."""
    return listed(found.prediction_set, "or" if found.task.exclusive else "and") or "none of the classes"


def _uncertain(found: Reading) -> str:
    """Why a reading is uncertain: what the image could be is not exactly what is decided."""
    decided = f"Uncertain: the probability alone says {found.predicted_label}, but this image"
    if not found.task.exclusive:
        return f"{decided} could show {possible(found)}."
    if not found.prediction_set:
        return "Uncertain: this image looks like none of the classes as the program knows them."
    if len(found.prediction_set) == 1:
        return f"{decided} could only be {possible(found)}."
    return f"Uncertain: this image could be {possible(found)}."


def _unfamiliar(score: float) -> str:
    if not math.isfinite(score):
        return "Unlike the training images: its features are no finite numbers."
    times = f"{score:.1f}" if score < 100 else f"{score:.0f}"
    if times == "1.0":
        return (
            "Unlike the training images: it lies just beyond the distance within which 99 % of validation images lie."
        )
    return f"Unlike the training images: {times} times as far from them as 99 % of validation images lie at most."
