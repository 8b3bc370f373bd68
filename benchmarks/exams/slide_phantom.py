"""A phantom of slides: tissue with nuclei, of which half of the slides hold a small lesion of larger nuclei.

    PYTHONPATH=benchmarks:tests python benchmarks/exams/slide_phantom.py FOLDER [--exams 160] [--size 64]

The lesion covers about 1 % of the tiles that hold tissue. Clusters of small nuclei, as dense as those of the lesion,
lie in every slide, so that darkness tells nothing. Writes the slides, `slides.csv` and `lesions.csv`, which has the
centre and radius of each, and proves the pooling.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from exams.prove_pooling import Marked, prove
from scipy.ndimage import gaussian_filter, zoom

from overread import Recipe
from overread.formats import Origin
from support.slide_files import SlideOptions, write_picture

GLASS = np.array((244, 243, 245), np.float32)
# Optical density of each channel.
EOSIN, HAEMATOXYLIN = np.array((0.06, 0.28, 0.12), np.float32), np.array((0.50, 0.60, 0.25), np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlidePhantom:
    """How the slides are made.

    Args:
        side: of a slide in pixels of 1 µm.
        lesion: its share of the tissue.
        small, large: radius of a nucleus in pixels, elsewhere and in the lesion.
        dense: nuclei of the lesion a pixel, so that they cover as much of it as the small ones of a cluster.
    """

    side: int = 1920
    lesion: float = 0.01
    small: float = 2.2
    large: float = 5.0
    dense: float = 0.006

    def slide(self, number: int) -> tuple[np.ndarray, tuple[int, int, int] | None]:
        """`(side, side, 3)` uint8, and centre and radius of its lesion; every second slide has one."""
        rng = np.random.default_rng([20, number])
        tissue = self._tissue(rng)
        stroma = self._field(rng, 24)
        density = 0.004 + 0.004 * self._field(rng, 12) ** 2
        for _ in range(int(rng.integers(8, 16))):
            x, y, radius = (*rng.integers(0, self.side, 2).tolist(), int(rng.integers(25, 80)))
            _paint(density, (x, y, radius), 0.03)
        lesion, larger = None, np.zeros_like(density)
        if number % 2:
            rows, columns = np.nonzero(gaussian_filter(tissue[::8, ::8].astype(np.float32), 10) > 0.97)
            at, radius = int(rng.integers(len(rows))), int(np.sqrt(self.lesion * tissue.sum() / np.pi))
            lesion = int(columns[at]) * 8, int(rows[at]) * 8, radius
            for field, inside in ((density, 0), (larger, self.dense)):
                _paint(field, lesion, inside)
        nuclei = self._nuclei(rng, density, self.small)
        if lesion:
            nuclei = np.maximum(nuclei, self._nuclei(rng, larger, self.large))
        eosin = 0.7 + 0.5 * stroma + 0.1 * rng.standard_normal(stroma.shape, dtype=np.float32)
        eosin *= (1 - nuclei) * float(rng.uniform(0.8, 1.2))
        nuclei *= float(rng.uniform(0.8, 1.2))
        edge = gaussian_filter(tissue.astype(np.float32), 1)
        pixels = np.empty((self.side, self.side, 3), np.float32)
        for channel in range(3):
            absorbed = (eosin * EOSIN[channel] + nuclei * HAEMATOXYLIN[channel]) * edge
            pixels[..., channel] = GLASS[channel] * np.exp(-np.log(np.float32(10)) * absorbed)
        pixels += 2 * rng.standard_normal(pixels.shape, dtype=np.float32)
        return np.clip(pixels, 0, 255).astype(np.uint8), lesion

    def write(self, folder: Path, slides: int) -> Path:
        """Write the slides, a table of them, and where their lesions are."""
        folder.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            lesions = list(pool.map(self._write_one, [folder] * slides, range(slides), chunksize=4))
        with (folder / "slides.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", "label", "patient_id"])
            writer.writerows(
                [_name(k), "lesion" if lesion else "none", f"P{k:04d}"] for k, lesion in enumerate(lesions)
            )
        with (folder / "lesions.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([_name(k), *lesion] for k, lesion in enumerate(lesions) if lesion)
        return folder / "slides.csv"

    def _write_one(self, folder: Path, number: int) -> tuple[int, int, int] | None:
        pixels, lesion = self.slide(number)
        write_picture(folder / _name(number), pixels, SlideOptions(side=256, mpp="1.0", power="10"))
        return lesion

    def _field(self, rng: np.random.Generator, coarse: int) -> np.ndarray:
        """A smooth field of about 0 to 1 over the slide."""
        small = gaussian_filter(rng.standard_normal((self.side // coarse + 2, self.side // coarse + 2)), 2)
        small = (small - small.min()) / (small.max() - small.min())
        return zoom(small.astype(np.float32), coarse, order=1)[: self.side, : self.side]

    def _tissue(self, rng: np.random.Generator) -> np.ndarray:
        """Where there is tissue: a blob of half the slide."""
        y, x = np.mgrid[-1 : 1 : self.side * 1j, -1 : 1 : self.side * 1j].astype(np.float32)
        height, width, tilt = *rng.uniform(0.55, 0.8, 2), rng.uniform(0, np.pi)
        u, v = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
        return (u / width) ** 2 + (v / height) ** 2 + 0.8 * (self._field(rng, 48) - 0.5) < 1

    def _nuclei(self, rng: np.random.Generator, density: np.ndarray, radius: float) -> np.ndarray:
        """0 to 1, nuclei strewn at a density a pixel."""
        points = (rng.random(density.shape, dtype=np.float32) < density).astype(np.float32)
        spread = gaussian_filter(points, radius / 1.5) * (2 * np.pi * (radius / 1.5) ** 2)
        return np.clip(4 * (spread - 0.25), 0, 1)


def _paint(field: np.ndarray, disc: tuple[int, int, int], value: float) -> None:
    """Set a field within a disc: x and y of its centre, and its radius."""
    x, y, radius = disc
    top, left = max(0, y - radius), max(0, x - radius)
    part = field[top : y + radius + 1, left : x + radius + 1]
    down, across = np.ogrid[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]]
    part[down**2 + across**2 < radius**2] = value


def _name(number: int) -> str:
    return f"slide{number:04d}.svs"


def _share(origin: Origin, lesions: Mapping[str, tuple[int, int, int]]) -> float:
    """How much of a tile lies in the lesion of its slide."""
    if origin.box is None or origin.path.name not in lesions:
        return 0.0
    (left, top, width, height), (x, y, radius) = origin.box, lesions[origin.path.name]
    across, down = np.meshgrid(left + width * (np.arange(16) + 0.5) / 16, top + height * (np.arange(16) + 0.5) / 16)
    return float(((across - x) ** 2 + (down - y) ** 2 < radius**2).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exams", type=int, default=160)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    if not (given.folder / "slides.csv").exists():
        SlidePhantom().write(given.folder, given.exams)
    with (given.folder / "lesions.csv").open(newline="") as stream:
        lesions = {name: (int(x), int(y), int(radius)) for name, x, y, radius in csv.reader(stream)}
    marked = Marked(table=given.folder / "slides.csv", share=lambda origin: _share(origin, lesions))
    recipe = Recipe(network="efficientnet-lite0", size=given.size, microns=1.0, validation=0.15, test=0.25)
    print(prove(marked, given.folder / "runs", recipe), flush=True)
