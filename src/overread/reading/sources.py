"""The images that a user names: files, folders, patterns, or a list on standard input."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.cases import images_below
from overread.errors import InvalidData
from overread.formats import format_names

STANDARD_INPUT = "-"


def find_images(sources: Iterable[str], standard_input: Iterable[str] = ()) -> list[Path]:
    """Expand what was named, in order and without repeats.

    Args:
        sources: files (taken whatever their suffix), folders (searched with their sub-folders), patterns such as
            `scans/*.png`, or `-` for standard_input.
        standard_input: one path a line.

    Returns:
        Paths; a file that is not there stays in the list, so that reading it fails by name.

    Raises:
        InvalidData: a folder or pattern without any image.
    """
    found: dict[Path, None] = {}
    for source in sources:
        found.update(dict.fromkeys(_expand(source, standard_input)))
    return list(found)


def _expand(source: str, standard_input: Iterable[str]) -> Iterator[Path]:
    if source == STANDARD_INPUT:
        yield from (Path(line.strip()) for line in standard_input if line.strip())
        return
    path = Path(source)
    if path.is_dir():
        images = images_below(path)
        if not images:
            raise InvalidData(f"{source} holds no image: expected files of {format_names()}")
        yield from images
    elif not path.exists() and glob.has_magic(source):
        matches = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        if not matches:
            raise InvalidData(f"nothing matches {source}: check the pattern")
        yield from (Path(match) for match in matches if Path(match).is_file())
    else:
        yield path
