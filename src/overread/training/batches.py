"""Batches of stored pixels in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from overread.images import PixelFile
from overread.networks.backend import keras


class Batches(keras.utils.PyDataset):
    """Yields `(images, targets)`: uint8 `(batch, height, width, channels)`, float32 `(batch, outputs)`.

    With weights, `(images, targets, weights)`: float32 `(batch,)`, of each image in the loss, or `(batch, outputs)`, of
    each output. With `mixup` each image is mixed with another of its batch, in a share drawn from Beta(mixup, mixup);
    targets and weights are mixed so that the loss is that of both images in these shares. What weighs nothing in one of
    them, for it is not known, weighs nothing in the mixture.

    Where hosts share a training each reads its part of every batch. The last batch is whole then, and under JAX
    always, so that what comes out is the same for any number of them: it is filled up with the first images of the
    epoch, which count again in training; in batches that are not shuffled they have no weight.

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
        is_whole: bool = False,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        # Keras takes batches from threads of its own then. With one worker tf.data fetches them and tunes itself, and
        # before many an epoch TensorFlow 2.21 waits 2 to 3 s until that tuning has ended (November 2026).
        super().__init__(workers=2)
        self._pixels, self._indices = pixels, np.asarray(indices)
        self._told = (targets,) if weights is None else (targets, weights)
        self._batch_size, self._shuffle_seed, self._mixup = batch_size, shuffle_seed, mixup
        self._is_whole, self._part = is_whole, part
        self._steps = -(-len(self._indices) // batch_size)
        self._failure: Exception | None = None
        self.set_epoch(0)

    def set_epoch(self, epoch: int, done: int = 0) -> None:
        """Fix the order and the mixture of images for one epoch, of which the first batches may be done."""
        self._epoch, self._done = epoch, done
        self._order = self._indices
        if self._shuffle_seed is not None:
            self._order = np.random.default_rng([self._shuffle_seed, epoch]).permutation(self._indices)
        if self._is_whole:
            self._order = np.resize(self._order, self._steps * self._batch_size)

    @property
    def image_count(self) -> int:
        """Images an epoch."""
        return len(self._indices)

    def __len__(self) -> int:
        return self._steps - self._done

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        try:
            return self._batch(self._done + step)
        except Exception as error:
            self._failure = error
            raise

    def _batch(self, step: int) -> tuple[np.ndarray, ...]:
        places = np.arange(step * self._batch_size, min((step + 1) * self._batch_size, len(self._order)))
        number, parts = self._part
        own = np.array_split(np.arange(len(places)), parts)[number]
        if self._mixup:
            draws = np.random.default_rng([self._shuffle_seed or 0, self._epoch, step])
            other, share = _draw_mixture(len(places), self._mixup, draws)
            return _mixed(self._read(places[own]), self._read(places[other[own]]), share[own])
        return self._read(places[own])

    def _read(self, places: np.ndarray) -> tuple[np.ndarray, ...]:
        """The images at these places of the epoch, with what is told of them."""
        chosen = self._order[places]
        batch = (self._pixels[chosen], *(each[chosen] for each in self._told))
        if not self._is_whole or self._shuffle_seed is not None:
            return batch
        # Keras divides by the number of images, those without a weight included.
        counts = (places < len(self._indices)) * np.float32(len(self._order) / len(self._indices))
        images, targets, *weights = batch
        return images, targets, counts[:, None] * (_of_outputs(*weights) if weights else 1)


@contextmanager
def failing_as_read(*every: Batches) -> Iterator[None]:
    """Raise what kept a batch from being read as it was: TensorFlow makes an error of its own of it."""
    try:
        yield
    except Exception:
        for batches in every:
            if batches._failure is not None:
                raise batches._failure from None
        raise


def _draw_mixture(count: int, alpha: float, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """By which of a batch each image is mixed, and the share that it keeps, which is the larger one."""
    other = draws.permutation(count)
    drawn = draws.beta(alpha, alpha, count).astype(np.float32)
    return other, np.maximum(drawn, 1 - drawn)


def _mixed(first: tuple[np.ndarray, ...], second: tuple[np.ndarray, ...], share: np.ndarray) -> tuple[np.ndarray, ...]:
    """Images, targets and weights, if any, of which each has its share of the first and the rest of the second."""
    at_pixels, at_outputs = share[:, None, None, None], share[:, None]
    images = np.rint(at_pixels * first[0] + (1 - at_pixels) * second[0]).astype(np.uint8)
    if len(first) == 2:
        return images, at_outputs * first[1] + (1 - at_outputs) * second[1]
    weight, other = _of_outputs(first[2]), _of_outputs(second[2])
    of_first, of_second = at_outputs * weight, (1 - at_outputs) * other
    weights = np.where((weight > 0) & (other > 0), of_first + of_second, 0)
    targets = of_first * first[1] + of_second * second[1]
    targets = np.divide(targets, weights, out=np.zeros_like(targets), where=weights > 0)
    return images, targets, weights.reshape(first[2].shape)


def _of_outputs(weights: np.ndarray) -> np.ndarray:
    """Weights of images as a column, which holds for each output; those of outputs as they are."""
    return weights.reshape(len(weights), -1)
