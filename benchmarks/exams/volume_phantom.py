"""A phantom of volumes: exams of slices with nodules, of which half have one of clear rings, in 3 of 40 slices.

    PYTHONPATH=benchmarks python benchmarks/exams/volume_phantom.py FOLDER [--exams 300] [--size 128]

Nodules of faint rings, as large and as bright as the lesion, lie in every exam, 3 to 14 of them and more or less faint
from exam to exam: many faint rings and one clear one are the same in the mean, while a slice tells them apart. Writes
the slices, `exams.csv` and `bears.csv`, which names those with a lesion, and proves the pooling.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import csv
import dataclasses
from pathlib import Path

import numpy as np
from exams.prove_pooling import Marked, prove
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from overread import Recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phantom:
    """How the volumes are made.

    Args:
        slices: of an exam.
        side: of a slice in pixels.
        bearing: slices that show a nodule, one after the other, anywhere but in the first and last three.
        radius: of a nodule, where half the side is 1.
        contrast: of a nodule in the mean, where that of an organ is up to 0.25 and the noise of a pixel 0.04.
        rings: how much of its brightness comes and goes from its middle to its edge, in the lesion.
        faint: the same in other nodules, at most; an exam has its own.
    """

    slices: int = 40
    side: int = 128
    bearing: int = 3
    radius: float = 0.2
    contrast: float = 0.22
    rings: float = 0.9
    faint: float = 0.5

    def volume(self, number: int) -> tuple[np.ndarray, list[int]]:
        """`(slices, side, side)` uint8 of one exam, and the slices with a lesion; every second exam has one."""
        rng = np.random.default_rng([19, number])
        z = np.linspace(-1, 1, self.slices)[:, None, None]
        y, x = np.mgrid[-1 : 1 : self.side * 1j, -1 : 1 : self.side * 1j]
        taper = np.sqrt(np.clip(1 - (0.8 * z) ** 2, 0.1, 1))
        height, width = rng.uniform(0.6, 0.85) * taper, rng.uniform(0.6, 0.85) * taper
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
            bright, wide = rng.uniform(0.2, 0.4), rng.uniform(0.015, 0.03)
            far = (u - py - sy * z) ** 2 + (v - px - sx * z) ** 2
            near = far < 9 * wide**2
            image[near] += bright * np.exp(-far[near] / wide**2) * (edge[near] < 0.86)
        texture = zoom(
            gaussian_filter(rng.standard_normal((self.slices, self.side // 4, self.side // 4)), (1, 1.2, 1.2)),
            (1, 4, 4),
            order=1,
        )
        image += 0.05 * texture / texture.std() * (edge < 0.86)
        bears: list[int] = []
        faint = rng.uniform(0, self.faint)
        for nodule in range(rng.integers(3, 15)):
            first = int(rng.integers(3, self.slices - 3 - self.bearing + 1))
            angle, out = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
            is_lesion = nodule == 0 and number % 2 == 1
            rings = self.rings if is_lesion else faint * rng.uniform(0.5, 1)
            for index in range(first, first + self.bearing):
                ly, lx = out * np.sin(angle) * height[index, 0, 0], out * np.cos(angle) * width[index, 0, 0]
                image[index] += self._nodule(np.hypot(u - ly, v - lx), rings)
                bears += [index] if is_lesion else []
        noisy = np.hypot(
            rng.uniform(0.8, 1.15) * image + rng.uniform(-0.03, 0.05) + 0.04 * rng.standard_normal(image.shape),
            0.04 * rng.standard_normal(image.shape),
        )
        return (np.clip(noisy, 0, 1) * 255).astype(np.uint8), bears

    def _nodule(self, far: np.ndarray, rings: float) -> np.ndarray:
        """What a nodule adds at a distance from its middle; rings change nothing of its sum."""
        solid = 1 / (1 + np.exp(np.clip(25 * (far / self.radius - 1), -50, 50)))
        ringed = solid * (1 + rings * np.cos(2 * np.pi * far / (self.radius / 2.5)))
        return np.asarray(self.contrast * ringed * solid.sum() / ringed.sum())

    def write(self, folder: Path, exams: int) -> Path:
        """Write the slices as PNG and a table of them; `bears.csv` names those with a lesion."""
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
            csv.writer(stream).writerows([row[0]] for row in rows if row[4])
        return table

    def _write_one(self, folder: Path, number: int) -> list[tuple[str, str, str, str, bool]]:
        volume, bears = self.volume(number)
        name = f"exam{number:04d}"
        (folder / name).mkdir(exist_ok=True)
        rows = []
        for index, pixels in enumerate(volume):
            path = f"{name}/slice{index:03d}.png"
            Image.fromarray(pixels).save(folder / path, compress_level=1)
            rows.append((path, "lesion" if bears else "none", f"P{number:04d}", name, index in bears))
        return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exams", type=int, default=300)
    parser.add_argument("--size", type=int, default=128)
    given = parser.parse_args()
    if not (given.folder / "exams.csv").exists():
        Phantom().write(given.folder, given.exams)
    with (given.folder / "bears.csv").open(newline="") as stream:
        bearing = {given.folder.resolve() / path for (path,) in csv.reader(stream)}

    marked = Marked(table=given.folder / "exams.csv", share=lambda origin: float(origin.path.resolve() in bearing))
    recipe = Recipe(network="efficientnet-lite0", size=given.size, validation=0.15, test=0.3)
    print(prove(marked, given.folder / "runs", recipe), flush=True)
