"""The worth of acting: net benefit against treating every patient and treating none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overread.evaluation import Assessment, DecisionCurve, Predictions
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_decision_curve
from overread.report.sections.each_class import figure_name
from overread.words import listed, percent

_SHOWN = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
_ROUNDING = 1e-9


def decision_curve_section(predictions: Predictions, assessment: Assessment, folder: Path) -> Section:
    """Say at which threshold probabilities acting on the reader is worth more than acting on all or none.

    Args:
        predictions: of the test images, with the operating points to mark.
        assessment: of these predictions.
        folder: of the figures.
    """
    text = (
        "Net benefit counts the diseased images found, less the false alarms weighted by how bad they are, as true "
        "positives an image. Whoever acts from a probability of 10 % on accepts nine false alarms for one case found. "
        "The curve has no interval here: a small advantage may be chance."
    )
    thresholds = {**predictions.thresholds, **assessment.evaluation.thresholds}
    items: list[Table | FigureItem] = []
    for name, curve in assessment.decision_curves.items():
        path = folder / figure_name("net_benefit", name, assessment.task)
        drawn = draw_decision_curve(curve, path=path, threshold=thresholds.get(name))
        items += [_worth(name, curve), _curve(drawn, name, curve)]
    found = tuple(_range(name, curve, assessment) for name, curve in assessment.decision_curves.items())
    return Section("Decision curve", paragraphs=(*found, text), items=tuple(items))


def helpful_ranges(curve: DecisionCurve) -> tuple[tuple[float, float], ...]:
    """Give the first and last threshold of each stretch at which the probabilities help."""
    helps = np.concatenate([[False], curve.advantage > _ROUNDING, [False]])
    turns = np.flatnonzero(np.diff(helps.astype(int)))
    at = curve.thresholds
    return tuple((at[start], at[end - 1]) for start, end in turns.reshape(-1, 2))


def _range(name: str, curve: DecisionCurve, assessment: Assessment) -> str:
    stated = assessment.options.prevalence == curve.prevalence
    share = f"Where {percent(curve.prevalence)} of images are {name}, as {'stated' if stated else 'in this test'}"
    ranges = helpful_ranges(curve)
    if not ranges:
        return (
            f"{share}, acting on the probability helps at no threshold: acting on every image or on none does as well."
        )
    where = listed(
        [
            f"from {100 * low:.0f} % to {100 * high:.0f} %" if low < high else f"at {100 * low:.0f} %"
            for low, high in ranges
        ]
    )
    best = int(np.argmax(curve.advantage))
    return (
        f"{share}, acting on the probability is worth more than acting on every image and than acting on none at "
        f"thresholds {where}, most at {100 * curve.thresholds[best]:.0f} % (by {curve.advantage[best]:.3f})."
    )


def _worth(name: str, curve: DecisionCurve) -> Table:
    rows = []
    for threshold in _SHOWN:
        if threshold not in curve.thresholds:
            continue
        at = curve.thresholds.index(threshold)
        rows.append(
            (
                f"{100 * threshold:.0f} %",
                f"{curve.net_benefit[at]:+.3f}",
                f"{curve.treat_all[at]:+.3f}",
                f"{curve.avoided_per_100[at]:.1f}",
            )
        )
    header = ("Threshold", "Acting on the probability", "Acting on all", "Avoided in 100 images against all")
    return Table(f"Net benefit for {name}; acting on none has 0", header, tuple(rows))


def _curve(path: Path, name: str, curve: DecisionCurve) -> FigureItem:
    said = "; ".join(f"{row[0]}: {row[1]} against {row[2]}" for row in _worth(name, curve).rows)
    return FigureItem(
        path,
        f"Decision curve of {name}",
        f"Decision curve of {name}: net benefit of acting on the probability against acting on every image, by "
        f"threshold. {said}.",
    )
