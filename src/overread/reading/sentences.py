"""A reading in words: page, command line and report take them from here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from overread.decision.referral import UNCERTAIN, UNFAMILIAR
from overread.decision.task import Task
from overread.reading.question import Question
from overread.words import clause, first_of, listed, one_in

if TYPE_CHECKING:
    from overread.reading.reading import Reading

# Over the columns of a table of readings.
READS_AS, OPERATING_POINT, UNFAMILIARITY, REFERRAL = "Reads as", "Operating point", "Unfamiliarity", "Referral"
NOT_READ = "Not read: unlike the training images"
_SHORT = {UNCERTAIN: "uncertain", UNFAMILIAR: "unlike the training images"}
NOTHING_FOUND = "No finding"
_MOST_DIGITS = 6
# Findings of which a reading is unsure that a line names; the others are counted.
_MOST_UNSURE = 3


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
    """What is told of an image first: the class decided on, what it shows, or that it was not read."""
    if not is_read(found):
        return NOT_READ
    if found.parts:
        return _by_part({name: headline(part) for name, part in found.parts.items()})
    if found.task.ordered:
        return f"Grade {found.predicted_label}"
    if found.questions:
        return _shown(found, lambda one: one.name)
    return found.predicted_label


def label_in_words(label: str, task: Task) -> str:
    """A label of a task, such as a human gives it: the classes that it names, one after the other."""
    return ", ".join(task.named_in(label)) or NOTHING_FOUND


def column_headings(task: Task) -> tuple[str, ...]:
    """Over the columns that `columns_of` gives."""
    if task.questions:
        return (*(task.parts or (READS_AS,)), REFERRAL)
    points = (OPERATING_POINT,) if task.positive else ()
    return (READS_AS, probability_heading(task), *points, REFERRAL)


def columns_of(found: Reading) -> tuple[str, ...]:
    """A reading in a row: what is decided, the probabilities that it rests on, and why to refer it."""
    if found.questions and is_read(found):
        return (*map(_in_brief, found.parts.values() or (found,)), short_reasons(found))
    if not is_read(found):
        return (NOT_READ, *("" for _ in column_headings(found.task)[2:]), "Refer to a human")
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
    if found.parts:
        return ". ".join(f"{name}: {decision(part)}" for name, part in found.parts.items())
    if found.task.ordered:
        return _grade(found)
    if found.questions:
        return f"{READS_AS} {_shown(found, _held_against, begins=False)}"
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
        _uncertain(found, coverage) if reason == UNCERTAIN else _unfamiliar(found.unfamiliarity)
        for reason in _that_count(found)
    )


def _that_count(found: Reading) -> tuple[str, ...]:
    """The reasons to refer; what an image could be is not told of one that was not read."""
    return found.refer if is_read(found) else (UNFAMILIAR,)


def promise(coverage: float, task: Task) -> str:
    """What the prediction sets promise, and where it holds."""
    noun = task.noun[0]
    images, right = (f"{noun},", noun) if task.exclusive else (f"{noun}, and of those without it,", "one")
    return (
        f"Of the images of each {images} at most about {one_in(1 - coverage)} get an answer that leaves out the right "
        f"{right}, as long as new images are like those that the program was checked on."
    )


def possible(found: Reading) -> str:
    """What an image could be: the classes that the bundle does not rule out."""
    if found.parts:
        return _by_part({name: possible(part) for name, part in found.parts.items()})
    held = [name for name in found.prediction_set if name in found.task.classes]
    if found.task.ordered and len(held) > 2:
        return f"{held[0]} to {held[-1]}"
    return listed(held, "or" if found.task.exclusive else "and") or f"none of the {found.task.noun[1]}"


def _shown(found: Reading, told: Callable[[Question], str], *, begins: bool = True) -> str:
    """The findings that are there, and those of which the reading is unsure; at the beginning of a line or within."""
    unsure = [told(one) for one in found.questions if one.doubtful or (one.unsure and one.reached)]
    present = ", ".join(told(one) for one in found.questions if one.reached and not one.unsure)
    nothing = "No sure finding" if unsure else NOTHING_FOUND
    shown = present or (nothing if begins else clause(nothing))
    return f"{shown}; unsure: {first_of(unsure, _MOST_UNSURE)}" if unsure else shown


def _by_part(told: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {said}" for name, said in told.items())


def _in_brief(found: Reading) -> str:
    """What is decided, with what it rests on, for a cell of a table."""
    if found.task.ordered:
        cuts = ", ".join(f"{one.name}: {one.answer}" for one in found.questions)
        return f"{headline(found)} ({cuts})"
    if found.task.questions:
        return _shown(found, lambda one: f"{one.name} {rounded(one.probability)}")
    return f"{headline(found)} ({found.task.positive} {rounded(found.probability)})"


def _held_against(found: Question) -> str:
    return f"{found.name} ({_compared(found)})"


def _compared(found: Question) -> str:
    probability, threshold = told_apart(found.probability, found.threshold)
    return f"{probability} {'at or above' if found.reached else 'below'} {threshold}"


def _grade(found: Reading) -> str:
    cuts = [f"{one.name}: {one.answer}, probability {_compared(one)}" for one in found.questions]
    lowest, *_, highest = found.task.classes
    return "; ".join((f"{READS_AS} grade {found.predicted_label} of {lowest} to {highest}", *cuts))


def _uncertain(found: Reading, coverage: float) -> str:
    """Why a reading is uncertain: what the image could be is not exactly what is decided."""
    parts = {name: part for name, part in found.parts.items() if UNCERTAIN in part.refer}
    doubt = _by_part({name: _doubt(part) for name, part in parts.items()}) if parts else _doubt(found)
    promises = dict.fromkeys(promise(coverage, part.task) for part in parts.values() or (found,))
    return " ".join((f"Uncertain: {doubt}.", *promises))


def _doubt(found: Reading) -> str:
    noun, nouns = found.task.noun
    if not found.task.exclusive:
        unsure = [one.name for one in found.questions if one.doubtful]
        if len(unsure) == 1:
            return f"the program cannot tell whether this image shows {unsure[0]}"
        return f"the program cannot tell which of {first_of(unsure)} this image shows, if any"
    if not found.prediction_set:
        return f"this image looks like none of the {nouns} as the program knows them"
    kind = f"{noun} " if found.task.ordered else ""
    if len(found.prediction_set) == 1:
        said = f"the probability alone says {kind}{found.predicted_label}"
        return f"{said}, but this image could only be {kind}{possible(found)}"
    return f"this image could be {kind}{possible(found)}"


def _unfamiliar(score: float) -> str:
    if not math.isfinite(score):
        return "Unlike the training images: its features are no finite numbers."
    times = f"{score:.1f}" if score < 100 else f"{score:.0f}"
    if times == "1.0":
        return (
            "Unlike the training images: it lies just beyond the distance within which 99 % of validation images lie."
        )
    return f"Unlike the training images: {times} times as far from them as 99 % of validation images lie at most."
