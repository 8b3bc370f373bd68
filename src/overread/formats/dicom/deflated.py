"""Deflated DICOM files (PS3.5 A.5), whose whole data set is one compressed stream."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from overread.errors import UnreadableImage
from overread.formats.dicom.syntax import EXPLICIT
from overread.formats.source import in_memory

_SYNTAX = b"1.2.840.10008.1.2.1.99"
# A frame of 4096 x 4096 and 16 bits has 32.
_MAX_MIB = 256
_WITHIN = 65536


def inflated(stream: BinaryIO) -> BinaryIO:
    """A deflated file as the Explicit VR Little Endian one that it holds; any other as it is.

    pydicom would inflate without a limit: 10 MB may become 10 GB.

    Raises:
        UnreadableImage: it is damaged, or holds more than 256 MiB.
    """
    stream.seek(0)
    head = stream.read(_WITHIN)
    stream.seek(0)
    start, is_deflated = _data_set(head)
    if not is_deflated:
        return stream
    stream.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(stream.read(), _MAX_MIB * 2**20)
    except zlib.error:
        raise UnreadableImage("is a deflated DICOM file that is damaged: copy it again from where it came") from None
    if inflater.unconsumed_tail:
        raise UnreadableImage(
            f"is a deflated DICOM file of more than {_MAX_MIB} MiB: convert it to Explicit VR Little Endian"
        )
    return in_memory(head[:start].replace(_SYNTAX, EXPLICIT.encode().ljust(len(_SYNTAX), b"\0")) + content)


def _data_set(head: bytes) -> tuple[int, bool]:
    """Where the data set begins behind the meta information, and whether it is deflated."""
    at, is_deflated = 132 if head[128:132] == b"DICM" else 0, False
    while head[at : at + 2] == b"\2\0":
        is_long = head[at + 4 : at + 6] in (b"OB", b"UN", b"UT")
        value = at + (12 if is_long else 8)
        end = value + int.from_bytes(head[value - (4 if is_long else 2) : value], "little")
        is_deflated |= head[value:end].rstrip(b"\0 ") == _SYNTAX
        at = end
    return at, is_deflated
