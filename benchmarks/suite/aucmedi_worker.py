"""Run by a Python that has AUCMEDI: its AutoML pipeline of one network ("standard"), then readings for each line sent.

The pipeline is that of aucmedi.automl.block_train: 15 % validation at random, focal loss, 10 epochs on the frozen
network and the rest on all of it. Its networks fetch their weights from the internet; the one here brings its own. Its
iterative stratification fails on NumPy 2.4 (AUCMEDI 0.11.0): the plain one is taken.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
from aucmedi import DataGenerator, ImageAugmentation, NeuralNetwork
from aucmedi.data_processing.io_loader import cache_loader
from aucmedi.neural_network.architectures import Architecture_Base, Classifier
from aucmedi.neural_network.loss_functions import categorical_focal_loss
from aucmedi.sampling import sampling_split
from aucmedi.utils.class_weights import compute_class_weights

EPOCHS = 500


class Pretrained(Architecture_Base):
    """A network with weights of its own, which takes RGB of 0 to 255."""

    def __init__(self, classification_head, channels, input_shape, body):
        self.classifier, self.input, self.body = classification_head, (*input_shape, channels), body

    def create_model(self):
        return self.classifier.build(model_input=self.body.input, model_output=self.body.output)


class Clock(keras.callbacks.Callback):
    """Gives the frozen network half of the time at most, and all of it the rest."""

    def __init__(self, begun: float, seconds: float) -> None:
        super().__init__()
        self.ends = [begun + seconds, begun + seconds / 2]

    def on_train_begin(self, logs=None):
        self.end = self.ends.pop()

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.model.stop_training or time.perf_counter() > self.end


def train(task: dict, folder: Path, begun: float) -> tuple[NeuralNetwork, dict[str, np.ndarray]]:
    """Train, and give the network with its readings of validation."""
    keras.utils.set_random_seed(task["seed"])
    files = sorted(Path(task["train"]).glob("*/*"))
    names = [f"{path.parent.name}/{path.name}" for path in files]
    targets = np.eye(task["classes"])[[int(path.parent.name) for path in files]]
    (names, targets), (watched_names, watched_targets) = sampling_split(
        names, targets, sampling=[0.85, 0.15], stratified=True, seed=task["seed"]
    )
    shape = (task["size"], task["size"])
    pretrained = Pretrained(Classifier(n_labels=task["classes"]), 3, shape, keras.saving.load_model(task["body"]))
    weights, _ = compute_class_weights(ohe_array=targets)
    network = NeuralNetwork(
        n_labels=task["classes"], channels=3, architecture=pretrained, loss=categorical_focal_loss(weights),
        metrics=[keras.metrics.AUC(100)], verbose=0,
    )  # fmt: skip
    augmentation = ImageAugmentation(
        flip=True, rotate=True, scale=False, brightness=True, contrast=True, saturation=False, hue=False, crop=False,
        grid_distortion=False, compression=False, gamma=True, gaussian_noise=False, gaussian_blur=False,
        downscaling=False, elastic_transform=True,
    )  # fmt: skip
    shared = {"path_imagedir": f"{task['train']}/", "resize": shape, "standardize_mode": None}
    training = DataGenerator(names, labels=targets, shuffle=True, data_aug=augmentation, **shared)
    watched = DataGenerator(watched_names, labels=watched_targets, **shared)
    best = folder / "best.weights.h5"
    network.train(
        training,
        watched,
        epochs=EPOCHS,
        callbacks=[
            keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True, save_weights_only=True),
            keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.1, patience=5, min_lr=1e-7),
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=12),
            Clock(begun, task["seconds"]),
        ],
        transfer_learning=True,
    )
    network.model.load_weights(best)
    y_prob = network.predict(DataGenerator(watched_names, **shared))
    return network, {"val_true": watched_targets.argmax(axis=1), "val_prob": y_prob.astype(np.float64)}


def test_pixels(task: dict) -> np.ndarray:
    """The test images as its loader gives them."""
    names = sorted(path.name for path in Path(task["test"]).iterdir())
    shape = (task["size"], task["size"])
    images = DataGenerator(names, f"{task['test']}/", resize=shape, standardize_mode=None)
    return np.concatenate([images[step][0] for step in range(len(images))]).round().astype(np.uint8)


def main() -> None:
    """Train as the task in the folder says; everything but the answers goes to standard error."""
    begun, folder = time.perf_counter(), Path(sys.argv[1])
    answers, sys.stdout = sys.stdout, sys.stderr
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    network, validation = train(task, folder, begun)
    np.savez(folder / "trained.npz", pixels=test_pixels(task), **validation)
    print("trained", file=answers, flush=True)
    for _ in sys.stdin:
        cache = {str(number): image for number, image in enumerate(np.load(folder / "pixels.npy"))}
        images = DataGenerator([*cache], None, resize=None, standardize_mode=None, loader=cache_loader, cache=cache)
        np.save(folder / "y_prob.npy", network.predict(images))
        print("read", file=answers, flush=True)


if __name__ == "__main__":
    main()
