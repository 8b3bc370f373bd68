"""Reading a folder of images as Keras's documentation has it: the baseline of `prediction.py`, a script of its own.

python benchmarks/plain_keras.py batches|one-by-one MODEL.keras FOLDER OUT.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import keras
import numpy as np

SIZE = (224, 224)


def read_in_batches(model: keras.Model, folder: Path) -> tuple[list[str], np.ndarray]:
    """Paths and probabilities of all images, through a `tf.data` pipeline of batches of 32."""
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, color_mode="grayscale", image_size=SIZE, shuffle=False, verbose=0
    )
    return images.file_paths, model.predict(images, verbose=0)[:, 0]


def read_one(model: keras.Model, path: Path) -> float:
    """The probability of one image."""
    image = keras.utils.load_img(path, color_mode="grayscale", target_size=SIZE)
    return float(model.predict(keras.utils.img_to_array(image)[None], verbose=0)[0, 0])


def write(target: Path, paths: list[str], probabilities: np.ndarray) -> None:
    """Write the probabilities as CSV."""
    with target.open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "probability"), *zip(paths, probabilities, strict=True)])


def main() -> None:
    """Read a folder."""
    way, model_file, folder, target = sys.argv[1:]
    model = keras.models.load_model(model_file)
    if way == "batches":
        paths, probabilities = read_in_batches(model, Path(folder))
    else:
        paths = sorted(map(str, Path(folder).rglob("*.jpeg")))
        probabilities = np.array([read_one(model, Path(path)) for path in paths])
    write(Path(target), paths, probabilities)


if __name__ == "__main__":
    main()
