"""What a JPEG 2000 or HTJ2K says of its own size, read from its boxes and markers before any decoder sees it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import Declared

_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_START_AND_SIZE = b"\xff\x4f\xff\x51"
_COD, _COC, _SOT, _SOD, _EOC = 0x52, 0x53, 0x90, 0x93, 0xD9
# Levels, two sides of a code block, its style and the transformation; then the precincts, if there are any.
_FIXED, _HAS_PRECINCTS = 5, 1
_MOST_BOXES, _MOST_SEGMENTS = 1024, 100_000
# OpenJPEG keeps several kilobytes for each tile and one for each precinct, whatever data they have: 197 bytes took 5 GB
# (November 2026). Unless there are few, no sound file has them of fewer pixels.
_LEAST_PIXELS, _FEW = {"tiles": 1024, "precincts": 256}, 4096


def declared_by_jpeg2000(content: bytes) -> Declared:
    """What the first codestream of a file declares, in boxes (JP2) or bare (T.800 A, I).

    Raises:
        UnreadableImage: it does not begin with its size, or is cut into absurdly many parts.
    """
    start = _contiguous_codestream(content) if content.startswith(_JP2) else 0
    if content[start : start + 4] != _START_AND_SIZE or len(content) < start + 45:
        raise UnreadableImage("has JPEG 2000 pixel data that does not begin with its size: it is damaged")
    right, bottom, left, top, *tile, samples, depth = struct.unpack_from(">8LHB", content, start + 8)
    width, height = right - left, bottom - top
    tile_width, tile_height, tile_left, tile_top = tile
    if min(width, height, tile_width, tile_height) < 1 or tile_left > left or tile_top > top:
        raise UnreadableImage("has JPEG 2000 pixel data whose size or tiles are none: it is damaged")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    _refuse_crumbs("tiles", tiles, width * height)
    for style in _coding_styles(content, start + 2, 1 if samples < 257 else 2):
        precincts = tiles * _precincts(style, min(width, tile_width), min(height, tile_height))
        _refuse_crumbs("precincts", precincts - tiles * len(style), width * height)
    return Declared(width=width, height=height, samples=samples, bits=(depth & 0x7F) + 1)


def _refuse_crumbs(what: str, count: int, pixels: int) -> None:
    if count > max(_FEW, pixels // _LEAST_PIXELS[what]):
        raise UnreadableImage(
            f"has JPEG 2000 pixel data in {count:,} {what}, far more than its pixels need: re-encode it"
        )


def _contiguous_codestream(content: bytes) -> int:
    """Where the first codestream begins in the boxes of a JP2 file (T.800 I.4)."""
    at = 0
    for _ in range(_MOST_BOXES):
        length, kind = struct.unpack(">L4s", content[at : at + 8].ljust(8, b"\0"))
        header = 8
        if length == 1:
            header, length = 16, int.from_bytes(content[at + 8 : at + 16], "big")
        if kind == b"jp2c":
            return at + header
        # Of length 0 is only the last one, which is the codestream.
        if length < header:
            break
        at += length
    raise UnreadableImage("has JPEG 2000 pixel data without a codestream in its boxes: it is damaged")


def _coding_styles(content: bytes, at: int, index_bytes: int) -> Iterator[bytes]:
    """The sizes of precincts that the main header and those of tile parts give, a byte for each resolution.

    Args:
        content: the file.
        at: the first marker behind the start of the codestream.
        index_bytes: those that number a component.
    """
    part_end = 0
    for _ in range(_MOST_SEGMENTS):
        if len(content) < at + 4 or content[at] != 0xFF or content[at + 1] in (0, _EOC):
            return
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : end]
        if marker == _SOT:
            length = int.from_bytes(segment[2:6], "big")
            part_end = at + length if length else len(content)
        elif marker in (_COD, _COC):
            # The component of the one, and what the other says for all of them.
            style_at, own_at = (0, 5) if marker == _COD else (index_bytes, index_bytes + 1)
            own = segment[own_at:]
            if len(own) > _FIXED and segment[style_at] & _HAS_PRECINCTS:
                yield own[_FIXED : _FIXED + 1 + own[0]]
        at = part_end if marker == _SOD else end
    raise UnreadableImage("has JPEG 2000 pixel data in absurdly many segments: re-encode it")


def _precincts(sizes: bytes, width: int, height: int) -> int:
    """How many precincts a tile has over all resolutions, the lowest of which comes first."""
    total = 0
    for below, size in zip(range(len(sizes) - 1, -1, -1), sizes, strict=True):
        across, down = below + (size & 15), below + (size >> 4)
        total += -(-width >> across) * -(-height >> down)
    return total
