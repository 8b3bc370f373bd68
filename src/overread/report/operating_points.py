"""Operating points in the sentences that terminal, report and documents share."""

from __future__ import annotations

from collections.abc import Sequence

from overread.bundle import Bundle
from overread.decision import OperatingPoint
from overread.words import listed, low_to_high


def threshold_sentences(bundle: Bundle) -> tuple[str, ...]:
    """Say from which probability each class is called, how sure that is, and what is to be noted."""
    placed = (_sentence(name, point) for name, point in bundle.operating_points.items())
    return (*placed, *unplaced_sentences(bundle.unplaced, bundle.chosen_on))


def unplaced_sentences(names: Sequence[str], chosen_on: str) -> tuple[str, ...]:
    """Say of what no operating point could be chosen on some images; nothing where of all one was."""
    if not names:
        return ()
    called = "is called" if len(names) == 1 else "are each called"
    return (
        f"{listed(names)} {called} from a probability of 0.5: to choose an operating point takes {chosen_on} "
        "with it and without, and there are none of one kind.",
    )


def threshold_interval(point: OperatingPoint) -> str:
    """Give the ends of the interval; nothing where there is none."""
    return low_to_high(*point.interval, ".4g") if point.interval else ""


def _sentence(name: str, point: OperatingPoint) -> str:
    note = f" {point.note}" if point.note else ""
    if point.is_given:
        return f"{name} is called from a probability of {point.threshold:.4g}, as given beforehand.{note}"
    sure = f" (95 % interval by patient {threshold_interval(point)})" if point.interval else ""
    return f"{name} is called from a probability of {point.threshold:.4g}{sure}, by the rule {point.rule}.{note}"
