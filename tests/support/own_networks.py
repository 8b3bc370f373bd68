"""Networks as a user writes them, in a module that another process can import."""

from __future__ import annotations

import keras
from keras import layers

InputShape = tuple[int, int, int]


def _maps(input_shape: InputShape) -> tuple[object, object]:
    image = keras.Input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, strides=4, padding="same", activation="relu")(x)
    return image, x


def maps(input_shape: InputShape) -> keras.Model:
    """Ends in feature maps."""
    return keras.Model(*_maps(input_shape))


def pooled(input_shape: InputShape, *, outputs: int) -> keras.Model:
    """Ends in logits, after global average pooling and dropout."""
    image, x = _maps(input_shape)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(outputs, bias_initializer="ones")(x))


def flattened(input_shape: InputShape) -> keras.Model:
    """Ends in one logit, after layers that forget where things are."""
    first = (keras.Input(input_shape), layers.AveragePooling2D(4), layers.Rescaling(1 / 255), layers.Flatten())
    return keras.Sequential([*first, layers.Dense(8, activation="relu"), layers.Dense(1)])


def softmax(input_shape: InputShape) -> keras.Model:
    """Ends in what is no logit."""
    image, x = _maps(input_shape)
    return keras.Model(image, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x)))


def two_logits(input_shape: InputShape) -> keras.Model:
    """Has more logits than two classes have."""
    return pooled(input_shape, outputs=2)


def other_size(input_shape: InputShape) -> keras.Model:
    """Takes images of another size."""
    return maps((48, 48, input_shape[2]))


def no_model(input_shape: InputShape) -> str:
    """Gives no network."""
    return "network"


def failing(input_shape: InputShape) -> keras.Model:
    """Does not get so far."""
    raise RuntimeError("no such layer")


not_a_function = 3


def normalised(input_shape: InputShape) -> keras.Model:
    """Ends in feature maps, after batch normalisation and dropout."""
    image, x = _maps(input_shape)
    return keras.Model(image, layers.Dropout(0.2)(layers.BatchNormalization()(x)))
