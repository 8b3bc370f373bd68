"""What each frame of each exam gave, a row a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from overread.errors import OutputUnwritable
from overread.machine.files import replacing, write_rows
from overread.machine.remote import public_name
from overread.reading.exams.frame import Frame, ReadFrames
from overread.reading.reading import Failure, Reading

COLUMNS = (
    "path", "number", "file", "frame", "position_mm", "left", "top", "width", "height", "share", "evidence",
    "evidence_for", "rank",
)  # fmt: skip


def frame_rows(reading: Reading | Failure) -> Iterator[list[str]]:
    """A row under `COLUMNS` for each frame of an exam; none of an image or a failure."""
    frames = () if isinstance(reading, Failure) else reading.frames
    if isinstance(frames, ReadFrames):
        for frame in frames:
            yield [reading.path, *_cells(frame, frames.name)]


def writing_frames(path: Path, readings: Iterable[Reading | Failure]) -> Iterator[Reading | Failure]:
    """Give readings on, and write what each frame gave as they pass; the file is there once all have.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    try:
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            write_rows(stream, [list(COLUMNS)])
            for reading in readings:
                write_rows(stream, frame_rows(reading))
                yield reading
    except OSError as error:
        raise OutputUnwritable(f"{path} cannot be written ({error.strerror}): choose another file") from None


def _cells(frame: Frame, name: str) -> list[str]:
    origin = frame.origin
    told: list[Any] = [frame.index + 1, public_name(origin.path), origin.frame, origin.position_mm]
    told += origin.box or [None] * 4
    return [
        *("" if value is None else str(value) for value in told),
        f"{frame.share:.6f}",
        f"{frame.evidence:.6f}",
        name,
        str(frame.rank),
    ]
