"""Labels of one picture that cannot all be right: other classes, other grades, a finding that is there and is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from overread.cases import Manifest
from overread.decision import IntArray, Task
from overread.words import count


def contradict(task: Task, labels: Iterable[str]) -> bool:
    """Whether labels cannot all be right; the order of findings is none, and what is not known contradicts nothing."""
    different = sorted(set(labels))
    if len(different) < 2 or task.exclusive:
        return len(different) > 1
    return bool(_disputed(task, task.encode(different)))


def labels_contradict(manifest: Manifest, group: Sequence[int]) -> bool:
    """Whether the labels of these images do."""
    return contradict(manifest.task, (manifest.cases[i].label for i in group))


def said_of_contradictions(manifest: Manifest, groups: Iterable[Sequence[int]]) -> str:
    """Say in what groups of images contradict each other: in which findings, by how many grades; empty for classes."""
    task = manifest.task
    found = Counter(
        phrase for group in groups for phrase in _phrases(task, task.encode([manifest.cases[i].label for i in group]))
    )
    said = [f"{phrase} ({count(number, 'group')})" for phrase, number in found.most_common()]
    return f"; they differ {', '.join(said)}" if said else ""


def _disputed(task: Task, y_true: IntArray) -> list[str]:
    """The classes that some of the cases are of, and others surely not."""
    shows = {name: task.shows(y_true, name) for name in task.classes}
    return [name for name, yes in shows.items() if yes.any() and (task.known(y_true, name) & ~yes).any()]


def _phrases(task: Task, y_true: IntArray) -> list[str]:
    if task.parts:
        told = {name: task.cases_of(name, y_true)[task.told(name, y_true)] for name in task.parts}
        return [
            f"in {name} {phrase}"
            for name, part in task.parts.items()
            if len(told[name])
            for phrase in _phrases(part, told[name])
        ]
    if task.ordered:
        return [f"by {count(int(apart), task.noun[0])}"] if (apart := np.ptp(y_true)) else []
    return [] if task.exclusive else [f"in {name}" for name in _disputed(task, y_true)]
