"""Bundles of a few kilobytes, which no network was trained for, and their evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import GRAPH, REFERENCE, WEIGHTS, Bundle, Member, Opening, Reference
from overread.decision import Calibration, Familiarity, OperatingPoint, Referral, Task
from overread.images import Preprocessing

SEALED = ("bundle.json", "evaluations.jsonl", GRAPH, WEIGHTS, REFERENCE)
_POINT = OperatingPoint(threshold=0.4, rule="youden", sensitivity=0.9, specificity=0.8, n_positive=10, n_negative=20)


def opening(result: str) -> Opening:
    return Opening(data="d" * 64, n=12, result=result, study="s")


def small_bundle(**changes: Any) -> Bundle:
    """The description of a bundle of two classes."""
    fields: dict[str, Any] = {
        "task": Task.of(("Normal", "Disease")),
        "preprocessing": Preprocessing(height=48, width=48, channels=1),
        "members": (Member(calibration=Calibration(method="temperature", temperature=1.5e-07, n=30)),),
        "operating_points": {"Disease": _POINT},
        "referral": Referral(
            coverage=0.9, thresholds={"Normal": 0.7, "Disease": 0.6}, counts={"Normal": 20, "Disease": 10}
        ),
        "network": {"name": "compact"},
        "recipe": {"seed": 2},
        # Neighbouring decimals of 17 digits are one number; so are 1e-07 and 1E-07.
        "data": {
            "fingerprint": "0" * 64,
            "study": "s",
            "onnx_keras_difference": 5.6002812548472391e-07,
            "of": 0.1 + 0.2,
        },
        "versions": {"overread": "0"},
    }
    return Bundle(**{**fields, **changes})


def telling(task: Task) -> dict[str, Any]:
    """What makes a small bundle one of a task with questions, of which the first has no operating point."""
    each = tuple(Calibration(method="temperature", temperature=1.5, n=30) for _ in range(task.outputs))
    thresholds, counts = dict.fromkeys(task.answers, 0.7), dict.fromkeys(task.answers, 20)
    return {
        "task": task,
        "members": (Member(calibration=Calibration(method="temperature", each=each, n=30)),),
        "operating_points": dict.fromkeys(task.judged[1:], _POINT),
        "referral": Referral(coverage=0.9, thresholds=thresholds, counts=counts),
    }


def write_small_bundle(
    folder: Path, graph: bytes = b"a graph", reference: bytes = b"a reference", **changes: Any
) -> Bundle:
    """Write a bundle whose files hold these bytes."""
    files = {GRAPH: graph, WEIGHTS: b"weights", REFERENCE: reference}
    sources = folder.with_name(f"{folder.name}-files")
    sources.mkdir()
    for name, content in files.items():
        (sources / name).write_bytes(content)
    return small_bundle(**changes).write(folder, {name: sources / name for name in files})


def small_reference(features: int = 5) -> bytes:
    """What a network of so many features made of images of two classes."""
    rng = np.random.default_rng(1)
    labels, y_prob = rng.integers(0, 2, 30), rng.uniform(size=30)
    return _reference(features, labels, np.column_stack([1 - y_prob, y_prob]))


def small_reference_of(task: Task, labels: Sequence[str], features: int = 5) -> bytes:
    """What a network made of images with these labels."""
    logits = np.random.default_rng(2).normal(size=(len(labels), task.outputs))
    return _reference(features, task.encode(labels), task.probabilities(logits))


def _reference(features: int, labels: np.ndarray, scores: np.ndarray) -> bytes:
    rng = np.random.default_rng(1)
    train, traits = rng.normal(size=(90, features + 67)), rng.normal(size=(30, features + 67)).astype(np.float32)
    return Reference.of(Familiarity.fit(train, traits), traits, labels, scores).to_bytes()
