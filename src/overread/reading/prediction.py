"""Reading new images with a bundle, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from overread.bundle import Bundle
from overread.cases.exams.exam import Exam
from overread.cases.exams.gathering import Gathering
from overread.cases.folder import LeftOut
from overread.errors import InvalidOption
from overread.reading.exams.find import find_exams
from overread.reading.reader import Reader
from overread.reading.reading import Failure, Reading
from overread.reading.sources import find_images


def predict(
    bundle: Reader | Bundle | str | Path, images: str | Path | Iterable[str | Path], *, exams: Gathering | None = None
) -> Iterator[Reading | Failure]:
    """Read new images or exams, in parallel and in order; memory does not grow with their number.

    Args:
        bundle: a bundle, its directory or zip, the folder of the run that made it, or a reader.
        images: files, folders (with their sub-folders) and patterns such as `scans/*.png`; of a bundle that reads exams
            also tables with the columns path and exam_id.
        exams: which files belong to one exam, in place of what the bundle says.

    Returns:
        A reading of each image or exam as soon as there is one, or a `Failure` of one that cannot be read.

    Raises:
        MissingPath: there is no bundle.
        InvalidBundle: it is none, was altered, or has an unknown version.
        InvalidData: a folder or pattern holds no image.
        InvalidOption: files do not tell which belong to one exam.

    Example:
        >>> for reading in predict("runs/cxr", "new_images"):  # doctest: +SKIP
        ...     print(reading.path, reading.predicted_label, reading.refer)
    """
    reader = Reader.load(bundle)
    return reader.read_many(to_be_read(reader, images, exams=exams))


def to_be_read(
    reader: Reader,
    sources: str | Path | Iterable[str | Path],
    standard_input: Iterable[str] = (),
    left_out: LeftOut | None = None,
    *,
    exams: Gathering | None = None,
) -> Sequence[Path | Exam]:
    """What a bundle has to read of what a user names: images, or exams by what the bundle or the user says.

    Raises:
        InvalidData, InvalidOption: as `find_images` and `find_exams`.
    """
    if reader.reads_exams:
        return find_exams(sources, exams or reader.bundle.exams, standard_input, left_out)
    if exams is not None:
        raise InvalidOption("the bundle reads single images, so nothing belongs together: leave out --exams")
    return find_images(sources, standard_input, left_out)
