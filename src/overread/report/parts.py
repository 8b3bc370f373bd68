"""The tasks of a network that answers several in one pass, each shown as if it were alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from overread.decision.task import Task
from overread.evaluation import Assessment, Predictions
from overread.report.document import Section

T = TypeVar("T")


class Part(NamedTuple):
    """What is shown as if it were alone: one of several tasks, or all there is.

    Args:
        name: of the task; empty where there is one only.
        whole: the task that it is a part of.
        predictions: of it.
        assessment: of these.
        folder: of its figures.
    """

    name: str
    whole: Task
    predictions: Predictions
    assessment: Assessment
    folder: Path

    def own(self, by_name: Mapping[str, T]) -> Mapping[str, T]:
        """What is given for classes, judged questions or answers of the whole, of this part."""
        return self.whole.of_part(self.name, by_name) if self.name else by_name

    def headed(self, *made: Section) -> tuple[Section, ...]:
        """Sections under the name of the task."""
        if not self.name:
            return made
        return tuple(dataclasses.replace(one, heading=f"{self.name}: {one.heading}") for one in made)


def parts_to_report(predictions: Predictions, assessment: Assessment, folder: Path) -> tuple[Part, ...]:
    """Part what is to be shown into its tasks, each with a folder for figures, which is made."""
    if not assessment.parts:
        folder.mkdir(parents=True, exist_ok=True)
        return (Part("", assessment.task, predictions, assessment, folder),)
    found = []
    for number, (name, part) in enumerate(assessment.parts.items(), start=1):
        place = folder / f"task_{number}"
        place.mkdir(parents=True, exist_ok=True)
        found.append(Part(name, assessment.task, predictions.of_part(name), part, place))
    return tuple(found)
