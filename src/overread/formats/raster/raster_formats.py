"""The raster formats that are read."""

from __future__ import annotations

import re

from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from overread.formats.raster.raster_format import Jpeg, Raster
from overread.formats.raster.tiff_format import Tiff

RASTER_FORMATS = (
    Raster("PNG", (".png",), re.compile(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
    Jpeg(
        "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), re.compile(rb"\xff\xd8\xff"), JpegImagePlugin.JpegImageFile,
        ("pillow", "simplejpeg"),
    ),
    Tiff("TIFF", (".tif", ".tiff"), re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImagePlugin.TiffImageFile),
    # "BM" alone begins many a text: behind it, at byte 14, the size of a header that Pillow knows.
    Raster(
        "BMP", (".bmp", ".dib"), re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),
        BmpImagePlugin.BmpImageFile,
    ),
    Raster("WebP", (".webp",), re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImagePlugin.WebPImageFile),
)  # fmt: skip
