"""Tables of labels and the images that they name, made in code."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from overread.cases import Manifest, Source


def write_files(folder: Path, names: Iterable[str]) -> Path:
    """Write a tiny image under each name; where one ends in a slash, one in such a folder."""
    content = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(content, "png")
    for name in names:
        path = folder / (f"{name}image1.png" if name.endswith("/") else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.getvalue())
    return folder


def write_table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def labels_of(manifest: Manifest) -> dict[str, str]:
    """The label of each image by its name."""
    return {case.name: case.label for case in manifest.cases}


def read(data: Path, *labels: Path, **known: object) -> Manifest:
    """The cases of a folder, with tables where they are named."""
    return Manifest.read(Source(data=str(data), labels=tuple(map(str, labels)), **known))  # type: ignore[arg-type]
