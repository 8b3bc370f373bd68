"""An exam that is to be read, wherever its files are: on this machine, in a store, or in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
from PIL import Image

from overread.cases.exams.exam import Exam
from overread.cases.folder import images_below
from overread.errors import InvalidData
from overread.formats import Frames, Instance, Origin, Picture
from overread.formats.source import content_of
from overread.images import Preprocessing
from overread.images.exam_pixels import ExamPixels, open_exam_pixels
from overread.machine.files import replace_file
from overread.machine.remote import is_remote, place, public_name
from overread.reading.in_memory import file_content

# What can be a file of an exam.
ExamFile = str | Path | bytes | Image.Image | np.ndarray


def files_of(files: Exam | ExamFile | Sequence[ExamFile]) -> tuple[str, Sequence[Instance | ExamFile]]:
    """The name of what is to be read as one exam, and its files; a folder stands for all images in it."""
    if isinstance(files, Exam):
        return files.name, files.instances
    every: Sequence[ExamFile] = [files] if isinstance(files, ExamFile) or is_remote(files) else files  # type: ignore[list-item]
    found: list[ExamFile] = []
    for each in every:
        path = _path_of(each)
        found += images_below(path) if path is not None and path.is_dir() else [each]
    if not found:
        raise InvalidData("an exam has no files: give one or more")
    first = _path_of(every[0])
    return "" if first is None else public_name(first), found


@contextlib.contextmanager
def open_files(
    files: Sequence[Instance | ExamFile], preprocessing: Preprocessing, name: str = ""
) -> Iterator[ExamPixels]:
    """Open files as one exam; what does not lie on this machine is fetched for as long as it is open.

    Args:
        files: one or more.
        preprocessing: of the bundle.
        name: of what came as bytes, whose ending may tell a format.

    Raises:
        OverreadError: as `open_exam_pixels`.
    """
    with contextlib.ExitStack() as stack:
        folder, instances, names = None, list[Instance](), dict[Path, Path]()
        for number, each in enumerate(files, start=1):
            where, frame = (each.path, each.frame) if isinstance(each, Instance) else (_path_of(each), None)
            if where is not None and not is_remote(where):
                instances.append(Instance(where, frame))
                continue
            folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            content = content_of(where) if where is not None else _in_memory(each)
            shown = PurePath(public_name(where) if where is not None else name or "image").name
            kept = replace_file(folder / f"{number:06d}-{shown[-100:]}", content)
            names[kept] = where if where is not None else Path(name)
            instances.append(Instance(kept, frame))
        exam = stack.enter_context(open_exam_pixels(instances, preprocessing))
        yield dataclasses.replace(exam, frames=_Named(exam.frames, names)) if names else exam


def _path_of(source: ExamFile) -> Path | None:
    """Where a file lies; None of what is in memory."""
    return place(source) if isinstance(source, str | Path) or is_remote(source) else None  # type: ignore[arg-type]


def _in_memory(source: object) -> bytes:
    if isinstance(source, Image.Image | np.ndarray):
        return file_content(source)
    return source if isinstance(source, bytes) else b""


@dataclasses.dataclass(frozen=True)
class _Named:
    """Frames of files that lie elsewhere for the moment, under the names that they go by."""

    every: Frames
    names: Mapping[Path, Path]

    def __len__(self) -> int:
        return len(self.every)

    def picture(self, index: int) -> Picture:
        return self.every.picture(index)

    def origin(self, index: int) -> Origin:
        found = self.every.origin(index)
        return dataclasses.replace(found, path=self.names.get(found.path, found.path))

    def overview(self) -> Picture:
        return self.every.overview()

    @property
    def notes(self) -> tuple[str, ...]:
        return self.every.notes
