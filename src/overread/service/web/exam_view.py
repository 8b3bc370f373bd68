"""What the page shows of an exam: a strip of what each frame gave, the frames that gave most, any one by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from overread.cases.exams.gathering import FILE, PATTERN, SERIES, STUDY, Gathering
from overread.images import Preprocessing, content_box
from overread.reading import Reading
from overread.reading.exams.frame import Frame, ReadFrames
from overread.reading.pictures import heat_map, picture_of
from overread.reading.sentences import is_read
from overread.service.room.decoding import Undecodable
from overread.service.room.exams.shelf import Kept
from overread.service.room.exams.slide_apart import SlideTold
from overread.service.room.rendition import Rendition, data_uri, png
from overread.service.web.slide_view import SlideView, slide_heat, view_slide

# Beside the one that is shown.
_FURTHER = 2
_TILES = 6
# Of a strip; each column shows the strongest of its frames.
_MOST_BARS = 600
_TOLD = {
    FILE: "Each file is one exam: a volume, a slide, a file of several frames.",
    SERIES: "Each DICOM series is one exam, and so is each folder of other files.",
    STUDY: "Each DICOM study is one exam, and so is each folder of other files.",
    PATTERN: "Names of files tell which of them are one exam.",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heat:
    """The activation map of a class or cut as a PNG that covers the picture."""

    label: str
    uri: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strip:
    """What all frames gave to one class, finding or cut, in words and as paths of bars, `n` wide and 100 high."""

    label: str
    n: int
    bars_for: str
    bars_against: str
    told: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Further:
    """A frame that gave much, small: its place, what is told of it, its picture and map; of a tile, its box."""

    index: int
    told: str
    uri: str
    heat: str
    box: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExamView:
    """An exam as the templates show it.

    Args:
        n: frames.
        current: the place of the one that is shown.
        files: how many came.
        address: of its frames, without the place of one.
        remove: address that removes its files.
        where: what is told of the frame that is shown.
        strips: what the frames gave; the first is shown.
        further: frames that gave most after it.
        notes: how its files were understood.
        slide: of one, that can be moved over.
    """

    n: int
    current: int
    files: int
    address: str
    remove: str
    where: str
    strips: tuple[Strip, ...]
    further: tuple[Further, ...]
    notes: tuple[str, ...]
    slide: SlideView | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrameView:
    """One frame: its picture, and the map of each class over it."""

    rendition: Rendition
    heats: tuple[Heat, ...]


def view_exam(kept: Kept, address: str, files: int) -> ExamView:
    """An exam that can be looked at; the frames that gave most are decoded, and read once more."""
    reading, frames, slide = kept.reading, kept.reading.frames, kept.slide
    best = reading.best_frame
    current = 0 if best is None else best.index
    has_strip = slide is None and len(frames) > 1
    return ExamView(
        n=len(frames),
        current=current,
        files=files,
        address=f"{address}/frames/",
        remove=f"{address}/remove",
        where=where(reading, current) if slide is None else f"{len(frames):,} tiles read",
        strips=tuple(_strip(reading, name) for name in mapped(reading)) if has_strip else (),
        further=tuple(_further(kept)),
        notes=tuple(reading.notes),
        slide=None if slide is None else view_slide(slide, f"{address}/slide/"),
    )


def view_best(kept: Kept) -> FrameView:
    """The frame that gave most, or the whole of a slide; what the network saw, where no file can be decoded now."""
    best = kept.reading.best_frame
    try:
        if kept.slide is not None:
            return _view_whole(kept, kept.slide)
        return view_frame(kept, 0 if best is None else best.index)
    except Undecodable:
        pixels = kept.reading.pixels
        height, width = pixels.shape[:2]
        small = np.asarray(picture_of(pixels))
        rendition = Rendition(png=png(small), width=width, height=height, stored=(0, 0), values=None)
        return FrameView(rendition=rendition, heats=heats(kept.reading, kept.exam.preprocessing, rendition))


def view_frame(kept: Kept, index: int) -> FrameView:
    """One frame of an exam.

    Raises:
        Undecodable: it cannot be decoded any more.
    """
    rendition, reading = kept.exam.frames.rendition(index), kept.reading
    best = reading.best_frame
    if best is not None and best.index == index:
        return FrameView(rendition=rendition, heats=heats(reading, kept.exam.preprocessing, rendition))
    look = kept.reader.look(kept.exam, index)
    seen = dataclasses.replace(reading, activation_map=look.activation_map, pixels=look.pixels)
    return FrameView(rendition=rendition, heats=heats(seen, kept.exam.preprocessing, rendition))


def heats(found: Reading, options: Preprocessing, rendition: Rendition) -> tuple[Heat, ...]:
    """The map of each class, or cut, over the picture alone, without what was padded; the decided class first."""
    if not is_read(found):
        return ()
    box = content_box(rendition.stored, options)
    drawn: list[Heat] = []
    for name in mapped(found):
        heat: Image.Image = heat_map(found.evidence(name), (options.width, options.height)).crop(box)
        drawn.append(Heat(label=name, uri=data_uri(png(np.asarray(heat)))))
    return tuple(drawn)


def mapped(found: Reading) -> list[str]:
    """What maps are drawn for; what a reading is mainly about comes first."""
    names: Sequence[str] = [one.name for one in found.questions] or found.task.classes
    return sorted(names, key=lambda name: name != found.mapped)


def where(reading: Reading, index: int) -> str:
    """Which frame it is, where it lies, and what it gave."""
    frame = reading.frames[index]
    told = [f"Frame {index + 1} of {len(reading.frames):,}"]
    if frame.origin.position_mm is not None:
        told.append(f"{frame.origin.position_mm:.1f} mm")
    if len(reading.frames) > 1 and is_read(reading):
        told.append(_gave(frame))
    return " · ".join(told)


def _gave(frame: Frame) -> str:
    rank = "the most" if frame.rank == 1 else f"{ordinal(frame.rank)} most"
    return f"gave {frame.evidence:+.2f} logits, {rank}"


def told_of_gathering(gathering: Gathering) -> str:
    """Which of the files that are sent make one exam."""
    return _TOLD.get(gathering.by, "Each folder is one exam, and so are files without a folder that are sent together.")


def ordinal(number: int) -> str:
    """A number as in "21st"."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _view_whole(kept: Kept, slide: SlideTold) -> FrameView:
    rendition, reading = kept.exam.frames.rendition(None), kept.reading
    size = rendition.width, rendition.height
    names = mapped(reading) if is_read(reading) else []
    drawn = tuple(Heat(label=name, uri=slide_heat(reading, name, slide.slide.size, size)) for name in names)
    return FrameView(rendition=dataclasses.replace(rendition, stored=slide.slide.size, values=None), heats=drawn)


def _further(kept: Kept) -> list[Further]:
    frames = kept.reading.frames
    if not isinstance(frames, ReadFrames) or not is_read(kept.reading):
        return []
    return [
        further
        # Of a slide, whose whole is shown, the best tile too.
        for frame in (frames.top(1 + _FURTHER)[1:] if kept.slide is None else frames.top(_TILES))
        if (further := _further_one(kept, frame)) is not None
    ]


def _further_one(kept: Kept, frame: Frame) -> Further | None:
    try:
        seen = view_frame(kept, frame.index)
    except Undecodable:  # a process that was ended: the page can do without it
        return None
    box = frame.origin.box
    return Further(
        index=frame.index,
        told=f"{'Frame' if kept.slide is None else 'Tile'} {frame.index + 1:,}: {frame.evidence:+.2g} logits",
        uri=data_uri(seen.rendition.png),
        heat=seen.heats[0].uri,
        box="" if box is None else ",".join(map(str, box)),
    )


def _strip(reading: Reading, name: str) -> Strip:
    frames: Any = reading.frames
    evidence = np.asarray(frames.of(name), float)
    bars = _strongest(evidence)
    heights = 50 * bars / max(np.abs(bars).max(), 1e-9)
    most = int(np.argmax(evidence))
    told = f"from {evidence.min():+.2f} to {evidence.max():+.2f} logits a frame, most from frame {most + 1}"
    return Strip(label=name, n=len(bars), bars_for=_path(heights, 1), bars_against=_path(heights, -1), told=told)


def _strongest(evidence: np.ndarray) -> np.ndarray:
    """Of n values at most so many, each the strongest of its neighbours."""
    if len(evidence) <= _MOST_BARS:
        return evidence
    parts = np.array_split(evidence, _MOST_BARS)
    return np.array([part[np.argmax(np.abs(part))] for part in parts])


def _path(heights: np.ndarray, sign: int) -> str:
    return "".join(
        f"M{place + 0.5:g} 50V{50 - height:.1f}" for place, height in enumerate(heights.tolist()) if sign * height > 0
    )
