"""Figures that are drawn for each class that is judged."""

from __future__ import annotations

from overread.decision.task import Task


def figure_name(stem: str, name: str, task: Task) -> str:
    """Name the file, without suffix, of the figure of one judged class: numbered where there are several."""
    return stem if name == task.positive else f"{stem}_{task.column(name) + 1}"
