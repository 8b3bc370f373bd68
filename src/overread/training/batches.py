"""Batches of stored pixels in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.images import PixelFile
from overread.networks.backend import keras


class Batches(keras.utils.PyDataset):
    """Yields `(images, targets)`: uint8 `(batch, height, width, channels)`, float32 `(batch, outputs)`.

    With weights, `(images, targets, weights)`, where the weight of each image in the loss is float32 `(batch,)`.
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
    ) -> None:
        # Keras takes batches from threads of its own then. With one worker tf.data fetches them and tunes itself, and
        # before many an epoch TensorFlow 2.21 waits 2 to 3 s until that tuning has ended (November 2026).
        super().__init__(workers=2)
        self._pixels, self._indices = pixels, np.asarray(indices)
        self._told = (targets,) if weights is None else (targets, weights)
        self._batch_size, self._shuffle_seed = batch_size, shuffle_seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the order of images for one epoch."""
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
        return self._pixels[chosen], *(each[chosen] for each in self._told)
