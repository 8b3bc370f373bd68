"""What tests of figures draw and look for."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np

AWKWARD = (
    "normal",
    "a rather long class name such as squamous cell carcinoma of the larynx",
    "$x^{a$",
    "_under",
    'Polyp & nodule, "<b>"',
)
BINARY = ("normal", "ill")


def rows_of(png: Path) -> list[dict[str, str]]:
    with png.with_suffix(".csv").open(newline="") as file:
        return list(csv.DictReader(file))


def drawn(png: Path) -> np.ndarray:
    return np.rint(matplotlib.image.imread(png)[..., :3] * 255).astype(int)


def count_of_colour(png: Path, colour: str) -> int:
    wanted = np.rint(255 * np.array(matplotlib.colors.to_rgb(colour)))
    return int((np.abs(drawn(png) - wanted).max(axis=2) <= 2).sum())


def predictions(n_classes: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    y_true = np.arange(n) % n_classes
    weight = np.exp(random.normal(0, 1, (n, n_classes)) + np.eye(n_classes)[y_true])
    return y_true, weight / weight.sum(axis=1, keepdims=True)
