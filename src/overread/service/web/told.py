"""What a reading decides, as the page draws it: bars with their operating points, and grades on their scale."""

from __future__ import annotations

import dataclasses

from overread.reading import Reading
from overread.reading.sentences import decision, headline, rounded, told_apart


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """A probability on a bar, with the operating point where that decides, as numbers and as told.

    Args:
        label: the class, finding or cut.
        probability: of it.
        threshold: the operating point; None where none decides.
        shown: the probability in digits.
        shown_threshold: the operating point in digits.
        answer: to a finding or cut that is told by itself; empty otherwise.
    """

    label: str
    probability: float
    threshold: float | None
    shown: str
    shown_threshold: str
    answer: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A grade on its scale.

    Args:
        label: the grade.
        shown: its probability in digits.
        decided: whether it is the one decided on.
        possible: whether it cannot be ruled out.
        cut: whether a clinical cut lies below it.
    """

    label: str
    shown: str
    decided: bool
    possible: bool
    cut: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of one task; `name` is empty where there is no other."""

    name: str
    headline: str
    decision: str
    bars: tuple[Bar, ...]
    steps: tuple[Step, ...]


def told_of(found: Reading) -> tuple[Told, ...]:
    """What is told of each task of a reading."""
    return tuple(
        Told(
            name=name,
            headline=headline(part),
            decision=decision(part),
            bars=_bars(part),
            steps=_steps(part) if part.task.ordered else (),
        )
        for name, part in (found.parts or {"": found}).items()
    )


def _bars(found: Reading) -> tuple[Bar, ...]:
    if found.questions:
        return tuple(_bar(one.name, one.probability, one.threshold, one.answer) for one in found.questions)
    names = sorted(found.task.judged, key=lambda name: -found.probabilities[name])
    return tuple(_bar(name, found.probabilities[name], found.threshold) for name in names)


def _bar(label: str, probability: float, threshold: float | None, answer: str = "") -> Bar:
    shown = (rounded(probability), "") if threshold is None else told_apart(probability, threshold)
    return Bar(
        label=label,
        probability=probability,
        threshold=threshold,
        shown=shown[0],
        shown_threshold=shown[1],
        answer=answer,
    )


def _steps(found: Reading) -> tuple[Step, ...]:
    task = found.task
    # Of the grades that say yes to a cut, the lowest.
    cuts = {task.classes[task.says(name).tolist().index(1)] for name in task.questions}
    return tuple(
        Step(
            label=name,
            shown=rounded(found.probabilities[name]),
            decided=name == found.predicted_label,
            possible=name in found.prediction_set,
            cut=name in cuts,
        )
        for name in task.classes
    )
