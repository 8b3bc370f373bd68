"""Augmentation of training images: parameters are sampled first, then applied by one fused warp.

Geometry (rotation, shift, zoom, flips) is composed into one affine matrix an image, so that pixels are
interpolated once; what a scanner does to pixels follows on the warped ones. A change that is off draws nothing.
"""

from __future__ import annotations

import math
from typing import Any

from overread.errors import InvalidOption
from overread.networks.augmentation import Augmentation
from overread.networks.backend import keras, ops


def affine_transforms(angle: Any, shift: Any, scale: Any, mirror: Any, size: tuple[int, int]) -> Any:
    """Compose rotation, zoom, flips and shift about the image centre, output to input coordinates.

    Args:
        angle: `(batch,)` radians, anticlockwise as seen on the screen.
        shift: `(batch, 2)` x and y as fractions of width and height.
        scale: `(batch,)`; above 1 magnifies.
        mirror: `(batch, 2)` of +1 or -1 for x and y.
        size: height and width in pixels.

    Returns:
        `(batch, 8)` rows a0..a5, 0, 0 as `keras.ops.image.affine_transform` reads them: an output pixel
        (x, y) is taken from (a0 x + a1 y + a2, a3 x + a4 y + a5).
    """
    height, width = size
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    cos, sin = ops.cos(angle) / scale, ops.sin(angle) / scale
    a0, a1 = mirror[:, 0] * cos, -mirror[:, 0] * sin
    a3, a4 = mirror[:, 1] * sin, mirror[:, 1] * cos
    move_x, move_y = centre_x + shift[:, 0] * width, centre_y + shift[:, 1] * height
    a2 = centre_x - a0 * move_x - a1 * move_y
    a5 = centre_y - a3 * move_x - a4 * move_y
    zero = ops.zeros_like(a0)
    return ops.stack([a0, a1, a2, a3, a4, a5, zero, zero], axis=1)


class Augment(keras.layers.Layer):
    """Apply an `Augmentation` to a batch while training; pass it through unchanged otherwise.

    Takes `(batch, height, width, channels)` of 0 to 255 in any dtype and gives float32 of the same shape and range.
    Draws come from seed generators, its own and those of the user's layers, whose states `EpochSeed` sets, so that the
    images of a step depend on (seed, epoch, step) alone and a resumed run sees what an uninterrupted one would.
    """

    def __init__(self, augmentation: Augmentation, *, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.augmentation = augmentation
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.own_layers = [keras.saving.deserialize_keras_object(layer) for layer in augmentation.layers]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        images = keras.KerasTensor(input_shape)
        for layer in self.own_layers:
            images = layer(images)
            if images.shape != tuple(input_shape) or layer.weights:
                raise InvalidOption(
                    f"the augmentation layer {type(layer).__name__} makes {images.shape} of {tuple(input_shape)} and "
                    f"has {len(layer.weights)} weights: expected images of the same shape, and no weights"
                )

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        if not training or self.augmentation.is_identity:
            return images
        for layer in self.own_layers:
            images = layer(images)
        return self._change(images) if any(self.augmentation.ranges.values()) else images

    def _change(self, images: Any) -> Any:
        ranges, images = self.augmentation, self._warp(images)
        if ranges.gamma:
            images = self._bend(images)
        images = self._shade(images)
        if ranges.blur or ranges.sharpness:
            images = self._focus(images)
        if ranges.noise:
            images = self._grain(images)
        return self._erase(images) if ranges.erasing else images

    def _uniform(self, batch: Any, columns: int, limit: float) -> Any:
        return keras.random.uniform((batch, columns), -limit, limit, seed=self.seed_generator)

    def _warp(self, images: Any) -> Any:
        ranges = self.augmentation
        batch, (height, width) = ops.shape(images)[0], images.shape[1:3]
        angle = self._uniform(batch, 1, math.radians(ranges.rotation_degrees))[:, 0]
        shift = self._uniform(batch, 2, ranges.shift)
        scale = ops.exp(self._uniform(batch, 1, math.log1p(ranges.zoom))[:, 0])
        may_flip = ops.convert_to_tensor([[ranges.horizontal_flip, ranges.vertical_flip]], dtype="float32")
        mirror = ops.where((self._uniform(batch, 2, 1.0) < 0) & (may_flip > 0), -1.0, 1.0)
        transforms = affine_transforms(angle, shift, scale, mirror, (height, width))
        return ops.image.affine_transform(images, transforms, interpolation="bilinear", fill_mode="constant")

    def _shade(self, images: Any) -> Any:
        batch = ops.shape(images)[0]
        offset = 255 * self._uniform(batch, 1, self.augmentation.brightness)[:, :, None, None]
        factor = 1 + self._uniform(batch, 1, self.augmentation.contrast)[:, :, None, None]
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip((images - mean) * factor + mean + offset, 0.0, 255.0)

    def _bend(self, images: Any) -> Any:
        power = ops.exp(self._uniform(ops.shape(images)[0], 1, math.log1p(self.augmentation.gamma)))
        # By way of the logarithm, which takes a quarter of the time of ops.power (November 2026). Of a negative number,
        # which a layer of the user's may give, there is none; of 0 it is minus infinity, which becomes 0 again.
        return 255 * ops.exp(power[:, :, None, None] * ops.log(ops.clip(images / 255, 0.0, 1.0)))

    def _focus(self, images: Any) -> Any:
        """Move each image towards its blurred copy, or away from it."""
        share = keras.random.uniform(
            (ops.shape(images)[0], 1, 1, 1),
            -self.augmentation.sharpness,
            self.augmentation.blur,
            seed=self.seed_generator,
        )
        return ops.clip(images + share * (_blurred(images) - images), 0.0, 255.0)

    def _grain(self, images: Any) -> Any:
        strength = self._uniform(ops.shape(images)[0], 1, 255 * self.augmentation.noise)[:, :, None, None]
        noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
        return ops.clip(images + strength * noise, 0.0, 255.0)

    def _erase(self, images: Any) -> Any:
        """Set a rectangle to the mean, in as many images as the probability says."""
        batch, (height, width) = ops.shape(images)[0], images.shape[1:3]
        draws = keras.random.uniform((batch, 5), seed=self.seed_generator)

        def within(centre: Any, drawn: Any, length: int) -> Any:
            positions = (ops.arange(length, dtype="float32") + 0.5) / length
            return ops.abs(positions - centre[:, None]) < 0.05 + 0.15 * drawn[:, None]

        rows, columns = within(draws[:, 0], draws[:, 1], height), within(draws[:, 2], draws[:, 3], width)
        erased = rows[:, :, None, None] & columns[:, None, :, None]
        erased &= (draws[:, 4] < self.augmentation.erasing)[:, None, None, None]
        return ops.where(erased, ops.mean(images, axis=(1, 2, 3), keepdims=True), images)


def _blurred(images: Any) -> Any:
    """Each image under the mean of an odd window, twice: nearly Gaussian, the same share of the image at every size."""
    height, width, channels = images.shape[1:]
    window = 2 * max(1, max(height, width) // 100) + 1
    # The images as channels of one: TensorFlow pools these side by side, in a sixth of the time (November 2026).
    pooled = ops.reshape(ops.transpose(images, (1, 2, 0, 3)), (1, height, width, -1))
    for _ in range(2):
        pooled = ops.average_pool(pooled, window, strides=1, padding="same")
    return ops.transpose(ops.reshape(pooled, (height, width, -1, channels)), (2, 0, 1, 3))
