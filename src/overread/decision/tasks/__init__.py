"""The kinds of tasks, one a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overread.decision.task import Task
from overread.decision.tasks.findings import SeveralFindings
from overread.decision.tasks.grades import OrderedGrades
from overread.decision.tasks.one_label import SeveralClasses, TwoClasses
from overread.decision.tasks.several_tasks import SeveralTasks
from overread.errors import InvalidOption

__all__ = ["OrderedGrades", "SeveralClasses", "SeveralFindings", "SeveralTasks", "TwoClasses", "task_from_dict"]


def task_from_dict(values: Mapping[str, Any]) -> Task:
    """The task that `Task.to_dict` gave; other values may stand beside its own.

    Raises:
        InvalidOption: it has no classes, or is of an unknown kind.
    """
    found, kind = values.get("classes"), values.get("kind")
    classes = tuple(found) if isinstance(found, list | tuple) else ()
    if kind is None:
        return Task.of(classes)
    if kind == SeveralFindings.kind:
        return SeveralFindings(classes)
    if kind == OrderedGrades.kind and all(type(cut) is int for cut in _list(values, "cuts")):
        return OrderedGrades(classes, tuple(_list(values, "cuts")))
    if kind == SeveralTasks.kind and isinstance(parts := values.get("parts"), Mapping):
        # One of its own kind could be as deep as no program can follow.
        if not all(isinstance(part, Mapping) and part.get("kind") != kind for part in parts.values()):
            raise InvalidOption("a task of several holds what is no task by itself: name the tasks side by side")
        return SeveralTasks.together({name: task_from_dict(part) for name, part in parts.items()})
    raise InvalidOption(f"the task is of the kind {kind!r}, which this overread does not know: install a newer one")


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    return found if isinstance(found, list) else []
