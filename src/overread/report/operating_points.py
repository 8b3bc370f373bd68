"""Operating points in the sentences that terminal, report and documents share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from overread.bundle import Bundle
from overread.decision import OperatingPoint
from overread.evaluation import Assessment, Estimate
from overread.words import clause, first_of, listed, low_to_high


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


def operating_point_warnings(
    assessment: Assessment, points: Mapping[str, OperatingPoint], chosen_on: str
) -> tuple[str, ...]:
    """Warn of thresholds that the images could hardly place, and of rates there that flattered.

    Args:
        assessment: of the test images.
        points: frozen on others, by what is judged.
        chosen_on: these others, in words.
    """
    warn = _warnings_of_questions if assessment.task.questions else _warnings_of_classes
    return warn(assessment, points, chosen_on)


def _warnings_of_classes(
    assessment: Assessment, points: Mapping[str, OperatingPoint], chosen_on: str
) -> tuple[str, ...]:
    one = assessment.task.positive is not None
    notes = (
        f"{'' if one else f'{name}: '}{clause(point.note)}, on the {chosen_on}."
        for name, point in points.items()
        if point.note
    )
    flattered = (
        f"the {rate}{'' if one else f' of {name}'} of {before:.3f} on {chosen_on} "
        f"flattered: on the test images it is {found.metric.value:.3f}, at most {found.interval.high:.3f} by "
        "its interval."
        for name, rate, before, found in _flattered(assessment, points)
    )
    return (*notes, *flattered)


def _warnings_of_questions(
    assessment: Assessment, points: Mapping[str, OperatingPoint], chosen_on: str
) -> tuple[str, ...]:
    """One warning of a kind: there may be dozens of questions."""
    noted = [name for name, point in points.items() if point.note]
    flattered = [
        f"{rate} of {name} ({before:.3f} there, {found.metric.value:.3f} here, at most {found.interval.high:.3f} by "
        "its interval)"
        for name, rate, before, found in _flattered(assessment, points)
    ]
    placed = f"the {chosen_on} can hardly place the operating point of {first_of(noted)}; the table has why."
    flatter = f"these were better on {chosen_on} than the test images allow: {first_of(flattered, 4)}."
    return (*([placed] if noted else []), *([flatter] if flattered else []))


def _flattered(
    assessment: Assessment, points: Mapping[str, OperatingPoint]
) -> Iterator[tuple[str, str, float, Estimate]]:
    """Where a rate on validation lies above all that the test images allow, with that rate and theirs."""
    one = assessment.task.positive is not None
    estimates_at = {name: assessment.estimates for name in points} if one else assessment.at_class_points
    for name, estimates in estimates_at.items():
        if (point := points.get(name)) is None:
            continue
        for rate, before in (("sensitivity", point.sensitivity), ("specificity", point.specificity)):
            if estimates[rate].interval.reason is None and before > estimates[rate].interval.high:
                yield name, rate, before, estimates[rate]
