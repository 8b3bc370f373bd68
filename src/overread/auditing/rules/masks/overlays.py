"""Overlays: the same picture as another, with marks painted into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.masks.annotation import Annotation
from overread.auditing.rules.masks.pixel_statistics import PixelStatistics, is_vivid, sorted_channels

_LEAST_MARK = 0.0005
_MOST_OVERLAYS, _BLOCK, _NEAREST, _VERIFIED, _ALIKE = 5000, 128, 32, 3, 3
# Of 448 planted marks of five kinds on radiographs, frames and phantoms 431 are told. A share of at most 0.32 of the
# change leads towards one colour in 383 pairs of like video frames, and of 0.57 in DICOM test cards coded differently.
# Beside its marks a copy has the steps of the picture (0.96 and more), another eye at most 0.91 at 160 and 224 pixels.
_BLACK, _CHANGED, _MOST_CHANGED, _TOWARDS, _PAINTED = 12, 24, 0.45, 0.85, 0.6
_EQUAL, _LEAST_EQUAL, _LEAST_DETAIL = 12, 0.5, 0.95
_PRIMARIES = 255 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], np.float32)


def find_overlays(
    material: Material, statistics: PixelStatistics, masks: Mapping[int, Annotation]
) -> dict[int, Annotation]:
    """Find the images that are another one with marks painted in, and which that is, by position in the manifest."""
    every = material.readable[~np.isin(material.readable, list(masks))]
    if material.data_set.store.pixels.shape[-1] == 1 or len(every) < 2:
        return {}
    candidates = every[statistics.marked[every] >= (_LEAST_MARK if statistics.is_grey else 0)]
    candidates = candidates[np.argsort(-statistics.marked[candidates], kind="stable")][:_MOST_OVERLAYS]
    cells = statistics.cells[every].astype(np.float32) / 255
    overlays = {}
    for start in range(0, len(candidates), _BLOCK):
        block = candidates[start : start + _BLOCK]
        for i, nearest in zip(block.tolist(), _nearest(statistics, block, every, cells), strict=True):
            picture = next((k for k in nearest if _is_drawn_on(material, i, k, statistics.is_grey)), None)
            if picture is not None:
                overlays[i] = Annotation("coloured marks", picture)
    return dict(sorted(overlays.items()))


def _nearest(
    statistics: PixelStatistics, block: np.ndarray, every: np.ndarray, cells: np.ndarray
) -> Iterator[list[int]]:
    """For each image of a block the others whose thumbnails are nearly equal in at least half of the cells."""
    own, weight = statistics.cells[block].astype(np.float32) / 255, statistics.clean[block].astype(np.float32)
    weight[weight.mean(axis=1) < 0.25] = 1
    # Mean square difference over the cells without marks, as matrix products.
    apart = weight @ (cells**2).T - 2 * (weight * own) @ cells.T + (weight * own**2).sum(axis=1, keepdims=True)
    apart /= weight.sum(axis=1, keepdims=True)
    apart[every == block[:, None]] = np.inf
    first = np.argpartition(apart, min(_NEAREST, len(every) - 1), axis=1)[:, :_NEAREST]
    for i, others in zip(block, every[first], strict=True):
        others = others[others != i]
        differences = np.median(np.abs(statistics.cells[others].astype(np.int16) - statistics.cells[i]), axis=1)
        order = np.argsort(differences, kind="stable")[:_VERIFIED]
        yield others[order][differences[order] <= _ALIKE].tolist()


def _is_drawn_on(material: Material, marked: int, picture: int, is_grey: bool) -> bool:
    """Whether the first image is the second apart from marks of pure colour, opaque or not."""
    rows = np.searchsorted(material.readable, [marked, picture])
    drawn, plain = material.data_set.pixels(rows.tolist())[:, ::2, ::2]
    change = sorted_channels(np.maximum(drawn, plain) - np.minimum(drawn, plain))[2]
    shown = np.maximum(sorted_channels(drawn)[2], sorted_channels(plain)[2]) > _BLACK
    changed = change > _CHANGED
    if not shown.any() or not _LEAST_MARK <= changed.sum() / shown.sum() <= _MOST_CHANGED:
        return False
    # Beside its marks a copy is the same picture; two pictures of noise, which agree in every cell, are not.
    if (change[shown] <= _EQUAL).mean() < _LEAST_EQUAL:
        return False
    if _alike_in_detail(drawn, plain, shown & ~changed) < _LEAST_DETAIL:
        return False
    if is_grey and (is_vivid(drawn, True) & ~is_vivid(plain, True))[changed].mean() >= _PAINTED:
        return True
    # Taking a mark away leads towards its complementary colour; but the mark is what differs from the surroundings.
    around = plain[shown & ~changed].mean(axis=0)
    strange, ordinary = (np.linalg.norm(image[changed].mean(axis=0) - around) for image in (drawn, plain))
    return bool(strange > ordinary) and _share_towards_a_primary(drawn[changed], plain[changed]) >= _PAINTED


def _alike_in_detail(drawn: np.ndarray, plain: np.ndarray, where: np.ndarray) -> float:
    """Correlation of the steps from pixel to pixel: two round fundi are alike in all else. 1 where neither has any."""
    inside = where[:, 4:] & where[:, :-4] & where[:, 2:-2] & where[:, 1:-3]
    steps = [np.diff(image.mean(axis=2), axis=1)[:, 1:-2][inside] for image in (drawn, plain)]
    length = np.linalg.norm(steps[0]) * np.linalg.norm(steps[1])
    return float(steps[0] @ steps[1] / length) if length else 1.0


def _share_towards_a_primary(drawn: np.ndarray, plain: np.ndarray) -> float:
    """The share of the change of `(k, 3)` pixels that leads towards one primary colour."""
    change = drawn.astype(np.float32) - plain
    way = _PRIMARIES[:, None] - plain
    changes, ways = np.linalg.norm(change, axis=1), np.maximum(np.linalg.norm(way, axis=2), 1)
    towards = (way * change).sum(axis=2) >= _TOWARDS * ways * changes
    return float(((towards * changes).sum(axis=1) / changes.sum()).max())
