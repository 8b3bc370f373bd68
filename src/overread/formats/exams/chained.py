"""Frames of several kinds, or of several files, as one sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from overread.formats.exams.frames import Frames, Origin
from overread.formats.picture import Picture


def chained(parts: Sequence[Frames]) -> Frames:
    """The frames of one part or more, one part after the other."""
    return parts[0] if len(parts) == 1 else _Joined(tuple(parts))


@dataclasses.dataclass(frozen=True)
class _Joined:
    parts: tuple[Frames, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def _part(self, index: int) -> tuple[Frames, int]:
        for part in self.parts:
            if index < len(part):
                return part, index
            index -= len(part)
        raise IndexError(index)

    def picture(self, index: int) -> Picture:
        part, place = self._part(index)
        return part.picture(place)

    def origin(self, index: int) -> Origin:
        part, place = self._part(index)
        return part.origin(place)

    def overview(self) -> Picture:
        return self.parts[0].overview()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for part in self.parts for note in part.notes)
