"""Figures that are drawn for each class that is judged."""

from __future__ import annotations

from collections.abc import Sequence


def figure_name(stem: str, name: str, classes: Sequence[str]) -> str:
    """Name the file, without suffix, of the figure of one class: numbered where there are more than two."""
    return stem if len(classes) == 2 else f"{stem}_{classes.index(name) + 1}"
