"""The folders that the pages of the documentation presume, with small images made in code."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np

from overread.demo.phantom import write_phantoms
from support.dicom_files import dataset, file_bytes
from support.exams import frames_of, write_exams, write_pngs, write_series, write_table, write_volume
from support.image_files import write_images


def write_desk(folder: Path) -> Path:
    """Write all of them, and give their folder.

    `demo/images/` is what `overread demo` makes; `larynx/` has two classes in folders; `frames/` has the same images
    beside `labels.csv`, `findings.csv`, `states.csv` and `grades.csv`; `chest/` names its sides, across which a copy
    lies; `ct/` is DICOM; `new/` holds new images. Exams are `wrists/` with `wrists.csv`,
    `wrists_in_folders/`, `volumes/`, `ct_series/` and `new_exams/`.
    """
    write_phantoms(folder / "demo" / "images", patients=24, size=64)
    write_images(folder / "larynx", {"Normal": 40, "Papilloma": 40})
    _write_table(folder / "larynx", folder / "frames", folder / "labels.csv")
    _write_sides(folder / "chest", {"NORMAL": 100, "PNEUMONIA": 100})
    _write_dicom(folder / "ct", {"clear": 24, "bleed": 24})
    write_images(folder / "new", {"arrived": 4})
    _write_exams(folder)
    return folder


def _write_exams(folder: Path) -> None:
    """Exams of four frames, in each of the ways in which they may be named."""
    table = write_table(folder / "wrists", ill=24, well=24)
    header, *rows = table.read_text().splitlines()
    (folder / "wrists.csv").write_text("\n".join([header, *(f"wrists/{row}" for row in rows)]) + "\n")
    table.unlink()
    write_exams(folder / "wrists_in_folders", ill=24, well=24)
    write_exams(folder / "volumes", ill=12, well=12, write=write_volume)
    write_exams(folder / "ct_series", ill=12, well=12, write=write_series)
    for number in (201, 202):
        write_pngs(folder / "new_exams" / f"e{number}", frames_of(number, ill=number == 201))


def _write_table(classes: Path, frames: Path, table: Path) -> None:
    """The images of class folders in one folder, and tables that say what they show."""
    frames.mkdir()
    rows, findings, states, grades = [], [], [], []
    for number, image in enumerate(sorted(classes.glob("*/*.png"), key=lambda image: image.name[1:])):
        name, patient = f"frame_{number:04d}", f"L{image.stem[:4]}"
        is_ill, is_odd = image.parent.name == "Papilloma", int(image.stem[1:4]) % 2
        shutil.copy(image, frames / f"{name}.png")
        rows.append((name, image.parent.name, patient, ("f", "m")[number % 3 == 0]))
        findings.append((f"{name}.png", ("Mass", "Effusion|Mass", "Effusion")[number % 3], patient))
        state, opposite = ("0.0", "1.0")[is_ill], ("1.0", "")[is_ill]
        states.append((f"{name}.png", state, opposite, ("", "1.0", "-1.0", "0.0")[number % 4], patient))
        oedema = str(is_ill * (1 + is_odd)) if number % 9 else ""
        grades.append((name, str(2 * is_ill + is_odd), oedema, patient))
    _write_csv(table, [("image_id", "dx", "lesion_id", "sex"), *rows])
    _write_csv(table.with_name("states.csv"), [("image", "Mass", "Effusion", "Edema", "patient"), *states])
    eyes = ("Image name", "Retinopathy grade", "Risk of macular edema", "patient")
    _write_csv(table.with_name("grades.csv"), [eyes, *grades])
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
