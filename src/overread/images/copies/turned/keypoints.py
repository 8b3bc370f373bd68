"""Keypoints of a picture, described so that neither a turn, nor a mirror, nor a negative changes the description.

Around each point the brightness is read on rings. A turn shifts each ring's samples along it, which changes only the
phases of their Fourier coefficients, all rings' alike; a mirror conjugates them and a negative changes their sign. The
real part of the product of two rings' coefficients stays the same through all three.

References:
    Lowe: Distinctive image features from scale-invariant keypoints. 10.1023/B:VISI.0000029664.99615.94
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

SIDE = 112
KEYPOINTS = 32
_OCTAVE, _BAND = 3, 16
_SIGMAS = tuple(1.3 * 2 ** (level / _OCTAVE) for level in range(8))
_LEAST_CONTRAST = 0.04
_AROUND, _LEAST_AROUND = 8.0, 4.0
_BORDER = 4
# A padded border, the black around a fundus and what fills the corners of a turned picture is flat but for noise.
_FLAT = 3
_RINGS = np.array([0.9, 1.9, 3.0, 4.2, 5.5], np.float32)
_SAMPLES, _HARMONICS = 16, 7
_SHAPE = 0, len(_RINGS), _HARMONICS, 2
_ANGLES = 32
_SCALE = 127
_INNER, _OUTER = np.triu_indices(len(_RINGS))


@dataclasses.dataclass(frozen=True, eq=False)
class Keypoints:
    """Points of many pictures, in the order of the pictures.

    Args:
        picture: `(k,)` which picture each is of.
        place: `(k, 3)` column, row and scale (the sigma of its blob) in pixels.
        rings: `(k, rings, harmonics, 2)` int8; real and imaginary Fourier coefficients of the brightness on each ring.
    """

    picture: np.ndarray
    place: np.ndarray
    rings: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)

    @classmethod
    def joined(cls, parts: list[Keypoints]) -> Keypoints:
        """One after the other."""
        parts = parts or [cls(np.zeros(0, np.int32), np.zeros((0, 3), np.float32), np.zeros(_SHAPE, np.int8))]
        return cls(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(cls))
        )


def find_keypoints(pictures: np.ndarray, first: int) -> Keypoints:
    """Find the 32 blobs of the highest contrast in each picture, dark or bright, and describe them.

    Args:
        pictures: `(n, 112, 112)` uint8.
        first: the number of the first picture.
    """
    images = pictures.astype(np.float32)
    levels = np.stack([blurred(images, sigma) for sigma in _SIGMAS], axis=1)
    blobs = levels[:, 1:] - levels[:, :-1]
    # Measured against the contrast around it: or else the skull would take all the points of a head.
    around = np.sqrt(blurred((images - levels[:, -1]) ** 2, _AROUND)) + _LEAST_AROUND
    picture, level, row, column = _strongest(np.abs(blobs) / around[:, None], content(images))
    middle = blobs[picture, level, row, column]

    def vertex(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        bend = before - 2 * middle + after
        return np.clip((before - after) / 2 / np.where(np.abs(bend) > 1e-6, bend, np.inf), -0.5, 0.5)

    down = vertex(blobs[picture, level, row - 1, column], blobs[picture, level, row + 1, column])
    right = vertex(blobs[picture, level, row, column - 1], blobs[picture, level, row, column + 1])
    finer = vertex(blobs[picture, level - 1, row, column], blobs[picture, level + 1, row, column])
    scale = _SIGMAS[0] * 2 ** ((level + finer + 0.5) / _OCTAVE)
    place = np.stack([column + right, row + down, scale], axis=1).astype(np.float32)
    return Keypoints((first + picture).astype(np.int32), place, _rings(levels, picture, level, place))


def invariants(rings: np.ndarray) -> np.ndarray:
    """`(k, 105)` float32 of `(k, rings, harmonics, 2)`: what a turn, a mirror and a negative leave as it is."""
    real, imaginary = (np.asarray(rings[..., part], np.float32) / _SCALE for part in (0, 1))
    products = real[:, _INNER] * real[:, _OUTER] + imaginary[:, _INNER] * imaginary[:, _OUTER]
    length = np.sqrt((real**2 + imaginary**2).sum(axis=1, keepdims=True))
    products /= np.maximum(length, 1e-3)
    products[:, _INNER != _OUTER] *= np.sqrt(np.float32(2))
    return products.reshape(len(rings), len(_INNER) * _HARMONICS)


def best_turn(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlate the rings of pairs of points after each turn, with and without a mirror.

    Args:
        first: `(k, rings, harmonics, 2)` of the one point of each pair.
        second: of the other.

    Returns:
        `(k,)` the correlation of the largest size, negative for a negative; the angle, in radians, at which the second
        has what the first has at 0; whether it is mirrored before.
    """
    one, other = (_complex(rings) for rings in (first, second))
    both = []
    for turned in (one.conj(), one):
        products = np.einsum("krm,krm->km", turned, other)
        spectrum = np.zeros((len(products), _ANGLES // 2 + 1), np.complex64)
        spectrum[:, :_HARMONICS] = products
        spectrum[:, 0] = 2 * products[:, 0].real
        both.append(np.fft.irfft(spectrum, n=_ANGLES, axis=1) * (_ANGLES / 2))
    correlation = np.stack(both, axis=1)
    best = np.abs(correlation).reshape(len(one), 2 * _ANGLES).argmax(axis=1)
    mirrored, angle = np.divmod(best, _ANGLES)
    before, at, after = (
        np.abs(correlation[np.arange(len(one)), mirrored, (angle + step) % _ANGLES]) for step in (-1, 0, 1)
    )
    # The vertex of a parabola: the angle between those that were tried.
    beyond = (after - before) / 2 / np.maximum(2 * at - before - after, 1e-6)
    length = np.sqrt(np.einsum("krm,krm->k", one, one.conj()).real * np.einsum("krm,krm->k", other, other.conj()).real)
    strength = correlation[np.arange(len(one)), mirrored, angle] / np.maximum(length, 1e-3)
    return strength, (angle + np.clip(beyond, -0.5, 0.5)) * (2 * np.pi / _ANGLES), mirrored.astype(bool)


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """`(..., side, side)` after a Gaussian blur; the picture is mirrored at its border."""
    side, reach = images.shape[-1], math.ceil(4 * sigma)
    blur = _blur(side, sigma)
    # A band of rows needs only what lies near it: measured, half of the time.
    bands = [slice(start, min(start + _BAND, side)) for start in range(0, side, _BAND)]
    around = [slice(max(0, band.start - reach), band.stop + reach) for band in bands]
    rows = np.concatenate(
        [blur[band, near] @ images[..., near, :] for band, near in zip(bands, around, strict=True)], axis=-2
    )
    return np.concatenate(
        [rows[..., near] @ blur[band, near].T for band, near in zip(bands, around, strict=True)], axis=-1
    )


def content(images: np.ndarray) -> np.ndarray:
    """`(n, side, side)` bool: where a picture shows something: not near a patch of 5 x 5 equal pixels."""
    high, low = images, -images
    for _ in range(2):
        high, low = (_highest(_highest(values, 1), 2) for values in (high, low))
    flat = (high + low <= _FLAT).astype(np.float32)
    for _ in range(2):
        flat = _highest(_highest(flat, 1), 2)
    return flat == 0


def _strongest(contrast: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Picture, level, row and column of the strongest peaks in place and scale."""
    inner = contrast[:, 1:-1]
    peaks = inner >= _highest(_highest(_highest(contrast, 1), 2), 3)[:, 1:-1]
    peaks &= (inner > _LEAST_CONTRAST) & shown[:, None]
    within = np.zeros(peaks.shape[-2:], bool)
    within[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    picture, level, row, column = np.nonzero(peaks & within)
    order = np.lexsort((-inner[picture, level, row, column], picture))
    rank = np.arange(len(order)) - np.searchsorted(picture[order], picture[order])
    kept = order[rank < KEYPOINTS]
    return picture[kept], level[kept] + 1, row[kept], column[kept]


def _rings(levels: np.ndarray, picture: np.ndarray, level: np.ndarray, place: np.ndarray) -> np.ndarray:
    angle = np.arange(_SAMPLES) * (2 * np.pi / _SAMPLES)
    circle = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    sampled = place[:, :2, None, None] + place[:, 2, None, None, None] * _RINGS[:, None] * circle[:, None]
    columns, rows = np.moveaxis(sampled.reshape(len(place), 2, len(_RINGS) * _SAMPLES), 1, 0)
    planes = levels.reshape(-1, SIDE, SIDE)
    brightness = sample(planes, picture * levels.shape[1] + level, rows, columns)
    brightness -= brightness.mean(axis=1, keepdims=True)
    waves = np.fft.rfft(brightness.reshape(len(place), len(_RINGS), _SAMPLES), axis=2)[:, :, :_HARMONICS]
    waves[:, :, 0] /= np.sqrt(2)
    waves *= np.sqrt(_RINGS)[:, None]
    length = np.sqrt((np.abs(waves) ** 2).sum(axis=(1, 2), keepdims=True))
    waves *= _SCALE / np.maximum(length, 1e-3)
    return np.rint(np.stack([waves.real, waves.imag], axis=-1)).astype(np.int8)


def sample(planes: np.ndarray, which: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Read planes bilinearly; beyond the border it is repeated.

    Args:
        planes: `(n, side, side)` float32.
        which: `(k,)` plane that each line reads.
        rows: `(k, points)` float32.
        columns: likewise.

    Returns:
        `(k, points)`.
    """
    side = planes.shape[-1]
    rows, columns = (np.clip(places, 0, np.float32(side - 1.001)) for places in (rows, columns))
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    low, right = rows - top, columns - left
    start = (which.astype(np.int32) * (side * side))[:, None] + top * side + left
    flat = planes.reshape(-1)
    upper, lower = (np.take(flat, start + step) for step in (0, side))
    upper += right * (np.take(flat, start + 1) - upper)
    lower += right * (np.take(flat, start + side + 1) - lower)
    return np.asarray(upper + low * (lower - upper))


def _complex(rings: np.ndarray) -> np.ndarray:
    return rings.astype(np.float32).view(np.complex64)[..., 0]


def _highest(values: np.ndarray, axis: int) -> np.ndarray:
    """The highest of each value and its two neighbours along an axis."""
    highest = values.copy()
    later, earlier = ([slice(None)] * values.ndim for _ in range(2))
    later[axis], earlier[axis] = slice(1, None), slice(None, -1)
    for to, source in ((later, earlier), (earlier, later)):
        view = highest[tuple(to)]
        np.maximum(view, values[tuple(source)], out=view)
    return highest


@functools.cache
def _blur(side: int, sigma: float) -> np.ndarray:
    place = np.arange(side)
    sources = np.stack([place, -1 - place, 2 * side - 1 - place])
    blur = np.exp(-0.5 * ((place[:, None] - sources[:, None]) / sigma) ** 2).sum(axis=0)
    return np.asarray(blur / blur.sum(axis=1, keepdims=True), np.float32)
