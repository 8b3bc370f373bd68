"""A whole slide as people look at it: any part at any size, read by the processes that decode."""

from __future__ import annotations

import dataclasses
import io

from PIL import Image

from overread.formats import Frames
from overread.formats.slides.open_slide import PIECE, Slide
from overread.formats.slides.resolution import resolution_of
from overread.formats.slides.tiles import SlideFrames

# Of a part that is asked for at once. Fewer and larger ones would come later, more and smaller ones cost more.
SIDE = 512
_QUALITY = 85


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlideTold:
    """What is needed to look at a slide.

    Args:
        slide: that is read.
        ground: RGB of what lies behind it.
        microns: the side of a pixel of the largest level; None where that is not known.
        levels: how often its sides can be halved so that a part is still read in a moment.
    """

    slide: Slide
    ground: tuple[int, int, int]
    microns: float | None
    levels: int

    def has_part(self, level: int, column: int, row: int) -> bool:
        """Whether there is such a part; see `part_of_slide`."""
        side = SIDE << level
        return level <= self.levels and column * side < self.slide.size[0] and row * side < self.slide.size[1]


def slide_told(frames: Frames) -> SlideTold | None:
    """What is needed to look at the slide that these are tiles of; None where they are of none, or of several."""
    whole = getattr(frames, "every", frames)
    if not isinstance(whole, SlideFrames):
        return None
    slide, levels = whole.slide, 0
    while SIDE << levels < max(slide.size) and slide.cost((0, 0, SIDE << levels, SIDE << levels), (SIDE, SIDE)) < PIECE:
        levels += 1
    own = resolution_of(slide.properties).microns
    return SlideTold(slide=slide, ground=whole.ground, microns=None if own is None else own[0], levels=levels)


def part_of_slide(told: SlideTold, level: int, column: int, row: int) -> bytes:
    """One part as a JPEG, `SIDE` pixels wide and high, or less at the right and at the bottom.

    Args:
        told: of the slide.
        level: how often its sides are halved, from 0.
        column, row: of the part, from 0; it has to be there.

    Raises:
        UnreadableImage: it cannot be decoded.
    """
    side = SIDE << level
    left, top = column * side, row * side
    rest = told.slide.size[0] - left, told.slide.size[1] - top
    size = tuple(max(1, min(SIDE, -(-one >> level))) for one in rest)
    pixels = told.slide.read((left, top, size[0] << level, size[1] << level), (size[0], size[1]), ground=told.ground)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
