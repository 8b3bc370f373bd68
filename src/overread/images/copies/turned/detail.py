"""The detail of a picture: as strong everywhere, and nothing where the picture is flat."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.images.copies.turned.keypoints import SIDE, blurred

_NOISE = 2.0


@dataclasses.dataclass(frozen=True, eq=False)
class Detail:
    """The detail of pictures, as strong everywhere, and where there is some.

    Args:
        values: `(k, side, side)` float32.
        shown: `(k, side, side)` float32, 0 or 1.
    """

    values: np.ndarray
    shown: np.ndarray

    @classmethod
    def of(cls, pictures: np.ndarray, shown: np.ndarray, side: int) -> Detail:
        """Of `(k, 112, 112)` float32 and where their `content` is, at this side, a half or a quarter of it.

        What is flat has no part in any blur: the edge of a fundus against the black, or of a turned picture against
        what fills its corners, is no detail.
        """
        while pictures.shape[1] > side:
            rows = pictures[:, ::2] + pictures[:, 1::2]
            pictures = (rows[:, :, ::2] + rows[:, :, 1::2]) / 4
            shown = shown[:, ::2] & shown[:, 1::2]
            shown = shown[:, :, ::2] & shown[:, :, 1::2]
        weight = shown.astype(np.float32)

        def blur(values: np.ndarray, sigma: float) -> np.ndarray:
            return blurred(values * weight, sigma) / np.maximum(blurred(weight, sigma), 1e-3)

        width = 1 if side < SIDE else 1.4
        fine = (blur(pictures, 0.5) - blur(pictures, 1.6 * width)) * weight
        values = fine / (np.sqrt(np.maximum(blur(fine * fine, 4 * width), 0)) + _NOISE)
        weight[:, 1:-1, 1:-1] *= _least_around(weight)
        return cls(values, weight)

    @property
    def side(self) -> int:
        return int(self.values.shape[1])


def _least_around(values: np.ndarray) -> np.ndarray:
    """The least of the four neighbours of each pixel that has them."""
    beside = np.minimum(values[:, 1:-1, :-2], values[:, 1:-1, 2:])
    return np.minimum(beside, np.minimum(values[:, :-2, 1:-1], values[:, 2:, 1:-1]))
