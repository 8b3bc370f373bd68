"""Zip files: as a bundle, and as an upload of images."""

from __future__ import annotations

import contextlib
import zlib

from scratch import written

from overread.bundle import Bundle
from overread.errors import InvalidBundle, UnreadableImage
from overread.service.room.zips import Limits, unpack

TOKENS = (
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"\xff\xff\xff\xff",
    b"bundle.json",
)
_LIMITS = Limits(files=8, file_bytes=2**20, total_bytes=2**21, ratio=200)


def one_input(data: bytes) -> None:
    """Open it both ways."""
    with contextlib.suppress(InvalidBundle):
        Bundle.load(written("bundle.zip", data))
    with contextlib.suppress(UnreadableImage):
        found = unpack(data, _LIMITS)
        assert sum(len(content) for _, content in found) <= _LIMITS.total_bytes
        zlib.crc32(b"".join(content for _, content in found))
