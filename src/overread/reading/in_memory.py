"""Images in memory, as the file that holds them without loss: one preprocessing serves files and memory alike."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from overread.errors import UnreadableImage

# What a PNG holds as it is; a TIFF holds the rest.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def file_content(image: Image.Image | np.ndarray) -> bytes:
    """The bytes of a file that `images.prepare` reads as it reads the image's own.

    Args:
        image: of Pillow, in any mode that it can write; or `(height, width)` or `(height, width, 3)` uint8.

    Raises:
        UnreadableImage: an array of another shape or type, or a picture that cannot be written.
    """
    picture = _from_array(image) if isinstance(image, np.ndarray) else ImageOps.exif_transpose(image)
    stream = io.BytesIO()
    try:
        picture.save(stream, "PNG" if picture.mode in _PNG_MODES else "TIFF", compress_level=0)
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableImage(f"cannot be written as a file ({error}): convert it to L or RGB") from None
    return stream.getvalue()


def _from_array(pixels: np.ndarray) -> Image.Image:
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not is_image or not pixels.size:
        raise UnreadableImage(
            f"is an array {pixels.shape} of {pixels.dtype}: give (height, width) or (height, width, 3) of uint8"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))
