"""Defects of tables, patients and files planted into real sets of several kinds: what the audit finds of them.

    python benchmarks/audit_facts.py

Needs the real images (OVERREAD_DATA, else ../shared/data beside the checkout). Reduced copies lie in a temporary
folder; of each set half of a class gets one size of its own, a few images get transparent holes among others with an
opaque layer, some rows are doubled with another label or patient, and a few patients get an image of another class.
`audit_defects.py` plants copies, masks and damaged files.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from overread.auditing import Audit, audit_manifest
from overread.cases import Manifest, Source
from overread.study.data import read_manifest

MOST, SIDE, SIZE = 300, 160, (111, 99)
HOLED, OPAQUE, RELABELLED, RENAMED = 10, 30, 8, 4
Row = tuple[str, str, str]


def sets_in(data: Path) -> dict[str, Source]:
    """What is planted into: radiographs, tomograms, cells, fundi, endoscopy, tissue."""
    idrid = Source(data=str(data / "idrid_grades"), label_column="Retinopathy grade", ignore_sides=True)
    nih = data / "nih_multilabel"
    return {
        "chest_xray": Source(data=str(data / "chest_xray")),
        "head_ct": Source(data=str(data / "head_ct")),
        "blood_cells": Source(data=str(data / "blood_cells" / "TEST")),
        "idrid_grades": idrid,
        "larynx": Source(data=str(data / "larynx_vocalfolds")),
        "kather_tiles": Source(data=str(data / "kather_tiles")),
        "nih": Source(data=str(nih), labels=(str(nih / "Data_Entry_2017.csv"),), finding="Effusion"),
    }


class Planted:
    """A reduced copy of a set, without and with defects, and which images have which."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self.folder, self.random = folder, np.random.default_rng(0)
        chosen = np.sort(self.random.permutation(len(manifest))[:MOST])
        self.images = [Image.open(manifest.cases[i].path).convert("RGB") for i in chosen]
        for image in self.images:
            image.thumbnail((SIDE, SIDE))
        self.labels = [manifest.cases[i].label for i in chosen]
        self.where: dict[str, set[str]] = {}

    def clean(self) -> Path:
        """The table of the copy as it is: patients of two images of one class each."""
        return self._write("clean", self.images, self._rows())

    def spoilt(self) -> Path:
        """The table of the copy with every kind of defect."""
        rows, images, names = self._rows(), list(self.images), [f"{i:04d}.png" for i in range(len(self.images))]
        of_first = [i for i, label in enumerate(self.labels) if label == self.labels[0]]
        sized = of_first[: len(of_first) // 2]
        for i in sized:
            images[i] = images[i].resize(SIZE)
        self.where["one size in half of a class"] = {names[i] for i in sized}
        free = iter(self.random.permutation([i for i in range(len(images)) if i not in sized]).tolist())
        holed = self._layered(images, free, HOLED, is_holed=True)
        self._layered(images, free, OPAQUE, is_holed=False)
        self.where["transparent holes"] = {names[i] for i in holed}
        doubled = [rows[i] for i in _take(free, RELABELLED + RENAMED)]
        self.where["rows with two labels"] = {name for name, *_ in doubled[:RELABELLED]}
        self.where["rows with two patients"] = {name for name, *_ in doubled[RELABELLED:]}
        more = [(name, self._other(label), patient) for name, label, patient in doubled[:RELABELLED]]
        more += [(name, label, f"{patient} again") for name, label, patient in doubled[RELABELLED:]]
        images_of = Counter(patient for _, _, patient in rows)
        mixed = _take((i for i in free if images_of[rows[i][2]] > 1), max(1, len(rows) // 100))
        for i in mixed:
            name, label, patient = rows[i]
            rows[i] = (name, self._other(label), patient)
        self.where["patients with two labels"] = {names[i] for i in mixed}
        return self._write("spoilt", images, [*rows, *more])

    def _rows(self) -> list[Row]:
        seen: dict[str, int] = {}
        rows = []
        for i, label in enumerate(self.labels):
            seen[label] = seen.get(label, -1) + 1
            rows.append((f"{i:04d}.png", label, f"{label} {seen[label] // 2}"))
        return rows

    def _other(self, label: str) -> str:
        return next(other for other in self.labels if other != label)

    def _layered(self, images: list[Image.Image], free: Iterator[int], count: int, *, is_holed: bool) -> list[int]:
        chosen = _take(free, count)
        for i in chosen:
            layer = Image.new("L", images[i].size, 255)
            if is_holed:
                ImageDraw.Draw(layer).ellipse((10, 10, 40, 40), fill=0)
            images[i] = images[i].copy()
            images[i].putalpha(layer)
        return chosen

    def _write(self, name: str, images: Sequence[Image.Image], rows: Sequence[Row]) -> Path:
        folder = self.folder / name
        folder.mkdir()
        for i, image in enumerate(images):
            image.save(folder / f"{i:04d}.png")
        with (folder / "cases.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("path", "label", "patient_id"), *rows])
        return folder / "cases.csv"


def _take(free: Iterator[int], count: int) -> list[int]:
    return [i for i, _ in zip(free, range(count), strict=False)]


def flagged(result: Audit, manifest: Manifest, kind: str) -> set[str]:
    """The images that the finding of a kind names."""
    code = {
        "transparent holes": "transparency",
        "rows with two labels": "rows-contradict",
        "rows with two patients": "rows-contradict",
        "patients with two labels": "patient-with-several-labels",
    }.get(kind)
    if code is None:
        said = " ".join(found.sentence for found in result.findings if found.code.startswith("shortcut"))
        named = any(text in said for text in (f"{SIZE[0]} x {SIZE[1]} pixels", f"{SIZE[0]} pixels wide"))
        return {case.name for case in manifest.cases if Image.open(case.path).size == SIZE} if named else set()
    wanted = {"rows with two labels": "label", "rows with two patients": "patient"}.get(kind)
    groups = [group for found in result.findings if found.code == code for group in found.groups]
    cases = manifest.cases
    return {cases[i].name for group in groups for i in group if not wanted or len(cases[i].rows[wanted]) > 1}


def score(name: str, planted: Planted, results: Sequence[tuple[Audit, Manifest]]) -> Iterator[tuple[str, ...]]:
    """Of each kind: recall, precision, and what the clean copy is said to have of it."""
    (clean, clean_manifest), (spoilt, spoilt_manifest) = results
    patient_of = {case.name: case.patient_id for case in spoilt_manifest.cases}
    for kind, images in planted.where.items():
        found, right = flagged(spoilt, spoilt_manifest, kind), images
        if kind.startswith("patients"):  # both images of a patient are named
            found, right = ({patient_of[image] or "" for image in given} for given in (found, images))
        recall = f"{len(found & right) / len(right):.3f}" if right else "-"
        precision = f"{len(found & right) / len(found):.3f}" if found else "-"
        yield name, kind, recall, precision, str(len(flagged(clean, clean_manifest, kind)))


def main() -> None:
    """Plant, audit, print."""
    data = Path(os.environ.get("OVERREAD_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not data.is_dir():
        sys.exit("no real images here: set OVERREAD_DATA to the folder that holds chest_xray/")
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(["set", "planted", "recall", "precision", "named in the clean copy"])
    for name, source in sets_in(data).items():
        with tempfile.TemporaryDirectory() as folder:
            planted = Planted(read_manifest(source), Path(folder))
            results = []
            for table in (planted.clean(), planted.spoilt()):
                manifest = read_manifest(table)
                results.append((audit_manifest(manifest, folder=Path(folder) / "store")[0], manifest))
            writer.writerows(score(name, planted, results))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
