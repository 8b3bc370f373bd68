"""What a trained network is worth on the validation patients, for networks to be chosen by."""

from __future__ import annotations

import numpy as np

from overread.decision import fit_calibration
from overread.evaluation import compute_metrics
from overread.images import DataSet
from overread.training.train_network import TrainedNetwork


def judge(trained: TrainedNetwork, data_set: DataSet, *, class_weights: bool) -> tuple[float, float | None]:
    """Log loss, after calibration by temperature on the same cases, and AUC of the validation side.

    The AUC is None where all that is judged has one answer there.

    Args:
        trained: the network.
        data_set: cases with their sides.
        class_weights: whether all classes counted alike in its training.
    """
    validation, task = data_set.manifest.select("val"), data_set.manifest.task
    network, labels = trained.build(), data_set.y_true[validation]
    said = [network.predict(chunk, verbose=0)["logits"] for chunk in data_set.chunks(validation)]
    logits = np.concatenate(said)
    shares = task.shares(data_set.y_true[data_set.manifest.select("train")]) if class_weights else None
    y_prob = fit_calibration(labels, logits, task=task, shares=shares).apply(logits, task)
    found = compute_metrics(labels, y_prob, task=task)
    auc = found["auc"]
    return found["loss"].value, None if auc.reason else auc.value
