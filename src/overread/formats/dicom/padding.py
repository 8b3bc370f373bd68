"""Pixels that a frame was filled up with, outside what was imaged (PS3.3 C.7.5.1.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from overread.formats.dicom.syntax import is_lossy

if TYPE_CHECKING:
    from pydicom import Dataset

_BINS = 64
_HARDLY_ANY = 0.002
_FLAT = 32


def padding(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    """Where a grey frame is padding: `(rows, columns)` bool.

    Lossy compression smears padding towards the image, so that there what lies near its value is padding too.
    """
    if ds.get("PixelPaddingValue") is None or stored.dtype.kind == "f":
        return np.zeros(stored.shape, bool)
    values, low, high = _in_one_sign(ds, stored)
    if not is_lossy(ds):
        return (values >= low) & (values <= high)
    beside = np.maximum(values - high, 0) + np.minimum(values - low, 0)
    return np.abs(beside) <= _reach(beside)


def _in_one_sign(ds: Dataset, stored: np.ndarray) -> tuple[np.ndarray, int, int]:
    """The stored values, with the least and the most that padding has, all signed alike."""
    declared = [int(ds.PixelPaddingValue), int(ds.get("PixelPaddingRangeLimit", ds.PixelPaddingValue))]
    if stored.dtype.kind == "i":
        # Often written as unsigned for signed pixels.
        declared = [value - 65536 if value > 32767 else value for value in declared]
    low, high = sorted(declared)
    values: np.ndarray = stored.astype(np.int32 if stored.itemsize <= 2 else np.int64)
    if low < 0 and stored.dtype.kind == "u" and stored.itemsize > 1:
        # And as signed for unsigned ones.
        values[values > 32767] -= 65536
    return values, low, high


def _reach(beside: np.ndarray) -> int:
    """How far padding was smeared: to where the image begins, or 0 where that cannot be told.

    A histogram of the distances is looked at more and more coarsely until padding is a peak at zero, and followed by a
    gap at least as wide in which hardly any pixel lies. To be no part of the image, the peak has to be flat, with nine
    tenths of it within a 32nd of the gap, and all other pixels lie on one side of it.

    On padded CTs that JPEG 2000 made 5 to 20 times smaller, what is shown came from 21 to 71 levels off the lossless
    image to 0.02 to 2 off, as if the padding were known, but for one of 128 x 128 noisy pixels at 20 (November 2026).

    Args:
        beside: how far each value lies above those of padding, or below with a minus.
    """
    away = np.abs(beside)
    width = 1
    while width * _BINS <= away.max() * 4:
        reach = _gap_end(away, width)
        if reach:
            others = beside[away > reach]
            is_aside = min(np.mean(others > 0), np.mean(others < 0)) < _HARDLY_ANY
            is_flat = np.percentile(away[away <= reach], 90) <= max(1, reach / _FLAT)
            return reach if is_aside and is_flat else 0
        width *= 4
    return 0


def _gap_end(away: np.ndarray, width: int) -> int:
    """The last distance of the gap behind the peak at zero, by bins of this width; 0 without one."""
    counts, edges = np.histogram(away, _BINS, (0, width * _BINS))
    is_empty = counts < _HARDLY_ANY * away.size
    start = int(np.argmax(is_empty))
    length = int(np.argmax(~is_empty[start:]))
    return int(edges[start + length]) - 1 if 0 < start <= length else 0
