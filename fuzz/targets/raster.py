"""PNG, JPEG, TIFF, BMP and WebP to pixels, as far as decoders that never crash go."""

from __future__ import annotations

import contextlib

from overread.errors import OverreadError
from overread.formats import open_picture

_MOST_PIXELS = 2**18
TOKENS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"\xff\xda", b"\xff\xc2", b"\xff\xd9", b"VP8L", b"ANMF")


def one_input(data: bytes) -> None:
    """Decode one picture, in full, smaller and in grey."""
    with contextlib.suppress(OverreadError), open_picture(data, max_pixels=_MOST_PIXELS) as picture:
        assert 0 < picture.pixels().size <= 3 * _MOST_PIXELS
        picture.pixels(lambda size: (16, 16), 1)
        picture.grey_values()
