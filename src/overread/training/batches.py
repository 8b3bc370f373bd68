"""Batches of stored pixels in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.images import PixelFile
from overread.networks.backend import keras


class Batches(keras.utils.PyDataset):
    """Yields `(images, targets)`: uint8 `(batch, height, width, channels)`, float32 `(batch, outputs)`.

    With weights, `(images, targets, weights)`, where the weight of each image in the loss is float32 `(batch,)`. With
    `mixup` each image is mixed with another of its batch, in a share drawn from Beta(mixup, mixup); targets and weights
    are mixed so that the loss is that of both images in these shares.

    References:
        Zhang et al. mixup: Beyond Empirical Risk Minimization. arXiv:1710.09412.
    """

    def __init__(
        self,
        pixels: np.ndarray | PixelFile,
        targets: np.ndarray,
        indices: Sequence[int],
        *,
        batch_size: int,
        shuffle_seed: int | None = None,
        weights: np.ndarray | None = None,
        mixup: float = 0.0,
    ) -> None:
        # Keras takes batches from threads of its own then. With one worker tf.data fetches them and tunes itself, and
        # before many an epoch TensorFlow 2.21 waits 2 to 3 s until that tuning has ended (November 2026).
        super().__init__(workers=2)
        self._pixels, self._indices = pixels, np.asarray(indices)
        self._told = (targets,) if weights is None else (targets, weights)
        self._batch_size, self._shuffle_seed, self._mixup = batch_size, shuffle_seed, mixup
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the order and the mixture of images for one epoch."""
        self._epoch = epoch
        self._order = self._indices
        if self._shuffle_seed is not None:
            self._order = np.random.default_rng([self._shuffle_seed, epoch]).permutation(self._indices)

    @property
    def image_count(self) -> int:
        """Images an epoch."""
        return len(self._indices)

    def __len__(self) -> int:
        return -(-len(self._indices) // self._batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        chosen = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        batch = (self._pixels[chosen], *(each[chosen] for each in self._told))
        if not self._mixup:
            return batch
        return _mixed(
            *batch, alpha=self._mixup, draws=np.random.default_rng([self._shuffle_seed or 0, self._epoch, step])
        )


def _mixed(
    images: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    alpha: float,
    draws: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    """Each image mixed with the one that a permutation puts in its place; the first has the larger share."""
    other = draws.permutation(len(images))
    drawn = draws.beta(alpha, alpha, len(images)).astype(np.float32)
    share = np.maximum(drawn, 1 - drawn)
    at_pixels = share[:, None, None, None]
    images = np.rint(at_pixels * images + (1 - at_pixels) * images[other]).astype(np.uint8)
    if weights is None:
        return images, share[:, None] * targets + (1 - share[:, None]) * targets[other]
    of_first, of_other = share * weights, (1 - share) * weights[other]
    weights = of_first + of_other
    return images, (of_first[:, None] * targets + of_other[:, None] * targets[other]) / weights[:, None], weights
