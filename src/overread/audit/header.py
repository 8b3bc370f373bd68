"""What a file says of itself before its pixels are decoded: format, size, depth, compression, traces of a person."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Header:
    """A file by its content, without decoding pixels; what does not apply is None.

    Args:
        size_bytes: of the file.
        suffix: of its name, lower case with the dot; empty without one.
        format: PNG, JPEG, TIFF, BMP, WebP or DICOM by its first bytes; None for anything else.
        width: as stored, in pixels; 0 where the header cannot be read, as are the others.
        height: likewise.
        mode: Pillow's mode, or a DICOM photometric interpretation.
        bit_depth: bits of a channel.
        frames: 1 for a single image.
        has_alpha: transparency.
        jpeg_quantiser: mean of the luminance quantisation table, higher for stronger compression; JPEG only.
        manufacturer: of EXIF Make or DICOM Manufacturer, empty where there is none.
        has_position: EXIF GPS data are present.
        identifying_tags: how many DICOM tags that name or date a person have a value.
    """

    size_bytes: int
    suffix: str
    format: str | None
    width: int
    height: int
    mode: str
    bit_depth: int
    frames: int
    has_alpha: bool
    jpeg_quantiser: float | None
    manufacturer: str
    has_position: bool
    identifying_tags: int
