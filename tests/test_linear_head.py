"""A linear head on frozen features: the network says what the regression says, and is held to unseen patients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from overread.decision import Task
from overread.errors import InvalidOption
from overread.networks.build import NetworkSpec, build_network
from overread.training.fit import TrainingData
from overread.training.linear_head import fit_linear_head
from support import own_networks


def data_of(classes: int, *, shares: tuple[float, ...] | None = None, count: int = 160) -> TrainingData:
    """Noise that is a little brighter for each further class, three quarters of it for training."""
    rng = np.random.default_rng(0)
    labels = rng.choice(classes, count, p=shares)
    pixels = rng.integers(0, 200, (count, 32, 32, 1)) + 20 * labels[:, None, None, None]
    return TrainingData(
        pixels=pixels.astype(np.uint8),
        y_true=labels,
        train=range(count * 3 // 4),
        validation=range(count * 3 // 4, count),
        task=Task.of([f"class {number}" for number in range(classes)]),
    )


def network_of(build: object, task: Task) -> keras.Model:
    name = f"own:{build.__name__}"  # type: ignore[attr-defined]
    return build_network(
        NetworkSpec(name=name, height=32, width=32, channels=1, outputs=task.outputs, builder=build), seed=1
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_the_network_says_what_a_penalised_regression_on_its_features_says(classes: int) -> None:
    data = data_of(classes, shares=(0.7, 0.3) if classes == 2 else None)
    network = network_of(own_networks.maps, data.task)

    found = fit_linear_head(network, data, seed=0)

    said = network.predict(data.pixels, verbose=0)
    train = np.asarray(data.train)
    features, labels = said["features"][train].astype(np.float64), data.y_true[train]
    deviation = features.std(axis=0)
    standardised = (features - features.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    weights = data.task.loss_weights(labels)
    peer = LogisticRegression(C=1 / (found.strength * len(train)), tol=1e-10, max_iter=10_000)
    peer.fit(standardised, labels, sample_weight=weights)
    np.testing.assert_allclose(
        data.task.probabilities(said["logits"][train]), peer.predict_proba(standardised), atol=2e-3
    )
    held_out = np.asarray(data.validation)
    losses = data.task.log_losses(data.y_true[held_out], data.task.probabilities(said["logits"][held_out]))
    assert found.loss == pytest.approx(
        np.average(losses, weights=data.task.loss_weights(data.y_true[held_out])), rel=1e-4
    )
    assert found.loss < np.log(classes)


def test_noise_gets_the_strongest_penalty_where_a_patient_has_many_like_images() -> None:
    rng = np.random.default_rng(1)
    patients, per_patient = 24, 6
    pixels = np.repeat(rng.integers(0, 255, (patients, 32, 32, 1)), per_patient, axis=0).astype(np.uint8)
    rows = range(len(pixels))
    alone = TrainingData(
        pixels=pixels,
        y_true=np.repeat(rng.permutation(np.arange(patients) % 2), per_patient),
        train=rows,
        validation=rows,
        task=Task.of(["no", "yes"]),
    )
    grouped = TrainingData(**{**vars(alone), "groups": [f"patient {row // per_patient}" for row in rows]})

    strengths = [
        fit_linear_head(network_of(own_networks.maps, data.task), data, seed=0).strength for data in (alone, grouped)
    ]

    assert strengths[0] < strengths[1]


def test_a_network_with_an_end_of_its_own_has_no_linear_head() -> None:
    data = data_of(2)

    with pytest.raises(InvalidOption, match="has an end of its own"):
        fit_linear_head(network_of(own_networks.pooled, data.task), data, seed=0)
