"""An exam whose files other processes open and decode, which can be ended; a process keeps the last one open.

Nothing of the network comes here: the processes that decode import this.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.formats import Frames, GreyValues, Instance, Origin, Picture, open_exam
from overread.formats.picture import Fitted, as_stored
from overread.images import Preprocessing
from overread.images.exam_pixels import ExamPixels
from overread.service.room.exams.slide_apart import SlideTold, part_of_slide, slide_told
from overread.service.room.rendition import Rendition, render

# Frames that a process prepares at once. One a time takes .3 ms more each; 32 keep the network waiting at the start.
_PIECE = 8
# After which an exam that nobody asks for is closed, lest its memory and its removed files stay.
_CLOSED_AFTER_S = 30.0
Run = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Files:
    """What is opened, and how; it can be sent to a process.

    Args:
        instances: files and frames of one exam.
        preprocessing: of the bundle.
        max_pixels: of a frame.
    """

    instances: tuple[Instance, ...]
    preprocessing: Preprocessing
    max_pixels: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class FramesApart:
    """The `Frames` of an exam that other processes open.

    Args:
        files: of it.
        run: a function, and what it takes, in one of the processes.
        origins: of the frames, in order.
        notes: of the format.
    """

    files: Files
    run: Run
    origins: tuple[Origin, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.origins)

    def picture(self, index: int) -> Picture:
        """One of them."""
        return _Apart(self.files, self.run, index)

    def origin(self, index: int) -> Origin:
        """Where it comes from."""
        return self.origins[index]

    def overview(self) -> Picture:
        """The picture that stands for the exam."""
        return _Apart(self.files, self.run, None)

    def rendition(self, index: int | None) -> Rendition:
        """A frame made ready for the page; None for the overview."""
        found: Rendition = self.run(_rendered, self.files, index)
        return found

    def slide(self) -> SlideTold | None:
        """What is needed to look at the slide of which these are tiles; None where they are of none."""
        found: SlideTold | None = self.run(_slide, self.files) if self.origins[0].box else None
        return found

    def part(self, told: SlideTold, level: int, column: int, row: int) -> bytes:
        """A part of the slide as a JPEG; raises as `run` does."""
        found: bytes = self.run(part_of_slide, told, level, column, row)
        return found


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ExamApart(ExamPixels):
    """An open exam whose frames are decoded and prepared in other processes, until a deadline.

    Args:
        deadline: by `time.monotonic`.
    """

    frames: FramesApart
    deadline: float = float("inf")

    def pixels(self, index: int) -> np.ndarray:
        """`(height, width, channels)` uint8 of one frame; raises as `some`."""
        found: np.ndarray = self.some([index])[0]
        return found

    def places(self) -> list[range]:
        """All places in order, a few together."""
        return [range(start, min(start + _PIECE, len(self))) for start in range(0, len(self), _PIECE)]

    def some(self, places: Sequence[int]) -> np.ndarray:
        """`(k, height, width, channels)` uint8 of the frames at these places.

        Raises:
            TimeoutError: the deadline is over; else as the `run` of its frames.
        """
        if time.monotonic() > self.deadline:
            raise TimeoutError
        found: np.ndarray = self.frames.run(_prepared, self.frames.files, places)
        return found


def opened_apart(files: Files, run: Run, names: Mapping[Path, Path]) -> FramesApart:
    """Open an exam in another process; raises as `run` does.

    Args:
        files: of it.
        run: as `FramesApart` has it.
        names: of the files, as they were sent, by where they lie.
    """
    origins, notes = run(_told, files)
    named = tuple(dataclasses.replace(one, path=names.get(one.path, one.path)) for one in origins)
    return FramesApart(files=files, run=run, origins=named, notes=notes)


@dataclasses.dataclass(frozen=True)
class _Apart:
    files: Files
    run: Run
    index: int | None

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        found: np.ndarray = self.run(_pixels, self.files, self.index, fitted, channels)
        return found

    def grey_values(self) -> GreyValues | None:
        found: GreyValues | None = self.run(_grey_values, self.files, self.index)
        return found


# In the other process.


class _Held:
    """The last exam that a process has opened, as long as it is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._files: Files | None = None
        self._frames: Frames | None = None
        self._timer: threading.Timer | None = None

    @contextlib.contextmanager
    def opened(self, files: Files) -> Iterator[Frames]:
        """Its frames."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._frames is None or self._files != files:
                self._close()
                asked = files.preprocessing
                self._frames = self._stack.enter_context(
                    open_exam(
                        files.instances,
                        asked.view,
                        max_pixels=files.max_pixels,
                        tile=(asked.width, asked.height),
                    )
                )
                self._files = files
            try:
                yield self._frames
            finally:
                self._timer = threading.Timer(_CLOSED_AFTER_S, self._close_unasked)
                self._timer.daemon = True
                self._timer.start()

    def _close_unasked(self) -> None:
        with self._lock:
            if threading.current_thread() is self._timer:
                self._close()

    def _close(self) -> None:
        self._frames = self._files = None
        self._stack.close()


_held = _Held()


def _told(files: Files) -> tuple[tuple[Origin, ...], tuple[str, ...]]:
    with _held.opened(files) as frames:
        return tuple(frames.origin(index) for index in range(len(frames))), tuple(frames.notes)


def _prepared(files: Files, places: Sequence[int]) -> np.ndarray:
    with _held.opened(files) as frames:
        return ExamPixels(frames=frames, preprocessing=files.preprocessing).some(places)


def _of(frames: Frames, index: int | None) -> Picture:
    return frames.overview() if index is None else frames.picture(index)


def _pixels(files: Files, index: int | None, fitted: Fitted, channels: int | None) -> np.ndarray:
    with _held.opened(files) as frames:
        return _of(frames, index).pixels(fitted, channels)


def _grey_values(files: Files, index: int | None) -> GreyValues | None:
    with _held.opened(files) as frames:
        return _of(frames, index).grey_values()


def _slide(files: Files) -> SlideTold | None:
    with _held.opened(files) as frames:
        return slide_told(frames)


def _rendered(files: Files, index: int | None) -> Rendition:
    with _held.opened(files) as frames:
        return render(_of(frames, index))
