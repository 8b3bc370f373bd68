"""The images that a user names: files, folders, patterns, or a list on standard input."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.cases.folder import LeftOut, each_image_below, images_below, is_junk
from overread.cases.folder.left_out import LINK_BACK
from overread.errors import InvalidData
from overread.formats import format_names, kind_of_other
from overread.machine.remote import is_remote, place

STANDARD_INPUT = "-"


def find_images(
    sources: str | Path | Iterable[str | Path], standard_input: Iterable[str] = (), left_out: LeftOut | None = None
) -> list[Path]:
    """Expand what was named, in order and without repeats.

    Args:
        sources: one or several: files (taken whatever they are), folders (searched with their sub-folders), patterns
            such as `scans/*.png`, or `-` for standard_input.
        standard_input: one file or folder a line, in quotes or without.
        left_out: is told what is no image in a folder, or among the files that a pattern finds.

    Returns:
        Paths; a file that is not there stays in the list, so that reading it fails by name.

    Raises:
        InvalidData: a folder or pattern without any image.
    """
    return list(dict.fromkeys(each_image(sources, standard_input, left_out)))


def each_image(
    sources: str | Path | Iterable[str | Path], standard_input: Iterable[str] = (), left_out: LeftOut | None = None
) -> Iterator[Path]:
    """The same one by one, as they are found, and again where several sources name an image.

    Memory grows with the largest folder, with what a pattern matches and with what is left out, not with the images.
    """
    for source in sources if isinstance(sources, Iterable) and not isinstance(sources, str) else [sources]:
        told = LeftOut()
        yield from _expand(str(source), standard_input, told)
        if left_out is not None:
            left_out.update(told)


def _expand(source: str, standard_input: Iterable[str], left_out: LeftOut) -> Iterator[Path]:
    if source == STANDARD_INPUT:
        for line in standard_input:
            # Names may end in blanks, and a list that Windows wrote begins with a mark.
            if line.strip():
                yield from _named(line.removeprefix("\ufeff").rstrip("\r\n"), left_out)
    elif _is_pattern(source):
        matches = _matching(source)
        if not matches:
            raise InvalidData(f"nothing matches {source}: check the pattern")
        images = [image for match in matches for image in _matched(match, left_out)]
        if not images:
            raise _without_image(f"what {source} matches", left_out)
        yield from images
    else:
        yield from _named(source, left_out)


def _is_pattern(source: str) -> bool:
    if is_remote(source):  # a query begins with a question mark, and keys of objects hold brackets
        return "*" in source
    return not os.path.lexists(source) and glob.has_magic(source)


def _matching(pattern: str) -> list[Path]:
    if not is_remote(pattern):
        return [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - may be absolute
    folder, slash, _ = pattern.partition("*")[0].rpartition("/")
    return list(place(folder + slash).glob(pattern.removeprefix(folder + slash)))


def _named(name: str, left_out: LeftOut) -> Iterator[Path]:
    """The images of a folder, or a file as it is."""
    quoted = name.strip()
    if not os.path.lexists(name) and quoted[:1] == quoted[-1:] in ('"', "'"):
        name = quoted[1:-1]
    path = place(name)
    if not path.is_dir():
        yield path
        return
    images = each_image_below(path, left_out)
    first = next(images, None)
    if first is None:
        raise _without_image(name, left_out)
    yield from itertools.chain([first], images)


def _matched(path: Path, left_out: LeftOut) -> list[Path]:
    """The images among what a pattern found, as those of a folder."""
    if is_junk(path.name):
        left_out.add_junk(path)
    elif path.is_dir() and path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve()):
        left_out.add_folder(path, LINK_BACK)
    elif path.is_dir():
        return images_below(path, left_out)
    elif (kind := kind_of_other(path)) is None:
        return [path]
    else:
        left_out.add_file(path, kind)
    return []


def _without_image(where: str, left_out: LeftOut) -> InvalidData:
    told = "; ".join(left_out.sentences()) or f"expected files of {format_names()}"
    return InvalidData(f"{where} holds no image: {told}")
