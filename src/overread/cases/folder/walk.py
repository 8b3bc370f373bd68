"""A folder and all below it, each folder once, with the images in it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from overread.cases.folder.left_out import LINK_BACK, OF_OVERREAD, UNOPENED, LeftOut, is_junk
from overread.errors import InvalidData
from overread.formats import OtherFile, kind_of_other
from overread.formats.other_files import ANNEX_POINTER, BROKEN_LINK, SPECIAL
from overread.machine.places import holds_results
from overread.machine.remote import entries, is_remote


@dataclasses.dataclass(frozen=True, kw_only=True)
class Directory:
    """One folder.

    Args:
        path: where it is.
        parts: the names that lead to it from the folder that is searched; none for that folder itself.
        images: the image files in it, not those below.
        left_out: what else is in it.
    """

    path: Path
    parts: tuple[str, ...]
    images: tuple[Path, ...]
    left_out: LeftOut


def images_below(folder: Path, left_out: LeftOut | None = None) -> list[Path]:
    """All image files of a folder and its sub-folders, sorted folder by folder.

    Args:
        folder: to be searched.
        left_out: is told what is no image.

    Raises:
        InvalidData: the folder cannot be opened.
    """
    return list(each_image_below(folder, left_out))


def each_image_below(folder: Path, left_out: LeftOut | None = None) -> Iterator[Path]:
    """The same one by one, each folder listed when its turn comes: memory grows with the largest folder only.

    Args:
        folder: to be searched, of this machine or remote.
        left_out: is told what is no image, and so grows with that.

    Raises:
        InvalidData: the folder cannot be opened.
    """
    for directory in walk(folder):
        if left_out is not None:
            left_out.update(directory.left_out)
        yield from directory.images


def walk(root: Path) -> Iterator[Directory]:
    """A folder and all below it, from the top down and by name.

    Junk is not entered, nor are results of overread, unless they are asked for by name. Links to folders are followed
    where these lie elsewhere, and each folder is entered once, so that no loop of links holds it up.

    Raises:
        InvalidData: the first folder cannot be opened.
    """
    if is_remote(root):
        yield from _walk_remote(root)
        return
    top = root.resolve()
    entered: set[tuple[int, int]] = set()
    waiting: list[tuple[Path, tuple[str, ...]]] = [(root, ())]
    while waiting:
        path, parts = waiting.pop()
        left_out = LeftOut()
        try:
            status = path.stat()
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not parts:
                raise InvalidData(f"{root} cannot be opened ({error.strerror}): see to its permissions") from None
            left_out.add_folder(path, UNOPENED)
            yield Directory(path=path, parts=parts, images=(), left_out=left_out)
            continue
        if (status.st_dev, status.st_ino) in entered:
            left_out.add_folder(path, LINK_BACK)
        elif parts and holds_results(path, {entry.name for entry in entries}):
            left_out.add_folder(path, OF_OVERREAD)
        else:
            entered.add((status.st_dev, status.st_ino))
            images, below = _sorted_out(path, entries, top, left_out)
            waiting += [(path / name, (*parts, name)) for name in reversed(below)]
            yield Directory(path=path, parts=parts, images=images, left_out=left_out)
            continue
        yield Directory(path=path, parts=parts, images=(), left_out=left_out)


def _walk_remote(root: Path) -> Iterator[Directory]:
    """The same of a store, which has no links."""
    waiting: list[tuple[Path, tuple[str, ...]]] = [(root, ())]
    while waiting:
        path, parts = waiting.pop()
        left_out, images = LeftOut(), list[Path]()
        below: list[str] = []
        try:
            found = entries(path)
        except OSError as error:
            if not parts:
                raise InvalidData(f"{root} cannot be opened ({error.strerror}): see to its permissions") from None
            left_out.add_folder(path, UNOPENED)
            found = []
        if parts and holds_results(path, {name for name, _ in found}):
            left_out.add_folder(path, OF_OVERREAD)
            found = []
        for name, is_folder in found:
            if is_junk(name):
                left_out.add_junk(path / name)
            elif is_folder:
                below.append(name)
            elif (kind := kind_of_other(path / name)) is None:
                images.append(path / name)
            else:
                left_out.add_file(path / name, kind)
        waiting += [(path / name, (*parts, name)) for name in reversed(below)]
        yield Directory(path=path, parts=parts, images=tuple(images), left_out=left_out)


def _sorted_out(
    path: Path, entries: list[os.DirEntry[str]], top: Path, left_out: LeftOut
) -> tuple[tuple[Path, ...], list[str]]:
    """The images among the entries of a folder, and the names of the folders to enter."""
    images, below = [], []
    for entry in entries:
        if is_junk(entry.name):
            left_out.add_junk(path / entry.name)
        elif _is(entry, os.DirEntry.is_dir):
            if entry.is_symlink() and (path / entry.name).resolve().is_relative_to(top):
                left_out.add_folder(path / entry.name, LINK_BACK)
            else:
                below.append(entry.name)
        elif (kind := _kind(path / entry.name, entry)) is None:
            images.append(path / entry.name)
        else:
            left_out.add_file(path / entry.name, kind)
    return tuple(images), below


def _is(entry: os.DirEntry[str], question: Callable[[os.DirEntry[str]], bool]) -> bool:
    try:
        return question(entry)
    except OSError:  # a link to itself
        return False


def _kind(path: Path, entry: os.DirEntry[str]) -> OtherFile | None:
    """What an entry is that is no image; None for an image. What is no file is never opened: a pipe would wait."""
    if _is(entry, os.DirEntry.is_file):
        return kind_of_other(path)
    if not entry.is_symlink():
        return SPECIAL
    try:
        path.stat()
    except OSError:
        with contextlib.suppress(OSError):  # the link itself may be gone by now
            if "annex/objects/" in path.readlink().as_posix():
                return ANNEX_POINTER
        return BROKEN_LINK
    return SPECIAL
