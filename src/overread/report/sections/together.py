"""Findings together: which stand with which in the labels and in the decisions, and how many an image shows."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from overread.evaluation import Predictions
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_together
from overread.words import first_of, percent

_MOST_PAIRS = 12


def together_sections(predictions: Predictions, folder: Path) -> tuple[Section, ...]:
    """Say which findings stand together; nothing where each image is of one class.

    Args:
        predictions: of the test images.
        folder: of the figures.
    """
    task = predictions.task
    if task.exclusive:
        return ()
    shown, decided = task.indicators(predictions.y_true), task.indicators(predictions.decisions)
    known = np.stack([task.known(predictions.y_true, name) for name in task.classes], axis=1)
    # Of the images with the one, how many have the other: of those in which that is known.
    labels = _shares(shown.T @ shown, shown.T @ known)
    decisions = _shares(decided.T @ decided, decided.T @ np.ones_like(decided))
    pairs = _pairs(task.classes, shown, decided)
    text = (
        "How often findings stand together, by the labels and by the decisions. Where decisions join two findings far "
        "more often than labels do, the network may take one for a sign of the other. What is not known counts nowhere."
    )
    said = first_of([f"{row[0]} in {row[1]} images by the labels and {row[2]} by the decisions" for row in pairs.rows])
    figure = FigureItem(
        draw_together(labels, decisions, task.classes, path=folder / "together"),
        "Of the images with the finding of a row, the share that shows the finding of a column, too",
        f"Two tables of shades, of labels and of decisions. Most often together: {said or 'no two findings'}.",
    )
    return (Section("Findings together", paragraphs=(text,), items=(_numbers(shown, decided), pairs, figure)),)


def _shares(both: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.divide(both, of, out=np.full(both.shape, np.nan), where=of > 0)


def _numbers(shown: np.ndarray, decided: np.ndarray) -> Table:
    """How many findings an image shows and was decided to show."""
    true, called = shown.sum(axis=1), decided.sum(axis=1)
    most, n = int(max(true.max(), called.max())), len(true)
    rows = tuple(
        (
            f"{number}" if number else "none",
            *(f"{k:,} ({percent(k / n)})" for k in ((true == number).sum(), (called == number).sum())),
        )
        for number in range(most + 1)
    )
    mean = ("mean", *(f"{values.mean():.2f}" for values in (true, called)))
    return Table("Findings an image shows", ("Findings", "By the labels", "By the decisions"), (*rows, mean))


def _pairs(classes: tuple[str, ...], shown: np.ndarray, decided: np.ndarray) -> Table:
    """The pairs that stand together most often, by either."""
    true, called = shown.T @ shown, decided.T @ decided
    pairs = [(i, j) for i, j in itertools.combinations(range(len(classes)), 2) if true[i, j] or called[i, j]]
    pairs.sort(key=lambda pair: -max(true[pair], called[pair]))
    rows = tuple(
        (f"{classes[i]} and {classes[j]}", f"{true[i, j]:,}", f"{called[i, j]:,}") for i, j in pairs[:_MOST_PAIRS]
    )
    caption = (
        f"The {len(rows)} pairs that stand together most often"
        if len(pairs) > len(rows)
        else "Pairs that stand together"
    )
    return Table(caption, ("Findings", "Images by the labels", "Images by the decisions"), rows)
