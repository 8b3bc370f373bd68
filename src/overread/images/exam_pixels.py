"""The frames of an exam as a network sees them, a few at a time: memory does not grow with their number."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence

import numpy as np

from overread.errors import UnreadableImage
from overread.formats import DecodedTogether, Frames, Instance, Origin, open_exam
from overread.images.prepare import Preprocessing, prepare_picture
from overread.machine.workers import in_order

CHUNK = 32


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ExamPixels:
    """An open exam; `open_exam_pixels` makes it.

    Args:
        frames: as they are opened.
        preprocessing: with `channels` resolved.
    """

    frames: Frames
    preprocessing: Preprocessing

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where each frame comes from."""
        return tuple(self.frames.origin(index) for index in range(len(self)))

    def pixels(self, index: int) -> np.ndarray:
        """`(height, width, channels)` uint8 of one frame.

        Raises:
            UnreadableImage: it gives none; the message names the frame by its number.
        """
        with naming_frame(index, len(self)):
            return prepare_picture(self.frames.picture(index), self.preprocessing)

    def chunks(self, *, workers: int | None = None) -> Iterator[np.ndarray]:
        """`(k, height, width, channels)` uint8 of all frames in order, k of 32 or fewer, decoded in threads.

        Raises:
            UnreadableImage: as `pixels`.
        """
        yield from in_order(self.some, self.places(), workers or os.cpu_count() or 1)

    def places(self) -> list[range]:
        """All places in order, 32 or fewer together: a few frames at a time for those who decode them themselves."""
        return [range(start, min(start + CHUNK, len(self))) for start in range(0, len(self), CHUNK)]

    def some(self, places: Sequence[int]) -> np.ndarray:
        """`(k, height, width, channels)` uint8 of the frames at these places.

        Raises:
            UnreadableImage: as `pixels`.
        """
        if isinstance(self.frames, DecodedTogether):
            with contextlib.suppress(UnreadableImage):  # one by one it is told which frame it is
                pictures = self.frames.pictures(places)
                return np.stack([prepare_picture(picture, self.preprocessing) for picture in pictures])
        return np.stack([self.pixels(index) for index in places])


@contextlib.contextmanager
def naming_frame(index: int, of: int) -> Iterator[None]:
    """Say of what cannot be read which frame of so many it is.

    Raises:
        UnreadableImage: for one that is raised within.
    """
    try:
        yield
    except UnreadableImage as error:
        if of == 1:
            raise
        raise UnreadableImage(f"has a frame, number {index + 1} of {of}, that {error}") from None


@contextlib.contextmanager
def open_exam_pixels(instances: Sequence[Instance], preprocessing: Preprocessing) -> Iterator[ExamPixels]:
    """Open an exam for as long as its frames are used; the only way from its files to what a network sees.

    Args:
        instances: one or more.
        preprocessing: with `channels` resolved.

    Raises:
        OverreadError: as `formats.open_exam`.
    """
    with open_exam(instances, preprocessing.view, tile=(preprocessing.width, preprocessing.height)) as frames:
        yield ExamPixels(frames=frames, preprocessing=preprocessing)
