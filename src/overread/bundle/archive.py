"""Files of a bundle, whether it is a directory or a zip."""

from __future__ import annotations

import contextlib
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from overread.errors import InvalidBundle, OutputUnwritable, OverreadError, UnfitFile
from overread.machine.content.zips import ZIP_ERRORS, open_zip, read_entry
from overread.machine.files import open_regular, read_regular, replace_file, replacing

# No ONNX file can be larger.
MAX_FILE_BYTES = 2 * 2**30
# A description, a record or a card.
MAX_TEXT_BYTES = 8 * 2**20
# Weights do not get smaller than nine tenths; a zip beyond this is a bomb.
_LARGEST_GROWTH, _ALWAYS_BYTES = 20, 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_EXPECTED = "expected a bundle directory or bundle.zip"


def check_name(name: object) -> None:
    """Refuse the name of a file that does not lie in the bundle itself, whatever the system.

    Raises:
        InvalidBundle: it is none.
    """
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise InvalidBundle("the bundle names a file outside itself, or in an unusual way: it is refused")


def read_file(root: Path, name: str, most: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of one file of a bundle.

    Args:
        root: of the bundle.
        name: of the file.
        most: bytes; a larger one is refused before it is read.

    Raises:
        InvalidBundle: there is no such file, or it is too large or no regular file, or root is no bundle.
    """
    check_name(name)
    try:
        if root.is_dir():
            return read_regular(root / name, most=most)
        with _archive(root) as archive:
            return read_entry(archive, archive.getinfo(name), most)
    except (FileNotFoundError, NotADirectoryError, KeyError):
        raise InvalidBundle(f"{root.name} has no {name}: {_EXPECTED}") from None
    except UnfitFile as error:
        raise InvalidBundle(f"{name} of the bundle is {error.kind}: get the bundle again from its source") from None
    except ZIP_ERRORS as error:
        raise _no_bundle(root, error) from None


def has_file(root: Path, name: str) -> bool:
    """Tell whether a bundle has this file.

    Raises:
        InvalidBundle: root is no bundle.
    """
    try:
        if root.is_dir():
            return (root / name).exists()
        with _archive(root) as archive:
            return name in archive.namelist()
    except ZIP_ERRORS as error:
        raise _no_bundle(root, error) from None


def add_file(root: Path, name: str, content: bytes) -> None:
    """Write one file of a bundle, in place of an earlier one; the bundle stays whole at every moment.

    Raises:
        InvalidBundle: it is a damaged zip.
        OutputUnwritable: it stands where nothing can be written.
    """
    if root.is_dir():
        replace_file(root / name, content)
        return
    try:
        with _archive(root) as archive:
            kept = [other for other in archive.namelist() if other != name and _NAME.fullmatch(other)]
    except ZIP_ERRORS as error:
        raise _no_bundle(root, error) from None
    _write_zip(root, ((other, read_file(root, other)) for other in kept), {name: content})


def pack(folder: Path, target: Path) -> Path:
    """Write a bundle's directory as a zip; it appears complete or not at all.

    Raises:
        OutputUnwritable: the zip cannot be written.
    """
    # Without what the system, or a process that was killed, has left there.
    files = [path for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name)]
    return _write_zip(target, ((path.name, read_regular(path)) for path in files), {})


@contextlib.contextmanager
def _archive(root: Path) -> Iterator[zipfile.ZipFile]:
    with open_regular(root) as stream, open_zip(stream) as archive:
        entries = archive.infolist()
        packed = stream.seek(0, os.SEEK_END)
        if len({entry.filename for entry in entries}) < len(entries):
            raise zipfile.BadZipFile("it holds two files of one name")
        if sum(entry.file_size for entry in entries) > max(_ALWAYS_BYTES, _LARGEST_GROWTH * packed):
            raise zipfile.BadZipFile(f"unpacked it is more than {_LARGEST_GROWTH} times as large")
        yield archive


def _no_bundle(root: Path, error: Exception) -> OverreadError:
    if isinstance(error, OverreadError):
        return error
    reason = error.strerror if isinstance(error, OSError) else error if isinstance(error, zipfile.BadZipFile) else None
    return InvalidBundle(f"{root.name} is no bundle that can be read{f' ({reason})' if reason else ''}: {_EXPECTED}")


def _write_zip(target: Path, files: Iterator[tuple[str, bytes]], more: dict[str, bytes]) -> Path:
    try:
        with replacing(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (*files, *more.items()):
                archive.writestr(name, content)
    except OSError as error:
        raise OutputUnwritable(
            f"{target} cannot be written ({error.strerror}): copy the bundle to where you may write"
        ) from None
    return target
