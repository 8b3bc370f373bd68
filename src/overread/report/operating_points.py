"""Operating points in the sentences that terminal, report and documents share."""

from __future__ import annotations

from collections.abc import Mapping

from overread.decision import OperatingPoint
from overread.words import low_to_high


def threshold_sentences(points: Mapping[str, OperatingPoint]) -> tuple[str, ...]:
    """Say from which probability each class is called, how sure that is, and what is to be noted."""
    return tuple(_sentence(name, point) for name, point in points.items())


def threshold_interval(point: OperatingPoint) -> str:
    """Give the ends of the interval; nothing where there is none."""
    return low_to_high(*point.interval, ".4g") if point.interval else ""


def _sentence(name: str, point: OperatingPoint) -> str:
    note = f" {point.note}" if point.note else ""
    if point.is_given:
        return f"{name} is called from a probability of {point.threshold:.4g}, as given beforehand.{note}"
    sure = f" (95 % interval by patient {threshold_interval(point)})" if point.interval else ""
    return f"{name} is called from a probability of {point.threshold:.4g}{sure}, by the rule {point.rule}.{note}"
