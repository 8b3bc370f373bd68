"""The mistakes: the wrong decisions the reader was surest of, each as an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overread.bundle import class_evidence
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
    classes = list(outcome.predictions.classes)
    return [
        ImageWithEvidence(
            pixels=reading.pixels,
            activation_map=class_evidence(reading.activation_map, classes.index(reading.label)),
            caption=f"{number}: {true}, read as {reading.label} ({probability:.3f})",
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
        (classes[labels[position]], reading.label, reading.probabilities[decisive or reading.label])
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
