"""Grey JPEG of 12 bits, which is decoded by our own code."""

from __future__ import annotations

import contextlib
import struct

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import declared_by_jpeg
from overread.formats.codestreams.jpeg12 import decode_jpeg12

_MOST_PIXELS = 2**14
TOKENS = tuple(bytes([0xFF, marker]) for marker in b"\xc1\xc4\xd0\xd8\xd9\xda\xdb\xdd")


def one_input(data: bytes) -> None:
    """Decode one codestream, where it declares no more than a few pixels."""
    with contextlib.suppress(UnreadableImage, IndexError, KeyError, ValueError, struct.error):
        declared = declared_by_jpeg(data)
        if declared.width * declared.height <= _MOST_PIXELS:
            assert decode_jpeg12(data).shape == (declared.height, declared.width)
