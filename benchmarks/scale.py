"""An archive read by a cluster while its processes die; what more workers bring; what the spreading of work costs.

    python benchmarks/scale.py rounds BUNDLE IMAGES --number 2000 --rounds 30
    python benchmarks/scale.py efficiency BUNDLE IMAGES --number 4000
    python benchmarks/scale.py overhead --workers 1 8 64
    python benchmarks/scale.py growth --images 10000 100000 1000000

Linux, with `unshare`, `ip` and `overread[dev,ray]`.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import itertools
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ray_nodes import cluster_of, in_own_network, object_store

from overread.machine.remote import place
from overread.reading import Failure

ENGINE = "ray://auto"
_TRIES = 8


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    for measure in (rounds, efficiency):
        verb = verbs.add_parser(measure.__name__)
        verb.set_defaults(measure=measure)
        verb.add_argument("bundle")
        verb.add_argument("folder", type=Path)
        verb.add_argument("--number", type=int, default=2000)
        verb.add_argument("--rounds", type=int, default=30 if measure is rounds else 2)
        verb.add_argument("--seed", type=int, default=0)
    verb = verbs.add_parser("overhead")
    verb.set_defaults(measure=overhead)
    verb.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64])
    verb = verbs.add_parser("growth")
    verb.set_defaults(measure=growth)
    verb.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    in_own_network()
    options = parser.parse_args()
    options.measure(options)


def rounds(options: argparse.Namespace) -> None:
    """Kill a reader, a node or the driver at a random moment of each round, and compare the rows with a plain run's."""
    chance = random.Random(options.seed)
    with object_store(), cluster_of(2) as cluster:
        archive = _fill("s3://benchmark-archive", options.folder, options.number)
        plain = tempfile.mkdtemp()
        began = time.perf_counter()
        subprocess.run(_command(options.bundle, archive, f"{plain}/out"), check=True)
        print(f"plain run of {options.number} images: {time.perf_counter() - began:.1f} s", flush=True)
        expected, wrong, killed = _rows(place(f"{plain}/out")), 0, dict.fromkeys(("reader", "node", "driver"), 0)
        for number in range(1, options.rounds + 1):
            out = f"s3://benchmark-archive/readings/{number}"
            what = ("reader", "node", "driver")[number % 3]
            began, calls, did = time.perf_counter(), 0, False
            done = subprocess.Popen(_command(options.bundle, archive, out, "--engine", ENGINE))
            while not did and done.poll() is None:
                _wait_for_parts(place(out), chance.randint(0, max(1, len(expected) // 250)), done)
                time.sleep(chance.uniform(0, 1))
                if what == "driver":
                    done.kill()
                    did = True
                else:
                    did = cluster.kill_reader(chance) if what == "reader" else cluster.kill_node(chance)
            killed[what] += did
            while done.wait() != 0 and calls < _TRIES:
                calls += 1
                done = subprocess.Popen(_command(options.bundle, archive, out, "--engine", ENGINE))
            found = _rows(place(out))
            lost, twice = len(set(expected) - set(found)), len(found) - len(set(found))
            same = sorted(found) == sorted(expected)
            wrong += not same
            print(
                f"round {number}: {what} {'killed' if did else 'had ended before'}, {calls} further calls, "
                f"{time.perf_counter() - began:.1f} s, {lost} rows lost or different, {twice} twice", flush=True,
            )  # fmt: skip
    print(f"{options.rounds - wrong} of {options.rounds} rounds gave the rows of a plain run; killed: {killed}")
    sys.exit(bool(wrong))


def efficiency(options: argparse.Namespace) -> None:
    """Read with one worker and with two, in turn; ratio of images per second and worker."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    with object_store():
        archive = _fill("s3://benchmark-archive", options.folder, options.number)
        for number, workers in itertools.product(range(options.rounds), (1, 2)):
            with cluster_of(workers):
                out = f"s3://benchmark-archive/efficiency/{number}-{workers}"
                began = time.perf_counter()
                subprocess.run(_command(options.bundle, archive, out, "--engine", ENGINE), check=True)
                taken[workers].append(time.perf_counter() - began)
            print(f"{workers} workers: {options.number / taken[workers][-1]:.0f} images/s, all included", flush=True)
    print(f"efficiency of the second: {min(taken[1]) / min(taken[2]) / 2:.3f}")


@dataclasses.dataclass
class Simulated:
    """A reader that takes a time for each image and reads nothing."""

    seconds: float
    classes: tuple[str, ...] = ("A", "B")

    @property
    def bundle(self) -> Simulated:
        """What has the classes."""
        return self

    def read_many(self, names: Iterable[str], *, workers: int | None = None) -> Iterator[Failure]:
        """A failure of each image."""
        for name in names:
            time.sleep(self.seconds)
            yield Failure(path=name, error="simulated")


def overhead(options: argparse.Namespace) -> None:
    """Have each worker sleep through 16 parts of 100 images of 20 ms, and see how much longer all of it takes."""
    for workers in options.workers:
        parts, seconds = 16 * workers, 0.02
        with tempfile.TemporaryDirectory() as out, cluster_of(1, cpus=workers):
            folder = _planned(Path(out), parts * 100, 100)
            ended = _read(Simulated(seconds), folder, parts)
        # The first parts of all wait for the start of their workers, and the last ones for one another.
        middle = ended[2 * workers : -workers] or ended
        rate = (len(middle) - 1) / (middle[-1] - middle[0])
        print(f"{workers} workers: {rate * 100 * seconds / workers:.3f} of the ideal rate between start and end; "
              f"all included {16 * 100 * seconds / ended[-1]:.3f} of {ended[-1]:.0f} s", flush=True)  # fmt: skip


def growth(options: argparse.Namespace) -> None:
    """Plan and spread parts of images that take no time; per image, and the memory of the driver."""
    for images in options.images:
        with tempfile.TemporaryDirectory() as out, cluster_of(1, cpus=2):
            began = time.perf_counter()
            folder = _planned(Path(out), images, 1000)
            planned = time.perf_counter() - began
            ended = _read(Simulated(0), folder, images // 1000)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{images} images: planned {planned:.1f} s, spread {ended[-1]:.1f} s, of which start {ended[0]:.1f} s; "
              f"driver at most {memory:.0f} MB", flush=True)  # fmt: skip


def _planned(out: Path, images: int, part_images: int) -> Any:
    from overread.scoring.folder import ScoringFolder
    from overread.scoring.plan import plan_images

    folder = ScoringFolder(out, "csv")
    folder.make()
    names = (Path(f"/archive/{i // 10_000:05d}/{i:09d}.png") for i in range(images))
    plan_images(folder, names, part_images, lambda listed: None)
    return folder


def _read(reader: Any, folder: Any, parts: int) -> list[float]:
    """Read parts on the cluster; the seconds after which each ended."""
    from overread.scale.cluster import connected
    from overread.scoring.on_ray import read_on_ray

    with connected(ENGINE):
        began = time.perf_counter()
        return [time.perf_counter() - began for _ in read_on_ray(reader, folder, range(1, parts + 1), None)]


def _command(bundle: str, archive: str, out: str, *more: str) -> list[str]:
    options = ["--out", out, "--parts", "csv", "--part-images", "96", *more]
    return [sys.executable, "-m", "overread", "predict", bundle, archive, *options]


def _fill(bucket: str, folder: Path, number: int) -> str:
    """Put images of a folder into a bucket, again and again under names of their own."""
    place(bucket).mkdir()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for i, path in zip(range(number), itertools.cycle(files), strict=False):
        (place(bucket) / "images" / f"{i // 1000:03d}" / f"{i:07d}{path.suffix}").write_bytes(path.read_bytes())
    return f"{bucket}/images"


def _rows(out: Path) -> list[tuple[str, ...]]:
    rows = []
    for path in sorted((out / "parts").iterdir(), key=str):
        rows += list(csv.reader(io.StringIO(path.read_text())))[1:]
    return [tuple(row) for row in rows]


def _wait_for_parts(out: Path, number: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        parts = out / "parts"
        if parts.is_dir() and len(list(parts.iterdir())) >= number:
            return
        time.sleep(0.2)


if __name__ == "__main__":
    main()
