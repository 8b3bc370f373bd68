"""Files that belong to one exam, gathered for reading."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from overread.formats import Instance


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exam:
    """Files and frames with one answer, as they are to be read.

    Args:
        name: that it is told by: of its only file the path, else of its folder, or what names it within.
        instances: its files and frames, one or more.
    """

    name: str
    instances: tuple[Instance, ...]

    @property
    def path(self) -> Path:
        """Its first file."""
        return self.instances[0].path
