"""What the pixels of an image give away at large: brightness, contrast, colour, border, marks and corners."""

from __future__ import annotations

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.shortcuts.properties import Property
from overread.decision.cuts import FloatArray
from overread.images.prepare import LUMA_WEIGHTS

# Pixels are worked on in float, at once so few that memory stays small whatever the size of the data.
_BATCH = 64
# Side of the grid of means that a corner is reduced to; a corner is an eighth of the shorter side.
_CORNER = 4
_CORNER_SHARE = 8
# Grey levels: rows that vary less are plain (JPEG noise in black stays below), strokes of text are at least so bright.
_PLAIN, _BRIGHT = 12, 160
# How far away, as parts of the shorter side, it is darker by how much: a stroke of text is thin and lies on a dark
# ground. One comparison, at a fortieth of the side, took the ribs of chest_xray for marks (AUC 0.75 instead of 0.56).
_AROUND = ((75, 80), (18, 100))


def pixel_properties(material: Material) -> list[Property]:
    """How each image looks at large, its padding left out; one pass over the pixels."""
    measures = np.concatenate([_measure_chunk(material, *chunk) for chunk in material.pixels()])
    brightness, contrast, colour, border, marks = measures[:, :5].T
    return [
        Property(name="brightness", values=brightness, unit="grey levels"),
        Property(name="contrast", values=contrast, unit="grey levels"),
        Property(name="colour", values=colour),
        Property(name="border", values=border, unit="% of the area"),
        Property(name="marks", values=marks, unit="of 10,000 pixels"),
        Property(name="corners", values=measures[:, 5:]),
    ]


def _measure_chunk(material: Material, positions: np.ndarray, pixels: np.ndarray) -> FloatArray:
    """`(k, 5 + 4 * 16)`: brightness, contrast, colour, border, marks and corners; worked on by equal padding."""
    measures = np.empty((len(positions), 5 + 4 * _CORNER**2))
    sizes = np.array([(material.headers[i].height, material.headers[i].width) for i in positions], dtype=np.float64)
    # As stored, and as turned by EXIF.
    both = np.column_stack([_margins(sizes[:, order], pixels.shape[1:3]) for order in ([0, 1], [1, 0])])
    found, group = np.unique(both, axis=0, return_inverse=True)
    for number, (top, left, *other) in enumerate(found.astype(int).tolist()):
        members = np.flatnonzero(group.ravel() == number)
        for start in range(0, len(members), _BATCH):
            chosen = members[start : start + _BATCH]
            grey, colour = _planes(pixels[chosen])
            turned = _shows_outside(grey, top, left)
            for rows, (rows_off, columns_off) in ((~turned, (top, left)), (turned, other)):
                if rows.any():
                    inner = slice(rows_off, grey.shape[1] - rows_off), slice(columns_off, grey.shape[2] - columns_off)
                    own = None if colour is None else colour[rows][:, *inner]
                    measures[chosen[rows]] = _measure_images(grey[rows][:, *inner], own)
    return measures


def _planes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Grey levels, and how far the channels lie apart, `(k, height, width)` each; None for those of grey data."""
    if pixels.shape[3] == 1:
        return np.ascontiguousarray(pixels[..., 0]), None
    red, green, blue = np.ascontiguousarray(np.moveaxis(pixels, 3, 0))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    luma = sum(plane * weight for plane, weight in zip((red, green, blue), LUMA_WEIGHTS / 1000, strict=True))
    return np.asarray(luma + 0.5).astype(np.uint8), spread


def _margins(sizes: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Rows and columns that padding takes on each side; one more than computed, as decoders round differently."""
    known = np.where(sizes > 0, sizes, shape)
    scale = (np.array(shape) / known).min(axis=1, keepdims=True)
    margins = (np.array(shape) - np.rint(known * scale)) // 2
    # Even of a line there is something left to look at.
    return np.minimum(margins + (margins > 0), (np.array(shape) - 1) // 2)


def _shows_outside(grey: np.ndarray, top: int, left: int) -> np.ndarray:
    """Which images have no padding where it should be: EXIF had them turned, so width and height change places."""
    height, width = grey.shape[1:]
    top, left = max(top - 2, 0), max(left - 2, 0)
    strips = grey[:, :top], grey[:, height - top :], grey[:, :, :left], grey[:, :, width - left :]
    return np.logical_or.reduce([strip.any(axis=(1, 2)) for strip in strips])


def _measure_images(grey: np.ndarray, colour: np.ndarray | None) -> FloatArray:
    levels = grey.reshape(len(grey), -1).astype(np.float32)
    spread = np.full(len(grey), np.nan) if colour is None else colour.mean(axis=(1, 2))
    measures = [levels.mean(axis=1), levels.std(axis=1), spread, _border(grey), _marks(grey)]
    return np.column_stack([*measures, _corners(grey)])


def _border(grey: np.ndarray) -> FloatArray:
    """The percentage of the area outside the rows and columns that show something."""
    shown = np.ones(len(grey))
    for axis in (1, 2):
        varies = grey.max(axis=axis) - grey.min(axis=axis) > _PLAIN
        first, last = varies.argmax(axis=1), varies[:, ::-1].argmax(axis=1)
        shown *= np.where(varies.any(axis=1), 1 - (first + last) / varies.shape[1], 0)
    return 100 * (1 - shown)


def _marks(grey: np.ndarray) -> FloatArray:
    """Bright strokes in the outer fifth, in pixels of 10,000 of the image."""
    height, width = grey.shape[1:]
    strokes = grey >= _BRIGHT
    for part, darker in _AROUND:
        reach = max(1, min(height, width) // part)
        padded = np.pad(grey, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        inner = slice(reach, -reach)
        across = np.maximum(padded[:, inner, : -2 * reach], padded[:, inner, 2 * reach :])
        along = np.maximum(padded[:, : -2 * reach, inner], padded[:, 2 * reach :, inner])
        strokes &= np.minimum(across, along) <= np.maximum(grey, darker) - darker
    strokes[:, height // 5 : height - height // 5, width // 5 : width - width // 5] = False
    return np.asarray(strokes.sum(axis=(1, 2)) / (height * width) * 10000)


def _corners(grey: np.ndarray) -> FloatArray:
    side = max(1, min(grey.shape[1:]) // _CORNER_SHARE)
    cells = np.arange(_CORNER) * side // _CORNER
    sizes = np.maximum(np.diff(cells, append=side), 1)
    found = []
    for flipped in (grey, grey[:, :, ::-1], grey[:, ::-1], grey[:, ::-1, ::-1]):
        corner = flipped[:, :side, :side].astype(np.float64)
        sums = np.add.reduceat(np.add.reduceat(corner, cells, axis=1), cells, axis=2)
        found.append((sums / np.outer(sizes, sizes)).reshape(len(grey), -1))
    return np.concatenate(found, axis=1)
