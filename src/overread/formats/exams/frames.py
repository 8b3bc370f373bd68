"""The frames of an exam that is open, in order, and where each comes from."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from overread.formats.picture import Picture

# Width and height of a tile of a slide, where nothing else is asked for.
TILE = (224, 224)


@dataclasses.dataclass(frozen=True, slots=True)
class Instance:
    """A file that belongs to an exam, or one frame of it.

    Args:
        path: of the file.
        frame: its number from 1; None for every frame that the file has.
    """

    path: Path
    frame: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a frame of an exam comes from.

    Args:
        path: of its file.
        frame: its number in the file, from 1; None where the file has one only. Of a slide, the number of the tile.
        box: of a tile of a slide: left, top, width and height in pixels of the slide's largest level.
        position_mm: along the axis of the slices, where that is known.
    """

    path: Path
    frame: int | None = None
    box: tuple[int, int, int, int] | None = None
    position_mm: float | None = None


@runtime_checkable
class Frames(Protocol):
    """An open exam: a sequence of frames of which each is decoded when it is asked for."""

    def __len__(self) -> int:
        """How many frames there are: 1 or more."""
        ...

    def picture(self, index: int) -> Picture:
        """The frame at a place, from 0.

        Raises:
            UnreadableImage: it gives no pixels.
        """
        ...

    def origin(self, index: int) -> Origin:
        """Where it comes from."""
        ...

    def overview(self) -> Picture:
        """One picture that stands for the exam: its middle frame, or a slide made small."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided in opening it, as a user should know: order, range, orientation, what was left out."""
        ...


@runtime_checkable
class DecodedTogether(Protocol):
    """`Frames` of which several take less time together, as where each would be asked of another process."""

    def pictures(self, places: Sequence[int]) -> Sequence[Picture]:
        """The decoded frames at these places, from 0.

        Raises:
            UnreadableImage: one gives no pixels.
        """
        ...


@runtime_checkable
class ExamFormat(Protocol):
    """A `Format` whose files hold several frames, which it opens at once; any other is opened frame by frame."""

    def holds_exam(self, head: bytes, name: str) -> bool:
        """Whether a file of this format is an exam by itself, whatever else is known: a volume, a slide."""
        ...

    def open_frames(
        self,
        instances: Sequence[Instance],
        *,
        microns: float | None,
        max_pixels: int,
        tile: tuple[int, int] = TILE,
    ) -> contextlib.AbstractContextManager[Frames]:
        """Open files of this format that belong to one exam, such as a series of slices, in their true order.

        Args:
            instances: one or more, all of this format; the order in which they come says nothing.
            microns: of a slide, the side of a pixel that is wanted.
            tile: of a slide, width and height of a tile in such pixels.
            max_pixels: above which a frame is to be refused before it takes the memory.

        Raises:
            UnreadableImage: they give no frames; the message goes on from the name of the exam, as "is truncated".
        """
        ...
