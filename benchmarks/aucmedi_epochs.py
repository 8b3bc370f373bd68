"""Pipeline (c), run by a Python that has AUCMEDI: its DataGenerator and a network of its own, an epoch for each line.

It first prints the network as Keras's JSON, then the seconds of an epoch for each line that it is sent.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import numpy as np
from aucmedi import DataGenerator, ImageAugmentation, NeuralNetwork


def samples(folder: Path) -> tuple[list[str], np.ndarray]:
    """File names below a folder and their classes, one-hot."""
    found = [path.relative_to(folder) for path in sorted(folder.glob("*/*"))]
    classes = sorted({path.parent.name for path in found})
    return [str(path) for path in found], np.eye(len(classes))[[classes.index(path.parent.name) for path in found]]


def generator(folder: Path, model: NeuralNetwork, augmentation: ImageAugmentation | None) -> DataGenerator:
    names, labels = samples(folder)
    return DataGenerator(
        names, f"{folder}/", labels=labels, data_aug=augmentation, batch_size=32, resize=model.meta_input,
        standardize_mode=model.meta_standardize, shuffle=augmentation is not None, grayscale=True,
    )  # fmt: skip


def main() -> None:
    """Take an architecture and the folders of both sides; everything else goes to standard error."""
    architecture, train, validation = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    answers, sys.stdout = sys.stdout, sys.stderr
    model = NeuralNetwork(n_labels=2, channels=1, architecture=architecture, input_shape=(224, 224), verbose=0)
    print(model.model.to_json(), file=answers, flush=True)
    augmentation = ImageAugmentation(flip=False, saturation=False, hue=False)
    training, watched = generator(train, model, augmentation), generator(validation, model, None)
    for _ in sys.stdin:
        start = time.perf_counter()
        model.train(training, watched, epochs=1)
        print(time.perf_counter() - start, file=answers, flush=True)


if __name__ == "__main__":
    main()
