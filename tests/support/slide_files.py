"""Pyramids of tiles in TIFF and BigTIFF, as scanners write them, of any size without holding one in memory."""

from __future__ import annotations

import dataclasses
import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

# Left and top of a tile in pixels of the largest level, and by how much its level is smaller -> (side, side, 3) uint8,
# or the JPEG of that, which is stored once however often it comes.
Paint = Callable[[int, int, int], np.ndarray | bytes]
_GLASS, _EOSIN, _HAEMATOXYLIN = (243, 242, 244), (214, 130, 178), (110, 78, 140)
_CODES = {"H": 3, "L": 4, "Q": 16, "s": 2, "2L": 5}
_JPEG, _YCBCR = 7, 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlideOptions:
    """What a slide says of itself.

    `mpp` and `power` are what an Aperio file has in its description; `dpi` is what a TIFF without a maker says.
    """

    side: int = 64
    levels: int = 3
    mpp: str | None = "0.5"
    power: str | None = "20"
    is_aperio: bool = True
    dpi: float | None = None
    quality: int = 90
    label: np.ndarray | None = None


def stained(size: tuple[int, int] = (960, 640), box: tuple[int, int, int, int] = (320, 128, 640, 448)) -> np.ndarray:
    """`(height, width, 3)` uint8 of glass with a piece of tissue in a box: left, top, right, bottom."""
    rng = np.random.default_rng(7)
    pixels = np.full((size[1], size[0], 3), _GLASS, np.float64)
    left, top, right, bottom = box
    nuclei = rng.random((bottom - top, right - left)) < 0.2
    pixels[top:bottom, left:right] = np.where(nuclei[..., None], _HAEMATOXYLIN, _EOSIN)
    return np.clip(pixels + rng.normal(0, 2, pixels.shape), 0, 255).astype(np.uint8)


def write_slide(path: Path, size: tuple[int, int], paint: Paint, options: SlideOptions | None = None) -> Path:
    """Write a BigTIFF of JPEG tiles, each level half the one before."""
    options = options or SlideOptions()
    with path.open("wb") as stream:
        stream.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        pages = []
        for level in range(options.levels):
            factor = 2**level
            own = -(-size[0] // factor), -(-size[1] // factor)
            pages.append(_tiles(stream, own, factor, paint, options, is_first=level == 0))
        if options.label is not None:
            pages.append(_label(stream, options.label))
        _directories(stream, pages)
    return path


@dataclasses.dataclass(frozen=True)
class _Array:
    pixels: np.ndarray
    side: int = 64

    def __call__(self, left: int, top: int, factor: int) -> np.ndarray:
        part = self.pixels[top : top + self.side * factor, left : left + self.side * factor]
        tile = np.full((self.side * factor, self.side * factor, 3), 255, np.uint8)
        tile[: part.shape[0], : part.shape[1]] = part
        return np.asarray(Image.fromarray(tile).reduce(factor)) if factor > 1 else tile


def write_picture(path: Path, pixels: np.ndarray, options: SlideOptions | None = None) -> Path:
    """Write `(height, width, 3)` uint8 as a slide."""
    options = options or SlideOptions()
    return write_slide(path, (pixels.shape[1], pixels.shape[0]), _Array(pixels, options.side), options)


def _tiles(
    stream: BinaryIO, size: tuple[int, int], factor: int, paint: Paint, options: SlideOptions, *, is_first: bool
) -> list[tuple[int, str, Sequence]]:
    side, offsets, lengths = options.side, [], []
    known: dict[bytes, int] = {}
    for top in range(0, size[1], side):
        for left in range(0, size[0], side):
            painted = paint(left * factor, top * factor, factor)
            content = painted if isinstance(painted, bytes) else jpeg(painted, options.quality)
            if content not in known:
                known[content] = stream.tell()
                stream.write(content)
            offsets.append(known[content])
            lengths.append(len(content))
    tags: list[tuple[int, str, Sequence]] = [
        (254, "L", [0 if is_first else 1]), (256, "L", [size[0]]), (257, "L", [size[1]]), (258, "H", [8, 8, 8]),
        (259, "H", [_JPEG]), (262, "H", [_YCBCR]), (277, "H", [3]), (322, "L", [side]), (323, "L", [side]),
        (324, "Q", offsets), (325, "Q", lengths), (530, "H", [2, 2]),
    ]  # fmt: skip
    if options.is_aperio:
        said = "".join(f"|{key} = {value}" for key, value in (("AppMag", options.power), ("MPP", options.mpp)) if value)
        tags.append(
            (270, "s", [f"Aperio Image Library v10.0.51\r\n{size[0]}x{size[1]} ({side}x{side}) JPEG/RGB Q=90{said}"])
        )
    if options.dpi is not None:
        tags += [
            (282, "2L", [round(options.dpi * 1000), 1000]),
            (283, "2L", [round(options.dpi * 1000), 1000]),
            (296, "H", [2]),
        ]
    return sorted(tags, key=lambda tag: tag[0])


def _label(stream: BinaryIO, pixels: np.ndarray) -> list[tuple[int, str, Sequence]]:
    """A page in one strip that says of itself that it is the label."""
    offset, content = stream.tell(), pixels.tobytes()
    stream.write(content)
    return [
        (254, "L", [1]), (256, "L", [pixels.shape[1]]), (257, "L", [pixels.shape[0]]), (258, "H", [8, 8, 8]),
        (259, "H", [1]), (262, "H", [2]), (270, "s", ["Aperio Image Library v10.0.51\r\nlabel 387x463"]),
        (273, "Q", [offset]), (277, "H", [3]), (278, "L", [pixels.shape[0]]), (279, "Q", [len(content)]),
    ]  # fmt: skip


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    """The tile as a scanner stores it."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=quality, subsampling=2)
    return content.getvalue()


def _directories(stream: BinaryIO, pages: Sequence[list[tuple[int, str, Sequence]]]) -> None:
    link = 8
    for tags in pages:
        entries = b""
        for tag, kind, values in tags:
            count, content = _packed(kind, values)
            if len(content) > 8:
                at = stream.tell()
                stream.write(content + b"\0" * (len(content) % 2))
                content = struct.pack("<Q", at)
            entries += struct.pack("<HHQ8s", tag, _CODES[kind], count, content)
        start = stream.tell()
        stream.write(struct.pack("<Q", len(tags)) + entries)
        next_link = stream.tell()
        stream.write(struct.pack("<Q", 0))
        stream.seek(link)
        stream.write(struct.pack("<Q", start))
        stream.seek(0, io.SEEK_END)
        link = next_link


def _packed(kind: str, values: Sequence) -> tuple[int, bytes]:
    if kind == "s":
        content = values[0].encode() + b"\0"
        return len(content), content
    if kind == "2L":
        return 1, struct.pack("<2L", *values)
    return len(values), struct.pack(f"<{len(values)}{kind}", *values)
