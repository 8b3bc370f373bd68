"""The pipelines that overread is held against, written as a user would from the documentation of Keras: float32."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import keras
from keras import layers

SIZE, BATCH = 224, 32

Epoch = Callable[[], object]


def classic_cnn() -> keras.Sequential:
    """The Sequential network of the tutorials: three convolutions, flatten, dense 128, dropout; images of 0 to 1."""
    network = keras.Sequential([keras.Input((SIZE, SIZE, 1))])
    for filters in (32, 64, 128):
        network.add(layers.Conv2D(filters, 3, activation="relu"))
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    network.add(layers.Dense(128, activation="relu"))
    network.add(layers.Dropout(0.5))
    network.add(layers.Dense(1, activation="sigmoid"))
    return network


def compile_plainly(network: keras.Model) -> keras.Model:
    """Adam, binary cross-entropy, accuracy and AUC."""
    network.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
    return network


def image_data_generator(network: keras.Model, train: Path, validation: Path) -> Epoch:
    """Pipeline (a): ImageDataGenerator.flow_from_directory."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator  # what tensorflow.keras...image exports

    flow = {"target_size": (SIZE, SIZE), "color_mode": "grayscale", "class_mode": "binary", "batch_size": BATCH}
    augmenting = ImageDataGenerator(
        rescale=1 / 255, rotation_range=10, width_shift_range=0.06, height_shift_range=0.06, zoom_range=0.12,
        brightness_range=(0.9, 1.1),
    )  # fmt: skip
    training_flow = augmenting.flow_from_directory(train, **flow)
    validation_flow = ImageDataGenerator(rescale=1 / 255).flow_from_directory(validation, shuffle=False, **flow)
    return _epoch(network, training_flow, validation_flow)


def image_dataset(network: keras.Model, train: Path, validation: Path) -> Epoch:
    """Pipeline (b): image_dataset_from_directory, cached and prefetched, augmented by Keras's preprocessing layers."""
    import tensorflow

    augment = keras.Sequential(
        [
            layers.RandomRotation(10 / 360),
            layers.RandomTranslation(0.06, 0.06),
            layers.RandomZoom(0.12),
            layers.RandomBrightness(0.1, value_range=(0, 255)),
            layers.RandomContrast(0.2, value_range=(0, 255)),
            layers.Rescaling(1 / 255),
        ]
    )
    rescale = layers.Rescaling(1 / 255)

    def read(folder: Path, shuffle: bool) -> tensorflow.data.Dataset:
        return keras.utils.image_dataset_from_directory(
            folder, color_mode="grayscale", image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=shuffle, verbose=False
        ).cache()

    parallel = tensorflow.data.AUTOTUNE
    training_set = read(train, True).map(lambda x, y: (augment(x, training=True), y), parallel).prefetch(parallel)
    validation_set = read(validation, False).map(lambda x, y: (rescale(x), y), parallel).prefetch(parallel)
    return _epoch(network, training_set, validation_set)


def _epoch(network: keras.Model, training_data: object, validation_data: object) -> Epoch:
    def run() -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = network.fit(training_data, validation_data=validation_data, verbose=0).history
        return {name: values[-1] for name, values in history.items()}

    return run
