"""The folders that the pages of the documentation presume, with small images made in code."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np

from overread.demo.phantom import write_phantoms
from support.dicom_files import dataset, file_bytes
from support.image_files import write_images


def write_desk(folder: Path) -> Path:
    """Write all of them, and give their folder.

    `demo/images/` is what `overread demo` makes; `larynx/` has two classes in folders; `frames/` has the same images
    beside `labels.csv` and `findings.csv`; `chest/` names its sides, across which a copy lies; `ct/` is DICOM; `new/`
    holds new images.
    """
    write_phantoms(folder / "demo" / "images", patients=24, size=64)
    write_images(folder / "larynx", {"Normal": 40, "Papilloma": 40})
    _write_table(folder / "larynx", folder / "frames", folder / "labels.csv")
    _write_sides(folder / "chest", {"NORMAL": 100, "PNEUMONIA": 100})
    _write_dicom(folder / "ct", {"clear": 24, "bleed": 24})
    write_images(folder / "new", {"arrived": 4})
    return folder


def _write_table(classes: Path, frames: Path, table: Path) -> None:
    """The images of class folders in one folder, and a table that says what they show."""
    frames.mkdir()
    rows, findings = [], []
    for number, image in enumerate(sorted(classes.glob("*/*.png"), key=lambda image: image.name[1:])):
        shutil.copy(image, frames / f"frame_{number:04d}.png")
        rows.append((f"frame_{number:04d}", image.parent.name, f"L{image.stem[:4]}", ("f", "m")[number % 3 == 0]))
        findings.append(
            (f"frame_{number:04d}.png", ("Mass", "Effusion|Mass", "Effusion")[number % 3], f"L{image.stem[:4]}")
        )
    _write_csv(table, [("image_id", "dx", "lesion_id", "sex"), *rows])
    _write_csv(table.with_name("findings.csv"), [("image", "findings", "patient"), *findings])


def _write_csv(table: Path, rows: list[tuple[str, ...]]) -> None:
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _write_sides(folder: Path, classes: dict[str, int]) -> None:
    """Class folders below train and test, with one picture in both."""
    for image in sorted(write_images(folder / "all", classes).glob("*/*.png")):
        side = "test" if image.stem[1:] >= "030" else "train"
        kept = folder / side / image.parent.name / image.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        image.rename(kept)
    shutil.rmtree(folder / "all")
    shutil.copy(folder / "train" / "NORMAL" / "N000_0.png", folder / "test" / "NORMAL" / "copy.png")


def _write_dicom(folder: Path, classes: dict[str, int]) -> None:
    rng = np.random.default_rng(0)
    for number, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            stored = rng.integers(0, 1500, (64, 64), dtype=np.uint16) + np.uint16(900 * number)
            instance = f"1.2.3.{number}.{i}"
            ds = dataset(stored, PatientID=f"{name}{i // 2}", SOPInstanceUID=instance, Modality="CT")
            (folder / name / f"{i:03d}.dcm").write_bytes(file_bytes(ds))
