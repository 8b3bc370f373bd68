"""The directories of a TIFF file, one for each of its pages, read once and in order (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import dataclasses
import struct
from typing import BinaryIO

from overread.errors import UnreadableImage

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _WIDTH, _HEIGHT = 254, 255, 256, 257
_STRIPS, _TILE_WIDTH, _TILE_HEIGHT, _TILES = 273, 322, 323, 324
_READ = frozenset({_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _WIDTH, _HEIGHT, _STRIPS, _TILE_WIDTH, _TILE_HEIGHT, _TILES})
# How whole numbers are stored, by the number of their type.
_TYPES = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
# Of the first: a smaller copy, or a mask of where another page is transparent. Of the second: a smaller copy.
_REDUCED_OR_MASK, _REDUCED = 1 | 4, 2
# A page takes Pillow tens of microseconds more for each page before it, a tag or a strip some microseconds.
_MOST_PAGES, MOST_PARTS = 10_000, 100_000
# Of a page, and of all.
_MOST_TAGS, _MOST_TAGS_OF_ALL = 4096, 500_000
_LARGE_TILE = 2**22


@dataclasses.dataclass(frozen=True, kw_only=True)
class Directory:
    """What one page says of itself.

    Args:
        width: in pixels; 0 where it does not say.
        height: likewise.
        is_copy: whether it says that it is a smaller copy, or a mask, of another.
        is_tiled: whether it is stored in tiles.
        at: where it lies in the file, in bytes.
    """

    width: int
    height: int
    is_copy: bool
    is_tiled: bool
    at: int


def directories(stream: BinaryIO, *, most_parts: int = MOST_PARTS, only_first: bool = False) -> list[Directory]:
    """The directories of a TIFF file, up to the last, or to one that came before.

    Args:
        stream: the file.
        most_parts: strips or tiles of a page.
        only_first: whether to stop at the first.

    Raises:
        UnreadableImage: one lies outside the file, or there are absurdly many, or in one absurdly many tags or strips.
    """
    stream.seek(0)
    head = stream.read(16)
    order, is_big = "<" if head[:2] == b"II" else ">", 43 in head[2:4]
    count, entry, offset = (order + code for code in (("Q", "HHQ8s", "Q") if is_big else ("H", "HHL4s", "L")))
    found: list[Directory] = []
    seen: set[int] = set()
    all_tags = 0
    (at,) = struct.unpack_from(offset, head.ljust(16, b"\0"), 8 if is_big else 4)
    while at and at not in seen and not (only_first and found):
        if len(found) == _MOST_PAGES:
            raise UnreadableImage(f"holds more than {_MOST_PAGES:,} pages: split it")
        seen.add(at)
        stream.seek(min(at, 2**63 - 1))
        (tags,) = struct.unpack(count, _exactly(stream, struct.calcsize(count)))
        all_tags += tags
        if tags > _MOST_TAGS or all_tags > _MOST_TAGS_OF_ALL:
            raise UnreadableImage(f"has {all_tags} TIFF tags on {len(found) + 1} pages: it is damaged, save it anew")
        found.append(_directory(_exactly(stream, tags * struct.calcsize(entry)), order, entry, at, most_parts))
        # Of the last one, some writers leave the end out.
        (at,) = struct.unpack(offset, stream.read(struct.calcsize(offset)).ljust(struct.calcsize(offset), b"\0"))
    if not found:
        raise UnreadableImage("holds no page: it is a TIFF file that was cut short")
    return found


def _exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise UnreadableImage("is truncated: a page of it lies outside the file")
    return content


def _directory(content: bytes, order: str, entry: str, at: int, most_parts: int) -> Directory:
    values: dict[int, int] = {}
    for tag, kind, count, value in struct.iter_unpack(entry, content):
        if tag in _READ:
            values.setdefault(tag, count if tag in (_STRIPS, _TILES) else _number(order, kind, value))
    width, height = values.get(_WIDTH, 0), values.get(_HEIGHT, 0)
    parts = max(values.get(_STRIPS, 0), values.get(_TILES, 0))
    if parts > most_parts:
        raise UnreadableImage(f"has a page in {parts} strips or tiles, far more than are read: save it anew")
    tile = values.get(_TILE_WIDTH, 0) * values.get(_TILE_HEIGHT, 0)
    if tile > max(_LARGE_TILE, 4 * width * height):
        raise UnreadableImage("has tiles far larger than its page: save it anew")
    is_copy = values.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK or values.get(_SUBFILE_TYPE) == _REDUCED
    return Directory(width=width, height=height, is_copy=bool(is_copy), is_tiled=_TILES in values, at=at)


def _number(order: str, kind: int, value: bytes) -> int:
    """The whole number, or the first of several, that a directory holds itself; 0 where it holds none."""
    code = order + _TYPES.get(kind, "")
    return int(struct.unpack_from(code, value)[0]) if 0 < struct.calcsize(code) <= len(value) else 0
