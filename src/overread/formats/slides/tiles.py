"""The tiles of a slide that hold tissue, as the frames of an exam."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.exams.chained import chained
from overread.formats.exams.frames import Frames, Origin
from overread.formats.picture import DecodedPicture, Fitted, GreyValues, Picture, as_stored
from overread.formats.slides.open_slide import BLACK, PIECE, WHITE, Slide
from overread.formats.slides.openslide_calls import on_ground
from overread.formats.slides.resolution import MICRONS, resolution_of
from overread.formats.slides.tissue import Tissue, find_tissue
from overread.words import count

# The longer side of the picture of the whole.
OVERVIEW = 2048
# Of a tile: what has to be tissue, and what may be ink.
TISSUE_SHARE, INK_SHARE = 0.25, 0.1
# Where no tile has as much, as of a small biopsy, those that have this.
_LITTLE_TISSUE = 0.02
_MOST_TILES = 2_000_000


class NoTissue(UnreadableImage, ValueError):
    """A slide that shows nothing but glass."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SlideFrames:
    """The tiles of a slide that is open, row by row; `tile_slide` makes it.

    Args:
        slide: that they are read from.
        corners: `(n, 2)` int32, left and top of each in pixels of the largest level.
        box: width and height of a tile in such pixels.
        tile: the same in pixels of what is given.
        ground: what lies behind the slide, RGB.
        picture_of_all: `(height, width, 3)` uint8.
        notes: what was decided.
    """

    slide: Slide
    corners: np.ndarray
    box: tuple[int, int]
    tile: tuple[int, int]
    ground: tuple[int, int, int]
    picture_of_all: np.ndarray
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.corners)

    def picture(self, index: int) -> Picture:
        """The tile at a place, decoded when it is asked for its pixels."""
        return _Tile(self, index)

    def pictures(self, places: Sequence[int]) -> list[DecodedPicture]:
        """The tiles at these places, decoded together.

        Raises:
            UnreadableImage: one cannot be decoded.
        """
        corners = [(left, top) for left, top in self.corners[list(places)].tolist()]
        return [DecodedPicture(p) for p in self.slide.read_each(corners, self.box, self.tile, ground=self.ground)]

    def origin(self, index: int) -> Origin:
        """Its number and its box."""
        left, top = self.corners[index].tolist()
        return Origin(path=self.slide.path, frame=index + 1, box=(left, top, *self.box))

    def overview(self) -> Picture:
        """The whole slide, its longer side at most 2,048 pixels."""
        return DecodedPicture(self.picture_of_all)

    def pixels(self, index: int) -> np.ndarray:
        """`(height, width, 3)` uint8 of one tile.

        Raises:
            UnreadableImage: it cannot be decoded.
        """
        left, top = self.corners[index].tolist()
        return self.slide.read((left, top, *self.box), self.tile, ground=self.ground)


@dataclasses.dataclass(frozen=True)
class _Tile:
    frames: SlideFrames
    index: int

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        return self.frames.pixels(self.index)

    def grey_values(self) -> GreyValues | None:
        return None


def tile_slides(slides: Sequence[Slide], *, microns: float | None, tile: tuple[int, int]) -> Frames:
    """The tiles of the slides of one exam, of which those without tissue are left out, as the notes say.

    Raises:
        UnreadableImage: as `tile_slide`, for no tissue only where no slide holds any.
    """
    parts: list[SlideFrames] = []
    empty: list[NoTissue] = []
    for slide in slides:
        try:
            parts.append(tile_slide(slide, microns=microns, tile=tile))
        except NoTissue as error:
            empty.append(error)
    if not parts:
        raise empty[0]
    if empty:
        said = f"{count(len(empty), 'slide')} without tissue left out"
        parts[0] = dataclasses.replace(parts[0], notes=(*parts[0].notes, said))
    return chained(parts)


def tile_slide(slide: Slide, *, microns: float | None, tile: tuple[int, int]) -> SlideFrames:
    """Lay a grid over a slide and keep the tiles that hold tissue.

    Args:
        slide: that is open.
        microns: the side of a pixel that is wanted; by default 1 µm, and where the file does not say how large its
            pixels are, these as they are.
        tile: width and height of a tile in such pixels.

    Raises:
        UnreadableImage: it holds no tissue, does not say how large its pixels are while microns are wanted, or has no
            level that is small enough for them.
    """
    resolution = resolution_of(slide.properties)
    if resolution.microns is None and microns is not None:
        raise UnreadableImage(
            f"is no slide to be read at {microns:g} µm, for {resolution.notes[0]}: leave --microns out to read its "
            "pixels as they are, or have their size written into the file"
        )
    wanted, own = microns or MICRONS, resolution.microns
    scale = (1.0, 1.0) if own is None else (wanted / own[0], wanted / own[1])
    box = max(1, round(tile[0] * scale[0])), max(1, round(tile[1] * scale[1]))
    if (cost := slide.cost((0, 0, *box), tile)) > PIECE:
        raise UnreadableImage(
            f"has no level near {wanted:g} µm, so that {cost:,} pixels would be decoded for each tile: choose smaller "
            "--microns"
        )
    picture, found = overview_of(slide)
    tiles = _Grid.over(slide.size, box)
    tissue, ink = tiles.shares(found.tissue), tiles.shares(found.pen)
    kept = _kept(tissue, ink)
    if not kept.any():
        raise NoTissue("is a slide on which no tissue is found: look at it, and take it out if it is empty")
    pixel = "its own pixels" if own is None else f"{wanted:g} µm"
    what = (
        f"{count(int(kept.sum()), 'tile')} of {_size(tile)} at {pixel} {'hold' if kept.sum() > 1 else 'holds'} tissue"
    )
    inked = f"; {_percent(found.pen.mean())} pen" if found.pen.any() else ""
    enlarged = ("the slide's pixels are larger than that, and are enlarged",) if min(scale) < 0.95 else ()
    taken = (f"{resolution.notes[0]}: they are taken as they are",) if own is None else resolution.notes
    return SlideFrames(
        slide=slide, corners=tiles.corners(kept), box=box, tile=tile, ground=BLACK if found.is_dark else WHITE,
        picture_of_all=picture,
        notes=(f"{what}: {_percent(found.tissue.mean())} of the slide{inked}", *enlarged, *taken),
    )  # fmt: skip


def overview_of(slide: Slide, side: int = OVERVIEW) -> tuple[np.ndarray, Tissue]:
    """A picture of the whole, `(height, width, 3)` uint8 with no side above `side`, and what it shows."""
    factor = max(1.0, max(slide.size) / side)
    size = max(1, round(slide.size[0] / factor)), max(1, round(slide.size[1] / factor))
    picture = slide.read((0, 0, *slide.size), size)
    microns = resolution_of(slide.properties).microns
    found = find_tissue(picture, None if microns is None else math.sqrt(microns[0] * microns[1]) * factor)
    return on_ground(picture, BLACK if found.is_dark else WHITE), found


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    """Tiles side by side in the middle of a slide.

    Args:
        lefts, tops: where columns and rows begin, with where the last one ends.
        size: of the slide.
    """

    lefts: np.ndarray
    tops: np.ndarray
    size: tuple[int, int]

    @classmethod
    def over(cls, size: tuple[int, int], box: tuple[int, int]) -> _Grid:
        counts = [max(1, whole // side) for whole, side in zip(size, box, strict=True)]
        if counts[0] * counts[1] > _MOST_TILES:
            raise UnreadableImage(
                f"would be {counts[0] * counts[1]:,} tiles, more than {_MOST_TILES:,}: choose larger --microns"
            )
        lefts, tops = (
            max(0, (whole - number * side) // 2) + side * np.arange(number + 1)
            for whole, side, number in zip(size, box, counts, strict=True)
        )
        return cls(lefts=lefts, tops=tops, size=size)

    def shares(self, mask: np.ndarray) -> np.ndarray:
        """`(rows, columns)` how much a mask over the whole slide covers of the part of each tile that is within it."""
        sums = np.pad(np.cumsum(np.cumsum(mask, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
        for axis, (edges, whole) in enumerate(((self.tops, self.size[1]), (self.lefts, self.size[0]))):
            places = np.clip(edges * (mask.shape[axis] / whole), 0, mask.shape[axis])
            below = np.minimum(places.astype(int), mask.shape[axis] - 1)
            part = np.expand_dims(places - below, 1 - axis)
            sums = sums.take(below, axis) * (1 - part) + sums.take(below + 1, axis) * part
        covered = np.diff(np.diff(sums, axis=0), axis=1)
        across, down = (
            np.diff(np.minimum(edges, whole)) for edges, whole in zip((self.lefts, self.tops), self.size, strict=True)
        )
        scale = mask.size / (self.size[0] * self.size[1])
        return np.asarray(covered / (down[:, None] * across[None] * scale))

    def corners(self, kept: np.ndarray) -> np.ndarray:
        rows, columns = np.nonzero(kept)
        return np.stack([self.lefts[columns], self.tops[rows]], axis=1).astype(np.int32)


def _kept(tissue: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Which tiles are read, by their shares of tissue and ink."""
    kept = (tissue >= TISSUE_SHARE) & (ink <= INK_SHARE)
    return kept if kept.any() else (tissue >= _LITTLE_TISSUE) & (ink <= INK_SHARE)


def _size(tile: tuple[int, int]) -> str:
    return f"{tile[0]} px" if tile[0] == tile[1] else f"{tile[0]} x {tile[1]} px"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"
