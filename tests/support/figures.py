"""What tests of figures draw and look for."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

AWKWARD = (
    "normal",
    "a rather long class name such as squamous cell carcinoma of the larynx",
    "$x^{a$",
    "_under",
    'Polyp & nodule, "<b>"',
)
BINARY = ("normal", "ill")


@contextlib.contextmanager
def figures_left_blank() -> Iterator[None]:
    """Leave out the rendering of figures, which takes a second of a training."""

    def blank(figure: Any, file: IO[bytes], **options: Any) -> None:
        Image.new("L", (4, 4)).save(file, "png")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", blank)
        yield


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
