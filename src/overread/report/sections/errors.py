"""The mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overread.reading.sentences import READS_AS, probability_heading, rounded
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mistakes
from overread.words import count

if TYPE_CHECKING:
    from overread.reading.reading import Reading
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
    kinds = " (of misses and of false alarms, up to six each)" if outcome.assessment.evaluation.positive else ""
    text = (
        f"{wrong:,} of {count(n, 'test image')} {'was' if wrong == 1 else 'were'} decided wrongly. Here are the "
        f"{shown} that the reader was surest of{kinds}, each as the network saw it and again with the evidence for the "
        "class it was read as tinted in, from violet (weak) to yellow (20 logits and more), on one scale for all. The "
        "map is as coarse as the last layer of the network; it tells where evidence was found, not why, and proves no "
        "cause."
    )
    mistakes = _mistakes(outcome)
    captions = "; ".join(mistake.caption for mistake in mistakes)
    picture = FigureItem(
        draw_mistakes(mistakes, path=folder / "mistakes"),
        "The most confident mistakes, numbered as in the table",
        f"{count(shown, 'wrongly decided image')}, each beside itself with the evidence tinted in. {captions}.",
    )
    return Section("Errors", paragraphs=(text,), items=(_table(outcome), picture))


def _mistakes(outcome: Outcome) -> list[ImageWithEvidence]:
    """The mistakes as they are drawn, numbered from 1."""
    return [
        ImageWithEvidence(
            pixels=reading.pixels,
            activation_map=reading.evidence(),
            caption=f"{number}: {true}, read as {reading.predicted_label} ({rounded(reading.probability, 3)})",
        )
        for number, true, reading in _numbered(outcome)
    ]


def _numbered(outcome: Outcome) -> list[tuple[int, str, Reading]]:
    """Number, true class and reading of each mistake."""
    labels, classes = np.asarray(outcome.predictions.y_true), outcome.predictions.classes
    return [
        (number, classes[labels[position]], reading)
        for number, (position, reading) in enumerate(outcome.mistakes, start=1)
    ]


def _table(outcome: Outcome) -> Table:
    header = ("Number", "Image", "True class", READS_AS, probability_heading(outcome.mistakes[0][1].task))
    rows = tuple(
        (f"{number}", reading.path, true, reading.predicted_label, rounded(reading.probability, 3))
        for number, true, reading in _numbered(outcome)
    )
    return Table("The most confident mistakes", header, rows)
