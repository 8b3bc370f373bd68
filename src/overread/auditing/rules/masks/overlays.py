"""Overlays: the same picture as another, with marks painted into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.masks.annotation import Annotation
from overread.auditing.rules.masks.painted import LEAST_MARK, is_painted
from overread.auditing.rules.masks.pixel_statistics import PixelStatistics

_MOST_OVERLAYS, _BLOCK, _VERIFIED, _ALIKE = 5000, 128, 8, 4


def find_overlays(
    material: Material, statistics: PixelStatistics, masks: Mapping[int, Annotation]
) -> dict[int, Annotation]:
    """Find the images that are another one with marks painted in, and which that is, by position in the manifest."""
    every = material.readable[~np.isin(material.readable, list(masks))]
    if material.data_set.store.pixels.shape[-1] == 1 or len(every) < 2:
        return {}
    candidates = every[statistics.marked[every] >= (LEAST_MARK if statistics.is_grey else 0)]
    candidates = candidates[np.argsort(-statistics.marked[candidates], kind="stable")][:_MOST_OVERLAYS]
    overlays = {}
    for i, nearest in _nearest(statistics.cells, candidates, every):
        picture = next((k for k in nearest if _is_drawn_on(material, i, k)), None)
        if picture is not None:
            overlays[i] = Annotation("coloured marks", picture)
    return dict(sorted(overlays.items()))


def _nearest(cells: np.ndarray, candidates: np.ndarray, every: np.ndarray) -> Iterator[tuple[int, list[int]]]:
    """Each candidate with the others whose cells rise and fall most alike, and are nearly equal in half of the places.

    Whatever is painted changes the steps between cells at its edges only: of 500 marks in five sets, the picture was
    always among the first three. Other views of it may come before.
    """
    steps = _steps(cells[every])
    for start in range(0, len(candidates), _BLOCK):
        block = candidates[start : start + _BLOCK]
        alike = _steps(cells[block]) @ steps.T
        alike[every == block[:, None]] = -np.inf
        first = np.argsort(-alike, axis=1, kind="stable")[:, :_VERIFIED]
        for i, others in zip(block.tolist(), every[first], strict=True):
            apart = np.median(np.abs(cells[others].astype(np.float32) - cells[i]), axis=1)
            yield i, others[(others != i) & (apart <= _ALIKE)].tolist()


def _steps(cells: np.ndarray) -> np.ndarray:
    """Whether each cell is brighter (1) or darker (-1) than the one above it and the one to its left."""
    side = int(np.sqrt(cells.shape[1]))
    grid = cells.reshape(-1, side, side).astype(np.float32)
    steps = (np.sign(np.diff(grid, axis=axis)).reshape(len(grid), -1) for axis in (1, 2))
    return np.concatenate(list(steps), axis=1)


def _is_drawn_on(material: Material, marked: int, picture: int) -> bool:
    rows = np.searchsorted(material.readable, [marked, picture])
    return is_painted(*material.data_set.pixels(rows.tolist()))
