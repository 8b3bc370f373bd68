"""DICOM files to the few elements that are needed, and to the stored values of one frame."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from overread.errors import MissingExtra, UnreadableImage
from overread.formats.picture import frame_index
from overread.machine.quiet import without_warnings_of

if TYPE_CHECKING:
    from pydicom import Dataset

COLOURS = ("Red", "Green", "Blue")
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# fmt: off
DISPLAY_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "VOILUTSequence", "PresentationLUTShape", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RescaleType", "ExtendedOffsetTable", "ExtendedOffsetTableLengths", *PIXEL_KEYWORDS,
    *(f"{colour}PaletteColorLookupTable{part}" for colour in COLOURS for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS),
)
# fmt: on
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_DEFLATED_WITHIN = 65536
_J2K_SIZE = b"\xff\x4f\xff\x51"
_UNDEFINED_LENGTH = 0xFFFFFFFF


@contextlib.contextmanager
def without_detail(failure: str) -> Iterator[None]:
    """Name a failure of pydicom without its text, which may quote values, and without its traceback or warnings."""
    try:
        with without_warnings_of("pydicom"):
            yield
    except (MissingExtra, UnreadableImage):
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        raise UnreadableImage(f"{failure} ({type(error).__name__})") from None


def read_dataset(stream: BinaryIO, tags: Sequence[str], *, stop_before_pixels: bool = False) -> Dataset:
    """Read these elements of a file, wherever in it the stream is.

    Raises:
        UnreadableImage: the file is deflated.
        MissingExtra: pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("DICOM files need pydicom and its decoders: pip install 'overread[dicom]'") from None
    stream.seek(0)
    if _DEFLATED in stream.read(_DEFLATED_WITHIN):
        # pydicom inflates the whole file before anything can be checked: 10 MB may become 10 GB.
        raise UnreadableImage("is a deflated DICOM file, which is not read: convert it to Explicit VR Little Endian")
    stream.seek(0)
    return pydicom.dcmread(stream, force=True, specific_tags=list(tags), stop_before_pixels=stop_before_pixels)


def read_frame(stream: BinaryIO, frame: int | None, max_pixels: int) -> tuple[Dataset, np.ndarray, int]:
    """Decode the stored values of one frame.

    Args:
        stream: the file.
        frame: its number from 1; None for the only one.
        max_pixels: of rows, columns and samples of a pixel, multiplied.

    Returns:
        What display needs of the header; `(rows, columns)` or `(rows, columns, 3)`; the place of the frame, from 0.

    Raises:
        UnreadableImage: no such frame, or no, too many, truncated or undecodable pixels.
        MissingExtra: pydicom is not installed.
    """
    with without_detail("is no readable DICOM file"):
        header = read_dataset(stream, DISPLAY_TAGS, stop_before_pixels=True)
        frames = _count_frames(header)
        index = frame_index(frames, frame)
        _check_size(header, stream, max_pixels)
        ds = read_dataset(stream, DISPLAY_TAGS)
        if not any(keyword in ds for keyword in PIXEL_KEYWORDS):
            raise UnreadableImage("is truncated: its DICOM pixel data has no end")
        _require_decoder(ds)
        _check_codestream(ds, index, frames)
    with without_detail("has DICOM pixel data that is damaged or cannot be decoded"):
        from pydicom.pixels import pixel_array

        return ds, pixel_array(ds, index=index if frames > 1 else None), index


def _count_frames(header: Dataset) -> int:
    if "Rows" not in header or "Columns" not in header:
        raise UnreadableImage("is a DICOM file without an image (no Rows and Columns), or a truncated one")
    if "TransferSyntaxUID" not in header.file_meta:
        raise UnreadableImage("does not say its DICOM transfer syntax: convert it with a DICOM tool")
    return int(header.get("NumberOfFrames") or 1)


def _check_size(header: Dataset, stream: BinaryIO, max_pixels: int) -> None:
    """Refuse before decoding a frame of no sensible size, or pixels that are not all in the file."""
    # int, for a damaged Columns may be a list, which Rows would repeat.
    if not 0 < int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel", 1)) <= max_pixels:
        raise UnreadableImage(f"declares a size outside 1 to {max_pixels} samples: reduce it first")
    is_implicit, is_little = header.original_encoding
    element = stream.read(8 if is_implicit else 12)
    if len(element) < 8:
        raise UnreadableImage("is a DICOM file without pixels, or a truncated one")
    (length,) = struct.unpack("<L" if is_little else ">L", element[-4:])
    here = stream.tell()
    if length != _UNDEFINED_LENGTH and length > stream.seek(0, 2) - here:
        raise UnreadableImage("is truncated: it has fewer bytes than its DICOM pixel data declares")


def _require_decoder(ds: Dataset) -> None:
    from pydicom.pixels import get_decoder

    try:
        decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    except NotImplementedError:
        raise UnreadableImage("has a DICOM transfer syntax that is not read: convert it with a DICOM tool") from None
    if not decoder.is_available:
        name = decoder.UID.name
        raise UnreadableImage(f"is compressed as {name}, whose decoder is not there: pip install 'overread[dicom]'")


def _check_codestream(ds: Dataset, index: int, frames: int) -> None:
    """Compare the size that a JPEG 2000 codestream declares: one of 60,000 x 60,000 took 14 GB and 150 s to fail."""
    from pydicom.encaps import get_frame

    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    offsets = None
    if frames > 1 and "ExtendedOffsetTable" in ds:
        offsets = ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths
    frame = get_frame(ds.PixelData, index, number_of_frames=frames, extended_offsets=offsets)
    start = frame.find(_J2K_SIZE, 0, 4096)
    if start < 0:
        return
    right, bottom, left, top, samples = struct.unpack_from(">4L16xH", frame, start + 8)
    if (bottom - top, right - left, samples) != (ds.Rows, ds.Columns, ds.SamplesPerPixel):
        raise UnreadableImage("has JPEG 2000 pixel data of another size than its DICOM header says")
