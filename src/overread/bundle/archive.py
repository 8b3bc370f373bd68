"""Files of a bundle, whether it is a directory or a zip."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from overread.errors import InvalidBundle, OutputUnwritable, UnfitFile
from overread.machine.files import open_regular, read_regular, replace_file, replacing

# Far above any real network; a zip that declares more is a bomb.
_MAX_FILE_BYTES = 4 * 2**30


def read_file(root: Path, name: str) -> bytes:
    """The bytes of one file of a bundle.

    Raises:
        InvalidBundle: there is no such file, or it is too large, or root is no bundle.
    """
    if "/" in name or "\\" in name or name.startswith("."):
        raise InvalidBundle("the bundle names a file outside itself: it is refused")
    try:
        if root.is_dir():
            return read_regular(root / name, most=_MAX_FILE_BYTES)
        with _archive(root) as archive:
            if archive.getinfo(name).file_size > _MAX_FILE_BYTES:
                raise InvalidBundle(f"{name} of the bundle declares more than 4 GiB: it is refused")
            return archive.read(name)
    except (FileNotFoundError, KeyError):
        raise InvalidBundle(f"{root.name} has no {name}: expected a bundle directory or bundle.zip") from None
    except UnfitFile as error:
        raise InvalidBundle(f"{name} of the bundle is {error.kind}: get the bundle again from its source") from None
    except zipfile.BadZipFile:
        raise InvalidBundle(f"{root.name} is no bundle: expected a bundle directory or bundle.zip") from None


@contextlib.contextmanager
def _archive(root: Path) -> Iterator[zipfile.ZipFile]:
    with open_regular(root) as stream, zipfile.ZipFile(stream) as archive:
        yield archive


def has_file(root: Path, name: str) -> bool:
    """Tell whether a bundle that can be read has this file."""
    if root.is_dir():
        return (root / name).exists()
    with _archive(root) as archive:
        return name in archive.namelist()


def add_file(root: Path, name: str, content: bytes) -> None:
    """Write one file of a bundle, in place of an earlier one; the bundle stays whole at every moment.

    Raises:
        OutputUnwritable: it stands where nothing can be written.
    """
    if root.is_dir():
        replace_file(root / name, content)
        return
    with _archive(root) as archive:
        kept = [other for other in archive.namelist() if other != name]
    _write_zip(root, ((other, read_file(root, other)) for other in kept), {name: content})


def pack(folder: Path, target: Path) -> Path:
    """Write a bundle's directory as a zip; it appears complete or not at all.

    Raises:
        OutputUnwritable: the zip cannot be written.
    """
    return _write_zip(target, ((path.name, read_regular(path)) for path in sorted(folder.iterdir())), {})


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
