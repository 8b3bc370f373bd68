"""Small pictures with a weak signal, and tables, as layouts are made of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 24
_SPOT = np.exp(-(((np.mgrid[:SIDE, :SIDE] - SIDE / 2) / 4) ** 2).sum(axis=0))
_SPOT -= _SPOT.mean()  # so that brightness alone tells nothing


class Pictures:
    """Draws pictures into a folder, no two alike: noise, and a spot in it that is brighter for a higher class."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drawn = 0

    def pixels(self, shows: int = 0) -> np.ndarray:
        """The next picture, `(24, 24)` uint8."""
        self.drawn += 1
        noise = np.random.default_rng(self.drawn).normal(100, 30, (SIDE, SIDE))
        return np.clip(noise + 45 * shows * _SPOT, 0, 255).astype(np.uint8)

    def draw(self, name: str, shows: int = 0, *, kind: str = "PNG") -> Path:
        """Write the next picture under a name that may have any suffix or none; `kind` is Pillow's name of a format."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        Image.fromarray(self.pixels(shows)).save(content, kind)
        path.write_bytes(content.getvalue())
        return path

    def draw_all(self, count: int, shows: int, pattern: str, *, first: int = 0) -> list[str]:
        """Write pictures under names that a pattern makes of numbers, and give the names."""
        names = [pattern.format(number) for number in range(first, first + count)]
        for name in names:
            self.draw(name, shows)
        return names

    def class_folders(self, classes: dict[str, int], above: str = "", pattern: str = "{:03d}.png") -> None:
        """Write a folder for each class."""
        for shows, (name, count) in enumerate(classes.items()):
            self.draw_all(count, shows, f"{above}{name}/{pattern}")

    def write(self, name: str, content: str | bytes = "") -> Path:
        """Write any other file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def table(
        self,
        name: str,
        rows: Iterable[Sequence[object]],
        *,
        delimiter: str = ",",
        encoding: str = "utf-8",
        newline: str = "\n",
        above: str = "",
    ) -> Path:
        """Write a table of labels; `above` stands before its first row."""
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=delimiter, lineterminator=newline).writerows(rows)
        return self.write(name, (above + stream.getvalue()).encode(encoding))
