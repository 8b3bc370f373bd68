"""Calibration: whether probabilities come true as often as they say, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from overread.decision import Calibration
from overread.evaluation import Assessment, BeforeAfter, Reliability
from overread.evaluation.wording import value_or_reason
from overread.report.calibrations import calibration_sentences
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_reliability
from overread.report.sections.each_class import figure_name
from overread.words import clause, count, level_of

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
    text = (
        "Calibrated probabilities come true as often as they say: of 100 images with a probability of 20 %, 20 are of "
        "the class. The Brier score is reliability - resolution + uncertainty + what binning leaves out. A slope below "
        "1 tells of probabilities that are too extreme; calibration in the large above 0 of probabilities that are too "
        "low on the whole. These measures have no interval here."
    )
    several = assessment.task.positive is None
    items: list[Table | FigureItem] = []
    for name, pair in assessment.reliability.items():
        path = folder / figure_name("reliability", name, assessment.task)
        items += [_measures(name, pair), _diagram(path, name, pair, assessment.options.level)]
    worse = [_worsened(name, pair) for name, pair in assessment.reliability.items()]
    return Section(
        "Calibration",
        paragraphs=(*calibration_sentences(fitted), *_effects(assessment, several), text),
        items=tuple(items),
        warnings=tuple(sentence for sentence in worse if sentence),
    )


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
