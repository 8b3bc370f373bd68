"""Whether two thumbnails show the same picture: by their fine detail, after a small crop is undone.

Radiographs of different children correlate at 0.97, since bodies are alike; what distinguishes two pictures is the
detail that is left when each one's blur is taken off, and of this what not most images share: the round edge of every
fundus, the fan of an ultrasound image, the marks of a device.
"""

from __future__ import annotations

import functools

import numpy as np

from overread.images.copies.hashes import SIDE

# Measured on 5,856 chest radiographs with 3,000 planted copies: as they lie, copies reach 0.92 or more (quality 30,
# gain 0.7 to 1.4) and different pictures at most 0.69; aligned, copies cropped by up to 10 % reach 0.95 or more, and
# pictures of different children at most 0.80.
_SAME_AS_THEY_LIE = 0.80
_SAME_WHEN_ALIGNED = 0.90
_WORTH_REFINING = 0.85
# Without what images share, copies of 516 and 856 fundus photographs reach 0.8 (quality 30, gain 0.7 to 1.4; one in
# twenty less) and different eyes at most 0.77, of which nine in ten reach 0.88 with it; radiographs 0.94 and 0.35.
_SAME_OF_ITS_OWN = 0.75
# Blurred fundi have no detail of their own but what is left of their rims. Where no detail is shared their grey values
# correlate at 0.95 at most (eight of ten pairs below 0.88), those of copies at 0.90 (gain 1.4) and mostly 0.99 or more.
_SAME_TONE, _DARK, _LEAST_AREA = 0.88, 8, 0.05
_MOST_SHARED, _IMAGES_FOR_EACH, _SAMPLE = 16, 16, 512
# What fewer images show than would be so spread is a picture that is there many times.
_SPREAD = 0.2
_LARGEST_CROP = 0.2
_BLUR = 2
_BORDER = 6
_LEAST_DETAIL = 0.5
_CHUNK = 256


def has_detail(thumbnails: np.ndarray) -> np.ndarray:
    """`(n,)` bool: false for `(n, side, side)` that are blank, whose noise must not be compared."""
    pieces = [thumbnails[start : start + _CHUNK] for start in range(0, len(thumbnails), _CHUNK)]
    return np.concatenate([_detail(piece.astype(np.float32)).std(axis=(1, 2)) >= _LEAST_DETAIL for piece in pieces])


def shared_detail(thumbnails: np.ndarray) -> np.ndarray:
    """Find the detail that most images share: the main components that many of a sample have a part in.

    Args:
        thumbnails: `(n, side, side)` uint8.

    Returns:
        `(k, side * side)` orthonormal, one for every 16 images, 16 at most.
    """
    chosen = np.unique(np.linspace(0, len(thumbnails) - 1, min(len(thumbnails), _SAMPLE)).astype(int))
    rows = _normalised(_detail(thumbnails[chosen].astype(np.float32))).reshape(len(chosen), SIDE * SIDE)
    energy, parts = np.linalg.eigh(rows @ rows.T)
    main = parts[:, ::-1][:, : min(_MOST_SHARED, len(chosen) // _IMAGES_FOR_EACH)]
    spread = 1 / np.maximum(len(chosen) * (main**4).sum(axis=0), 1e-12)
    kept = spread >= _SPREAD
    scale = np.sqrt(np.maximum(energy[::-1][: main.shape[1]][kept], 1e-12))
    return np.asarray((main[:, kept] / scale).T @ rows, np.float32)


def same_picture(first: np.ndarray, second: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Decide for each pair whether the two are one picture, perhaps cropped by a few per cent or brightened.

    Args:
        first: `(k, side, side)` uint8.
        second: likewise, with its symmetry undone.
        shared: the `shared_detail` of the images that they are of.

    Returns:
        `(k,)` bool.
    """
    found = np.zeros(len(first), bool)
    for start in range(0, len(first), _CHUNK):
        one, other = (images[start : start + _CHUNK].astype(np.float32) for images in (first, second))
        details = _detail(one), _detail(other)
        same = _alike(*details) >= _SAME_AS_THEY_LIE
        likely = np.flatnonzero(same)
        same[likely] = _alike(*(_own(detail[likely], shared) for detail in details)) >= _SAME_OF_ITS_OWN
        likely = np.flatnonzero(same)
        same[likely] = _alike_in_tone(one[likely], other[likely], shared) >= _SAME_TONE
        rest = np.flatnonzero(~same)
        same[rest] = _same_when_aligned(one[rest], other[rest], shared)
        found[start : start + _CHUNK] = same
    return found


def _own(details: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """What of `(k, side, side)` details is not shared, each of length 1 before."""
    rows = _normalised(details).reshape(len(details), SIDE * SIDE)
    return (rows - (rows @ shared.T) @ shared).reshape(details.shape)


def _alike_in_tone(first: np.ndarray, second: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Correlation of the grey values where no detail is shared and neither is black; 1 where that is too little."""
    energy = np.einsum("kp,kp->p", shared, shared).reshape(SIDE, SIDE)
    seen = ((np.minimum(first, second) > _DARK) & (energy <= energy.mean())).astype(np.float32)
    area = np.maximum(seen.sum(axis=(1, 2), keepdims=True), 1)
    one, other = (seen * (x - (seen * x).sum(axis=(1, 2), keepdims=True) / area) for x in (first, second))
    length = np.sqrt(np.einsum("kij,kij->k", one, one) * np.einsum("kij,kij->k", other, other))
    area = area[:, 0, 0]
    is_known = (area >= _LEAST_AREA * energy.size) & (length >= area)  # one grey level of spread, or more
    return np.asarray(np.where(is_known, np.einsum("kij,kij->k", one, other) / np.maximum(length, 1), 1.0))


def _same_when_aligned(first: np.ndarray, second: np.ndarray, shared: np.ndarray) -> np.ndarray:
    coarse = _halved(first), _halved(second)
    crops = _align(*coarse, np.zeros((len(first), 2, 2), np.float32), steps=4)
    inner = slice(_BORDER // 2, -(_BORDER // 2))
    likeness = _alike(*(_detail(x)[:, inner, inner] for x in (coarse[0], _warped(coarse[1], crops))))
    same = likeness >= _WORTH_REFINING
    kept = np.flatnonzero(same)
    crops = _align(first[kept], second[kept], crops[kept], steps=3)
    inner = slice(_BORDER, -_BORDER)
    aligned = first[kept], _warped(second[kept], crops)
    details = [_detail(x) for x in aligned]
    same[kept] = _alike(*(detail[:, inner, inner] for detail in details)) >= _SAME_WHEN_ALIGNED
    likely = np.flatnonzero(same[kept])
    owned = (_own(detail[likely], shared)[:, inner, inner] for detail in details)
    same[kept[likely]] = _alike(*owned) >= _SAME_OF_ITS_OWN
    likely = np.flatnonzero(same[kept])
    same[kept[likely]] = _alike_in_tone(aligned[0][likely], aligned[1][likely], shared) >= _SAME_TONE
    return same


def _align(first: np.ndarray, second: np.ndarray, crops: np.ndarray, *, steps: int) -> np.ndarray:
    """Fit scale and shift of each axis so that the warped second image resembles the first.

    Gauss-Newton with the first image's derivatives throughout (inverse compositional), so that a step costs little.
    `(k, 2, 2)`: for rows and columns the scale less 1 and the shift, in half images.
    """
    side = first.shape[1]
    place = np.linspace(-1, 1, side, dtype=np.float32)
    # At the border a warped image is made up, and would pull the fit away from a crop.
    inside = (np.abs(place) < 1 - 2 * _BORDER / SIDE).astype(np.float32)
    template = _normalised(first)
    down, right = (np.gradient(template, axis=axis) * ((side - 1) / 2) for axis in (1, 2))
    slopes = np.stack([down * place[:, None], down, right * place, right], axis=1) * (inside[:, None] * inside)
    slopes = slopes.reshape(-1, 4, side * side)
    squares = slopes @ np.swapaxes(slopes, 1, 2) + 1e-6 * np.eye(4, dtype=np.float32)
    for _ in range(steps):
        error = (_normalised(_warped(second, crops)) - template).reshape(-1, side * side, 1)
        scale, shift = np.moveaxis(np.linalg.solve(squares, slopes @ error).reshape(-1, 2, 2), -1, 0)
        ratio = (1 + crops[..., 0]) / np.maximum(1 + scale, 0.5)
        moved = np.stack([ratio - 1, crops[..., 1] - ratio * shift], axis=-1)
        crops = np.clip(moved, -_LARGEST_CROP, _LARGEST_CROP)
    return crops


def _warped(images: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """Resample each image bilinearly by the scale and shift of its rows and columns; the border is repeated."""
    side = images.shape[1]
    pixel = np.arange(side, dtype=np.float32)
    place = 2 * pixel / (side - 1) - 1
    source = ((1 + crops[..., :1]) * place + crops[..., 1:] + 1) * ((side - 1) / 2)
    weights = np.clip(1 - np.abs(np.clip(source, 0, side - 1)[..., None] - pixel), 0, 1)
    return weights[:, 0] @ images @ np.swapaxes(weights[:, 1], 1, 2)


def _halved(images: np.ndarray) -> np.ndarray:
    rows = images[:, ::2] + images[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) / 4


def _detail(images: np.ndarray) -> np.ndarray:
    """What a 5 x 5 blur takes off `(k, side, side)`; the picture is mirrored at its border."""
    blur = _blur(images.shape[1])
    return images - blur @ images @ blur.T


@functools.cache
def _blur(side: int) -> np.ndarray:
    padded = np.pad(np.eye(side, dtype=np.float32), ((_BLUR, _BLUR), (0, 0)), "reflect")
    return np.stack([padded[i : i + 2 * _BLUR + 1].mean(axis=0) for i in range(side)])


def _alike(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.einsum("kij,kij->k", _normalised(first), _normalised(second))


def _normalised(images: np.ndarray) -> np.ndarray:
    """Without mean and with a length of 1; a constant image becomes zeros."""
    flat = images.reshape(len(images), images.shape[1] * images.shape[2])
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ki,ki->k", flat, flat))
    return (flat / np.maximum(length, 1e-3)[:, None]).reshape(images.shape)
