"""The activation map in colour: over the image that was read, or by itself on a transparent ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from overread.errors import InvalidData, InvalidOption

if TYPE_CHECKING:
    from overread.reading.reading import Reading

# Logits of evidence that are drawn in the strongest colour, as is all above. Chest X-rays of pneumonia peak at 20 to
# 35, and with 10 half of each such image was one yellow (compact, 160 px, November 2026).
FULL_EVIDENCE = 20.0
OPACITY = 0.5
# From faint to strong evidence: violet, blue, green, yellow. Lightness rises all the way, so that the order survives
# every kind of colour vision and grey print; none is the grey of an X-ray or the red of a mucosa.
_COLOURS = np.array([(70, 10, 100), (45, 105, 145), (50, 185, 120), (255, 235, 40)])
_STEPS = np.linspace(0, 1, 256)
# `(256, 4)`: colour and opacity of each step.
_TABLE = np.rint(
    np.stack([*(np.interp(_STEPS, np.linspace(0, 1, 4), channel) for channel in _COLOURS.T), 255 * _STEPS], axis=1)
).astype(np.uint8)


def heat_map(evidence: npt.NDArray[Any], size: tuple[int, int]) -> Image.Image:
    """Colour the evidence for a class: the stronger, the lighter and the more opaque.

    The scale is the same for every image: it runs from 0 logits, which is transparent, to 20 and more, where the
    colour is strongest and opaque. An image without evidence stays without colour, where a scale that ends at each
    image's own maximum would light up its noise. The mean of the map is the logit, so that 20 in a quarter of an image
    and 0 elsewhere make a logit of 5, which before calibration is a probability of 0.993. What speaks against the class
    is not drawn: of two classes it is what speaks for the other.

    Args:
        evidence: `(h, w)` finite numbers in logits, as `Reading.evidence` gives them, at any h and w of 1 or more.
        size: width and height to enlarge it to, by bicubic interpolation.

    Returns:
        An RGBA image of that size.

    Raises:
        InvalidData: a map that is not `(h, w)` or not finite.
    """
    evidence = np.asarray(evidence, dtype=np.float32)
    if evidence.ndim != 2 or not evidence.size or not np.isfinite(evidence).all():
        raise InvalidData(f"a map {evidence.shape} cannot be drawn: give (h, w) finite numbers")
    strength = np.clip(evidence / FULL_EVIDENCE, 0, 1)
    # Before it is enlarged, so that a weak place beside one that speaks against the class does not vanish.
    enlarged = Image.fromarray(strength).resize(size, Image.Resampling.BICUBIC)
    return Image.fromarray(_TABLE[np.rint(255 * np.clip(np.asarray(enlarged), 0, 1)).astype(np.uint8)])


def tint(
    pixels: npt.NDArray[np.uint8],
    evidence: npt.NDArray[Any],
    *,
    opacity: float = OPACITY,
    size: tuple[int, int] | None = None,
) -> Image.Image:
    """Lay the `heat_map` of `(h, w)` evidence over an image.

    Args:
        pixels: `(height, width, channels)` uint8, 1 or 3 channels.
        evidence: as `heat_map` takes it.
        opacity: of the strongest colour, from 0 (the image alone) to 1.
        size: width and height of the result; by default those of the image.

    Returns:
        An RGB image.

    Raises:
        InvalidData: pixels or evidence of another shape, or evidence that is not finite.
        InvalidOption: an opacity outside 0 to 1.
    """
    picture = picture_of(pixels, size)
    require_opacity(opacity)
    heat = heat_map(evidence, picture.size)
    picture.paste(heat, mask=heat.getchannel("A").point(lambda alpha: alpha * opacity))
    return picture


def overlay(
    reading: Reading, name: str | None = None, *, opacity: float = OPACITY, size: tuple[int, int] | None = None
) -> Image.Image:
    """Lay the evidence for a class over the image that was read.

    Args:
        reading: with pixels and activation map.
        name: of the class, finding or cut; by default `Reading.mapped`.
        opacity: see `tint`.
        size: see `tint`.

    Raises:
        InvalidOption: the bundle has no such class, or the opacity is outside 0 to 1.

    Example:
        >>> overlay(reader.read("new.png"), "PNEUMONIA").save("evidence.png")  # doctest: +SKIP
    """
    return tint(reading.pixels, reading.evidence(name), opacity=opacity, size=size)


def require_opacity(opacity: float) -> None:
    """Refuse an opacity that is none.

    Raises:
        InvalidOption: it is outside 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise InvalidOption(f"opacity={opacity} is outside 0 to 1: choose 0 for the image alone, 1 for opaque colour")


def picture_of(pixels: npt.NDArray[np.uint8], size: tuple[int, int] | None = None) -> Image.Image:
    """The image as the network saw it, in RGB and enlarged to a size.

    Args:
        pixels: `(height, width, channels)` uint8, 1 or 3 channels.
        size: width and height of the result; by default those of the image.

    Raises:
        InvalidData: pixels of another shape.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InvalidData(f"pixels {pixels.shape} are no image: give (height, width, 1 or 3) uint8")
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    return picture if size is None else picture.resize(size, Image.Resampling.BICUBIC)
