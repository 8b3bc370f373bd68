"""A slide in one picture: the whole, and over it what each of its tiles gave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from overread.formats import Frames
from overread.formats.slides.tiles import SlideFrames
from overread.reading.exams.frame import ReadFrames
from overread.reading.pictures import OPACITY, heat_map

Box = tuple[int, int, int, int]


def slide_of(frames: Frames) -> SlideFrames | None:
    """The slide whose tiles, all or some, these are; None where they are of none, or of several."""
    while not isinstance(frames, SlideFrames) and hasattr(frames, "every"):
        frames = frames.every
    return frames if isinstance(frames, SlideFrames) else None


def slide_evidence(
    boxes: npt.NDArray[np.int64], evidence: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float32], Box]:
    """Lay out what the n tiles of a slide gave as they lie on it.

    A tile is to a slide what a position is to an image: given is what it gave times the number of tiles, so that the
    mean over the tiles is the logit. Where no tile was read there is 0.

    Args:
        boxes: `(n, 4)` left, top, width and height, all of one size and on one grid.
        evidence: `(n,)` in logits, which sum to the logit.

    Returns:
        `(rows, columns)` and its box on the slide.
    """
    corner, tile = boxes[:, :2].min(axis=0), boxes[0, 2:]
    columns, rows = ((boxes[:, :2] - corner) // tile).T
    laid = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1), np.float32)
    laid[rows, columns] = len(boxes) * evidence
    left, top = corner.tolist()
    return laid, (left, top, laid.shape[1] * int(tile[0]), laid.shape[0] * int(tile[1]))


def slide_map(frames: ReadFrames, slide: SlideFrames, name: str, *, opacity: float = OPACITY) -> Image.Image:
    """Draw the whole slide and what its tiles gave.

    Args:
        frames: of the slide that was read.
        slide: its tiles, all of them or more than were read.
        name: of the class, finding or cut whose evidence is drawn.
        opacity: of the strongest colour.
    """
    picture = Image.fromarray(slide.picture_of_all)
    boxes = np.array([origin.box for origin in frames.origins])
    evidence, (left, top, width, height) = slide_evidence(boxes, frames.of(name))
    across, down = (drawn / whole for drawn, whole in zip(picture.size, slide.slide.size, strict=True))
    size = max(1, round(width * across)), max(1, round(height * down))
    heat = heat_map(evidence, size)
    mask = heat.getchannel("A").point(lambda alpha: alpha * opacity)
    picture.paste(heat.convert("RGB"), (round(left * across), round(top * down)), mask)
    return picture
