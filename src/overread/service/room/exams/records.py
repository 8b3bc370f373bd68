"""The record of an exam that was read."""

from __future__ import annotations

import dataclasses
from typing import Any

from overread.reading import Failure
from overread.service.room.exams.shelf import Kept
from overread.service.room.records import ImageRecord


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ExamRecord(ImageRecord):
    """One exam of a reading.

    Args:
        files: how many came.
        kept: what lets it be looked at, where that was asked for.
    """

    files: int
    kept: Kept | None = None

    def to_dict(self, *, each: bool = False) -> dict[str, Any]:
        """The exam as JSON values, without pixels; with each of its frames, where that is wanted."""
        told = {**super().to_dict(), "files": self.files}
        if each and not isinstance(self.result, Failure):
            told["frames"] = [frame.to_dict() for frame in self.result.frames]
        return told
