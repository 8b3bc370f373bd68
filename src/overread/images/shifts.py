"""Prepared pixels as another scanner, another technician or another archive would have given them.

What a reading is worth under these tells a reviewer beforehand what may go wrong elsewhere. The amounts are those that
one hospital's pictures differ by from another's, not the worst that can be made: every picture stays one that a reader
would read.
"""

from __future__ import annotations

import dataclasses
import io
import math
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from overread.formats import is_coloured

STRENGTHS = ("mild", "strong")
Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shift:
    """One way in which pictures from elsewhere differ.

    Args:
        name: as files and options have it.
        label: as people read it.
        wording: what an amount means, with `{amount}` in its place.
        amounts: one for each of `STRENGTHS`.
        change: from `(n, height, width, channels)` uint8, an amount and a random generator to pixels of that shape.
        coloured: whether it changes colour alone, and so leaves pictures without colour as they are.
    """

    name: str
    label: str
    wording: str
    amounts: tuple[float, float]
    change: Change = dataclasses.field(repr=False)
    coloured: bool = False

    def apply(self, pixels: np.ndarray, strength: int, seed: int = 0) -> np.ndarray:
        """Change prepared pixels.

        Both strengths draw the same noise and the same directions. Pictures without colour stay without.

        Args:
            pixels: `(n, height, width, channels)` uint8 with 1 or 3 channels.
            strength: a position in `STRENGTHS`.
            seed: of noise and directions.

        Returns:
            The same shape and type; empty stays empty.
        """
        if self not in shifts_for(pixels):
            return pixels.copy()
        if pixels.shape[-1] == 3 and not _coloured(pixels):
            return np.repeat(self.apply(pixels[..., :1], strength, seed), 3, axis=-1)
        random = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return self.change(pixels, self.amounts[strength], random)

    def describe(self, strength: int) -> str:
        """What is done at this strength, in words."""
        return self.wording.format(amount=f"{self.amounts[strength]:g}")


def shifts_for(pixels: np.ndarray) -> tuple[Shift, ...]:
    """Those of `SHIFTS` that change such pixels: none where there are no pixels, colour only where there is colour."""
    if not len(pixels):
        return ()
    return SHIFTS if _coloured(pixels) else tuple(shift for shift in SHIFTS if not shift.coloured)


def _coloured(pixels: np.ndarray) -> bool:
    return pixels.shape[-1] == 3 and any(is_coloured(image) for image in pixels)


def _exposed(pixels: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    return _levels(np.arange(256) * factor)[pixels]


def _contrasted(pixels: np.ndarray, factor: float, random: np.random.Generator) -> np.ndarray:
    """About the mean of each picture."""

    def contrasted(image: np.ndarray) -> np.ndarray:
        seen = _seen(image)
        mean = image.sum() / max(1, seen.sum() * image.shape[-1])
        return _levels((np.arange(256) - mean) * factor + mean)[image] * seen

    return np.stack([contrasted(image) for image in pixels])


def _noisy(pixels: np.ndarray, sd: float, random: np.random.Generator) -> np.ndarray:
    def noisy(image: np.ndarray) -> np.ndarray:
        noise = random.standard_normal(image.shape, np.float32)
        noise *= sd
        return _levels(noise + image) * _seen(image)

    return np.stack([noisy(image) for image in pixels])


def _tinted(pixels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Warmer or colder: more red and less blue, or the other way round."""
    channels = np.arange(3)
    ways = random.integers(2, size=len(pixels))
    gains = _levels(np.arange(256)[:, None] * (1 + share * np.array([[[1, 0, -1]], [[-1, 0, 1]]])))
    return np.stack([gains[way][image, channels] for image, way in zip(pixels, ways, strict=True)])


def _blurred(pixels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    blur = ImageFilter.GaussianBlur(share * min(pixels.shape[1:3]))
    return _each(pixels, lambda image: image.filter(blur))


def _sharpened(pixels: np.ndarray, percent: float, random: np.random.Generator) -> np.ndarray:
    mask = ImageFilter.UnsharpMask(radius=0.01 * min(pixels.shape[1:3]), percent=round(percent), threshold=0)
    return _each(pixels, lambda image: image.filter(mask))


def _compressed(pixels: np.ndarray, quality: float, random: np.random.Generator) -> np.ndarray:
    def through_jpeg(image: Image.Image) -> Image.Image:
        stored = io.BytesIO()
        image.save(stored, "JPEG", quality=round(quality))
        return Image.open(stored)

    return _each(pixels, through_jpeg)


def _resampled(pixels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[1:3]
    size = max(1, round(width * share)), max(1, round(height * share))
    bilinear = Image.Resampling.BILINEAR
    return _each(pixels, lambda image: image.resize(size, bilinear).resize((width, height), bilinear))


def _cropped(pixels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[1:3]
    left, top = width * (1 - share) / 2, height * (1 - share) / 2
    box = left, top, width - left, height - top
    return _each(pixels, lambda image: image.resize((width, height), Image.Resampling.BILINEAR, box))


def _turned(pixels: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    """About the centre, one way or the other; what comes into the picture continues its edge, as no corner is black."""
    height, width = pixels.shape[1:3]
    margin = math.ceil(max(height, width) * math.sin(math.radians(degrees)) / 2) + 1
    signs = iter(random.choice([-1, 1], size=len(pixels)))
    box = margin, margin, margin + width, margin + height
    return _each(
        _with_margin(pixels, margin),
        lambda image: image.rotate(degrees * next(signs), Image.Resampling.BILINEAR).crop(box),
    )


def _moved(pixels: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[1:3]
    distance = max(1.0, share * min(height, width))
    margin = math.ceil(distance)
    angles = random.uniform(0, 2 * math.pi, len(pixels))
    lefts = margin + np.rint(distance * np.cos(angles)).astype(int)
    tops = margin + np.rint(distance * np.sin(angles)).astype(int)
    wider = _with_margin(pixels, margin)
    return np.stack([image[y : y + height, x : x + width] for image, x, y in zip(wider, lefts, tops, strict=True)])


def _each(pixels: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    channels = pixels.shape[-1]
    changed = [np.asarray(change(Image.fromarray(image[..., 0] if channels == 1 else image))) for image in pixels]
    return np.stack(changed).reshape(len(pixels), *changed[0].shape[:2], channels)


def _with_margin(pixels: np.ndarray, margin: int) -> np.ndarray:
    return np.pad(pixels, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="edge")


def _seen(image: np.ndarray) -> np.ndarray:
    """All but rows and columns without a single light pixel: padding gets neither noise nor grey."""
    rows, columns = np.asarray(image.any(axis=(1, 2))), np.asarray(image.any(axis=(0, 2)))
    return (rows[:, None] & columns)[..., None]


def _levels(values: np.ndarray) -> np.ndarray:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


# What another hospital's pictures differ by. Exposure: a third and two thirds of a stop less, a quarter and half a stop
# more (what is more also clips). Contrast: a window a third wider or narrower, and one twice as wide or two fifths
# narrower, as presets differ. Noise: an SD of 6 is seen when looked for, of 15 at once, as at a fifth of the dose. Blur
# and fewer pixels: a slight movement, or a detector with .6 or .35 of the pixels along a side. JPEG: 40 is a thrifty
# archive, 15 a messenger. Field and place: one technician's collimation and centring against another's; 10 degrees is
# a patient who lies askew. Colour: another white balance or stain.
SHIFTS: tuple[Shift, ...] = (
    Shift(name="darker", label="darker", wording="brightness x {amount}", amounts=(0.8, 0.63), change=_exposed),
    Shift(name="brighter", label="brighter", wording="brightness x {amount}", amounts=(1.19, 1.41), change=_exposed),
    Shift(name="flatter", label="flatter", wording="contrast x {amount}", amounts=(0.75, 0.5), change=_contrasted),
    Shift(
        name="harder", label="higher contrast", wording="contrast x {amount}", amounts=(1.33, 1.67), change=_contrasted
    ),
    Shift(name="noisier", label="noisier", wording="noise of SD {amount} of 255", amounts=(6, 15), change=_noisy),
    Shift(
        name="blurred",
        label="blurred",
        wording="Gaussian blur of SD {amount} of the side",
        amounts=(0.005, 0.01),
        change=_blurred,
    ),
    Shift(
        name="sharper",
        label="sharper",
        wording="unsharp mask of {amount} %",
        amounts=(100, 250),
        change=_sharpened,
    ),
    Shift(
        name="compressed",
        label="JPEG-compressed",
        wording="JPEG of quality {amount}",
        amounts=(40, 15),
        change=_compressed,
    ),
    Shift(
        name="smaller",
        label="fewer pixels",
        wording="resampled to {amount} of the side and back",
        amounts=(0.6, 0.35),
        change=_resampled,
    ),
    Shift(
        name="cropped",
        label="tighter field",
        wording="the middle {amount} of each side",
        amounts=(0.9, 0.8),
        change=_cropped,
    ),
    Shift(name="turned", label="turned", wording="{amount} degrees either way", amounts=(5, 10), change=_turned),
    Shift(name="moved", label="moved", wording="by {amount} of the side", amounts=(0.05, 0.1), change=_moved),
    Shift(
        name="tinted",
        label="other colours",
        wording="red and blue {amount} apart from green, either way",
        amounts=(0.06, 0.12),
        change=_tinted,
        coloured=True,
    ),
)
