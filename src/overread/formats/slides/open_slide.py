"""An open slide: its size, what it says of itself, and any rectangle of it at any size."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from overread.errors import MissingExtra, UnreadableImage
from overread.formats.source import opened
from overread.machine.extras import require_extra
from overread.machine.remote import is_remote, place

Box = tuple[int, int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
# A level a little coarser than what is wanted will do: levels are 4.016 where they say 4.
_COARSER = 1.05
# Pixels that are decoded at once, 64 MB as openslide gives them.
PIECE = 2**24
_LARGEST_SIDE = 2**24
# Of the pictures that come with a slide, those that may show its label.
_LABELS = ("label", "macro")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Slide:
    """A slide for as long as it is open; `open_slide` makes it. Threads may read from it at once.

    Args:
        path: of its file.
        size: width and height of the largest level.
        downsamples: by how much each level is smaller, the largest first.
        properties: what the file says of itself, under OpenSlide's names.
        has_label: a picture of its label or of the whole glass lies in it, which is never read.
    """

    path: Path
    size: tuple[int, int]
    downsamples: tuple[float, ...]
    properties: Mapping[str, str]
    has_label: bool
    _handle: Any

    def level_for(self, downsample: float) -> int:
        """The smallest level that still has the detail of a picture made smaller by so much."""
        return max((level for level, own in enumerate(self.downsamples) if own <= _COARSER * downsample), default=0)

    def cost(self, box: Box, size: tuple[int, int]) -> int:
        """How many pixels are decoded for a rectangle at a size."""
        factor = self.downsamples[self.level_for(min(box[2] / size[0], box[3] / size[1]))]
        return round(box[2] * box[3] / factor**2)

    def read(self, box: Box, size: tuple[int, int]) -> np.ndarray:
        """A rectangle at a size: `(height, width, 4)` uint8, of which the last channel is 0 where the slide has none.

        What is large is decoded piece by piece.

        Args:
            box: left, top, width and height in pixels of the largest level; it may reach beyond the slide.
            size: (width, height) of what is given.

        Raises:
            UnreadableImage: it cannot be decoded.
        """
        level = self.level_for(min(box[2] / size[0], box[3] / size[1]))
        # Pixels of the level for a pixel of what is given.
        across, down = (box[2 + axis] / size[axis] / self.downsamples[level] for axis in (0, 1))
        columns = max(1, min(size[0], int(PIECE / across / max(1.0, down))))
        rows = max(1, min(size[1], int(PIECE / (columns * across) / down)))
        if (columns, rows) == size:
            return self._piece(box[:2], level, (across, down), size)
        given = np.empty((size[1], size[0], 4), np.uint8)
        for row in range(0, size[1], rows):
            for column in range(0, size[0], columns):
                part = min(columns, size[0] - column), min(rows, size[1] - row)
                corner = box[0] + column * box[2] / size[0], box[1] + row * box[3] / size[1]
                given[row : row + part[1], column : column + part[0]] = self._piece(corner, level, (across, down), part)
        return given

    def _piece(
        self, corner: tuple[float, float], level: int, scale: tuple[float, float], size: tuple[int, int]
    ) -> np.ndarray:
        factor = self.downsamples[level]
        # At whole pixels of the level, for between them OpenSlide would blur.
        start = tuple(round(round(place / factor) * factor) for place in corner)
        width, height = (size[axis] * scale[axis] for axis in (0, 1))
        whole = max(1, round(width)), max(1, round(height))
        try:
            pixels = self._handle.read_region(start, level, whole)
        except Exception as error:
            raise UnreadableImage(f"is a slide with a damaged part ({_reason(error)}): copy it again") from error
        return np.asarray(pixels if whole == size else pixels.resize(size, Image.Resampling.BILINEAR))


@contextlib.contextmanager
def open_slide(path: str | Path) -> Iterator[Slide]:
    """Open a slide for as long as it is read.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is on another machine, or is no slide that OpenSlide reads.
        MissingExtra: OpenSlide is not installed.
    """
    require_extra("slides", ("openslide",))
    if is_remote(path):
        raise UnreadableImage("is a slide that lies on another machine: copy it to a disk of this one first")
    local = place(path)
    with opened(local):  # a file that is there and may be read
        pass
    handle = _opened(local)
    try:
        yield _slide(local, handle)
    finally:
        handle.close()


def _opened(path: Path) -> Any:
    try:
        import openslide
    except (ImportError, OSError):
        raise MissingExtra(
            "this needs OpenSlide itself, which is not installed: pip install 'overread[slides]'"
        ) from None
    try:
        return openslide.OpenSlide(path)
    except Exception as error:
        raise UnreadableImage(f"is no slide that OpenSlide reads ({_reason(error)}): copy it again") from error


def _slide(path: Path, handle: Any) -> Slide:
    try:
        size, downsamples = handle.dimensions, handle.level_downsamples
        properties, pictures = dict(handle.properties), set(handle.associated_images)
    except Exception as error:
        raise UnreadableImage(f"is a damaged slide ({_reason(error)}): copy it again") from error
    if not (all(0 < side <= _LARGEST_SIDE for side in size) and all(0.99 <= one < 1e6 for one in downsamples)):
        raise UnreadableImage(f"is a slide that declares {size[0]} x {size[1]} pixels: it is damaged, export it again")
    return Slide(
        path=path, size=size, downsamples=tuple(downsamples), properties=properties,
        has_label=not pictures.isdisjoint(_LABELS), _handle=handle,
    )  # fmt: skip


def _reason(error: Exception) -> str:
    """What OpenSlide says, without the path, which may name a patient."""
    said = re.sub(r"^(Reading|Couldn't open|Can't open)?\s*/.*?: ", "", str(error).strip())
    return "unknown reason" if not said or "/" in said else said[:200]
