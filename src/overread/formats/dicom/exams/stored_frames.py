"""The frames of one DICOM file: its header read once, the bytes of each frame when it is asked for."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.apart import run_apart
from overread.formats.dicom.dataset import DISPLAY_TAGS, read_dataset, refuse_long_values, without_detail
from overread.formats.dicom.deflated import inflated
from overread.formats.dicom.display import raise_functional_groups
from overread.formats.dicom.exams.levels import Look, look_of
from overread.formats.dicom.exams.place import PLACE_TAGS
from overread.formats.dicom.frame import check_size, count_frames, read_frame, stored_values
from overread.formats.dicom.syntax import EXPLICIT_BIG, assume_missing, has_sound_decoder, require_decoder
from overread.formats.source import content_of, opened
from overread.machine.apart import is_apart
from overread.machine.remote import is_remote

if TYPE_CHECKING:
    from pydicom import Dataset

# Of each frame the pieces that it consists of, as place and length.
Parts = tuple[tuple[tuple[int, int], ...], ...]
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_END_OF_CODESTREAM = b"\xff\xd9"
_LATE = 10


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StoredFrames:
    """A DICOM file of which each frame is read by itself, in time and memory that don't grow with their number.

    Args:
        source: its path, or its content where it had to be fetched or inflated.
        header: the elements that display and order need, without pixels.
        count: how many frames there are.
        keyword: of the element of the pixels.
        parts: where the bytes of each frame lie, as places and lengths of one or more pieces; empty where no frame can
            be told apart without the others.
        max_pixels: above which a frame is refused.
    """

    source: Path | bytes
    header: Dataset
    count: int
    keyword: str
    parts: Parts
    max_pixels: int

    @classmethod
    def read(cls, path: Path, max_pixels: int) -> StoredFrames:
        """Read the header of a file and find its frames.

        Raises:
            UnreadableImage: there are none, or not all of their bytes.
            MissingPath, MissingExtra: the file or pydicom is not there.
        """
        source = content_of(path) if is_remote(path) else path
        with opened(source) as stream, without_detail("is no readable DICOM file"):
            plain = inflated(stream)
            if plain is not stream:
                source = plain.read()
            header = read_dataset(plain, [*DISPLAY_TAGS, *PLACE_TAGS], stop_before_pixels=True)
            count = count_frames(header)
            if not count >= 1:
                raise UnreadableImage("declares no frames")
            start = plain.tell()
            check_size(header, plain, max_pixels)
            if not has_sound_decoder(header):
                require_decoder(header)
            assume_missing(header)
            keyword, parts = _parts(plain, start, header, count)
        return cls(source=source, header=header, count=count, keyword=keyword, parts=parts, max_pixels=max_pixels)

    def decoded(self, index: int) -> tuple[Dataset, np.ndarray]:
        """What display needs of a frame, by its place from 0, and its stored values.

        Raises:
            UnreadableImage: it cannot be decoded.
        """
        if not self.parts:
            with opened(self.source) as stream:
                whole, stored, _ = read_frame(stream, index + 1, self.max_pixels)
            return self._described(index, whole), stored
        with opened(self.source) as stream, without_detail("has DICOM pixel data that is damaged"):
            pieces = []
            for start, length in self.parts[index]:
                stream.seek(start)
                pieces.append(stream.read(length))
            ds = self._described(index, self.header)
            self._give_pixels(ds, b"".join(pieces))
        if has_sound_decoder(ds) or is_apart():
            return ds, stored_values(ds)
        return ds, run_apart(stored_values, ds)

    def look(self, index: int) -> Look:
        """How a frame is to be shown."""
        with without_detail("has DICOM display settings that cannot be used"):
            return look_of(self._described(index, self.header))

    def _described(self, index: int, header: Dataset) -> Dataset:
        """The elements that decoding and display of one frame need, as if it were a file of its own."""
        from pydicom import Dataset

        with without_detail("has DICOM display settings that cannot be used"):
            ds = Dataset()
            for keyword in DISPLAY_TAGS:
                if keyword in header and keyword not in (*GROUPS, *_PIXELS.values()):
                    ds[keyword] = header[keyword]
            ds.file_meta = header.file_meta
            ds.set_original_encoding(*header.original_encoding)
            raise_functional_groups(ds, self.header, index)
            refuse_long_values(ds)
            ds.NumberOfFrames = 1
        return ds

    def _give_pixels(self, ds: Dataset, value: bytes) -> None:
        is_encapsulated = ds.file_meta.TransferSyntaxUID.is_encapsulated
        if is_encapsulated:
            value += bytes(len(value) % 2)
            value = _ITEM + bytes(4) + _ITEM + struct.pack("<L", len(value)) + value
        vr = {"FloatPixelData": "OF", "DoubleFloatPixelData": "OD"}.get(self.keyword, "OW")
        if is_encapsulated or (self.keyword == "PixelData" and ds.BitsAllocated <= 8):
            vr = "OB"
        ds.add_new(self.keyword, vr, value)
        ds[self.keyword].is_undefined_length = is_encapsulated


def _parts(stream: BinaryIO, at: int, header: Dataset, count: int) -> tuple[str, Parts]:
    """The keyword of the pixels, whose element begins at a place, and where each frame's lie."""
    stream.seek(at)
    element = stream.read(12)
    order: Literal["little", "big"] = "little" if element[0] == 0xE0 else "big"
    tag = int.from_bytes(element[:2], order) << 16 | int.from_bytes(element[2:4], order)
    if tag not in _PIXELS:
        raise UnreadableImage("is a DICOM file without pixels, or a truncated one")
    value = 12 if element[4:6] in _LONG_VRS else 8
    length = int.from_bytes(element[value - 4 : value], order)
    start = at + value
    stream.seek(start)
    if header.file_meta.TransferSyntaxUID.is_encapsulated:
        fragments, table = _fragments(stream)
        return _PIXELS[tag], _grouped(stream, header, count, fragments, table)
    return _PIXELS[tag], _cut(header, count, start, length)


def _cut(header: Dataset, count: int, start: int, length: int) -> Parts:
    """The frames of plain pixels; none where bits or swapped bytes of two frames share a word."""
    is_swapped = header.file_meta.TransferSyntaxUID == EXPLICIT_BIG and header.BitsAllocated <= 8
    is_entangled = length == _UNDEFINED_LENGTH or header.BitsAllocated % 8 or is_swapped
    if count == 1:
        return () if is_entangled else (((start, length),),)
    samples = 2 if header.PhotometricInterpretation == "YBR_FULL_422" else header.SamplesPerPixel
    bits = header.Rows * header.Columns * samples * header.BitsAllocated
    # Before anything is made for each of the frames that are declared, which may be billions.
    if bits < 1 or bits * count > 8 * length:
        raise UnreadableImage(f"is truncated: it has fewer pixels than its {count} frames need")
    if is_entangled:
        return ()
    each = bits // 8
    return tuple(((start + each * index, each),) for index in range(count))


def _fragments(stream: BinaryIO) -> tuple[list[tuple[int, int]], bytes]:
    """Where the fragments of encapsulated pixels lie, and the table of offsets before them (PS3.5 A.4)."""
    found: list[tuple[int, int]] = []
    table: bytes | None = None
    end = _end_of(stream)
    while True:
        head = stream.read(8)
        if len(head) < 8 or head[:4] != _ITEM:
            if head[:4] == _DELIMITER and table is not None:
                return found, table
            raise UnreadableImage("is truncated: its DICOM pixel data has no end")
        length = int.from_bytes(head[4:], "little")
        at = stream.tell()
        if at + length > end:
            raise UnreadableImage("is truncated: it has fewer bytes than its DICOM pixel data declares")
        if table is None:
            table = stream.read(length)
        else:
            found.append((at, length))
            stream.seek(at + length)


def _end_of(stream: BinaryIO) -> int:
    at = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(at)
    return end


def _grouped(stream: BinaryIO, header: Dataset, count: int, fragments: list[tuple[int, int]], table: bytes) -> Parts:
    """The fragments of each frame: one each, or as a table of offsets or the ends of codestreams tell."""
    if count == 1 and fragments:
        return (tuple(fragments),)
    if len(fragments) == count:
        return tuple((fragment,) for fragment in fragments)
    if "ExtendedOffsetTable" in header:
        table, width = bytes(header.ExtendedOffsetTable), 8
    else:
        width = 4
    offsets = np.frombuffer(table[: len(table) // width * width], f"<u{width}").tolist()
    if len(offsets) == count and fragments:
        first = fragments[0][0] - 8
        starts = {first + offset for offset in offsets}
        found = _begun_at(fragments, [start - 8 in starts for start, _ in fragments])
    else:
        ends = [_ends_codestream(stream, *fragment) for fragment in fragments]
        found = _begun_at(fragments, [True, *ends[:-1]])
    if len(found) != count:
        raise UnreadableImage(f"declares {count} frames, which its pixel data does not tell apart: export it again")
    return found


def _begun_at(fragments: list[tuple[int, int]], begins: list[bool]) -> Parts:
    frames: list[list[tuple[int, int]]] = []
    for fragment, is_first in zip(fragments, begins, strict=True):
        if is_first:
            frames.append([])
        if frames:
            frames[-1].append(fragment)
    return tuple(map(tuple, frames))


def _ends_codestream(stream: BinaryIO, start: int, length: int) -> bool:
    late = min(length, _LATE)
    stream.seek(start + length - late)
    return _END_OF_CODESTREAM in stream.read(late)
