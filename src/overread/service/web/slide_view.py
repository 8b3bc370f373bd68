"""What the page shows of a whole slide: the whole with what each tile gave, and the tiles that gave most."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
from PIL import Image

from overread.reading import Reading
from overread.reading.exams.frame import ReadFrames
from overread.reading.pictures import heat_map
from overread.service.room.exams.slide_apart import SIDE, SlideTold
from overread.service.room.rendition import data_uri, png


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlideView:
    """A slide as the templates show it.

    Args:
        facts: what a script needs to move over it, as JSON.
        told: how large it is, in words.
    """

    facts: str
    told: str


def view_slide(told: SlideTold, address: str) -> SlideView:
    """A slide that can be looked at."""
    width, height = told.slide.size
    facts = {
        "width": width,
        "height": height,
        "levels": told.levels,
        "side": SIDE,
        "microns": told.microns,
        "ground": "#{:02x}{:02x}{:02x}".format(*told.ground),
        "address": address,
    }
    large = "" if told.microns is None else f", {told.microns:.3g} µm a pixel"
    return SlideView(facts=json.dumps(facts), told=f"{width:,} x {height:,} px{large}")


def slide_heat(reading: Reading, name: str, whole: tuple[int, int], size: tuple[int, int]) -> str:
    """What each tile gave, in colour over a picture of the whole slide.

    A tile is to a slide what a position is to an image: drawn is what it gave times the number of tiles, whose mean is
    the logit.

    Args:
        reading: of the slide.
        name: of the class, finding or cut.
        whole: width and height of the slide in pixels of its largest level.
        size: width and height of the picture.
    """
    frames = reading.frames
    drawn = Image.new("RGBA", size)
    boxes = np.array([origin.box for origin in frames.origins]) if isinstance(frames, ReadFrames) else np.zeros((0, 4))
    if not len(boxes) or not isinstance(frames, ReadFrames):
        return data_uri(png(np.asarray(drawn)))
    corner, tile = boxes[:, :2].min(axis=0), boxes[0, 2:]
    columns, rows = ((boxes[:, :2] - corner) // tile).T
    evidence = np.zeros((rows.max() + 1, columns.max() + 1), np.float32)
    evidence[rows, columns] = len(frames) * frames.of(name)
    scale = np.array(size) / whole
    width, height = np.maximum(1, np.rint(np.array(evidence.shape[::-1]) * tile * scale)).astype(int).tolist()
    left, top = np.rint(corner * scale).astype(int).tolist()
    drawn.paste(heat_map(evidence, (width, height)), (left, top))
    return data_uri(png(np.asarray(drawn)))
