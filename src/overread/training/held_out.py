"""What a trained network is worth on the validation patients, for networks to be chosen by."""

from __future__ import annotations

import numpy as np

from overread.decision import fit_calibration
from overread.evaluation import compute_metrics
from overread.images import DataSet
from overread.training.train_network import TrainedNetwork


def judge(trained: TrainedNetwork, data_set: DataSet) -> tuple[float, float]:
    """Log loss, after calibration by temperature on the same cases, and AUC of the validation side."""
    validation, task = data_set.manifest.select("val"), data_set.manifest.task
    network, labels = trained.build(), data_set.y_true[validation]
    said = [network.predict(chunk, verbose=0)["logits"] for chunk in data_set.chunks(validation)]
    logits = np.concatenate(said)
    y_prob = fit_calibration(labels, logits, task=task).apply(logits, task)
    found = compute_metrics(labels, y_prob, task=task)
    return found["loss"].value, found["auc"].value
