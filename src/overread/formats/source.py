"""Where the bytes of an image come from: a file, or memory."""

from __future__ import annotations

import contextlib
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from overread.errors import MissingPath, UnreadableImage
from overread.machine.remote import is_remote, place, read_head

# What a format sees of a file before it says whether the file is its own.
HEAD_LENGTH = 512


@contextlib.contextmanager
def opened(source: str | Path | bytes) -> Iterator[BinaryIO]:
    """Open a file, or bytes as if they were one; a remote file is fetched whole.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is a folder or a device, or may not be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        path = place(source)
        # By one request, for a driver would ask for the size first and read ahead by megabytes.
        stream = io.BytesIO(path.read_bytes()) if is_remote(path) else _opened_file(path)
    except UnreadableImage:
        raise
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a null in the name
        raise MissingPath("is not there: check the path") from None
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from None
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
    with opened(path) as stream:
        return stream.read()


def _opened_file(path: Path) -> BinaryIO:
    # A named pipe would wait for its writer for ever.
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise UnreadableImage(f"is {kind}: one image file was expected")
    return path.open("rb")
