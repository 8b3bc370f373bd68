"""Folders of small images made in code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_images(folder: Path, classes: dict[str, int], *, size: int = 40, images_per_patient: int = 2) -> Path:
    """Write noise images of each class, brighter for each further class, with the patient in the file name."""
    rng = np.random.default_rng(0)
    for number, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 120, (size, size), dtype=np.uint8) + np.uint8(60 * number)
            patient = f"{name[0]}{i // images_per_patient:03d}"
            Image.fromarray(pixels).save(folder / name / f"{patient}_{i % images_per_patient}.png")
    return folder
