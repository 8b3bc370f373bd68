"""Memory and speed of reading one slide of 100,000 tiles: `Reader.read_exam` in a process of its own.

    PYTHONPATH=tests python benchmarks/exams/large_slide.py BUNDLE [--tiles 100000] [--decode-only]

The slide is a BigTIFF of JPEG tiles of tissue in a rim of glass, at 0.5 µm, with levels down to a few thousand pixels;
128 tiles are stored and repeat, each decoded anew wherever it lies. The peaks are those of the process that reads and
of the largest of those that decode.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MICRONS, SIDE, KINDS = 0.5, 256, 128


def write(path: Path, tiles: int, tile: int, microns: float) -> Path:
    """A slide that holds so many tiles of tissue, and a rim of glass of two tiles."""
    from support.slide_files import SlideOptions, jpeg, write_slide

    step = round(tile * microns / MICRONS)
    inner = math.ceil(math.sqrt(tiles)) * step
    size, rim = inner + 4 * step, 2 * step
    rng = np.random.default_rng(0)
    glass = jpeg(np.full((SIDE, SIDE, 3), (243, 242, 244), np.uint8))
    kinds = []
    for _ in range(KINDS):
        nuclei = np.kron(rng.random((SIDE // 4, SIDE // 4)) < 0.15, np.ones((4, 4)))[..., None]
        stained = np.where(nuclei, (110, 78, 140), (214, 130, 178)) + rng.normal(0, 6, (SIDE, SIDE, 3))
        kinds.append(jpeg(np.clip(stained, 0, 255).astype(np.uint8)))

    def paint(left: int, top: int, factor: int) -> bytes:
        middle = (left + SIDE * factor // 2, top + SIDE * factor // 2)
        inside = all(rim <= at < rim + inner for at in middle)
        return kinds[int(rng.integers(KINDS))] if inside else glass

    levels = max(1, math.ceil(math.log2(size / 2048)))
    return write_slide(path, (size, size), paint, SlideOptions(side=SIDE, levels=levels, mpp=str(MICRONS)))


def read(bundle: str, path: Path, *, decode_only: bool) -> None:
    """Read the slide, or only decode its tiles, and print what it took."""
    from overread.reading import Reader

    reader = Reader.load(bundle)
    since = time.perf_counter()
    with reader.open_exam(path) as exam:
        opened = time.perf_counter() - since
        if decode_only:
            number = sum(len(chunk) for chunk in exam.chunks())
            said = ""
        else:
            reading = reader.read_open(path.name, exam)
            number, said = len(reading.frames), f", best tile number {reading.best_frame.index + 1}"
        print(exam.frames.notes[0], flush=True)
    seconds = time.perf_counter() - since
    own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{number:,} tiles in {seconds:.0f} s ({number / seconds:,.0f}/s; {opened:.1f} s to find the tissue){said}")
    print(f"peak {own:,.0f} MB, and of a process that decodes {others:,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--decode-only", action="store_true")
    parser.add_argument("--slide", type=Path)
    given = parser.parse_args()
    if given.slide:
        read(given.bundle, given.slide, decode_only=given.decode_only)
    else:
        from overread.bundle import Bundle

        preprocessing = Bundle.load(given.bundle).preprocessing
        with tempfile.TemporaryDirectory() as folder:
            slide = write(
                Path(folder) / "large.svs", given.tiles, preprocessing.width, preprocessing.view.microns or 1.0
            )
            print(f"{slide.stat().st_size / 1e6:,.0f} MB", flush=True)
            command = [sys.executable, __file__, given.bundle, "--slide", str(slide)]
            subprocess.run(command + ["--decode-only"] * given.decode_only, check=True)
