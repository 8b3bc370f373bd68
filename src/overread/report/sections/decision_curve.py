"""The worth of acting: net benefit against treating every patient and treating none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from overread.evaluation import Assessment, DecisionCurve, Predictions
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_decision_curve, draw_decision_curves
from overread.report.judged import figure_name
from overread.words import first_of, listed, percent

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
    questions = bool(assessment.task.questions)
    made = (_of_questions if questions else _of_classes)(assessment, thresholds, folder)
    curves = assessment.decision_curves
    found = _on_the_whole(assessment) if questions else tuple(_range(*each, assessment) for each in curves.items())
    return Section("Decision curve", paragraphs=(*found, text), items=made)


def _of_classes(
    assessment: Assessment, thresholds: Mapping[str, float], folder: Path
) -> tuple[Table | FigureItem, ...]:
    """Each with a table and a curve."""
    items: list[Table | FigureItem] = []
    for name, curve in assessment.decision_curves.items():
        path = folder / figure_name("net_benefit", name, assessment.task)
        drawn = draw_decision_curve(curve, path=path, threshold=thresholds.get(name))
        items += [_worth(name, curve), _curve(drawn, name, curve)]
    return tuple(items)


def _of_questions(
    assessment: Assessment, thresholds: Mapping[str, float], folder: Path
) -> tuple[Table | FigureItem, ...]:
    """All in one table and one figure: they may be many."""
    curves, one = assessment.decision_curves, assessment.task.judged_noun[0]
    if not curves:
        return ()
    rows = []
    for name, curve in curves.items():
        where, best = _where(curve), int(np.argmax(curve.advantage))
        most = (f"{100 * curve.thresholds[best]:.0f} %", f"{curve.advantage[best]:+.3f}") if where else ("", "")
        rows.append((name, f"{curve.n:,}", percent(curve.prevalence), where or "at none", *most))
    header = (one.capitalize(), "n", "Prevalence", "Worth more than all and none", "Most at", "By")
    table = Table(f"At which thresholds acting on the probability of each {one} is worth more", header, tuple(rows))
    said = "; ".join(f"{row[0]}: {row[3]}" for row in rows)
    figure = FigureItem(
        draw_decision_curves(curves, path=folder / "net_benefit", thresholds=thresholds),
        f"Decision curve of each {one}, each on scales of its own",
        f"Decision curves. Worth more than acting on every image and on none: {said}.",
    )
    return (table, figure)


def _on_the_whole(assessment: Assessment) -> tuple[str, ...]:
    curves, (one, several) = assessment.decision_curves, assessment.task.judged_noun
    useless = [name for name, curve in curves.items() if not helpful_ranges(curve)]
    if not useless:
        return (
            f"For each {one} there are thresholds at which acting on its probability is worth more than acting on "
            "every image and than acting on none.",
        )
    return (
        f"Of {len(curves)} {several}, {len(useless)} help at no threshold: acting on every image or on none does as "
        f"well for {first_of(useless)}.",
    )


def helpful_ranges(curve: DecisionCurve) -> tuple[tuple[float, float], ...]:
    """Give the first and last threshold of each stretch at which the probabilities help."""
    helps = np.concatenate([[False], curve.advantage > _ROUNDING, [False]])
    turns = np.flatnonzero(np.diff(helps.astype(int)))
    at = curve.thresholds
    return tuple((at[start], at[end - 1]) for start, end in turns.reshape(-1, 2))


def _range(name: str, curve: DecisionCurve, assessment: Assessment) -> str:
    stated = assessment.options.prevalence == curve.prevalence
    share = f"Where {percent(curve.prevalence)} of images are {name}, as {'stated' if stated else 'in this test'}"
    where = _where(curve)
    if not where:
        return (
            f"{share}, acting on the probability helps at no threshold: acting on every image or on none does as well."
        )
    best = int(np.argmax(curve.advantage))
    return (
        f"{share}, acting on the probability is worth more than acting on every image and than acting on none at "
        f"thresholds {where}, most at {100 * curve.thresholds[best]:.0f} % (by {curve.advantage[best]:.3f})."
    )


def _where(curve: DecisionCurve) -> str:
    """The thresholds at which the probabilities help, in words; nothing where there are none."""
    return listed(
        [
            f"from {100 * low:.0f} % to {100 * high:.0f} %" if low < high else f"at {100 * low:.0f} %"
            for low, high in helpful_ranges(curve)
        ]
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
