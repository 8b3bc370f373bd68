"""What is asked of OpenSlide, which damaged files crash: in processes of their own, with the slides last opened.

Of 80 small slides with a bit flipped, 2 ended the process that read them (OpenSlide 4.0.1, November 2026).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from overread.errors import MissingExtra, UnreadableImage
from overread.formats.apart import run_apart
from overread.machine.apart import is_apart

Result = TypeVar("Result")
# Time of the last change and bytes: what tells a file from another that took its place.
Stamp = tuple[int, int]
_LARGEST_SIDE = 2**24
# Of the pictures that come with a slide, those that may show its label.
_LABELS = ("label", "macro")


def safely(function: Callable[..., Result], *arguments: Any) -> Result:
    """What one of the functions below gives, in a process of its own unless this is one.

    Raises:
        UnreadableImage: as the function raises it, or its process ended.
    """
    return function(*arguments) if is_apart() else run_apart(function, *arguments)


def stamp_of(path: Path) -> Stamp:
    """What tells the file at a path from another."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def maker_of(path: Path) -> str | None:
    """Whose format a file is in by OpenSlide's names, None for no slide; pixels are not looked at."""
    found: str | None = _openslide().OpenSlide.detect_format(path)
    return found


def slide_facts(path: Path, stamp: Stamp) -> tuple[tuple[int, int], tuple[float, ...], dict[str, str], bool]:
    """Size, downsamples, properties and whether there is a picture of the label.

    Raises:
        UnreadableImage: it is no slide, or a damaged one.
    """
    handle = _opened(path, stamp)
    try:
        size, downsamples = handle.dimensions, handle.level_downsamples
        properties, pictures = dict(handle.properties), set(handle.associated_images)
    except Exception as error:
        raise UnreadableImage(f"is a damaged slide ({_reason(error)}): copy it again") from error
    if not (all(0 < side <= _LARGEST_SIDE for side in size) and all(0.99 <= one < 1e6 for one in downsamples)):
        raise UnreadableImage(f"is a slide that declares {size[0]} x {size[1]} pixels: it is damaged, copy it again")
    return size, tuple(downsamples), properties, not pictures.isdisjoint(_LABELS)


def region(
    path: Path,
    stamp: Stamp,
    *,
    start: tuple[int, int],
    level: int,
    stored: tuple[int, int],
    size: tuple[int, int],
    ground: tuple[int, int, int] | None,
) -> np.ndarray:
    """A rectangle of a level, brought to a size.

    Args:
        path, stamp: of the file.
        start: left and top in pixels of the largest level.
        level: that is read.
        stored: width and height in its pixels.
        size: width and height of what is given.
        ground: what is seen where the slide has no pixels; None for a fourth channel that tells where.

    Raises:
        UnreadableImage: it cannot be decoded.
    """
    try:
        pixels = _opened(path, stamp).read_region(start, level, stored)
    except UnreadableImage:
        raise
    except Exception as error:
        # Such a handle gives nothing any more.
        _opened.cache_clear()
        raise UnreadableImage(f"is a slide with a damaged part ({_reason(error)}): copy it again") from error
    given = np.asarray(pixels if stored == size else pixels.resize(size, Image.Resampling.BILINEAR))
    return given if ground is None else on_ground(given, ground)


def regions(path: Path, stamp: Stamp, starts: Sequence[tuple[int, int]], **options: Any) -> list[np.ndarray]:
    """Several rectangles that differ in nothing but where they start; see `region`."""
    return [region(path, stamp, start=start, **options) for start in starts]


def on_ground(pixels: np.ndarray, ground: tuple[int, int, int]) -> np.ndarray:
    """`(height, width, 4)` uint8 as `(height, width, 3)`, on a colour where there is no slide."""
    opaque = pixels[..., 3:]
    if opaque.min() == 255:
        return np.ascontiguousarray(pixels[..., :3])
    share = opaque.astype(np.float32) / 255
    return np.rint(pixels[..., :3] * share + np.array(ground, np.float32) * (1 - share)).astype(np.uint8)


@functools.lru_cache(maxsize=2)
def _opened(path: Path, stamp: Stamp) -> Any:
    if not path.exists() or stamp_of(path) != stamp:
        raise UnreadableImage("changed while it was being read: leave it as it is and run the same command again")
    library = _openslide()
    try:
        return library.OpenSlide(path)
    except Exception as error:
        reason = _reason(error)
        mend = "export it in another compression" if "nsupported" in reason else "copy it again"
        raise UnreadableImage(f"is no slide that OpenSlide reads ({reason}): {mend}") from error


def _openslide() -> Any:
    try:
        import openslide
    except (ImportError, OSError):
        raise MissingExtra("this needs OpenSlide, which cannot be loaded: pip install 'overread[slides]'") from None
    return openslide


def _reason(error: Exception) -> str:
    """What OpenSlide says, without the path, which may name a patient."""
    said = re.sub(r"^(Reading|Couldn't open|Can't open)?\s*/.*?: ", "", str(error).strip())
    return "unknown reason" if not said or "/" in said else said[:200]
