"""Grey JPEG of 12 bits (ITU-T T.81, sequential, Huffman), as DICOM's JPEG Extended has it.

Written out because pydicom's plugins decline it; python-gdcm 3.2 gives the same to 1 of 4095, but reads only files and
writes to the standard error for each (November 2026). A CT slice takes about half a second.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import DHT, DQT, DRI, EOI, SOF_EXTENDED, SOFS, segments

_PRECISION, _MIDDLE, _MOST = 12, 2048, 4095
# Where the 64 coefficients of a block stand, row by row, in the order of their storage.
_ZIGZAG = [
    row * 8 + column
    for row, column in sorted(np.ndindex(8, 8), key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))
]
_COSINES = np.array(
    [[(np.sqrt(0.125) if u == 0 else 0.5) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)] for u in range(8)]
)


@dataclasses.dataclass(kw_only=True)
class _Frame:
    """What the segments before the scan say."""

    width: int = 0
    height: int = 0
    interval: int = 0
    quantisers: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    # By class (0 DC, 1 AC) and number: for each 16 bits ahead, the symbol times 32 plus the length of its code.
    codes: dict[int, list[int]] = dataclasses.field(default_factory=dict)
    quantiser: int = 0


def decode_jpeg12(content: bytes) -> np.ndarray:
    """Decode a codestream of one component to `(rows, columns)` uint16 of 0 to 4095.

    Raises:
        UnreadableImage: it is of another kind.
        IndexError, KeyError, struct.error: it is damaged.
    """
    frame = _Frame()
    *head, (_, scan, end) = segments(content)
    for marker, segment, _ in head:
        if marker == SOF_EXTENDED:
            bits, frame.height, frame.width, components, _, _, frame.quantiser = struct.unpack(">BHHBBBB", segment[:9])
            if (bits, components) != (_PRECISION, 1):
                raise UnreadableImage("has JPEG Extended pixel data that is not grey of 12 bits: decompress it first")
        elif marker in SOFS:
            raise UnreadableImage("has JPEG Extended pixel data of a process that is not read: decompress it first")
        elif marker == DQT:
            _read_quantisers(segment, frame)
        elif marker == DHT:
            _read_codes(segment, frame)
        elif marker == DRI:
            (frame.interval,) = struct.unpack(">H", segment)
    return _pixels(_coefficients(content[end:], frame, tables=scan[2]), frame)


def _read_quantisers(segment: bytes, frame: _Frame) -> None:
    while segment:
        number, width = segment[0] & 15, 1 + (segment[0] >> 4)
        if width > 2:
            raise UnreadableImage("has JPEG pixel data whose quantisers are of no known precision: it is damaged")
        table = np.zeros(64)
        table[_ZIGZAG] = np.frombuffer(segment, f">u{width}", 64, offset=1)
        frame.quantisers[number] = table
        segment = segment[1 + 64 * width :]


def _read_codes(segment: bytes, frame: _Frame) -> None:
    while segment:
        if segment[0] in frame.codes:
            raise UnreadableImage("has JPEG pixel data that defines a table of codes twice: it is damaged")
        counts, place = segment[1:17], 17
        ahead = [0] * 65536
        code = 0
        for length, count in enumerate(counts, 1):
            for symbol in segment[place : place + count]:
                first = code << (16 - length)
                ahead[first : first + (1 << (16 - length))] = [symbol * 32 + length] * (1 << (16 - length))
                code += 1
            place += count
            code <<= 1
        frame.codes[segment[0]] = ahead
        segment = segment[place:]


def _coefficients(scan: bytes, frame: _Frame, *, tables: int) -> np.ndarray:
    """`(blocks, 64)` of the quantised coefficients, in the order of rows and columns."""
    blocks = -(-frame.width // 8) * -(-frame.height // 8)
    dc, ac = frame.codes[tables >> 4], frame.codes[16 + (tables & 15)]
    places: list[int] = []
    values: list[int] = []
    interval, block = frame.interval or blocks, 0
    for part in _restart_parts(scan):
        _read_blocks(part, range(block, min(block + interval, blocks)), dc, ac, places, values)
        block += interval
        if block >= blocks:
            break
    else:
        raise UnreadableImage("has JPEG pixel data that ends early")
    found = np.zeros(blocks * 64)
    found[places] = values
    return found.reshape(blocks, 64)


def _restart_parts(scan: bytes) -> Iterator[bytes]:
    """The entropy-coded bytes between restart markers, without the zeros that are stuffed behind 0xFF."""
    start = at = 0
    while (at := scan.find(b"\xff", at)) >= 0 and at + 1 < len(scan):
        marker = scan[at + 1]
        if marker in range(0xD0, 0xD8) or marker == EOI:
            yield scan[start:at].replace(b"\xff\0", b"\xff")
            start = at + 2
            if marker == EOI:
                return
        at += 2 if marker != 0xFF else 1
    yield scan[start:].replace(b"\xff\0", b"\xff")


def _read_blocks(
    part: bytes, blocks: range, dc: list[int], ac: list[int], places: list[int], values: list[int]
) -> None:
    """Append where the coefficients of these blocks stand that are not 0, and what they are."""
    # At each byte the 40 bits that begin there: any code or value lies in them, whichever bit it begins at.
    padded = np.frombuffer(part + bytes(4), np.uint8).astype(np.int64)
    count = len(part)
    ahead = sum(padded[i : i + count] << (32 - 8 * i) for i in range(5)).tolist()  # type: ignore[union-attr]
    at = level = 0
    for block in blocks:
        entry = dc[ahead[at >> 3] >> (24 - (at & 7)) & 0xFFFF]
        at += _length_of(entry)
        if size := entry >> 5:
            value = ahead[at >> 3] >> (40 - (at & 7) - size) & ((1 << size) - 1)
            level += value if value >> (size - 1) else value - (1 << size) + 1
            at += size
        places.append(block * 64)
        values.append(level)
        place = 1
        while place < 64:
            entry = ac[ahead[at >> 3] >> (24 - (at & 7)) & 0xFFFF]
            at += _length_of(entry)
            run, size = entry >> 9, entry >> 5 & 15
            if not size:
                if run != 15:
                    break
                place += 16
                continue
            place += run
            value = ahead[at >> 3] >> (40 - (at & 7) - size) & ((1 << size) - 1)
            at += size
            places.append(block * 64 + _ZIGZAG[place])
            values.append(value if value >> (size - 1) else value - (1 << size) + 1)
            place += 1


def _length_of(entry: int) -> int:
    if not entry:
        raise UnreadableImage("has JPEG pixel data that is damaged")
    return entry & 31


def _pixels(coefficients: np.ndarray, frame: _Frame) -> np.ndarray:
    across, down = -(-frame.width // 8), -(-frame.height // 8)
    blocks = (coefficients * frame.quantisers[frame.quantiser]).reshape(-1, 8, 8)
    levels = np.rint(_COSINES.T @ blocks @ _COSINES) + _MIDDLE
    whole = levels.reshape(down, across, 8, 8).swapaxes(1, 2).reshape(down * 8, across * 8)
    return np.clip(whole[: frame.height, : frame.width], 0, _MOST).astype(np.uint16)
