"""Colour of 16 bits a channel, of which Pillow gives only the high byte unless it is asked for both."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from PIL import ImageFile, TiffImagePlugin

from overread.errors import UnreadableImage
from overread.formats.picture import DecodedPicture, percentile_window, window

DEEP_GREY = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_DEPTH_TAG, _PLANES_TAG, _APART = 258, 284, 2
_MOST = 65535.0


def is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Whether a file that has been opened holds more of its channels than Pillow will show."""
    if image.mode in DEEP_GREY:
        return False
    depths = image.tag_v2.get(_DEPTH_TAG, ()) if isinstance(image, TiffImagePlugin.TiffImageFile) else ()
    return max(depths, default=0) > 8 or ";16" in _raw_mode(image)


def byte_modes(image: ImageFile.ImageFile) -> Sequence[str]:
    """The modes in which all is read: of colour the high and then the low bytes, of grey with alpha both at once.

    Raises:
        UnreadableImage: its kind is not read.
    """
    raw = _raw_mode(image)
    channels, _, order = raw.partition(";16")
    if raw == "LA;16B":
        return ("RGBA",)
    planes = getattr(image, "tag_v2", {}).get(_PLANES_TAG)
    if planes == _APART or channels not in ("RGB", "RGBX", "RGBA", "RGBa"):
        raise UnreadableImage(
            f"holds colour of 16 bits a channel {'in planes of their own' if planes == _APART else f'as {channels}'}, "
            "which is not read: save it as 16-bit RGB whose channels are interleaved"
        )
    channels = channels.upper()  # not divided by its alpha, which black behind it would undo
    native = "L" if sys.byteorder == "little" else "B"
    order = native if order == "N" else order
    return f"{channels};16{order}", f"{channels};16{'B' if order == 'L' else 'L'}"


def set_raw_mode(image: ImageFile.ImageFile, mode: str) -> None:
    """Let a file that has been opened be decoded in one of the `byte_modes`."""
    image.tile = [
        tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))  # type: ignore[index]
        for tile in image.tile
    ]


def deep_picture(image: ImageFile.ImageFile, decoded: Sequence[np.ndarray]) -> DecodedPicture:
    """The picture of what was decoded in the `byte_modes` of a file, shown as deep grey is.

    One window, from the 0.1 to the 99.9 percentile of all values, is spread over the channels, which leaves hues as
    they are; transparency is composited on black.
    """
    if len(decoded) == 1:
        grey, alpha = (decoded[0][:, :, i] * np.uint16(256) + decoded[0][:, :, i + 1] for i in (0, 2))
        return DecodedPicture.of_values(grey * (alpha / np.float32(_MOST)))
    high, low = decoded
    values = high * np.uint16(256) + low
    colour = values[:, :, :3]
    if values.shape[2] == 4 and not _raw_mode(image).startswith(("RGBX", "RGBa")):
        colour = colour * (values[:, :, 3:] / np.float32(_MOST))
    if (key := image.info.get("transparency")) is not None:
        colour = np.where((colour == key).all(axis=2, keepdims=True), 0, colour)
    low_end, high_end = percentile_window(colour)
    return DecodedPicture(np.stack([window(colour[:, :, i], low_end, high_end) for i in range(3)], axis=2))


def _raw_mode(image: ImageFile.ImageFile) -> str:
    args = image.tile[0].args if image.tile else ""
    return str(args if isinstance(args, str) or not args else args[0])
