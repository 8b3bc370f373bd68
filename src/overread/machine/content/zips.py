"""Zip files that strangers packed: what they declare is bounded before it is believed."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

# What `zipfile` raises on damaged or unusual files.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
# Those of ordinary zips.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Of a directory that lists thousands of files; `zipfile` makes 25 times as many bytes of it.
_LARGEST_READ = 2 * 2**20
_PIECE = 2**20
ENCRYPTED = 0x1


@contextlib.contextmanager
def open_zip(stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Open a zip for `read_entry`.

    Raises:
        zipfile.BadZipFile, or another of `ZIP_ERRORS`: it is none, or lists far too many files.
    """
    with zipfile.ZipFile(cast(IO[bytes], _Bounded(stream))) as archive:
        yield archive


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The content of one file, held against its checksum.

    Args:
        archive: from `open_zip`.
        entry: of it.
        most: bytes; one that declares more, or holds more, is refused.

    Raises:
        zipfile.BadZipFile, or another of `ZIP_ERRORS`: it is larger, damaged, encrypted or of an unusual compression.
    """
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in METHODS:
        raise zipfile.BadZipFile("a file is encrypted, or compressed in an unusual way")
    if entry.file_size > most:
        raise zipfile.BadZipFile("a file is too large")
    pieces = []
    with archive.open(entry) as stream:
        # zipfile ends at the size that was declared, so that no more is ever unpacked.
        while piece := stream.read(_PIECE):
            pieces.append(piece)
    content = b"".join(pieces)
    if len(content) != entry.file_size:
        raise zipfile.BadZipFile("a file is shorter than declared")
    return content


class _Bounded:
    """A stream that refuses to read more at once than the directory of an ordinary zip has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, count: int = -1) -> bytes:
        content = self._stream.read(_LARGEST_READ + 1 if count < 0 else min(count, _LARGEST_READ + 1))
        if len(content) > _LARGEST_READ:
            raise zipfile.BadZipFile("the directory of the zip is too large")
        return content
