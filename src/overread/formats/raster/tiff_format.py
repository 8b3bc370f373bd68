"""TIFF files of several pages, of which each is opened at its own place."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import ImageFile

from overread.formats.exams.frames import Instance, Origin
from overread.formats.picture import Fitted, GreyValues, Picture, as_stored, frame_index
from overread.formats.raster.pages import image_pages
from overread.formats.raster.raster_format import Raster, pillow_errors
from overread.formats.source import content_of, opened
from overread.machine.remote import is_remote


class Tiff(Raster):
    """TIFF, whose pages are the frames of an exam.

    Pillow walks through all pages before the one that is asked for: 1,000 pages of 256 x 256 took 38 s one after the
    other, and take 0.8 s where each is opened at its own directory (November 2026, two cores).
    """

    def holds_exam(self, head: bytes, name: str) -> bool:
        """No: how many pages there are tells the header."""
        return False

    @contextlib.contextmanager
    def open_frames(self, instances: Sequence[Instance], *, max_pixels: int, **_: object) -> Iterator[TiffFrames]:
        """Find the pages of each file, in the order of the files; a page is decoded when it is asked for."""
        pages: list[_Page] = []
        for instance in instances:
            source = content_of(instance.path) if is_remote(instance.path) else instance.path
            with opened(source) as stream, pillow_errors():
                found = list(image_pages(stream).values())
            frame = 1 if instance.frame is None and len(found) == 1 else instance.frame
            for index in range(len(found)) if frame is None else [frame_index(len(found), frame)]:
                number = index + 1 if frame is None else instance.frame
                pages.append(_Page(self, source, found[index], Origin(path=instance.path, frame=number), max_pixels))
        yield TiffFrames(tuple(pages))

    def page(self, stream: BinaryIO, at: int, max_pixels: int) -> Picture:
        """The page whose directory lies at a place of the file.

        Raises:
            UnreadableImage: it gives no pixels.
        """

        def open_page() -> ImageFile.ImageFile:
            with pillow_errors():
                return self.reader(cast(BinaryIO, _StartsAt(stream, at)))

        return self._picture(open_page, max_pixels)


@dataclasses.dataclass(frozen=True, eq=False)
class TiffFrames:
    """The pages of the TIFF files of an exam."""

    pages: tuple[_Page, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pages)

    def picture(self, index: int) -> Picture:
        """The page at a place, from 0."""
        return self.pages[index]

    def origin(self, index: int) -> Origin:
        """Its file and number."""
        return self.pages[index].origin

    def overview(self) -> Picture:
        """The page in the middle."""
        return self.pages[len(self) // 2]


@dataclasses.dataclass(frozen=True, eq=False)
class _Page:
    """A page, for which the file is opened whenever something of it is asked, so that threads don't share a stream."""

    format: Tiff
    source: Path | bytes
    at: int
    origin: Origin
    max_pixels: int

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        with opened(self.source) as stream:
            return self.format.page(stream, self.at, self.max_pixels).pixels(fitted, channels)

    def grey_values(self) -> GreyValues | None:
        with opened(self.source) as stream:
            return self.format.page(stream, self.at, self.max_pixels).grey_values()


class _StartsAt:
    """A TIFF file as if the directory at a place were its first, which the header names (TIFF 6.0, section 2)."""

    def __init__(self, stream: BinaryIO, at: int) -> None:
        self._stream = stream
        stream.seek(0)
        head = stream.read(16)
        order, is_big = "<" if head[:2] == b"II" else ">", 43 in head[2:4]
        self._head = head[:8] + struct.pack(f"{order}Q", at) if is_big else head[:4] + struct.pack(f"{order}L", at)
        stream.seek(0)

    def read(self, size: int = -1, /) -> bytes:
        start = self._stream.tell()
        content = self._stream.read(size)
        return self._head[start:][: len(content)] + content[max(0, len(self._head) - start) :]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
