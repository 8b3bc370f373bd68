"""A thumbnail and a hash of each picture that stay the same when it is resized, re-encoded or brightened."""

from __future__ import annotations

import numpy as np
from PIL import Image

from overread.images.prepare import Preprocessing, content_box

SIDE = 64
SYMMETRIES = (
    "upright",
    "mirrored left to right",
    "mirrored top to bottom",
    "turned by 180 degrees",
    "mirrored across a diagonal",
    "turned by 90 degrees",
    "turned by 90 degrees",
    "mirrored across a diagonal",
)
_FREQUENCIES = 16
_CHUNK = 4096


def thumbnail(pixels: np.ndarray, size: tuple[int, int], preprocessing: Preprocessing) -> np.ndarray:
    """Reduce one prepared image without its padding to a square.

    Args:
        pixels: `(height, width, channels)` uint8, as prepared.
        size: (width, height) that the header tells; an image that EXIF turns is prepared with the two exchanged.
        preprocessing: what was applied.

    Returns:
        `(64, 64)` uint8 grey, whatever the aspect ratio.
    """
    boxes = [content_box(size, preprocessing), content_box(size[::-1], preprocessing)]
    whole = 0, 0, pixels.shape[1], pixels.shape[0]
    left, top, right, bottom = next((box for box in boxes if _is_black_outside(pixels, box)), whole)
    # Cut out before resizing: Pillow's resize(box=...) would mix in what lies around the box.
    content = pixels[top:bottom, left:right]
    picture = Image.fromarray(content if content.shape[2] == 3 else content[:, :, 0]).convert("L")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def turned(images: np.ndarray, symmetry: int) -> np.ndarray:
    """`(..., side, side)` images after one of the eight `SYMMETRIES` of a square, by number."""
    if symmetry & 4:
        images = np.swapaxes(images, -1, -2)
    if symmetry & 2:
        images = images[..., ::-1, :]
    return images[..., ::-1] if symmetry & 1 else images


def hash_views(thumbnails: np.ndarray) -> np.ndarray:
    """Hash each thumbnail as it is and after each symmetry.

    The bits are the signs of the 16 x 16 lowest frequencies of a cosine transform, which no gain or offset changes; a
    mirror changes the sign of the odd ones and a diagonal exchanges rows and columns, so that one transform does.
    A first bit, the mean's, is always 0.

    Args:
        thumbnails: `(n, 64, 64)` uint8.

    Returns:
        `(8, n, 4)` uint64.
    """
    views = np.empty((len(SYMMETRIES), len(thumbnails), _FREQUENCIES**2 // 64), np.uint64)
    order = np.arange(SIDE)
    basis = np.cos(np.pi * (2 * order + 1) * np.arange(_FREQUENCIES)[:, None] / (2 * SIDE)).astype(np.float32)
    odd = np.where(np.arange(_FREQUENCIES) % 2, np.float32(-1), np.float32(1))
    for start in range(0, len(thumbnails), _CHUNK):
        transform = basis @ thumbnails[start : start + _CHUNK].astype(np.float32) @ basis.T
        for symmetry in range(len(SYMMETRIES)):
            view = np.swapaxes(transform, 1, 2) if symmetry & 4 else transform
            view = view * odd[:, None] if symmetry & 2 else view
            view = view * odd if symmetry & 1 else view
            bits = np.packbits(np.take((view < 0).reshape(len(view), -1), _MIXED, axis=1), axis=1)
            views[symmetry, start : start + _CHUNK] = bits.view(np.uint64)
    return views


def _is_black_outside(pixels: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = box
    outside = pixels[:top], pixels[bottom:], pixels[:, :left], pixels[:, right:]
    return not any(part.any() for part in outside)


# Bands are runs of bits: dealing the frequencies out like cards gives each band low and high ones.
_BY_FREQUENCY = np.argsort(np.add.outer(np.arange(_FREQUENCIES), np.arange(_FREQUENCIES)).ravel(), kind="stable")
_MIXED = _BY_FREQUENCY.reshape(_FREQUENCIES, _FREQUENCIES).T.ravel()
