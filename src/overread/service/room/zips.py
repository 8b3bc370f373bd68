"""Zip files of images, unpacked in memory and within limits."""

from __future__ import annotations

import dataclasses
import io
import stat
import zipfile
from collections.abc import Iterator
from typing import IO

from overread.cases.folder import is_junk
from overread.errors import UnreadableImage
from overread.machine.content.zips import ENCRYPTED, METHODS, ZIP_ERRORS, open_zip, read_entry


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What a zip may hold: files, bytes of each, bytes of all, and how many times as large as compressed."""

    files: int
    file_bytes: int
    total_bytes: int
    ratio: int


def is_zip(content: bytes) -> bool:
    """Whether these bytes start as a zip with something in it, or as an empty one."""
    return content[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def unpack(content: bytes, limits: Limits) -> list[tuple[str, bytes]]:
    """The name and content of each file, in the order of the zip; folders and junk are left out.

    Names are for showing only: nothing is ever written to one.

    Raises:
        UnreadableImage: it is damaged, encrypted, beyond the limits, empty, or holds a zip or a link.
    """
    return list(zip_members(io.BytesIO(content), limits))


def zip_members(stream: IO[bytes], limits: Limits) -> Iterator[tuple[str, bytes]]:
    """What `unpack` gives of a zip that is open, one file after the other.

    Raises:
        UnreadableImage: as `unpack`; files may have come before.
    """
    try:
        with open_zip(stream) as archive:
            entries = [entry for entry in archive.infolist() if not _is_litter(entry)]
            if len(entries) > limits.files:
                raise UnreadableImage(f"is a zip of {len(entries)} files; {limits.files} are taken: send fewer")
            if not entries:
                raise UnreadableImage("is a zip without any file")
            _check(entries, limits)
            left = limits.total_bytes
            for entry in entries:
                content = _read(archive, entry, min(left, limits.file_bytes))
                left -= len(content)
                yield entry.filename, content
    except ZIP_ERRORS as error:
        if isinstance(error, UnreadableImage):
            raise
        raise UnreadableImage(f"is a damaged or unusual zip ({type(error).__name__}): pack it again") from None


def _check(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Refuse by what the zip says of its files, before any is unpacked."""
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise UnreadableImage(f"is a zip of more than {limits.total_bytes} bytes unpacked: send fewer at a time")
    for entry in entries:
        if entry.flag_bits & ENCRYPTED:
            raise UnreadableImage("is an encrypted zip: send it without a password")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnreadableImage("is a zip that holds a link: pack the files themselves")
        if entry.compress_type not in METHODS:
            raise UnreadableImage("is a zip of an unusual compression: pack it as an ordinary zip")
        if entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise UnreadableImage(f"is a zip with a file that grows more than {limits.ratio} times: send that alone")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.file_size > most:
        raise UnreadableImage(f"is a zip with a file of more than {most} bytes: send fewer, or smaller ones")
    content = read_entry(archive, entry, most)
    if is_zip(content):
        raise UnreadableImage("is a zip within a zip: pack the images themselves")
    return content


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.replace("\\", "/").split("/")
    # Not `is_dir()`, which before Python 3.12 raises IndexError for an entry without a name.
    return entry.filename.endswith("/") or any(is_junk(part) for part in parts if part not in (".", ".."))
