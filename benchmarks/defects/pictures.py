"""What is done to a picture: copies as programs make them, and what people paint into or lay over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps
from scipy.ndimage import gaussian_filter, map_coordinates

Random = np.random.Generator
Change = Callable[[Image.Image, Random], Image.Image]
VIVID = ((255, 0, 0), (0, 255, 0), (255, 255, 0), (0, 255, 255), (255, 0, 255), (0, 64, 255))


def turned(degrees: float) -> Change:
    """Turned either way, half of them on black and half with the picture continued by its mirror image."""

    def change(image: Image.Image, random: Random) -> Image.Image:
        angle = degrees * random.choice([-1, 1])
        if random.random() < 0.5:
            return image.rotate(angle, Image.Resampling.BICUBIC)
        return _warped(image, _turn(image.size, angle))

    return change


def cropped(share: float) -> Change:
    """A share of each side cut off, and brought back to the size."""

    def change(image: Image.Image, random: Random) -> Image.Image:
        del random
        left, top = image.width * share, image.height * share
        box = round(left), round(top), round(image.width - left), round(image.height - top)
        return image.crop(box).resize(image.size, Image.Resampling.BICUBIC)

    return change


def elastic(image: Image.Image, random: Random) -> Image.Image:
    """Pulled about smoothly, by 2 % of the smaller side as a root mean square."""
    side = min(image.size)
    shifts = [gaussian_filter(random.normal(size=image.size[::-1]), side / 10, mode="reflect") for _ in range(2)]
    rows, columns = np.indices(image.size[::-1])
    scale = 0.02 * side
    return _warped(
        image, np.stack([grid + s * scale / s.std() for grid, s in zip((rows, columns), shifts, strict=True)])
    )


def augmented(image: Image.Image, random: Random) -> Image.Image:
    """Turned up to 20 degrees, zoomed, shifted, perhaps mirrored, brighter or darker, as before a training."""
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    zoom, shift = random.uniform(0.9, 1.1), random.uniform(-0.06, 0.06, (2, 1, 1)) * min(image.size)
    where = _turn(image.size, random.uniform(-20, 20))
    middle = np.array(image.size[::-1]).reshape(2, 1, 1) / 2
    return _gained(random.uniform(0.8, 1.2))(_warped(image, (where - middle) / zoom + middle + shift), random)


def _turn(size: tuple[int, int], degrees: float) -> np.ndarray:
    """`(2, height, width)` where each pixel comes from."""
    middle = np.array(size[::-1]).reshape(2, 1, 1) / 2
    rows, columns = np.indices(size[::-1]) - middle
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.stack([cosine * rows - sine * columns, sine * rows + cosine * columns]) + middle


def _warped(image: Image.Image, where: np.ndarray) -> Image.Image:
    pixels = np.atleast_3d(np.asarray(image, np.float32))
    planes = [map_coordinates(pixels[..., k], where, order=1, mode="reflect") for k in range(pixels.shape[2])]
    return Image.fromarray(np.stack(planes, axis=2).squeeze().round().astype(np.uint8))


def _gained(gain: float) -> Change:
    return lambda image, random: ImageEnhance.Brightness(image).enhance(gain)


def _transposed(method: Image.Transpose) -> Change:
    return lambda image, random: image.transpose(method)


NEAR: Mapping[str, Change] = {
    "resized to 60 %": lambda image, random: image.resize((image.width * 6 // 10, image.height * 6 // 10)),
    "brighter by 25 %": _gained(1.25),
    "contrast less 25 %": lambda image, random: ImageEnhance.Contrast(image).enhance(0.75),
    "mirrored": _transposed(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned by 90": _transposed(Image.Transpose.ROTATE_90),
    "turned by 180": _transposed(Image.Transpose.ROTATE_180),
    **{f"turned by {degrees}": turned(degrees) for degrees in (1, 2, 3, 5, 10, 30)},
    **{f"cropped by {share} % a side": cropped(share / 100) for share in (5, 10, 15)},
    "negative": lambda image, random: ImageOps.invert(image),
    "elastic": elastic,
    "augmented": augmented,
}


def outlined(image: Image.Image, random: Random) -> Image.Image:
    """A closed line of pure colour around something, as a finding is shown."""
    drawn = image.convert("RGB")
    ImageDraw.Draw(drawn).polygon(
        _blob(image.size, random), outline=_vivid(random), width=max(1, min(image.size) // 90)
    )
    return drawn


def tinted(image: Image.Image, random: Random) -> Image.Image:
    """A region under half transparent colour, as a mask is laid over."""
    layer = image.convert("RGB")
    ImageDraw.Draw(layer).polygon(_blob(image.size, random), fill=_vivid(random))
    return Image.blend(image.convert("RGB"), layer, 0.5)


def pointed_at(image: Image.Image, random: Random) -> Image.Image:
    """An arrow and a letter of pure colour."""
    drawn, side, colour = image.convert("RGB"), min(image.size), _vivid(random)
    pen, (x, y) = ImageDraw.Draw(drawn), random.uniform(0.3, 0.7, 2) * image.size
    length, width = side * 0.2, max(2, side // 60)
    pen.line((x - length, y - length, x, y), fill=colour, width=width)
    pen.polygon([(x, y), (x - length / 3, y), (x, y - length / 3)], fill=colour)
    pen.text((x - length, y - length * 1.5), "A", fill=colour, font=_font(side * 0.1))
    return drawn


PAINTED: Mapping[str, Change] = {
    "outline painted on": outlined,
    "region tinted": tinted,
    "arrow painted on": pointed_at,
}


def _blob(size: tuple[int, int], random: Random) -> list[tuple[float, float]]:
    middle, radius = random.uniform(0.35, 0.65, 2) * size, random.uniform(0.12, 0.25) * min(size)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radii = radius * (1 + 0.25 * np.sin(random.integers(2, 5) * angles + random.uniform(0, 6)))
    return [(middle[0] + r * np.cos(a), middle[1] + r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]


def _vivid(random: Random) -> tuple[int, int, int]:
    return VIVID[random.integers(len(VIVID))]


def mask(image: Image.Image, random: Random) -> Image.Image:
    """White within a region, else black."""
    drawn = Image.new("L", image.size)
    ImageDraw.Draw(drawn).polygon(_blob(image.size, random), fill=255)
    return drawn


def label_map(image: Image.Image, random: Random) -> Image.Image:
    """Regions numbered by grey level."""
    drawn = Image.new("L", image.size)
    for level in (60, 120, 180, 240):
        ImageDraw.Draw(drawn).polygon(_blob(image.size, random), fill=level)
    return drawn


def callipers(image: Image.Image, random: Random) -> Image.Image:
    """Two crosses and dots between them, as a length is measured with an ultrasound machine."""
    drawn, arm = image.copy(), max(3, min(image.size) // 60)
    pen = ImageDraw.Draw(drawn)
    ends = random.uniform(0.25, 0.45, 2) * image.size, random.uniform(0.55, 0.75, 2) * image.size
    for x, y in ends:
        pen.line((x - arm, y, x + arm, y), fill=_light(drawn))
        pen.line((x, y - arm, x, y + arm), fill=_light(drawn))
    for x, y in np.linspace(*ends, 14)[1:-1]:
        pen.point((x, y), fill=_light(drawn))
    return drawn


def text(image: Image.Image, random: Random) -> Image.Image:
    """Three lines in the upper left corner, as machines write them."""
    del random
    drawn, size = image.copy(), max(9, min(image.size) * 0.045)
    pen = ImageDraw.Draw(drawn)
    for row, words in enumerate(("GEN 5.0 MHz", "DR 60 MI 0.8", "14 cm 38 Hz")):
        pen.text((4, 4 + row * size * 1.25), words, fill=_light(drawn), font=_font(size))
    return drawn


def side_marker(image: Image.Image, random: Random) -> Image.Image:
    """A large L or R near an upper corner, as radiographers lay it on the cassette."""
    drawn, size = image.copy(), max(12, min(image.size) * 0.11)
    letter = "LR"[random.integers(2)]
    x = image.width * (0.05 if letter == "R" else 0.95) - (0 if letter == "R" else size * 0.7)
    ImageDraw.Draw(drawn).text((x, image.height * 0.05), letter, fill=_light(drawn), font=_font(size))
    return drawn


def ruler(image: Image.Image, random: Random) -> Image.Image:
    """A scale with ticks down the right side."""
    del random
    drawn, x = image.copy(), image.width - 6
    pen = ImageDraw.Draw(drawn)
    pen.line((x, image.height * 0.1, x, image.height * 0.9), fill=_light(drawn))
    for tick, y in enumerate(np.linspace(image.height * 0.1, image.height * 0.9, 17)):
        pen.line((x - (7 if tick % 4 == 0 else 4), y, x, y), fill=_light(drawn))
    return drawn


def colour_bar(image: Image.Image, random: Random) -> Image.Image:
    """A scale of colours, or of greys on a grey picture, on the left side."""
    del random
    drawn, height = image.copy(), int(image.height * 0.5)
    ramp = np.repeat(np.linspace(255, 0, height)[:, None], max(6, image.width // 28), axis=1).astype(np.uint8)
    bar = Image.fromarray(ramp)
    if image.mode == "RGB":
        bar = ImageOps.colorize(bar, (0, 0, 255), (255, 255, 0), (255, 0, 0))
    drawn.paste(bar, (5, image.height // 4))
    return drawn


MARKS: Mapping[str, Change] = {
    "callipers": callipers,
    "text": text,
    "side marker": side_marker,
    "ruler": ruler,
    "colour bar": colour_bar,
}


def _light(image: Image.Image) -> tuple[int, ...] | int:
    return 255 if image.mode == "L" else (255, 255, 255)


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
