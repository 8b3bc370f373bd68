"""What each rule of the audit costs in seconds, by the number of images, and a whole first audit of real radiographs.

    python benchmarks/audit_costs.py [--numbers 5000 50000] [--json FILE]

The pictures are blends of two pieces of real radiographs, turned and scaled, at 64 pixels, no two alike; two classes,
two images a patient, three patients of ten on the test side. Rules are asked one after the other, as an audit does, so
that the first of those that share work pays for it. The last line is `overread audit` of all radiographs in a process
of its own, with nothing decoded before. 50,000 images take about 3 GB of a temporary folder.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from table import Row, data_folder, options, report

from overread.auditing import gather
from overread.auditing.rules import house_rules
from overread.images import DataSet, Preprocessing
from overread.study.data import read_manifest

SIDE, SOURCES, MOST_SECONDS = 64, 500, 25


def main() -> None:
    """Print a line for each number of images and rule."""
    parser = options((__doc__ or "").splitlines()[0])
    parser.add_argument("--numbers", nargs="*", type=int, default=[5_000, 50_000])
    chosen = parser.parse_args()
    data = data_folder()
    rows = []
    for count in chosen.numbers:
        with tempfile.TemporaryDirectory() as folder:
            rows += costs(make_set(data, Path(folder), count), Path(folder) / "store", count)
    rows.append(whole_audit(data))
    report("What the audit costs", rows, chosen.json)


def make_set(data: Path, folder: Path, count: int) -> Path:
    """Write so many small pictures and their table."""
    random = np.random.default_rng(0)
    sources = [Image.open(path).convert("L") for path in sorted(data.rglob("*.jpeg"))[:SOURCES]]
    rows = []
    for i in range(count):
        first, second = (_piece(sources[k], random) for k in random.choice(len(sources), 2, replace=False))
        name = f"{i:06d}.jpg"
        Image.blend(first, second, 0.5).save(folder / name, quality=90)
        patient = i // 2
        rows.append((name, "ab"[patient % 2], patient, "test" if patient % 10 < 3 else "train"))
    table = folder / "cases.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "patient_id", "split"), *rows])
    return table


def _piece(image: Image.Image, random: np.random.Generator) -> Image.Image:
    side = random.uniform(0.3, 0.6) * min(image.size)
    left, top = random.uniform(0, 1, 2) * (np.array(image.size) - side)
    box = int(left), int(top), int(left + side), int(top + side)
    return image.crop(box).resize((SIDE, SIDE), Image.Resampling.BILINEAR).rotate(int(random.integers(4)) * 90)


def costs(table: Path, store: Path, count: int) -> list[Row]:
    """Seconds of decoding, of reading headers and of each rule."""
    manifest = read_manifest(table)
    rows, before = [], (time.perf_counter(), time.process_time())

    def took(what: str) -> None:
        nonlocal before
        now = time.perf_counter(), time.process_time()
        seconds, work = (end - start for start, end in zip(before, now, strict=True))
        row = Row(
            what=f"{what}, microseconds of the processor an image",
            ours=f"{seconds:.1f} s, {work:.1f} s of the processor",
            other=f"{count:,} images",
            ratio=1e6 * work / count,
        )
        rows.append(row)
        print(f"{row.other}: {what} {row.ours}", file=sys.stderr, flush=True)
        before = now

    data_set = DataSet.open(manifest, Preprocessing(), folder=store)
    took("decoding")
    material = gather(manifest, data_set)
    took("headers")
    for rule in house_rules():
        rule.apply(material)
        took(f"rule: {rule.name}")
    return rows


def whole_audit(data: Path) -> Row:
    """A first audit of all radiographs, from the start of the program."""
    with tempfile.TemporaryDirectory() as folder:
        variables = ("OVERREAD_STORE", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        environment = {**os.environ, **{name: f"{folder}/{name}" for name in variables}}
        start = time.perf_counter()
        command = [sys.executable, "-m", "overread", "audit", str(data)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    work = used.ru_utime + used.ru_stime
    if done.returncode not in (0, 1, 3):
        sys.exit(done.stderr)
    images = f"{len(list(data.rglob('*.jpeg'))):,} images, in all"
    what = "whole first audit of chest_xray, seconds"
    ours = f"{seconds:.1f} s, {work:.1f} s of the processor"
    return Row(what=what, ours=ours, other=images, ratio=seconds, target=MOST_SECONDS, at_most=True)


if __name__ == "__main__":
    main()
