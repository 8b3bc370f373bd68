"""Which values of a volume are shown from black to white: one range for all of its slices."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.formats.picture import percentile_window
from overread.formats.windows import HOUNSFIELD, HOUNSFIELD_WINDOWS

# As many values tell percentiles well enough, in 0.05 s.
_MOST_SAMPLED = 2**21
RANGE = "Middle 99 % of the exam"
_ENDS = (0.5, 99.5)
# A value in a corner that so many voxels share is background: what was cut away, or lies outside.
_BACKGROUND_SHARE = 0.05
# Hounsfield units: air and tissue have their places, and nothing but padding lies below air. Where a crop holds no air
# it has fat, which is below 0 as no magnitude of MR is, and much tissue.
_AIR, _TISSUE, _LOWEST, _FAT = (-1100.0, -900.0), (-200.0, 200.0), -1024.0, -50.0
_LEAST_SHARE, _MOST_BELOW, _MUCH = 0.05, 0.001, 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Levels:
    """The range of a volume.

    Args:
        low, high: the values that are shown black and white.
        background: the value of voxels that were left out of the range; None where none stands out.
        is_hounsfield: whether the values look like Hounsfield units, as a CT has.
    """

    low: float
    high: float
    background: float | None = None
    is_hounsfield: bool = False

    @property
    def windows(self) -> dict[str, tuple[float, float]]:
        """By name, the range first."""
        return {RANGE: (self.low, self.high), **(HOUNSFIELD_WINDOWS if self.is_hounsfield else {})}

    @property
    def unit(self) -> str:
        """Of the values, as `GreyValues` has it."""
        return HOUNSFIELD if self.is_hounsfield else ""


def sampled(voxels: np.ndarray) -> np.ndarray:
    """Values of evenly spaced voxels of `(slices, rows, columns)`: all of a small volume, and two million of a large
    one. The same for a volume that is stored in another order, as far as its middle allows."""
    step = 1
    while voxels.size / step**3 > _MOST_SAMPLED:
        step += 1
    starts = [(side - 1) % step // 2 for side in voxels.shape]
    return voxels[starts[0] :: step, starts[1] :: step, starts[2] :: step]


def find_levels(values: np.ndarray) -> Levels:
    """The middle 99 % of the values that are no background.

    Args:
        values: `(slices, rows, columns)` of any number type; what is not finite does not count.
    """
    every = values[np.isfinite(values)].astype(np.float64)
    if not every.size:
        return Levels(low=0.0, high=0.0)
    background = _background(values, every)
    rest = every if background is None else every[every != background]
    if not rest.size:
        return Levels(low=float(every.min()), high=float(every.max()))
    low, high = (float(end) for end in np.percentile(rest, _ENDS))
    is_hounsfield = _is_hounsfield(every, rest)
    if background is not None and background < low:
        low = background  # stays darker than all else
    if is_hounsfield:
        low = max(low, _LOWEST)
    if not low < high:
        low, high = percentile_window(every)
    return Levels(low=low, high=high, background=background, is_hounsfield=is_hounsfield)


def _background(values: np.ndarray, every: np.ndarray) -> float | None:
    """The commonest of the values in the corners, the least value and 0, where many voxels have it."""
    corners = values[np.ix_(*([0, -1] for _ in values.shape))].ravel()
    candidates = {0.0, float(every.min()), *corners[np.isfinite(corners)].astype(float).tolist()}
    counts = {value: int(np.count_nonzero(every == value)) for value in sorted(candidates)}
    value = max(counts, key=lambda one: counts[one])
    return value if counts[value] >= _BACKGROUND_SHARE * every.size else None


def _is_hounsfield(every: np.ndarray, rest: np.ndarray) -> bool:
    air, tissue = (float(((every >= low) & (every <= high)).mean()) for low, high in (_AIR, _TISSUE))
    below = float((rest < _AIR[0]).mean())
    of_rest = float(((rest >= _TISSUE[0]) & (rest <= _TISSUE[1])).mean())
    has_fat = of_rest >= _MUCH and float(np.percentile(rest, 1)) <= _FAT
    return below <= _MOST_BELOW and ((air >= _LEAST_SHARE and tissue >= _LEAST_SHARE) or has_fat)
