"""PNG, JPEG, TIFF, BMP and WebP files to 8-bit grey or RGB."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import simplejpeg
from PIL import (
    Image,
    ImageFile,
    JpegImagePlugin,
    TiffImagePlugin,
)

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import require_few_scans
from overread.formats.header import Header
from overread.formats.picture import (
    MIDDLE,
    Fitted,
    GreyValues,
    Picture,
    as_stored,
    frame_index,
    is_coloured,
    percentile_window,
    window,
)
from overread.formats.raster.deep_colour import DEEP_GREY, byte_modes, deep_picture, is_deep_colour, set_raw_mode
from overread.formats.raster.header import header_of
from overread.formats.raster.pages import open_pages

# Decoded in some seconds.
_MOST_PIXELS_BEFORE = 2**30
ORIENTATION_TAG, TIFF_PHOTOMETRIC_TAG, WHITE_IS_ZERO = 0x0112, 262, 0
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclasses.dataclass(frozen=True)
class Raster:
    """A format that Pillow reads, told by how its files start.

    Transparency is composited on black. What is deeper than 8 bits is windowed linearly from the 0.1 to the 99.9
    percentile of its finite values, those of all channels together, NaN becoming black.

    Image.open would warn of, or refuse, large images by a limit that is global to the process: each format is opened
    by Pillow's class for it instead, which also keeps Pillow's forty rarer parsers closed.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: re.Pattern[bytes]
    reader: type[ImageFile.ImageFile]
    libraries: tuple[str, ...] = ("pillow",)

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether it starts so; the name says nothing."""
        return self.magic.match(head) is not None

    def header(self, stream: BinaryIO) -> Header:
        """What Pillow finds before decoding."""
        return header_of(self.reader, stream)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Open a file, and choose the frame; its pixels are decoded when they are asked for."""
        return self._picture(lambda: self._opened(stream, frame), max_pixels)

    def _picture(self, opened: Callable[[], ImageFile.ImageFile], max_pixels: int) -> Picture:
        image = opened()
        _refuse_large(image, max_pixels)
        if not is_deep_colour(image):
            return _RasterPicture(image)
        decoded = []
        for mode in byte_modes(image):
            again = opened()
            with pillow_errors():
                set_raw_mode(again, mode)
                again.load()
                decoded.append(np.asarray(_upright(again, again)))
        return deep_picture(image, decoded)

    def _opened(self, stream: BinaryIO, frame: int | None) -> ImageFile.ImageFile:
        with pillow_errors():
            image, pages = open_pages(self.reader, stream)
        page = pages[frame_index(len(pages), frame)]
        if page != pages[0]:
            _refuse_late(image, page)
            with pillow_errors():
                image.seek(page)
        return image


class Jpeg(Raster):
    """JPEG, which may come back smaller than stored, and grey where colour is not wanted."""

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Keep the file; how it is decoded depends on what is asked for."""
        frame_index(1, frame)
        content = stream.read()
        require_few_scans(content)
        return _JpegPicture(content, max_pixels)


@dataclasses.dataclass(frozen=True, eq=False)
class _RasterPicture:
    image: ImageFile.ImageFile

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        with pillow_errors():
            self.image.load()
            return np.asarray(_upright(_to_8_bit(self.image), self.image))

    def grey_values(self) -> GreyValues | None:
        if self.image.mode not in DEEP_GREY:
            return None
        with pillow_errors():
            self.image.load()
            values = np.asarray(_upright(self.image, self.image), np.float32)
            return GreyValues(
                values=np.where(np.isfinite(values), values, np.nan),
                windows={MIDDLE: percentile_window(values)},
                inverted=_white_is_zero(self.image),
            )


@dataclasses.dataclass(frozen=True, eq=False)
class _JpegPicture:
    content: bytes
    max_pixels: int

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Decode at a size that `fitted` gives or up to four times that, in colour only where it shows any."""
        if (plain := self._plain(fitted, channels)) is not None:
            return plain
        with pillow_errors():
            image = JpegImagePlugin.JpegImageFile(io.BytesIO(self.content))
        _refuse_large(image, self.max_pixels)
        with pillow_errors():
            lies = image.getexif().get(ORIENTATION_TAG) in (5, 6, 7, 8)
            width, height = fitted((image.height, image.width) if lies else image.size)
            is_luma = channels == 1 and image.mode == "RGB"
            image.draft("L" if is_luma else None, (2 * height, 2 * width) if lies else (2 * width, 2 * height))
            image.load()
            pixels = _to_8_bit(image)
            if channels is None and not is_coloured(np.asarray(pixels)):
                # Its luma, as a network of one channel will read it.
                return self.pixels(fitted, 1)
            return np.asarray(_upright(pixels, image))

    def grey_values(self) -> None:
        """None, for it holds 8 bits."""

    def _plain(self, fitted: Fitted, channels: int | None) -> np.ndarray | None:
        """Decode by simplejpeg, in half of Pillow's time with the very same pixels (November 2026).

        None for what may have to be turned (EXIF, XMP), is too large, CMYK, or refused: Pillow reads what is merely
        odd, and says what is wrong with the rest.
        """
        content = self.content
        if b"\xff\xe1" in content:
            return None
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
            if colours not in ("Gray", "YCbCr") or not 0 < width * height <= self.max_pixels:
                return None
            # The means of 8 x 8 pixels show colour as well as all pixels do; neutral chroma makes luma equal to RGB.
            if channels is None and colours == "YCbCr":
                channels = 3 if is_coloured(simplejpeg.decode_jpeg(content, "RGB", min_height=1, min_width=1)) else 1
            # The reductions that Pillow's draft takes: simplejpeg has eighths between them.
            wanted = fitted((width, height))
            most = min(stored // (2 * side) for stored, side in zip((width, height), wanted, strict=True))
            scale = next((step for step in (8, 4, 2) if step <= most), 1)
            size = {"min_height": -(-height // scale), "min_width": -(-width // scale)}
            if colours == "Gray" or channels == 1:
                return np.asarray(simplejpeg.decode_jpeg(content, "GRAY", **size))[:, :, 0]
            return np.asarray(simplejpeg.decode_jpeg(content, "RGB", **size))
        except ValueError:
            return None


def _refuse_large(image: ImageFile.ImageFile, limit: int) -> None:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # Only the TIFF class repeats Pillow's own check while loading, and its warning cannot be silenced in threads.
        limit = min(limit, Image.MAX_IMAGE_PIXELS or limit)
    if not 0 < image.width * image.height <= limit:
        raise UnreadableImage(
            f"declares {image.width} x {image.height} pixels; 1 to {limit} were expected: reduce it first"
        )


def _refuse_late(image: ImageFile.ImageFile, page: int) -> None:
    """Refuse a page of an animation, in which all pages before it are decoded; those of a TIFF stand alone."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) and page * image.width * image.height > _MOST_PIXELS_BEFORE:
        raise UnreadableImage(f"has {page:,} pictures before the frame that is asked for: save that frame alone")


def _upright(pixels: Image.Image, image: ImageFile.ImageFile) -> Image.Image:
    # After loading: Pillow turns a TIFF by itself, and then removes the tag.
    turn = UPRIGHT.get(image.getexif().get(ORIENTATION_TAG, 1))
    return pixels if turn is None else pixels.transpose(turn)


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode in DEEP_GREY:
        values = np.asarray(image)
        levels = window(values, *percentile_window(values))
        return Image.fromarray(255 - levels if _white_is_zero(image) else levels)
    if image.has_transparency_data:
        is_grey = image.mode in ("1", "L", "LA", "La")
        layer = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
        black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, layer).convert("L" if is_grey else "RGB")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _white_is_zero(image: Image.Image) -> bool:
    # Pillow inverts 8-bit TIFF whose white is zero, but not 16-bit.
    return bool(getattr(image, "tag_v2", {}).get(TIFF_PHOTOMETRIC_TAG) == WHITE_IS_ZERO)


@contextlib.contextmanager
def pillow_errors() -> Iterator[None]:
    """Pillow raises anything from SyntaxError to struct.error on a damaged file."""
    try:
        yield
    except UnreadableImage:
        raise
    except Exception as error:
        reason = str(error)[:200] or type(error).__name__
        raise UnreadableImage(f"is truncated, damaged or of an unusual kind (Pillow: {reason})") from error
