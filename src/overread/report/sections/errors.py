"""The mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from overread.decision.task import Task
from overread.reading import Reading
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mistakes
from overread.words import count

if TYPE_CHECKING:
    from overread.test_side.outcome import Outcome


def errors_section(outcome: Outcome, folder: Path) -> Section:
    """Show the most confident mistakes.

    Args:
        outcome: with the readings of them.
        folder: of the figures.
    """
    confusion, n = outcome.assessment.evaluation.confusion, outcome.assessment.evaluation.n
    wrong = int(confusion.sum() - np.trace(confusion))
    if not wrong or not outcome.mistakes:
        return Section("Errors", paragraphs=(f"{wrong:,} of {count(n, 'test image')} were decided wrongly.",))
    shown = len(outcome.mistakes)
    kinds = " (of misses and of false alarms, up to six each)" if outcome.assessment.task.positive else ""
    text = (
        f"{wrong:,} of {count(n, 'test image')} {'was' if wrong == 1 else 'were'} decided wrongly. Here are the "
        f"{shown} that the reader was surest of{kinds}, each as the network saw it and again with the evidence for the "
        "class it was read as tinted in, from violet (weak) to yellow (20 logits and more), on one scale for all. The "
        "map is as coarse as the last layer of the network; it tells where evidence was found, not why, and proves no "
        "cause."
    )
    mistakes = _mistakes(outcome)
    mistakes = _mistakes(outcome)
    pictures = [mistake.picture() for mistake in mistakes]
    captions = "; ".join(picture.caption for picture in pictures)
    figure = FigureItem(
        draw_mistakes(pictures, path=folder / "mistakes"),
        "The most confident mistakes, numbered as in the table",
        f"{count(shown, 'wrongly decided image')}, each beside itself with the evidence tinted in. {captions}.",
    )
    positive = outcome.predictions.task.positive
    header = ("Number", "Image", "True class", "Read as", f"Probability of {positive or 'it'}")
    rows = tuple(mistake.row() for mistake in mistakes)
    table = Table("The most confident mistakes", header, rows)
    return Section("Errors", paragraphs=(text,), items=(table, figure))


class _Mistake(NamedTuple):
    """A wrong decision: `number` from 1, the name of the case, and the probability that decided."""

    number: int
    case: str
    true: str
    probability: float
    reading: Reading
    task: Task

    def row(self) -> tuple[str, ...]:
        return f"{self.number}", self.case, self.true, self.reading.label, f"{self.probability:.3f}"

    def picture(self) -> ImageWithEvidence:
        read = self.reading.label
        return ImageWithEvidence(
            pixels=self.reading.pixels,
            activation_map=self.task.evidence(self.reading.activation_map, read),
            caption=f"{self.number}: {self.true}, read as {read} ({self.probability:.3f})",
        )


def _mistakes(outcome: Outcome) -> list[_Mistake]:
    predictions, labels = outcome.predictions, np.asarray(outcome.predictions.y_true)
    task = predictions.task
    return [
        _Mistake(
            number,
            predictions.cases[position],
            task.label(labels[position]),
            reading.probabilities[task.positive or reading.label],
            reading,
            task,
        )
        for number, (position, reading) in enumerate(outcome.mistakes, start=1)
    ]
