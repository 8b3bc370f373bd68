"""Folders of small images made in code."""

from __future__ import annotations

import io
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


def png() -> bytes:
    """The content of a small PNG."""
    stream = io.BytesIO()
    Image.new("L", (8, 8), 7).save(stream, "PNG")
    return stream.getvalue()


def write_tree(root: Path, files: dict[str, bytes | str]) -> Path:
    """Write files by their paths below a folder, with the folders that they need."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def fill_folders(root: Path, *folders: str, number: int = 4) -> Path:
    """Write a few PNGs into each folder, numbered on from folder to folder."""
    for at, folder in enumerate(folders):
        write_tree(root, {f"{folder}/{at * number + i:04d}.png": png() for i in range(number)})
    return root
