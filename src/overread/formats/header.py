"""What a file says of itself before its pixels are decoded: format, size, depth, compression, traces of a person."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

_GREY_MODES = frozenset(
    {"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N", "MONOCHROME1", "MONOCHROME2"}
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """A file by its content, without decoding pixels; what does not apply is None, zero or empty.

    The first three are filled in by `read_header`, the others by the format.

    Args:
        size_bytes: of the file.
        suffix: of its name, lower case with the dot; empty without one.
        format: the name of its format, by its content; None for anything else.
        width: as stored, in pixels; 0 where the header cannot be read, as are the others.
        height: likewise.
        mode: Pillow's mode ("L" and "I;16" are grey, "RGB" is colour), or a DICOM photometric interpretation.
        bit_depth: bits of a channel.
        frames: 1 for a single image.
        has_alpha: transparency.
        jpeg_quantiser: mean of the luminance quantisation table, higher for stronger compression; JPEG only.
        manufacturer: of EXIF Make or DICOM Manufacturer, empty where there is none.
        has_position: a GPS latitude or longitude is present in EXIF or XMP.
        identifying_tags: how many DICOM tags that name or date a person have a value.
        person_tags: the keywords of those tags; never their values.
        is_deidentified: DICOM Patient Identity Removed is YES.
        has_burned_in_text: DICOM Burned In Annotation is YES.
        has_label_image: of a slide, a picture of its label or of the whole glass lies in the file.
        assumed_tags: keywords of DICOM elements that decoding needs and the file lacks, for which defaults are taken.
        spacing_mm: between frames, rows and columns, of a volume that states it.
        plane: of the slices of a volume: "axial", "coronal" or "sagittal".
    """

    size_bytes: int = 0
    suffix: str = ""
    format: str | None = None
    width: int = 0
    height: int = 0
    mode: str = ""
    bit_depth: int = 0
    frames: int = 0
    has_alpha: bool = False
    jpeg_quantiser: float | None = None
    manufacturer: str = ""
    has_position: bool = False
    identifying_tags: int = 0
    person_tags: tuple[str, ...] = ()
    is_deidentified: bool = False
    has_burned_in_text: bool = False
    has_label_image: bool = False
    assumed_tags: tuple[str, ...] = ()
    spacing_mm: tuple[float, float, float] | None = None
    plane: str = ""

    @property
    def is_grey(self) -> bool:
        """Whether the mode has one channel of grey."""
        return self.mode in _GREY_MODES


def as_text(value: Any) -> str:
    """A value of a header as short text, one object for all files that share it."""
    return sys.intern(" ".join(str(value).strip(" \0").split())[:64])
