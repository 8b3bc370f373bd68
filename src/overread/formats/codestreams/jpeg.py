"""What a JPEG or JPEG-LS says of its own size, read from its markers before any decoder sees it."""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator

from overread.errors import UnreadableImage

SOF_EXTENDED, SOF_JPEG_LS = 0xC1, 0xF7
DHT, EOI, SOS, DQT, DRI, LSE = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD, 0xF8
SOFS = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC} | {SOF_JPEG_LS}
# TEM and the start of an image, which have no segment; nor have restart markers, which are passed over as pixels are.
_BARE = frozenset({0x01, 0xD8})
_MARKER = re.compile(rb"\xff([^\0\xff\xd0-\xd7])")
# Comments, profiles and previews of real files need a few hundred.
_MOST_SEGMENTS = 4096
# Progressive files have about ten. A scan without content costs a few bytes, and as much time as a whole image.
_MOST_SCANS = 100
_OVERSIZE = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Declared:
    """The size of a codestream, by its own account.

    Args:
        width: in pixels.
        height: likewise.
        samples: components of a pixel.
        bits: of a sample; of the first, where they differ.
    """

    width: int
    height: int
    samples: int
    bits: int


def segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and end of each segment of a JPEG or JPEG-LS, up to the first scan and with it (T.81 B.1.1).

    Bytes between segments are skipped, as libjpeg does.

    Raises:
        UnreadableImage: it is none, ends before a scan, or has absurdly many segments.
    """
    if content[:2] != b"\xff\xd8":
        raise UnreadableImage("has JPEG pixel data that does not begin as JPEG: copy it again from where it came")
    at = 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(content, at)
        if found is None or found[1][0] == EOI:
            break
        marker, at = found[1][0], found.end()
        if marker in _BARE:
            continue
        end = at + int.from_bytes(content[at : at + 2], "big")
        if not at + 2 <= end <= len(content):
            break
        yield marker, content[at + 2 : end], end
        if marker == SOS:
            return
        at = end
    raise UnreadableImage("has JPEG pixel data without a scan, or with one that is not reached: it is damaged")


def declared_by_jpeg(content: bytes) -> Declared:
    """What the frame header of a JPEG or JPEG-LS declares.

    Raises:
        UnreadableImage: there is none or several, or it leaves its size to a later segment.
    """
    frames, has_later_size = [], False
    for marker, segment, _ in segments(content):
        if marker in SOFS:
            frames.append(segment)
        has_later_size |= marker == LSE and segment[:1] == bytes([_OVERSIZE])
    if len(frames) != 1 or len(frames[0]) < 6 or has_later_size:
        raise UnreadableImage("has JPEG pixel data without a frame header that says its size once: it is damaged")
    bits, height, width, samples = struct.unpack_from(">BHHB", frames[0])
    if not height:
        raise UnreadableImage("has JPEG pixel data that says its height behind its pixels only: decompress it first")
    return Declared(width=width, height=height, samples=samples, bits=bits)


def require_few_scans(content: bytes) -> None:
    """Refuse a JPEG whose pixels are decoded over and over: 76 kB took 18 s.

    Raises:
        UnreadableImage: it has absurdly many scans.
    """
    if content.count(bytes([0xFF, SOS])) <= _MOST_SCANS:
        return
    # Previews, and what was appended behind the image, hold such bytes too.
    at, scans = 2, 0
    while scans <= _MOST_SCANS:
        found = _MARKER.search(content, at)
        if found is None or found[1][0] == EOI:
            return
        at = found.end()
        if found[1][0] not in _BARE:
            at += int.from_bytes(content[at : at + 2], "big")
        scans += found[1][0] == SOS
    raise UnreadableImage(f"has JPEG pixel data in more than {_MOST_SCANS} scans: save it anew")
