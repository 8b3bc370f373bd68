"""What an arm is given and gives, and what is kept of it: its readings, from which every figure can be made anew."""

from __future__ import annotations

import dataclasses
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from overread.cases import Manifest
from overread.decision import Task
from overread.images import Preprocessing, prepare
from overread.images.shifts import SHIFTS, STRENGTHS

# Test images that are read under every shift.
_SHIFTED = 256


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A fold as it is given to an arm.

    Args:
        manifest: cases on the train and on the test side.
        seed: of everything.
        seconds: how long the arm may take, where it has a clock.
        time: what `overread train --time` is asked for.
        aucmedi: a Python that has AUCMEDI.
    """

    manifest: Manifest
    seed: int
    seconds: float | None = None
    time: str | None = None
    aucmedi: str | None = None

    @property
    def task(self) -> Task:
        """What is told apart."""
        return self.manifest.task

    def side(self, name: str) -> Manifest:
        """The cases of one side, in their order."""
        return self.manifest.replace(self.manifest.cases[i] for i in self.manifest.select(name))

    def pixels(self, name: str, preprocessing: Preprocessing) -> np.ndarray:
        """The images of one side as overread prepares them."""
        return np.stack([prepare(case.path, preprocessing, frame=case.frame) for case in self.side(name).cases])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """What an arm has made of a fold.

    Args:
        pixels: the test images as it prepares them, `(n, height, width, channels)` uint8.
        predict: from such pixels to `(n, classes)` probabilities.
        points: thresholds by class, frozen before the test images are read; several where an arm has several rules.
        validation: truth and probabilities of images that it was not fitted to.
    """

    pixels: np.ndarray
    predict: Callable[[np.ndarray], np.ndarray]
    points: Mapping[str, Mapping[str, float]]
    validation: tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Readings:
    """What an arm said of a fold.

    Args:
        task: what is told apart.
        points: as a `Candidate` has them.
        seconds: that the arm took until it could read.
        cases: names of the test cases.
        y_true, y_prob: of them.
        val_true, val_prob: as a `Candidate` has them.
        shifts: names, with their strength.
        shifted_true: of the test cases that were read under each shift.
        shifted_prob: `(shifts, m, classes)`.
    """

    task: Task
    points: Mapping[str, Mapping[str, float]]
    seconds: float
    cases: list[str]
    shifts: list[str]
    y_true: np.ndarray
    y_prob: np.ndarray
    val_true: np.ndarray
    val_prob: np.ndarray
    shifted_true: np.ndarray
    shifted_prob: np.ndarray

    def write(self, path: Path) -> None:
        """Write `.npz` and then `.json`, whose presence says that all is there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path.with_suffix(".npz"), **{name: getattr(self, name) for name in _ARRAYS})
        facts = {name: getattr(self, name) for name in _FACTS}
        path.with_suffix(".json").write_text(json.dumps({**facts, "task": self.task.to_dict()}), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Readings | None:
        """What was written there; None where nothing was."""
        if not path.with_suffix(".json").exists():
            return None
        facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz")) as arrays:
            return cls(**{**facts, **arrays, "task": Task.from_dict(facts["task"])})


_ARRAYS = ("y_true", "y_prob", "val_true", "val_prob", "shifted_true", "shifted_prob")
_FACTS = ("points", "seconds", "cases", "shifts")


# From a fold, and a folder for whatever is written on the way, to what can read.
Training = Callable[[Job, Path], Candidate]


def read_fold(train: Training, job: Job, path: Path) -> None:
    """Let an arm train on a fold, read its test side plainly and under every shift, and write what it said."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        candidate = train(job, Path(folder))
        seconds = time.perf_counter() - start
        tested = job.side("test")
        y_true = tested.y_true
        some = np.sort(np.random.default_rng(0).permutation(len(tested))[:_SHIFTED])
        seen, named = candidate.pixels[some], [*itertools.product(SHIFTS, range(len(STRENGTHS)))]
        shifted = [candidate.predict(shift.apply(seen, strength, job.seed)) for shift, strength in named]
        val_true, val_prob = candidate.validation
        Readings(
            task=job.task,
            points=candidate.points,
            seconds=seconds,
            cases=[case.full_name for case in tested.cases],
            shifts=[f"{shift.label}, {STRENGTHS[strength]}" for shift, strength in named],
            y_true=y_true,
            y_prob=candidate.predict(candidate.pixels),
            val_true=val_true,
            val_prob=val_prob,
            shifted_true=y_true[some],
            shifted_prob=np.stack(shifted),
        ).write(path)
