"""Open an exam, whatever its files are."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.exams.chained import chained
from overread.formats.exams.frames import TILE, ExamFormat, Frames, Instance, Origin
from overread.formats.exams.view import View
from overread.formats.image_file import open_picture, read_header
from overread.formats.picture import MAX_PIXELS, Fitted, GreyValues, Picture, as_stored
from overread.formats.registry import Format, format_of
from overread.formats.source import head_of


@contextlib.contextmanager
def open_exam(
    instances: Sequence[Instance],
    view: View | None = None,
    *,
    tile: tuple[int, int] = TILE,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Frames]:
    """Open files that belong to one exam, for as long as its frames are used.

    Files of one format are opened together, so that slices come in their true order; files of other formats follow.

    Args:
        instances: one or more.
        view: which frames are looked at, and how; by default all, as they are.
        tile: width and height of a tile of a slide, in pixels of `view.microns`.
        max_pixels: above which a frame is refused by what its header says.

    Raises:
        UnreadableImage: it gives no frames; the message says why, without a path.
        MissingPath: a file is not there.
        MissingExtra: the libraries of a format are not installed.
    """
    view = view or View()
    by_format: dict[str, tuple[Format | None, list[Instance]]] = defaultdict(lambda: (None, []))
    for instance in instances:
        found = format_of(head_of(instance.path), instance.path)
        name = "" if found is None else found.name
        by_format[name] = (found, [*by_format[name][1], instance])
    with contextlib.ExitStack() as stack:
        parts: list[Frames] = []
        for found, own in by_format.values():
            if isinstance(found, ExamFormat):
                opening = found.open_frames(own, microns=view.microns, max_pixels=max_pixels, tile=tile)
                parts.append(stack.enter_context(opening))
            else:
                parts.append(_OneByOne.of(own, max_pixels))
        every = chained(parts)
        if not len(every):
            raise UnreadableImage("holds no frame: export it again")
        chosen = view.chosen(len(every))
        yield every if chosen == range(len(every)) else _Chosen(every, chosen)


def is_exam(path: Path) -> bool:
    """Whether a file is an exam by itself: a volume, a slide, or a file of several frames."""
    with contextlib.suppress(Exception):  # what cannot be read is told where it is read
        head = head_of(path)
        found = format_of(head, path)
        if isinstance(found, ExamFormat) and found.holds_exam(head, path.name):
            return True
        return found is not None and read_header(path).frames > 1
    return False


@dataclasses.dataclass(frozen=True)
class _OneByOne:
    """Frames of files that are opened anew for each."""

    places: tuple[Origin, ...]
    max_pixels: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, instances: Sequence[Instance], max_pixels: int) -> _OneByOne:
        places = []
        for instance in instances:
            frames = read_header(instance.path).frames if instance.frame is None else 1
            if frames > 1:
                places += [Origin(path=instance.path, frame=number) for number in range(1, frames + 1)]
            else:
                places.append(Origin(path=instance.path, frame=instance.frame))
        return cls(tuple(places), max_pixels)

    def __len__(self) -> int:
        return len(self.places)

    def picture(self, index: int) -> Picture:
        return _Lazy(self.places[index], self.max_pixels)

    def origin(self, index: int) -> Origin:
        return self.places[index]

    def overview(self) -> Picture:
        return self.picture(len(self) // 2)


@dataclasses.dataclass(frozen=True)
class _Lazy:
    place: Origin
    max_pixels: int

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        with open_picture(self.place.path, frame=self.place.frame, max_pixels=self.max_pixels) as picture:
            return picture.pixels(fitted, channels)

    def grey_values(self) -> GreyValues | None:
        with open_picture(self.place.path, frame=self.place.frame, max_pixels=self.max_pixels) as picture:
            return picture.grey_values()


@dataclasses.dataclass(frozen=True)
class _Chosen:
    every: Frames
    places: range

    def __len__(self) -> int:
        return len(self.places)

    def picture(self, index: int) -> Picture:
        return self.every.picture(self.places[index])

    def origin(self, index: int) -> Origin:
        return self.every.origin(self.places[index])

    def overview(self) -> Picture:
        return self.every.overview()

    @property
    def notes(self) -> tuple[str, ...]:
        return self.every.notes
