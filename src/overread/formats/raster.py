"""PNG, JPEG, TIFF, BMP and WebP files to 8-bit grey or RGB, and the window that deeper pixels go through."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import simplejpeg
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from overread.errors import MissingPath, UnreadableImage

# Of an image, looked up in its header before decoding; a process may lower it for itself.
MAX_PIXELS = 128 * 2**20
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
# Neutral JPEG chroma decodes to equal channels at any quality (measured on 30 radiographs from quality 10 to 95: 0.0),
# tinted noise of a scanner stays below 2, and 200 endoscopy frames lay between 31 and 138.
COLOUR_SPREAD = 2.0
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")

# Image.open would warn of, or refuse, large images by a limit that is global to the process: the five formats are
# opened by their own classes instead, which also keeps Pillow's forty rarer parsers closed.
FORMATS: dict[re.Pattern[bytes], type[ImageFile.ImageFile]] = {
    re.compile(rb"\x89PNG\r\n\x1a\n"): PngImagePlugin.PngImageFile,
    re.compile(rb"\xff\xd8\xff"): JpegImagePlugin.JpegImageFile,
    re.compile(rb"II[*+]\0|MM\0[*+]"): TiffImagePlugin.TiffImageFile,
    re.compile(rb"BM"): BmpImagePlugin.BmpImageFile,
    re.compile(rb"RIFF....WEBP", re.DOTALL): WebPImagePlugin.WebPImageFile,
}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Deep:
    """A grey image before a window made 8 bits of it.

    Args:
        values: `(height, width)` float32, NaN where there is none.
        windows: (low, high) by name, as the file or the kind of image offers them; the first is the one to start with.
        inverted: whether low values are shown bright.
    """

    values: np.ndarray
    windows: Mapping[str, tuple[float, float]]
    inverted: bool


@contextlib.contextmanager
def opened(source: str | Path | bytes) -> Iterator[BinaryIO]:
    """Open a file, or bytes as if they were one.

    Raises:
        MissingPath: nothing is there.
        UnreadableImage: it is a folder or a device, or may not be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        # A named pipe would wait for its writer for ever.
        path = source if isinstance(source, Path) else Path(source)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise UnreadableImage(f"is {kind}: one image file was expected")
        stream = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPath("is not there: check the path") from None
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from None
    with stream:
        yield stream


def format_of(head: bytes) -> type[ImageFile.ImageFile] | None:
    """The Pillow class for a file that starts with these bytes; None when it is none of the five formats."""
    return next((reader for magic, reader in FORMATS.items() if magic.match(head)), None)


def decode(
    stream: BinaryIO, fitted: Callable[[tuple[int, int]], tuple[int, int]], channels: int | None = None
) -> np.ndarray:
    """Decode a raster file to `(height, width)` or `(height, width, 3)` uint8, upright by its EXIF orientation.

    Transparency is composited on black. Grey deeper than 8 bits is windowed linearly from the 0.1 to the 99.9
    percentile of its finite values, NaN becoming black; 16-bit colour keeps the high byte, as Pillow reads it.
    A JPEG may come back smaller than stored, though at least twice the size that `fitted` gives for it, and grey.

    Args:
        stream: the file, at its start.
        fitted: from the stored (width, height) to the size that is wanted in the end.
        channels: what a JPEG in colour gives: its luma for 1, RGB for 3, and for None luma unless it shows colour.

    Raises:
        UnreadableImage: another format, truncated, damaged, several frames or above `MAX_PIXELS`.
    """
    reader = format_of(stream.read(16))
    if reader is None:
        raise UnreadableImage("is none of PNG, JPEG, TIFF, BMP, WebP and DICOM, whatever its name: export it as one")
    stream.seek(0)
    if reader is JpegImagePlugin.JpegImageFile:
        if (plain := _plain_jpeg(stream.read(), fitted, channels)) is not None:
            return plain
        stream.seek(0)
    with _pillow_errors():
        image = reader(stream)
    _refuse_large(image)
    with _pillow_errors():
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise UnreadableImage(f"holds {frames} frames; one was expected: export the frame that you need")
    with _pillow_errors():
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            lies = image.getexif().get(ORIENTATION_TAG) in (5, 6, 7, 8)
            width, height = fitted((image.height, image.width) if lies else image.size)
            is_luma = channels == 1 and image.mode == "RGB"
            image.draft("L" if is_luma else None, (2 * height, 2 * width) if lies else (2 * width, 2 * height))
        image.load()
        pixels = _to_8_bit(image)
        if channels is None and reader is JpegImagePlugin.JpegImageFile and not is_coloured(np.asarray(pixels)):
            # Its luma, as a network of one channel will read it.
            stream.seek(0)
            return decode(stream, fitted, 1)
        # After loading: Pillow turns a TIFF by itself, and then removes the tag.
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION_TAG, 1))
        return np.asarray(pixels if turn is None else pixels.transpose(turn))


def deep(stream: BinaryIO) -> Deep | None:
    """The values of a grey file deeper than 8 bits, upright; None for any other.

    Raises:
        UnreadableImage: as `decode`.
    """
    reader = format_of(stream.read(16))
    if reader is None:
        return None
    stream.seek(0)
    with _pillow_errors():
        image = reader(stream)
        if image.mode not in DEEP_MODES:
            return None
        _refuse_large(image)
        image.load()
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION_TAG, 1))
        values = np.asarray(image if turn is None else image.transpose(turn), np.float32)
        return Deep(
            values=np.where(np.isfinite(values), values, np.nan),
            windows={"Middle 99.8 %": percentile_window(values)},
            inverted=_white_is_zero(image),
        )


def _plain_jpeg(
    content: bytes, fitted: Callable[[tuple[int, int]], tuple[int, int]], channels: int | None
) -> np.ndarray | None:
    """Decode by simplejpeg, in half of Pillow's time with the very same pixels (November 2026).

    None for what may have to be turned (EXIF, XMP), is too large, CMYK, or refused: Pillow reads what is merely odd,
    and says what is wrong with the rest.
    """
    if b"\xff\xe1" in content:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        if colours not in ("Gray", "YCbCr") or not 0 < width * height <= MAX_PIXELS:
            return None
        # The means of 8 x 8 pixels show colour as well as all pixels do, and neutral chroma makes luma equal to RGB.
        if channels is None and colours == "YCbCr":
            channels = 3 if is_coloured(simplejpeg.decode_jpeg(content, "RGB", min_height=1, min_width=1)) else 1
        # The reductions that Pillow's draft takes: simplejpeg has eighths between them.
        most = min(stored // (2 * side) for stored, side in zip((width, height), fitted((width, height)), strict=True))
        scale = next((step for step in (8, 4, 2) if step <= most), 1)
        size = {"min_height": -(-height // scale), "min_width": -(-width // scale)}
        if colours == "Gray" or channels == 1:
            return np.asarray(simplejpeg.decode_jpeg(content, "GRAY", **size))[:, :, 0]
        return np.asarray(simplejpeg.decode_jpeg(content, "RGB", **size))
    except ValueError:
        return None


def is_coloured(pixels: np.ndarray) -> bool:
    """Whether `(height, width)` or `(height, width, 3)` uint8 shows colour, or is grey that was stored as RGB."""
    if pixels.ndim == 2:
        return False
    # Planes rather than max(axis=2), which is 30 times slower along so short an axis.
    red, green, blue = pixels.reshape(-1, 3).T.copy()
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return bool(spread.mean() > COLOUR_SPREAD)


def percentile_window(values: np.ndarray) -> tuple[float, float]:
    """The 0.1 and 99.9 percentiles of the finite values; their extremes if those coincide, (0, 0) if none is finite."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 0.0
    low, high = np.percentile(finite, (0.1, 99.9))
    return (float(low), float(high)) if low < high else (float(finite.min()), float(finite.max()))


def window(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Spread [low, high] linearly over 0 to 255 as uint8; what lies outside is clipped and NaN becomes 0.

    An empty range is a step: values above `low` become 255, so that a constant image becomes black.
    """
    if not low < high:
        return np.where(values > low, 255, 0).astype(np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):
        levels = (values.astype(np.float64) - low) * (255.0 / (high - low))
    np.clip(levels, 0.0, 255.0, out=levels)
    return np.nan_to_num(np.rint(levels, out=levels), copy=False, nan=0.0).astype(np.uint8)


def _refuse_large(image: ImageFile.ImageFile) -> None:
    limit = MAX_PIXELS
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # Only the TIFF class repeats Pillow's own check while loading, and its warning cannot be silenced in threads.
        limit = min(limit, Image.MAX_IMAGE_PIXELS or limit)
    if not 0 < image.width * image.height <= limit:
        raise UnreadableImage(
            f"declares {image.width} x {image.height} pixels; 1 to {limit} were expected: reduce it first"
        )


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode in DEEP_MODES:
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
def _pillow_errors() -> Iterator[None]:
    """Pillow raises anything from SyntaxError to struct.error on a damaged file."""
    try:
        yield
    except Exception as error:
        reason = str(error)[:200] or type(error).__name__
        raise UnreadableImage(f"is truncated, damaged or of an unusual kind (Pillow: {reason})") from error
