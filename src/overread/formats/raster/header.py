"""What a PNG, JPEG, TIFF, BMP or WebP file says of itself."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import sys
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from overread.formats.header import Header, as_text
from overread.formats.raster.pages import open_pages
from overread.machine.quiet import without_warnings_of

_XMP_POSITION = re.compile(rb"exif:GPS(Latitude|Longitude)\b")
_DEPTH_TAG = 258
_PNG_DEPTH_AT = 24
_TAIL = 65536


def header_of(reader: type[ImageFile.ImageFile], stream: BinaryIO) -> Header:
    """Read a header by the Pillow class of the file's format; damaged EXIF is left out."""
    with without_warnings_of("PIL"):
        head = stream.read(_PNG_DEPTH_AT + 1)
        image, pages = open_pages(reader, stream)
        header = _header(image, head, len(pages))
        with contextlib.suppress(Exception):
            return dataclasses.replace(header, **_exif_facts(image, stream, header.has_position))
        return header


def _header(image: ImageFile.ImageFile, head: bytes, frames: int) -> Header:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return Header(
        width=image.width,
        height=image.height,
        mode=sys.intern(image.mode),
        bit_depth=_bit_depth(image, head),
        has_alpha=image.has_transparency_data,
        jpeg_quantiser=_quantiser(image),
        frames=frames,
        has_position=_XMP_POSITION.search(xmp.encode() if isinstance(xmp, str) else xmp) is not None,
    )


def _bit_depth(image: Image.Image, head: bytes) -> int:
    """Bits of a channel as stored, where Pillow's mode hides them: it reads 16-bit colour as 8."""
    if isinstance(image, PngImagePlugin.PngImageFile):
        return head[_PNG_DEPTH_AT]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(_DEPTH_TAG, (1,)))
    return 1 if image.mode == "1" else 8


def _quantiser(image: Image.Image) -> float | None:
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    table = image.quantization.get(image.layer[0][3] if image.layer else 0)
    return sum(table) / len(table) if table else None


def _exif_facts(image: Image.Image, stream: BinaryIO, has_position: bool) -> dict[str, Any]:
    if isinstance(image, PngImagePlugin.PngImageFile) and "exif" not in image.info:
        # With the key there, even if it is None, getexif does not decode the image in search of EXIF behind its pixels.
        image.info["exif"] = _exif_after_pixels(stream)
    exif = image.getexif()
    # Cameras without a receiver write an empty GPS directory that holds its version alone.
    coordinates = exif.get_ifd(ExifTags.IFD.GPSInfo).keys() & {ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude}
    return {
        "manufacturer": as_text(exif.get(ExifTags.Base.Make, "")),
        "has_position": has_position or bool(coordinates),
    }


def _exif_after_pixels(stream: BinaryIO) -> bytes | None:
    """The eXIf chunk that libpng writes behind the pixels of a PNG file, if it ends there."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
    tail = stream.read()
    start = tail.rfind(b"eXIf")
    if start < 4:
        return None
    return tail[start + 4 : start + 4 + int.from_bytes(tail[start - 4 : start], "big")]
