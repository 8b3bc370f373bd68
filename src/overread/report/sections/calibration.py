"""Calibration: whether probabilities come true as often as they say, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from overread.decision import Calibration
from overread.evaluation import Assessment, BeforeAfter, Reliability
from overread.evaluation.wording import value_of, value_or_reason
from overread.report.calibrations import calibration_sentences
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_reliability, draw_reliability_of_each
from overread.report.judged import figure_name
from overread.words import clause, count, first_of, level_of

_MEASURES = (
    ("Expected calibration error", "ece", "0"),
    ("Brier score", "brier", "0"),
    ("Brier: reliability", "brier_reliability", "0"),
    ("Brier: resolution", "brier_resolution", "uncertainty"),
    ("Brier: uncertainty", "brier_uncertainty", "fixed"),
    ("Brier: within bins", "brier_within_bins", "near 0"),
)
_REGRESSION = (
    ("Slope", "slope", "1"),
    ("Intercept", "intercept", "0"),
    ("Calibration in the large", "in_the_large", "0"),
)


def calibration_section(assessment: Assessment, fitted: Sequence[Calibration], folder: Path) -> Section:
    """Say how far the probabilities can be taken at their word.

    Args:
        assessment: of the test images.
        fitted: of each network, on validation.
        folder: of the figures.
    """
    task, questions = assessment.task, bool(assessment.task.questions)
    come_true = "show it" if questions else "are of the class"
    text = (
        f"Calibrated probabilities come true as often as they say: of 100 images with a probability of 20 %, 20 "
        f"{come_true}. The Brier score is reliability - resolution + uncertainty + what binning leaves out. A slope "
        "below 1 tells of probabilities that are too extreme; calibration in the large above 0 of probabilities that "
        "are too low on the whole. These measures have no interval here."
    )
    said = _on_the_whole(assessment) if questions else _effects(assessment, task.positive is None)
    return Section(
        "Calibration",
        paragraphs=(*calibration_sentences(fitted), *said, text),
        items=_of_questions(assessment, folder) if questions else _of_classes(assessment, folder),
        warnings=_worsened_questions(assessment) if questions else _worsened_classes(assessment),
    )


def _of_classes(assessment: Assessment, folder: Path) -> tuple[Table | FigureItem, ...]:
    """Each with a table and a diagram."""
    items: list[Table | FigureItem] = []
    for name, pair in assessment.reliability.items():
        path = folder / figure_name("reliability", name, assessment.task)
        items += [_measures(name, pair), _diagram(path, name, pair, assessment.options.level)]
    return tuple(items)


def _of_questions(assessment: Assessment, folder: Path) -> tuple[Table | FigureItem, ...]:
    """All in one table and one figure: they may be many."""
    measured, one = assessment.reliability, assessment.task.judged_noun[0]
    if not measured:
        return ()
    rows = tuple(
        (
            name,
            f"{pair.after.n:,}",
            *(f"{getattr(found, key):.3f}" for key in ("ece", "brier") for found in pair),
            *(value_of(getattr(pair.after, key)) for _, key, _ in _REGRESSION),
        )
        for name, pair in measured.items()
    )
    before_after = [f"{label}, {when}" for label, _, _ in _MEASURES[:2] for when in ("before", "after")]
    header = (one.capitalize(), "n", *before_after, *(f"{label} (ideal {ideal})" for label, _, ideal in _REGRESSION))
    level = level_of(assessment.options.level)
    said = "; ".join(
        f"{name}: calibration error {pair.after.ece:.3f}, slope {value_of(pair.after.slope)}"
        for name, pair in measured.items()
    )
    figure = FigureItem(
        draw_reliability_of_each(measured, path=folder / "reliability", level=assessment.options.level),
        f"Reliability diagrams: observed share against probability, before and after calibration, with {level} "
        "intervals that take images as independent; the scale of each ends where its probabilities do",
        f"Reliability diagrams. After calibration: {said}.",
    )
    return (Table(f"Calibration of each {one}; slope, intercept and in the large after it", header, rows), figure)


def _on_the_whole(assessment: Assessment) -> tuple[str, ...]:
    pairs, several = [*assessment.reliability.values()], assessment.task.judged_noun[1]
    if not pairs or all(before == after for before, after in pairs):
        return ()
    said = []
    for words, key in (("expected calibration error", "ece"), ("Brier score", "brier")):
        before, after = (np.mean([getattr(found, key) for found in column]) for column in zip(*pairs, strict=True))
        fell = sum(getattr(pair.after, key) < getattr(pair.before, key) for pair in pairs)
        said.append(f"the {words} went from {before:.3f} to {after:.3f} (it fell for {fell} of {len(pairs)})")
    return (f"By calibration, on the test images, on the mean over the {several} {' and '.join(said)}.",)


def _worsened_questions(assessment: Assessment) -> tuple[str, ...]:
    names = [name for name, pair in assessment.reliability.items() if _worsened(name, pair)]
    if not names:
        return ()
    return (
        f"on the test images calibration did not help {first_of(names)}: the expected calibration error or the Brier "
        "score rose; the table has both.",
    )


def _worsened_classes(assessment: Assessment) -> tuple[str, ...]:
    worse = [_worsened(name, pair) for name, pair in assessment.reliability.items()]
    return tuple(sentence for sentence in worse if sentence)


def _effects(assessment: Assessment, several: bool) -> tuple[str, ...]:
    improved = [
        f"the expected calibration error{f' of {name}' if several else ''} went from {before.ece:.3f} to "
        f"{after.ece:.3f} and the Brier score from {before.brier:.3f} to {after.brier:.3f}"
        for name, (before, after) in assessment.reliability.items()
        if before != after
    ]
    return (f"By calibration, on the test images, {'; '.join(improved)}.",) if improved else ()


def _worsened(name: str, pair: BeforeAfter) -> str | None:
    before, after = pair
    rose = [
        f"{words} rose from {old:.3f} to {new:.3f}"
        for words, old, new in (
            ("the expected calibration error", before.ece, after.ece),
            ("the Brier score", before.brier, after.brier),
        )
        if round(new, 3) > round(old, 3)
    ]
    if not rose:
        return None
    verdict = "made the probabilities worse" if len(rose) == 2 else "did not help throughout"
    return f"on the test images calibration {verdict} for {name}: {' and '.join(rose)}."


def _measures(name: str, pair: BeforeAfter) -> Table:
    rows = [(label, *(f"{getattr(found, key):z.3f}" for found in pair), ideal) for label, key, ideal in _MEASURES]
    rows += [
        (label, *(value_or_reason(getattr(found, key), "z.3f") for found in pair), ideal)
        for label, key, ideal in _REGRESSION
    ]
    caption = f"Probability of {name}, {pair.after.n:,} test images in {count(len(pair.after.bins), 'bin')}"
    return Table(caption, ("Measure", "Before", "After", "Ideal"), tuple(rows))


def _diagram(path: Path, name: str, pair: BeforeAfter, level: float) -> FigureItem:
    return FigureItem(
        draw_reliability(*pair, path=path, level=level),
        f"Reliability diagram of {name}: observed share against probability, with {level_of(level)} intervals that "
        "take images as independent; below, how many images",
        f"Reliability diagram of {name}. Before calibration: {_points(pair.before)}. After: {_points(pair.after)}.",
    )


def _points(found: Reliability) -> str:
    said = [f"{point.mean_probability:.2f} came true in {point.observed:.2f} of {point.n:,}" for point in found.bins]
    slope = f"undefined ({clause(found.slope.reason)})" if found.slope.reason else f"{found.slope.value:.2f}"
    return f"calibration error {found.ece:.3f}, slope {slope}; a mean probability of {', of '.join(said)}"
