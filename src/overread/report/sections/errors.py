"""What the report says of the mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overread.report.document import FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence
from overread.words import count

if TYPE_CHECKING:
    from overread.test_side.outcome import Outcome


def errors(outcome: Outcome, folder: Path) -> Section:
    """Show the most confident mistakes.

    Args:
        outcome: with the readings of them.
        folder: where `mistakes.png` lies, if there is a mistake.
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
    captions = "; ".join(item.caption for item in mistakes_of(outcome))
    picture = FigureItem(
        folder / "mistakes.png",
        "The most confident mistakes, numbered as in the table",
        f"{count(shown, 'wrongly decided image')}, each beside itself with the evidence tinted in. {captions}.",
    )
    return Section("Errors", paragraphs=(text,), items=(_table(outcome), picture))


def mistakes_of(outcome: Outcome) -> list[ImageWithEvidence]:
    """The mistakes as they are drawn, numbered from 1."""
    return [
        ImageWithEvidence(
            pixels=reading.pixels,
            activation_map=reading.evidence(),
            caption=f"{number}: {true}, read as {reading.predicted_label} ({probability:.3f})",
        )
        for number, ((_, reading), (true, _, probability)) in enumerate(
            zip(outcome.mistakes, _facts(outcome), strict=True), start=1
        )
    ]


def _facts(outcome: Outcome) -> list[tuple[str, str, float]]:
    """True class, class read and the probability that decided, of each mistake."""
    predictions = outcome.predictions
    labels, classes = np.asarray(predictions.y_true), predictions.classes
    decisive = classes[1] if len(classes) == 2 else None
    return [
        (classes[labels[position]], reading.predicted_label, reading.probabilities[decisive or reading.predicted_label])
        for position, reading in outcome.mistakes
    ]


def _table(outcome: Outcome) -> Table:
    predictions = outcome.predictions
    two = len(predictions.classes) == 2
    header = ("Number", "Image", "True class", "Read as", f"Probability of {predictions.classes[1] if two else 'it'}")
    rows = tuple(
        (f"{number}", predictions.cases[position], true, read, f"{probability:.3f}")
        for number, ((position, _), (true, read, probability)) in enumerate(
            zip(outcome.mistakes, _facts(outcome), strict=True), start=1
        )
    )
    return Table("The most confident mistakes", header, rows)
