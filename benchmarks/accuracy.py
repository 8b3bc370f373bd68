"""How good the results are on real sets: overread against what users have, on five folds by patient and three seeds.

    python benchmarks/accuracy.py --out accuracy                                       # everything: days
    python benchmarks/accuracy.py --out accuracy --sets head_ct --folds 1 --seeds 1    # minutes
    python benchmarks/accuracy.py --out accuracy --data my_images --time 30m

Every arm reads the same test folds. Those with a clock stop when the arm that sets it was done. What was measured lies
in --out with all its readings and is not measured again: take a new folder for a new version of the program. A test
side that the data name stays unopened; --official-test opens it, with all else to train on, and every opening counts.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import multiprocessing
import os
import sys
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from run_all import ACCURACY, machine
from suite.arm import Job, Readings, read_fold
from suite.arms import ARMS, Arm
from suite.figures import Figure, figures, mean_of_sets, table
from suite.sets import FOLDS, KNOWN, Fold, deal, known_source, official

from overread.cases import Source
from overread.errors import OverreadError

SEEDS = 3
_TOLD = (
    "images", "image_column", "label_column", "patient_column", "split_column", "finding", "positive",
    "patient_pattern",
)  # fmt: skip
Rows = dict[str, dict[str, Figure]]


def main() -> None:
    """Measure what is missing, and write what came out."""
    asked = _parser().parse_args()
    names = asked.sets if asked.sets is not None else () if asked.data else KNOWN
    sources = {name: known_source(name) for name in names}
    if asked.data is not None:
        told = {name: getattr(asked, name) for name in _TOLD}
        sources[asked.data.stem] = Source(data=str(asked.data), labels=tuple(asked.labels), **told)
    sets: dict[str, Rows] = {}
    left_out: list[str] = []
    for name, source in sources.items():
        one = OneSet(name, source, asked)
        try:
            one.measure()
        except OverreadError as error:
            left_out.append(f"{name}: {error}")
        left_out += one.failures
        sets |= one.tables()
    if asked.aucmedi_python is None and not asked.arms:
        left_out.append("AUCMEDI: no Python that has it was named (--aucmedi-python)")
    _write(asked, sets, left_out)


class OneSet:
    """One set of the suite with every arm.

    Args:
        name: of the set.
        source: where it is.
        asked: the options.
    """

    def __init__(self, name: str, source: Source, asked: argparse.Namespace) -> None:
        self.name, self.source, self.asked = name, source, asked
        self.arms = _arms(asked)
        self.failures: list[str] = []
        self.found: dict[str, dict[tuple[int, str], Readings]] = {arm.name: {} for arm in self.arms}

    def measure(self) -> None:
        """Run each arm on each fold where it was not run yet.

        Raises:
            OverreadError: the set cannot be read, or not be dealt.
        """
        for seed in range(self.asked.seeds):
            for fold in self._folds(seed):
                for arm in self.arms:
                    if (readings := self._read(arm, fold, seed)) is not None:
                        self.found[arm.name][seed, fold.name] = readings

    def tables(self) -> dict[str, Rows]:
        """The figures of each arm under the name of the set; nothing where nothing was measured."""
        rows = {
            f"{arm.label}{point and ', '}{point}": figures(readings, point, self.found.get("default", {}))
            for arm in self.arms
            if (readings := self.found[arm.name])
            for point in next(iter(readings.values())).points
        }
        return {self.name: rows} if rows else {}

    def _folds(self, seed: int) -> list[Fold]:
        if self.asked.official_test:
            return [official(self.source)]
        store = self.asked.out / "store"
        return deal(self.source, seed=seed, train_images=self.asked.train_images, store=store)[: self.asked.folds]

    def _read(self, arm: Arm, fold: Fold, seed: int) -> Readings | None:
        path = self._place(arm.name, fold, seed)
        if not path.with_suffix(".json").exists():
            clock = None if arm.clock is None else Readings.read(self._place(arm.clock, fold, seed))
            if arm.clock is not None and clock is None:
                self._fail(arm, fold, seed, f"{arm.clock} did not set its clock")
                return None
            self._run(arm, fold, seed, None if clock is None else clock.seconds)
        return Readings.read(path)

    def _run(self, arm: Arm, fold: Fold, seed: int, seconds: float | None) -> None:
        """In a process of its own, so that no arm finds what another left."""
        print(f"{self.name}, seed {seed}, {fold.name}: {arm.label}", file=sys.stderr, flush=True)
        asked, path = self.asked, self._place(arm.name, fold, seed)
        job = Job(manifest=fold.manifest, seed=seed, seconds=seconds, time=asked.time, aucmedi=asked.aucmedi_python)
        if asked.official_test:
            _note(asked.out, {"set": self.name, "arm": arm.name, "seed": seed})
        spawn = multiprocessing.get_context("spawn")
        answers, told = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_read_apart, args=(told, arm, job, path), daemon=True)
        process.start()
        told.close()
        with contextlib.suppress(EOFError):  # where there is nothing to tell
            self._fail(arm, fold, seed, answers.recv())
        process.join()
        if process.exitcode:
            self._fail(arm, fold, seed, f"its process ended with {process.exitcode}")

    def _fail(self, arm: Arm, fold: Fold, seed: int, why: str) -> None:
        self.failures.append(f"{self.name}, {arm.label}, seed {seed}, {fold.name}: {why}")

    def _place(self, arm: str, fold: Fold, seed: int) -> Path:
        """Where readings lie; the path has all that was asked, so that nothing else is taken for them."""
        few = self.asked.train_images
        name = self.name if few is None or self.asked.official_test else f"{self.name}-{few}-images"
        timed = f"-{self.asked.time}" if arm.endswith("time") else ""
        return self.asked.out / "readings" / name / f"seed-{seed}" / fold.name / f"{arm}{timed}"


def _read_apart(told: Connection, arm: Arm, job: Job, path: Path) -> None:
    """Run an arm in this process, and tell what went wrong."""
    try:
        read_fold(arm.train, job, path)
    except Exception as error:  # noqa: BLE001 - of a peer, which may raise anything
        told.send(f"{type(error).__name__}: {error}")


def _arms(asked: argparse.Namespace) -> list[Arm]:
    """The arms that are asked for, with those that set their clocks."""
    named = set(asked.arms or (arm.name for arm in ARMS))
    if asked.time is None:
        named -= {arm.name for arm in ARMS if arm.name.endswith("time")}
    if asked.aucmedi_python is None:
        named -= {arm.name for arm in ARMS if arm.name.startswith("aucmedi")}
    return [arm for arm in ARMS if arm.name in named | {other.clock for other in ARMS if other.name in named}]


def _note(out: Path, opening: Mapping[str, object]) -> None:
    """Count an opening of an official test side before it happens."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "openings.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"time": datetime.datetime.now(datetime.UTC).isoformat(), **opening}) + "\n")


def _write(asked: argparse.Namespace, sets: Mapping[str, Rows], left_out: Iterable[str]) -> None:
    """Print the tables, and write them to the folder as Markdown and JSON."""
    record = asked.out / "openings.jsonl"
    openings = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    taken = "the official test side" if asked.official_test else f"{asked.folds} of {FOLDS} folds by patient"
    few = "" if asked.train_images is None else f", about {asked.train_images} training images"
    lines = [
        ACCURACY,
        f"{taken}, {asked.seeds} of {SEEDS} seeds{few}; {machine()}.",
        *(table(name, rows) for name, rows in sets.items()),
        *([table("Mean of the sets", mean_of_sets(sets))] if len(sets) > 1 else []),
        *(f"Not measured: {reason}" for reason in left_out),
        *([f"Official test sides were opened {len(openings)} times, once for each training."] if openings else []),
    ]
    text = "\n\n".join(lines)
    print(f"\n{text}")
    (asked.out / "accuracy.md").write_text(text + "\n", encoding="utf-8")
    content = {
        "asked": {name: value for name, value in vars(asked).items() if value is not None},
        "sets": {
            name: {arm: {column: found.to_dict() for column, found in row.items()} for arm, row in rows.items()}
            for name, rows in sets.items()
        },
        "not_measured": [*left_out],
        "openings": openings,
    }
    (asked.out / "accuracy.json").write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the readings and the result; gone on with")
    parser.add_argument("--sets", nargs="*", choices=KNOWN, help="in OVERREAD_DATA; by default all, none with --data")
    parser.add_argument("--data", type=Path, help="one more set, a folder or table as overread train takes it")
    parser.add_argument("--labels", nargs="+", default=[], help="as of overread train, like the options that follow")
    for name in _TOLD:
        parser.add_argument(f"--{name.replace('_', '-')}")
    parser.add_argument("--arms", nargs="+", choices=[arm.name for arm in ARMS], help="by default all that can be run")
    parser.add_argument("--folds", type=int, choices=range(1, FOLDS + 1), default=FOLDS, help="how many of them")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--train-images", type=int, help="about how many of a fold's training images to keep")
    parser.add_argument("--time", help="measure overread train --time too, such as 30m, and the others for as long")
    parser.add_argument(
        "--aucmedi-python", default=os.environ.get("AUCMEDI_PYTHON"),
        help="a Python that has AUCMEDI, in an environment of its own; by default the variable AUCMEDI_PYTHON",
    )  # fmt: skip
    parser.add_argument(
        "--official-test", action="store_true",
        help="train on all that lies outside the test side that the data name, and open it: once a final candidate",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    main()
