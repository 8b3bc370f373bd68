"""Reading new images with a bundle, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.bundle import Bundle
from overread.reading.reader import Reader
from overread.reading.reading import Failure, Reading
from overread.reading.sources import find_images


def predict(
    bundle: Reader | Bundle | str | Path, images: str | Path | Iterable[str | Path]
) -> Iterator[Reading | Failure]:
    """Read new images, in parallel and in order; memory does not grow with their number.

    Args:
        bundle: a bundle, its directory or zip, the folder of the run that made it, or a reader.
        images: files, folders (with their sub-folders) and patterns such as `scans/*.png`.

    Returns:
        A reading of each image as soon as there is one, or a `Failure` of one that cannot be read.

    Raises:
        MissingPath: there is no bundle.
        InvalidBundle: it is none, was altered, or has an unknown version.
        InvalidData: a folder or pattern holds no image.

    Example:
        >>> for reading in predict("runs/cxr", "new_images"):  # doctest: +SKIP
        ...     print(reading.path, reading.predicted_label, reading.refer)
    """
    return Reader.load(bundle).read_many(find_images(images))
