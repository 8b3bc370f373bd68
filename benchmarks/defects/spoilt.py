"""A table of a set that defects are planted into, and what was planted where."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from defects.sets import RealSet
from overread.cases import Manifest
from overread.study.data import read_manifest

HEADER = ("path", "label", "patient_id", "split")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table."""

    path: Path
    label: str
    patient_id: str
    split: str

    @property
    def name(self) -> str:
        """What the audit calls the image."""
        return self.path.as_posix()


class Spoilt:
    """The rows of a set and a folder for files of its own.

    Args:
        real: the set.
        folder: where the table and planted files are written.
    """

    def __init__(self, real: RealSet, folder: Path) -> None:
        cases = real.manifest.cases
        self.folder, self.task = folder, real.manifest.task
        self.random = np.random.default_rng(0)
        self.rows = [Row(case.path, case.label, case.patient_id or "", case.split or "") for case in cases]
        self.scene = {row.name: scene for row, scene in zip(self.rows, real.scene, strict=True)}
        self.columns: dict[str, list[str]] = {}
        self.planted: dict[str, list[frozenset[str]]] = {}
        self._files = 0

    @property
    def spoilt(self) -> set[str]:
        """The names of the images that something was done to."""
        return {name for found in self.planted.values() for names in found for name in names}

    def victims(self, fits: Callable[[Spoilt, int], bool], count: int) -> Iterator[int]:
        """Positions of rows of the training side that nothing has spoilt when they are given, in an order by chance."""
        of_train = [i for i, row in enumerate(self.rows) if row.split == "train"]
        given = 0
        for i in self.random.permutation(of_train).tolist():
            if given < count and self.rows[i].name not in self.spoilt and fits(self, i):
                given += 1
                yield i

    def new_file(self, name: str) -> Path:
        """A path that no file has yet, which ends in a name."""
        self._files += 1
        path = self.folder / f"{self._files:05d}{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add(self, like: int, path: Path, **changes: str) -> frozenset[str]:
        """A further row for a file that shows what another row's does; the names of both."""
        original = self.rows[like]
        fields = {"split": "test", "patient_id": f"planted {self._files}", **changes}
        self.rows.append(dataclasses.replace(original, path=path, **fields))
        self.scene.setdefault(path.as_posix(), self.scene[original.name])
        return frozenset({original.name, path.as_posix()})

    def replace(self, position: int, path: Path) -> frozenset[str]:
        """Another file in the place of a row's own; its name."""
        original = self.rows[position]
        self.rows[position] = dataclasses.replace(original, path=path)
        self.scene[path.as_posix()] = self.scene[original.name]
        return frozenset({path.as_posix()})

    def images_of(self, patient_id: str) -> list[int]:
        """The positions of a patient's rows."""
        return [i for i, row in enumerate(self.rows) if row.patient_id == patient_id]

    def another(self, label: str) -> str:
        """The first class that is not this one."""
        return next(row.label for row in self.rows if row.label != label)

    def read(self) -> Manifest:
        """Write the table and read it as a user's."""
        table = self.folder / "cases.csv"
        with table.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([*HEADER, *self.columns])
            for i, row in enumerate(self.rows):
                more = (values[i] for values in self.columns.values())
                writer.writerow([row.name, row.label, row.patient_id, row.split, *more])
        return read_manifest(table, task=self.task)


def opened(path: Path) -> Image.Image:
    """A picture in grey or in colour."""
    with Image.open(path) as image:
        return image.convert("L" if image.mode in ("L", "1", "I;16") else "RGB")
