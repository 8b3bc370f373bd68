"""Where the bytes of an image come from: a file, or memory."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from overread.errors import MissingPath, UnfitFile, UnreadableImage
from overread.machine.files import open_regular, read_regular
from overread.machine.remote import is_remote, place, read_head

# Of a file, from which pixels are read in large pieces: what parsers read in crumbs takes each some microseconds. The
# largest sound headers, of 2,000 frames of an enhanced MR, take half of it.
_MOST_READS = 500_000
# What a format sees of a file before it says whether the file is its own.
HEAD_LENGTH = 512


class _Counted:
    """A stream that is read half a million times at most, so that no parser goes round in a file for hours."""

    _left = _MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise UnreadableImage(f"is made of more than {_MOST_READS:,} pieces, which no sound image is: save it anew")
        try:
            return super().read(size)  # type: ignore[misc] # of the stream that it is mixed into
        except OSError as error:  # as a damaged disk gives
            raise UnreadableImage(f"cannot be read: {error.strerror}") from None


class _CountedFile(_Counted, io.BufferedReader):
    pass


class _CountedBytes(_Counted, io.BytesIO):
    pass


def in_memory(content: bytes) -> BinaryIO:
    """Bytes as if they were an opened file."""
    return _CountedBytes(content)


@contextlib.contextmanager
def opened(source: str | Path | bytes) -> Iterator[BinaryIO]:
    """Open a file, or bytes as if they were one; a remote file is fetched whole.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is a folder or a device, or may not be read.
    """
    if isinstance(source, bytes):
        yield in_memory(source)
        return
    with _named_failures():
        path = place(source)
        # By one request, for a driver would ask for the size first and read ahead by megabytes.
        stream = in_memory(read_regular(path)) if is_remote(path) else _CountedFile(_raw(path))
    with stream:
        yield stream


def head_of(path: Path) -> bytes:
    """The first bytes of a file, as many as a format sees, on the conditions of `opened`.

    Raises:
        OSError: they cannot be read.
    """
    if is_remote(path):
        return read_head(path, HEAD_LENGTH)
    with opened(path) as stream:
        return stream.read(HEAD_LENGTH)


def content_of(path: str | Path) -> bytes:
    """All bytes of a file, on the conditions of `opened`."""
    with _named_failures():
        return read_regular(place(path))


def _raw(path: Path) -> io.RawIOBase:
    return cast(io.BufferedReader, open_regular(path)).detach()


@contextlib.contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except UnfitFile as error:
        raise UnreadableImage(f"is {error.kind}: one image file was expected") from None
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPath("is not there: check the path") from None
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from None
