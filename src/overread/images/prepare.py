"""The only preprocessing in overread: from one image file to `(height, width, channels)` uint8.

Training, reading, serving and the export check all take their pixels from here, so that a network meets the
pixels that it was trained on.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from overread.errors import InvalidBundle, InvalidOption
from overread.formats import Picture, View, open_picture
from overread.formats.windows import seen_through

MAX_SIDE = 4096
# BT.601 in thousandths: whole numbers whose sums stay below 2**24 are exact in float32, and faster than in integers.
LUMA_WEIGHTS = np.array([299, 587, 114], np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image becomes the pixels that a network sees; stored in the bundle.

    Args:
        height: rows after resizing.
        width: columns after resizing.
        channels: 1 (grey) or 3 (RGB); None leaves the choice to the `PixelStore`, which looks at the images. Several
            windows are always three.
        fit: "pad" keeps the aspect ratio and centres on black, "stretch" fills the size.
        view: which frames of an exam are looked at, through which window, at which resolution.

    Raises:
        InvalidOption: a value is none of these.
    """

    height: int = 224
    width: int = 224
    channels: int | None = None
    fit: str = "pad"
    view: View = dataclasses.field(default_factory=View)

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= MAX_SIDE:
                raise InvalidOption(f"{name}={value!r} is no size: choose a whole number from 1 to {MAX_SIDE}")
        if self.channels is not None and (type(self.channels) is not int or self.channels not in (1, 3)):
            raise InvalidOption(f"channels={self.channels!r}: choose 1 (grey), 3 (RGB) or None (decided from the data)")
        if self.fit not in ("pad", "stretch"):
            raise InvalidOption(f"fit={self.fit!r}: choose 'pad' or 'stretch'")
        if len(self.view.windows) > 1:
            if self.channels == 1:
                raise InvalidOption(
                    f"window={self.view.window!r} is three channels, which grey is not: choose one window"
                )
            object.__setattr__(self, "channels", 3)

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON can hold them."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "view"}
        return {**own, **({"view": view} if (view := self.view.to_dict()) else {})}

    @classmethod
    def from_dict(cls, options: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`.

        Raises:
            InvalidBundle: an option is unknown or has a value that it cannot have.
        """
        if set(options) - {field.name for field in dataclasses.fields(cls)}:
            raise InvalidBundle("unknown preprocessing options: read it with the overread that wrote it")
        try:
            return cls(**{**options, "view": View.from_dict(options.get("view", {}))})
        except (InvalidOption, TypeError):
            raise InvalidBundle("the stored preprocessing is damaged: get the bundle again from its source") from None


# What an audit and the search for copies look at, whatever a network is trained on: so their findings depend on the
# images alone, and their thresholds are those of one size.
REFERENCE = Preprocessing()


def prepare(
    source: str | Path | bytes, preprocessing: Preprocessing, name: str = "", *, frame: int | None = None
) -> np.ndarray:
    """Read one image as a network sees it.

    Args:
        source: a file of one of `overread.formats.formats`, or the bytes of one. The content decides, and the name
            where content does not tell.
        preprocessing: with `channels` resolved.
        name: of what came as bytes, such as that of a DICOM file without preamble.
        frame: which of the file's frames, from 1; None for the only one.

    Returns:
        `(height, width, channels)` uint8.

    Raises:
        UnreadableImage: it gives no pixels; the message says why, without the path.
        MissingPath: nothing is at the path.
        MissingExtra: it is DICOM and pydicom is not installed.
        InvalidOption: `channels` is still None.
    """
    with open_picture(source, name, frame=frame) as picture:
        return prepare_picture(picture, preprocessing)


def prepare_picture(picture: Picture, preprocessing: Preprocessing) -> np.ndarray:
    """Do what `prepare` does with an image that is open, or was made in memory (`DecodedPicture`).

    Raises:
        UnreadableImage, InvalidOption: as `prepare`.
    """
    if preprocessing.channels is None:
        raise InvalidOption("channels=None is decided by PixelStore.open: set it to 1 or 3 to prepare a single image")
    return as_channels(fit_picture(picture, preprocessing), preprocessing.channels)


def fit_pixels(
    source: str | Path | bytes, preprocessings: Sequence[Preprocessing], name: str = "", *, frame: int | None = None
) -> list[np.ndarray]:
    """Read one image at each size wanted, in its own colour; a JPEG gives its luma where colour is not wanted.

    It is opened once, and what a format decodes at full size is decoded once.

    Returns:
        For each `(height, width)` uint8 for a grey image, `(height, width, 3)` for one stored in colour. With
        `channels=None` a JPEG in colour that shows none counts as grey.

    Raises:
        UnreadableImage, MissingPath, MissingExtra: as `prepare`.
    """
    with open_picture(source, name, frame=frame) as picture:
        return [fit_picture(picture, preprocessing) for preprocessing in preprocessings]


def fit_picture(picture: Picture, preprocessing: Preprocessing) -> np.ndarray:
    """Do what `fit_pixels` does with an image that is open."""
    if windows := preprocessing.view.windows:
        pixels = seen_through(picture, windows)
    else:
        # No lambda, which could not go to another process.
        pixels = picture.pixels(functools.partial(_fitted, preprocessing=preprocessing), preprocessing.channels)
    stored = pixels.shape[1], pixels.shape[0]
    size = _fitted(stored, preprocessing)
    # BILINEAR widens with the scale, which is what keeps fine texture from aliasing; reducing_gap=2 only saves time.
    if size != stored:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    return _padded(np.require(pixels, requirements="W"), preprocessing)


def as_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Give `(height, width)` or `(height, width, 3)` uint8 a network's channels: grey by BT.601, RGB by repetition.

    A pixel whose channels are equal keeps its value exactly.
    """
    if pixels.ndim == 2:
        # Not by repeat for one channel, which takes as long as decoding a JPEG of 224 px.
        return pixels[:, :, None] if channels == 1 else np.repeat(pixels[:, :, None], channels, axis=2)
    if channels == 3:
        return pixels
    luma = pixels.astype(np.float32) @ LUMA_WEIGHTS
    return ((luma + 500) / 1000).astype(np.uint8)[:, :, None]


def content_box(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a picture of this (width, height) within its prepared pixels.

    A size that is not known, with a side below 1, is taken to fill them.
    """
    if min(size) < 1:
        return 0, 0, preprocessing.width, preprocessing.height
    columns, rows = _fitted(size, preprocessing)
    left, top = _padding((columns, rows), preprocessing)
    return left, top, left + columns, top + rows


def _fitted(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    width, height = preprocessing.width, preprocessing.height
    if preprocessing.fit == "stretch":
        return width, height
    scale = min(width / size[0], height / size[1])
    return max(1, math.floor(size[0] * scale + 0.5)), max(1, math.floor(size[1] * scale + 0.5))


def _padding(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Columns to the left of a fitted picture, and rows above it."""
    return (preprocessing.width - size[0]) // 2, (preprocessing.height - size[1]) // 2


def _padded(pixels: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    height, width = pixels.shape[:2]
    if (height, width) == (preprocessing.height, preprocessing.width):
        return pixels
    canvas = np.zeros((preprocessing.height, preprocessing.width, *pixels.shape[2:]), np.uint8)
    left, top = _padding((width, height), preprocessing)
    canvas[top : top + height, left : left + width] = pixels
    return canvas
