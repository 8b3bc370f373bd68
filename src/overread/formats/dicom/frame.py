"""The stored values of one frame of a DICOM file, decoded once its header agrees with what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.apart import decode_apart
from overread.formats.codestreams.jpeg12 import decode_jpeg12
from overread.formats.dicom.dataset import DISPLAY_TAGS, PIXEL_KEYWORDS, read_dataset, without_detail
from overread.formats.dicom.deflated import inflated
from overread.formats.dicom.encapsulated import declared_by, encoded_frame
from overread.formats.dicom.syntax import (
    JPEG_EXTENDED,
    PLUGINS,
    assume_missing,
    has_sound_decoder,
    require_decoder,
    syntax_name,
)
from overread.formats.picture import frame_index

if TYPE_CHECKING:
    from pydicom import Dataset

_UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXEL_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")


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
        stream = inflated(stream)
        header = read_dataset(stream, DISPLAY_TAGS, stop_before_pixels=True)
        frames = count_frames(header)
        index = frame_index(frames, frame)
        check_size(header, stream, max_pixels)
        if not has_sound_decoder(header):
            require_decoder(header)
            decode_apart()
        ds = read_dataset(stream, DISPLAY_TAGS)
        assume_missing(ds)
    return ds, stored_values(ds, index, frames), index


def stored_values(ds: Dataset, index: int = 0, frames: int = 1) -> np.ndarray:
    """Decode one of the frames that a data set holds: `(rows, columns)` or `(rows, columns, 3)`.

    Raises:
        UnreadableImage: it cannot be decoded.
    """
    with without_detail("is no readable DICOM file"):
        if not any(keyword in ds for keyword in PIXEL_KEYWORDS):
            raise UnreadableImage("is truncated: its DICOM pixel data has no end")
        syntax, bits = ds.file_meta.TransferSyntaxUID, 0
        if syntax.is_encapsulated:
            encoded = encoded_frame(ds, index, frames)
            bits = declared_by(ds, encoded).bits
    with without_detail(f"has DICOM pixel data ({syntax_name(ds)}) that is damaged or cannot be decoded"):
        from pydicom.pixels import pixel_array

        if syntax == JPEG_EXTENDED and bits > 8:
            return _signed(ds, decode_jpeg12(encoded))
        plugin = PLUGINS.get(syntax, "")
        return pixel_array(ds, index=index if frames > 1 else None, decoding_plugin=plugin)


def count_frames(header: Dataset) -> int:
    """How many frames a header says that there are.

    Raises:
        UnreadableImage: it describes no image.
    """
    if "Rows" not in header or "Columns" not in header:
        raise UnreadableImage("is a DICOM file without an image (no Rows and Columns), or a truncated one")
    return int(header.get("NumberOfFrames") or 1)


def check_size(header: Dataset, stream: BinaryIO, max_pixels: int) -> None:
    """Refuse before decoding a frame of no sensible size, or pixels that are not all in the file.

    Args:
        header: of the file.
        stream: it, where the element of the pixels begins.
        max_pixels: of rows, columns and samples of a pixel, multiplied.

    Raises:
        UnreadableImage: so it is.
    """
    # int, for a damaged Columns may be a list, which Rows would repeat.
    if not 0 < int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel", 1)) <= max_pixels:
        raise UnreadableImage(f"declares a size outside 1 to {max_pixels} samples: reduce it first")
    start, element = stream.tell(), stream.read(12)
    if len(element) < 12:
        raise UnreadableImage("is a DICOM file without pixels, or a truncated one")
    # By what is there, for the transfer syntax may lie.
    value = 12 if element[4:6] in _PIXEL_VRS else 8
    length = int.from_bytes(element[value - 4 : value], "little" if element[0] == 0xE0 else "big")
    if length != _UNDEFINED_LENGTH and length > stream.seek(0, 2) - start - value:
        raise UnreadableImage("is truncated: it has fewer bytes than its DICOM pixel data declares")


def _signed(ds: Dataset, decoded: np.ndarray) -> np.ndarray:
    """Values as signed where the header says so: a codestream does not know."""
    if not ds.PixelRepresentation:
        return decoded
    spare = 16 - ds.BitsStored
    return (decoded << spare).astype(np.int16) >> spare
