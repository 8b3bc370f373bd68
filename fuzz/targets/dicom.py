"""DICOM to what a viewer shows, but for the syntaxes that are decoded in processes of their own."""

from __future__ import annotations

import contextlib

from overread.errors import OverreadError
from overread.formats.apart import DecodeApart
from overread.formats.dicom import DICOM
from overread.formats.source import in_memory

_MOST_PIXELS = 2**18
TOKENS = (
    b"\x28\0\x10\0US\2\0",
    b"\x28\0\x11\0US\2\0",
    b"\x28\0\x08\0IS\2\0",
    b"\x28\0\x10\x30SQ\0\0",
    b"\x28\0\x02\x30US\6\0",
    b"\xe0\x7f\x10\0OW\0\0",
    b"\xff\xff\xff\xff\xfe\xff\0\xe0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"PALETTE COLOR ",
    b"YBR_FULL",
    b"1.2.840.10008.1.2.5\0",
    b"1.2.840.10008.1.2.4.50",
    b"1.2.840.10008.1.2.4.51",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.2\0",
)


def one_input(data: bytes) -> None:
    """Decode one frame, and give its pixels and the values behind them."""
    with contextlib.suppress(OverreadError, DecodeApart):
        picture = DICOM.decode(in_memory(data), frame=1, max_pixels=_MOST_PIXELS)
        assert picture.pixels().size <= 3 * _MOST_PIXELS
        picture.grey_values()
