"""The codestream of a frame of compressed DICOM pixels, and whether it is what the header says (PS3.5 A.4)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import Declared, declared_by_jpeg, require_few_scans
from overread.formats.codestreams.jpeg2000 import declared_by_jpeg2000
from overread.formats.dicom.syntax import JPEG2000_SYNTAXES, JPEG_SYNTAXES, RLE, syntax_name

if TYPE_CHECKING:
    from pydicom import Dataset

_RLE_HEADER = 64
# Two bytes of RLE give up to 128: what is shorter than this cannot grow beyond 64 MiB, and need not be looked through.
_HARMLESS = 2**20


def encoded_frame(ds: Dataset, index: int, frames: int) -> bytes:
    """The codestream of a frame, whose fragments may lie in several items."""
    from pydicom.encaps import get_frame

    offsets = None
    if frames > 1 and "ExtendedOffsetTable" in ds:
        offsets = ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths
    return get_frame(ds.PixelData, index, number_of_frames=frames, extended_offsets=offsets)


def declared_by(ds: Dataset, encoded: bytes) -> Declared:
    """What the codestream of a frame declares, which has to be what the header does.

    One that says 60,000 x 60,000 took 14 GB and 150 s to fail, and others end the process.

    Raises:
        UnreadableImage: it differs, or cannot be told.
    """
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax in JPEG_SYNTAXES:
        declared = declared_by_jpeg(encoded)
        require_few_scans(encoded)
    elif syntax in JPEG2000_SYNTAXES:
        declared = declared_by_jpeg2000(encoded)
    elif syntax == RLE:
        return _declared_by_rle(ds, encoded)
    else:
        raise UnreadableImage(f"is compressed as {syntax_name(ds)}, whose size cannot be told before it is decoded")
    if (declared.width, declared.height, declared.samples) != (ds.Columns, ds.Rows, ds.SamplesPerPixel):
        raise UnreadableImage(
            f"has {syntax_name(ds)} pixel data of another size or number of samples than its DICOM header says"
        )
    return declared


def _declared_by_rle(ds: Dataset, encoded: bytes) -> Declared:
    """RLE has no size of its own: each segment has to unpack to about a byte of each pixel (PS3.5 G)."""
    count, *starts = struct.unpack("<16L", encoded[:_RLE_HEADER].ljust(_RLE_HEADER, b"\0"))
    starts = starts[:count]
    pixels, expected = ds.Rows * ds.Columns, ds.SamplesPerPixel * -(-ds.BitsAllocated // 8)
    if len(encoded) < _RLE_HEADER or count != expected or starts != sorted(starts):
        raise UnreadableImage("has RLE pixel data of another number of segments than its DICOM header says")
    for start, end in zip(starts, [*starts[1:], len(encoded)], strict=True):
        if end - start > _HARMLESS and _unpacked_length(encoded[start:end]) > 2 * pixels:
            raise UnreadableImage("has RLE pixel data that unpacks to far more than its DICOM header says")
    return Declared(width=ds.Columns, height=ds.Rows, samples=ds.SamplesPerPixel, bits=ds.BitsAllocated)


def _unpacked_length(segment: bytes) -> int:
    at = length = 0
    while at < len(segment):
        control = segment[at]
        if control < 128:
            length += control + 1
            at += control + 2
        else:
            length += 257 - control if control > 128 else 0
            at += 2 if control > 128 else 1
    return length
