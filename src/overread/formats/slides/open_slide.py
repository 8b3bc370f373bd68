"""A slide: its size, what it says of itself, and any rectangle of it at any size."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.slides.openslide_calls import Stamp, region, regions, safely, slide_facts, stamp_of
from overread.formats.source import opened
from overread.machine.extras import require_extra
from overread.machine.remote import is_remote, place

Box = tuple[int, int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
# A level a little coarser than what is wanted will do: levels are 4.016 where they say 4.
_COARSER = 1.05
# Pixels that are decoded at once, 64 MB as OpenSlide gives them.
PIECE = 2**24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slide:
    """What is known of a slide; `open_slide` makes it. Threads may read from it at once.

    Args:
        path: of its file.
        stamp: what tells its file from one that takes its place.
        size: width and height of the largest level.
        downsamples: by how much each level is smaller, the largest first.
        properties: what the file says of itself, under OpenSlide's names.
        has_label: a picture of its label or of the whole glass lies in it, which is never read.
    """

    path: Path
    stamp: Stamp
    size: tuple[int, int]
    downsamples: tuple[float, ...]
    properties: Mapping[str, str]
    has_label: bool

    def level_for(self, downsample: float) -> int:
        """The smallest level that still has the detail of a picture made smaller by so much."""
        return max((level for level, own in enumerate(self.downsamples) if own <= _COARSER * downsample), default=0)

    def cost(self, box: Box, size: tuple[int, int]) -> int:
        """How many pixels are decoded for a rectangle at a size."""
        factor = self.downsamples[self.level_for(min(box[2] / size[0], box[3] / size[1]))]
        return round(box[2] * box[3] / factor**2)

    def read(self, box: Box, size: tuple[int, int], *, ground: tuple[int, int, int] | None = None) -> np.ndarray:
        """A rectangle at a size; what is large is decoded piece by piece.

        Args:
            box: left, top, width and height in pixels of the largest level; it may reach beyond the slide.
            size: (width, height) of what is given.
            ground: the colour of what the slide has no pixels of.

        Returns:
            `(height, width, 3)` uint8; without a ground a fourth channel is 0 where the slide has no pixels.

        Raises:
            UnreadableImage: it cannot be decoded.
        """
        level = self.level_for(min(box[2] / size[0], box[3] / size[1]))
        # Pixels of the level for a pixel of what is given.
        across, down = (box[2 + axis] / size[axis] / self.downsamples[level] for axis in (0, 1))
        columns = max(1, min(size[0], int(PIECE / across / max(1.0, down))))
        rows = max(1, min(size[1], int(PIECE / (columns * across) / down)))
        piece = functools.partial(self._piece, level=level, scale=(across, down), ground=ground)
        if (columns, rows) == size:
            return piece(box[:2], size)
        given = np.empty((size[1], size[0], 3 if ground else 4), np.uint8)
        for row in range(0, size[1], rows):
            for column in range(0, size[0], columns):
                part = min(columns, size[0] - column), min(rows, size[1] - row)
                corner = box[0] + column * box[2] / size[0], box[1] + row * box[3] / size[1]
                given[row : row + part[1], column : column + part[0]] = piece(corner, part)
        return given

    def read_each(
        self,
        corners: Sequence[tuple[int, int]],
        box: tuple[int, int],
        size: tuple[int, int],
        *,
        ground: tuple[int, int, int],
    ) -> list[np.ndarray]:
        """Several rectangles of one size as `read` gives each; asked for at once, they take half the time.

        Args:
            corners: left and top of each in pixels of the largest level.
            box: width and height of each in such pixels.
            size, ground: as for `read`.

        Raises:
            UnreadableImage: one cannot be decoded.
        """
        level = self.level_for(min(box[0] / size[0], box[1] / size[1]))
        stored = tuple(max(1, round(side / self.downsamples[level])) for side in box)
        together = max(1, PIECE // (stored[0] * stored[1]))
        found: list[np.ndarray] = []
        for first in range(0, len(corners), together):
            starts = [self._start(corner, level) for corner in corners[first : first + together]]
            call = functools.partial(regions, starts=starts, level=level, stored=stored, size=size, ground=ground)
            found += safely(call, self.path.absolute(), self.stamp)
        return found

    def _piece(
        self,
        corner: tuple[float, float],
        size: tuple[int, int],
        *,
        level: int,
        scale: tuple[float, float],
        ground: tuple[int, int, int] | None,
    ) -> np.ndarray:
        stored = max(1, round(size[0] * scale[0])), max(1, round(size[1] * scale[1]))
        start = self._start(corner, level)
        call = functools.partial(region, start=start, level=level, stored=stored, size=size, ground=ground)
        return safely(call, self.path.absolute(), self.stamp)

    def _start(self, corner: tuple[float, float], level: int) -> tuple[int, int]:
        """A corner at whole pixels of the level, for between them OpenSlide would blur."""
        factor = self.downsamples[level]
        return round(round(corner[0] / factor) * factor), round(round(corner[1] / factor) * factor)


def open_slide(path: str | Path) -> Slide:
    """Find out what a slide is.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is on another machine, or is no slide that OpenSlide reads.
        MissingExtra: OpenSlide is not installed.
    """
    require_extra("slides", ("openslide",))
    if is_remote(path):
        raise UnreadableImage("is a slide that lies on another machine: copy it to a disk of this one first")
    local = place(path).absolute()
    with opened(local):  # a file that is there and may be read
        stamp = stamp_of(local)
    size, downsamples, properties, has_label = safely(slide_facts, local, stamp)
    return Slide(
        path=Path(path), stamp=stamp, size=size, downsamples=downsamples, properties=properties, has_label=has_label
    )
