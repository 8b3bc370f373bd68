"""The classic convolution + pooling network of this field, trained from scratch, with an exact activation map."""

from __future__ import annotations

from overread.networks.backend import keras, layers

_FILTERS = (32, 64, 128, 256)
_FULLY_CONNECTED = 128


def compact(input_shape: tuple[int, int, int], *, averaged_steps: float = 100) -> keras.Model:
    """Four blocks of convolution, pooling and normalisation, then a fully connected layer at every position.

    Applying the fully connected layer before the global average, not after a flatten, is what makes the class
    activation map exact and the network independent of the image size. Two choices are for the CPU (2 cores, bf16,
    224 px, November 2026): a first convolution of stride 2 (179 images/s against 104), and normalisation after
    the pooling, which commutes with it up to the sign of its scale and works on a quarter of the pixels.

    Args:
        input_shape: height, width and channels; the network is the same for every height and width.
        averaged_steps: over how many training steps the statistics for prediction are averaged. Too few and validation
            swings, too many and a short run predicts with the statistics of its start.

    Returns:
        A model from `(batch, height, width, channels)` of 0 to 255 to `(batch, height / 32, width / 32, 128)`.
    """
    inputs = keras.Input((None, None, input_shape[2]))
    x = layers.Rescaling(1 / 64, offset=-2, dtype="float32")(inputs)
    for block, filters in enumerate(_FILTERS):
        kernel, strides = (5, 2) if block == 0 else (3, 1)
        x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(2)(x)
        x = layers.BatchNormalization(momentum=1 - 1 / averaged_steps)(x)
        x = layers.ReLU()(x)
    x = layers.Conv2D(_FULLY_CONNECTED, 1, activation="relu")(x)
    return keras.Model(inputs, x, name="compact")
