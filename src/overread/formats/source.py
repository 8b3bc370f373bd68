"""Where the bytes of an image come from: a file, or memory."""

from __future__ import annotations

import contextlib
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from overread.errors import MissingPath, UnreadableImage

# What a format sees of a file before it says whether the file is its own.
HEAD_LENGTH = 512


@contextlib.contextmanager
def opened(source: str | Path | bytes) -> Iterator[BinaryIO]:
    """Open a file, or bytes as if they were one.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is a folder or a device, or may not be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        # A named pipe would wait for its writer for ever.
        path = source if isinstance(source, Path) else Path(source)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise UnreadableImage(f"is {kind}: one image file was expected")
        stream = path.open("rb")
    except UnreadableImage:
        raise
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a null in the name
        raise MissingPath("is not there: check the path") from None
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from None
    with stream:
        yield stream
