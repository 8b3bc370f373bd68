"""The mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from overread.cases import PublicNames
from overread.decision.task import Task
from overread.reading.sentences import READS_AS, headline, is_read, probability_heading, rounded
from overread.report.document import IMAGE_NUMBERS, FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mistakes
from overread.test_side import Mistake
from overread.test_side.outcome import Outcome
from overread.words import clause, count


def errors_section(outcome: Outcome, folder: Path, *, names: PublicNames) -> Section:
    """Show the most confident mistakes.

    Args:
        outcome: with the readings of them.
        folder: of the figures.
        names: what images go by.
    """
    predictions, n = outcome.predictions, outcome.assessment.evaluation.n
    task = predictions.task
    wrong = int((~task.is_right(predictions.y_true, predictions.decisions)).sum())
    decided = "decided wrongly" if task.exclusive else f"decided wrongly in one {task.noun[0]} or more"
    if not wrong or not outcome.mistakes:
        return Section("Errors", paragraphs=(f"{wrong:,} of {count(n, 'test image')} were {decided}.",))
    shown, were = len(outcome.mistakes), "was" if wrong == 1 else "were"
    text = (
        f"{wrong:,} of {count(n, 'test image')} {were} {decided}. Here are the "
        f"{_chosen(shown, task)}, each as the network saw it and again with the evidence for "
        f"{_evidence(task)} tinted in, from violet (weak) to yellow (20 logits and more), on one scale for all. The "
        "map is as coarse as the last layer of the network; it tells where evidence was found, not why, and proves no "
        f"cause. {IMAGE_NUMBERS}"
    )
    mistakes = [
        _Mistake(number, names.of(found.reading.path), found, outcome)
        for number, found in enumerate(outcome.mistakes, start=1)
    ]
    pictures = [mistake.picture() for mistake in mistakes]
    captions = "; ".join(picture.caption for picture in pictures)
    which = "The mistakes that are furthest off" if task.ordered else "The most confident mistakes"
    figure = FigureItem(
        draw_mistakes(pictures, path=folder / "mistakes"),
        f"{which}, numbered as in the table",
        f"{count(shown, 'wrongly decided image')}, each beside itself with the evidence tinted in. {captions}.",
    )
    truth = f"True {task.noun[0]}" if task.exclusive else task.noun[0].capitalize()
    header = ("Number", "Image", truth, READS_AS, probability_heading(task))
    table = Table(which, header, tuple(mistake.row() for mistake in mistakes))
    best = "Of each exam the frame is shown that gave most to the answer."
    of_exams = any(found.reading.frames for found in outcome.mistakes)
    return Section("Errors", paragraphs=(text, *((best,) if of_exams else ())), items=(table, figure))


def _chosen(shown: int, task: Task) -> str:
    if task.ordered:
        return f"{shown} that are furthest off"
    kinds = " (of misses and of false alarms, up to six each)" if task.positive or not task.exclusive else ""
    return f"{shown} that the reader was surest of{kinds}"


def _evidence(task: Task) -> str:
    """What the maps show evidence for."""
    if task.ordered:
        return f"the highest {task.judged_noun[0]} that it reaches"
    return "the class it was read as" if task.exclusive else f"the {task.noun[0]} in question"


class _Mistake(NamedTuple):
    """A wrong decision: its number from 1, what its image goes by, and what was read and would have been right."""

    number: int
    image: str
    found: Mistake
    outcome: Outcome

    @property
    def _true(self) -> str:
        """The true label, or of one finding its state."""
        task, row = self.outcome.predictions.task, np.asarray(self.outcome.predictions.y_true)[self.found.position]
        if self.found.question is None:
            return task.label(row)
        return f"{self.found.question} {'present' if task.shows([row], self.found.question)[0] else 'absent'}"

    @property
    def _probability(self) -> str:
        reading, asked = self.found.reading, self.found.question
        return rounded(reading.probability if asked is None else reading.probabilities[asked], 3)

    @property
    def _read_as(self) -> str:
        reading, asked = self.found.reading, self.found.question
        if asked is None or not is_read(reading):
            return headline(reading)
        return "absent" if self._true.endswith("present") else "present"

    def row(self) -> tuple[str, ...]:
        return f"{self.number}", self.image, self._true, self._read_as, self._probability

    def picture(self) -> ImageWithEvidence:
        reading = self.found.reading
        told = f"read as {self._read_as}" if is_read(reading) else clause(self._read_as)
        return ImageWithEvidence(
            pixels=reading.pixels,
            activation_map=reading.evidence(self.found.question),
            caption=f"{self.number}: {self._true}, {told} ({self._probability})",
        )
