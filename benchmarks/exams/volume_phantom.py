"""A phantom of volumes: exams of slices of a changing anatomy, of which half bear a lesion in a few slices.

    PYTHONPATH=benchmarks python benchmarks/exams/volume_phantom.py FOLDER [--exams 300] [--size 160]

Writes the slices, trains by each pooling, and prints the AUC on test exams and how often a slice with the lesion is
among the first three of a positive one.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import csv
import dataclasses
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from overread import Reader, Recipe, train


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phantom:
    """How the volumes are made.

    Args:
        slices: of an exam.
        side: of a slice in pixels.
        bearing: slices that show the lesion, one after the other, anywhere but in the first and last three.
        radius: of the lesion as a share of the side, in its middle slice.
        contrast: of the lesion, where that of an organ is about 0.2 and the noise of a pixel 0.04.
        checkered: a lesion of fine stripes, as bright as what is around it, in place of a bright one.
    """

    slices: int = 40
    side: int = 160
    bearing: int = 3
    radius: float = 0.06
    contrast: float = 0.5
    checkered: bool = False

    def volume(self, number: int) -> tuple[np.ndarray, list[int]]:
        """`(slices, side, side)` uint8 of one exam, and the slices with a lesion; every second exam has one."""
        rng = np.random.default_rng([19, number])
        z = np.linspace(-1, 1, self.slices)[:, None, None]
        y, x = np.mgrid[-1 : 1 : self.side * 1j, -1 : 1 : self.side * 1j]
        taper = np.sqrt(np.clip(1 - (0.8 * z) ** 2, 0.1, 1))
        height, width = rng.uniform(0.55, 0.85) * taper, rng.uniform(0.55, 0.85) * taper
        tilt, dy, dx = rng.uniform(-0.6, 0.6), *rng.uniform(-0.12, 0.12, 2)
        u, v = (y - dy) * np.cos(tilt) + (x - dx) * np.sin(tilt), (x - dx) * np.cos(tilt) - (y - dy) * np.sin(tilt)
        edge = (u / height) ** 2 + (v / width) ** 2
        image = rng.uniform(0.25, 0.4) * (edge < 1) + rng.uniform(0.15, 0.4) * ((edge < 1) & (edge > 0.86))
        for _ in range(rng.integers(4, 8)):  # organs
            cz, cy, cx = rng.uniform(-0.8, 0.8), *rng.uniform(-0.45, 0.45, 2)
            rz, ry, rx = rng.uniform(0.3, 0.9), *rng.uniform(0.12, 0.32, 2)
            inside = ((z - cz) / rz) ** 2 + ((u - cy) / ry) ** 2 + ((v - cx) / rx) ** 2
            image += rng.uniform(-0.2, 0.25) / (1 + np.exp(np.clip(12 * (inside - 1), -50, 50))) * (edge < 0.86)
        for _ in range(rng.integers(5, 10)):  # vessels, bright and thin, through many slices
            py, px, sy, sx = *rng.uniform(-0.5, 0.5, 2), *rng.uniform(-0.3, 0.3, 2)
            far = (u - py - sy * z) ** 2 + (v - px - sx * z) ** 2
            image += rng.uniform(0.2, 0.4) * np.exp(-far / rng.uniform(0.015, 0.03) ** 2) * (edge < 0.86)
        texture = zoom(
            gaussian_filter(rng.standard_normal((self.slices, self.side // 4, self.side // 4)), (1, 1.2, 1.2)),
            (1, 4, 4),
            order=1,
        )
        image += 0.05 * texture / texture.std() * (edge < 0.86)
        bears = []
        if number % 2:
            first = int(rng.integers(3, self.slices - 3 - self.bearing + 1))
            bears = list(range(first, first + self.bearing))
            angle, out = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
            for index in bears:
                depth = (index - bears[0] + 0.5) / self.bearing * 2 - 1
                ly, lx = out * np.sin(angle) * height[index, 0, 0], out * np.cos(angle) * width[index, 0, 0]
                size = 2 * self.radius * np.sqrt(1 - 0.7 * depth**2)
                shape = 1 / (1 + np.exp(np.clip(((u - ly) ** 2 + (v - lx) ** 2) / size**2 * 8 - 8, -50, 50)))
                what = (
                    self.contrast * np.sign(np.sin(1.5 * np.arange(self.side)))[None, :]
                    if self.checkered
                    else self.contrast
                )
                image[index] += what * shape.reshape(self.side, self.side)
        noisy = np.hypot(
            rng.uniform(0.8, 1.15) * image + rng.uniform(-0.03, 0.05) + 0.04 * rng.standard_normal(image.shape),
            0.04 * rng.standard_normal(image.shape),
        )
        return (np.clip(noisy, 0, 1) * 255).astype(np.uint8), bears

    def write(self, folder: Path, exams: int) -> Path:
        """Write the slices as PNG and a table of them; `bears` names those with a lesion."""
        folder.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            rows = [
                row for some in pool.map(self._write_one, [folder] * exams, range(exams), chunksize=8) for row in some
            ]
        table = folder / "exams.csv"
        with table.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", "label", "patient_id", "exam_id"])
            writer.writerows(row[:4] for row in rows)
        with (folder / "bears.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([row[0], row[4]] for row in rows)
        return table

    def _write_one(self, folder: Path, number: int) -> list[tuple[str, ...]]:
        volume, bears = self.volume(number)
        name = f"exam{number:04d}"
        (folder / name).mkdir(exist_ok=True)
        rows = []
        for index, pixels in enumerate(volume):
            path = f"{name}/slice{index:03d}.png"
            Image.fromarray(pixels).save(folder / path, compress_level=1)
            rows.append((path, "lesion" if bears else "none", f"P{number:04d}", name, str(int(index in bears))))
        return rows


def judge(folder: Path, pooling: str, size: int | None, epochs: int | None) -> str:
    """Train on the phantom in a folder and say what the test side shows."""
    started = time.perf_counter()
    recipe = Recipe(pooling=pooling, size=size, epochs=epochs, validation=0.15, test=0.3)
    accept = ("near-duplicate-across-classes", "duplicate-across-classes")
    study = train(
        folder / "exams.csv", folder / f"run-{pooling}", recipe, accept=accept, existing="replace", store=folder / "s"
    )
    seconds, reader = time.perf_counter() - started, Reader.load(study.out)
    with (folder / "bears.csv").open(newline="") as stream:
        bears = {path for path, is_bearing in csv.reader(stream) if is_bearing == "1"}
    found = []
    for case in (study.split.manifest.cases[i] for i in study.split.manifest.select("test")):
        if case.label == "lesion":
            frames = reader.read_exam([instance.path for instance in case.instances]).frames
            first = [frame.origin.path for frame in frames if frame.rank <= 3]
            found.append(any(f"{path.parent.name}/{path.name}" in bears for path in first))
    chosen = study.bundle.members[0].attention is not None
    return (
        f"{pooling} ({'attention' if chosen else 'mean'}): AUC {study.assessment['auc']} of {study.evaluation.n}; "
        f"the slice among the first three of {np.mean(found):.1%} of {len(found)}, {seconds:.0f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exams", type=int, default=300)
    parser.add_argument("--size", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--checkered", action="store_true")
    parser.add_argument("--contrast", type=float, default=0.5)
    parser.add_argument("--radius", type=float, default=0.06)
    given = parser.parse_args()
    phantom = Phantom(checkered=given.checkered, contrast=given.contrast, radius=given.radius)
    if not (given.folder / "exams.csv").exists():
        phantom.write(given.folder, given.exams)
    for pooling in ("mean", "attention", "auto"):
        print(judge(given.folder, pooling, given.size, given.epochs), flush=True)
