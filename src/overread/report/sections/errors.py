"""The mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from overread.cases import PublicNames
from overread.reading import Reading
from overread.reading.sentences import READS_AS, headline, is_read, probability_heading, rounded
from overread.report.document import IMAGE_NUMBERS, FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mistakes
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
    wrong = int((~predictions.task.is_right(predictions.y_true, predictions.decisions)).sum())
    if not wrong or not outcome.mistakes:
        return Section("Errors", paragraphs=(f"{wrong:,} of {count(n, 'test image')} were decided wrongly.",))
    shown = len(outcome.mistakes)
    kinds = " (of misses and of false alarms, up to six each)" if predictions.task.positive else ""
    text = (
        f"{wrong:,} of {count(n, 'test image')} {'was' if wrong == 1 else 'were'} decided wrongly. Here are the "
        f"{shown} that the reader was surest of{kinds}, each as the network saw it and again with the evidence for the "
        "class it was read as tinted in, from violet (weak) to yellow (20 logits and more), on one scale for all. The "
        "map is as coarse as the last layer of the network; it tells where evidence was found, not why, and proves no "
        f"cause. {IMAGE_NUMBERS}"
    )
    mistakes = _mistakes(outcome, names)
    pictures = [mistake.picture() for mistake in mistakes]
    captions = "; ".join(picture.caption for picture in pictures)
    figure = FigureItem(
        draw_mistakes(pictures, path=folder / "mistakes"),
        "The most confident mistakes, numbered as in the table",
        f"{count(shown, 'wrongly decided image')}, each beside itself with the evidence tinted in. {captions}.",
    )
    header = ("Number", "Image", "True class", READS_AS, probability_heading(predictions.task))
    table = Table("The most confident mistakes", header, tuple(mistake.row() for mistake in mistakes))
    return Section("Errors", paragraphs=(text,), items=(table, figure))


class _Mistake(NamedTuple):
    """A wrong decision: its number from 1, what its image goes by, the true class, and the reading."""

    number: int
    image: str
    true: str
    reading: Reading

    @property
    def probability(self) -> str:
        return rounded(self.reading.probability, 3)

    @property
    def _told(self) -> str:
        told = headline(self.reading)
        return f"read as {told}" if is_read(self.reading) else clause(told)

    def row(self) -> tuple[str, ...]:
        return f"{self.number}", self.image, self.true, headline(self.reading), self.probability

    def picture(self) -> ImageWithEvidence:
        return ImageWithEvidence(
            pixels=self.reading.pixels,
            activation_map=self.reading.evidence(),
            caption=f"{self.number}: {self.true}, {self._told} ({self.probability})",
        )


def _mistakes(outcome: Outcome, names: PublicNames) -> list[_Mistake]:
    task, y_true = outcome.predictions.task, np.asarray(outcome.predictions.y_true)
    return [
        _Mistake(number, names.of(reading.path), task.label(y_true[position]), reading)
        for number, (position, reading, _) in enumerate(outcome.mistakes, start=1)
    ]
