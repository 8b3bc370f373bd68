"""The arms of overread: its public `train` as a user calls it, with nothing but a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from overread import Reader, Recipe, train
from overread.auditing import known_codes
from suite.arm import Candidate, Job
from suite.sets import possible_folds

# One study, so that no fold is warned of the others that were opened before.
_STUDY = "benchmarks/accuracy.py"


def default(job: Job, folder: Path, **asked: Any) -> Candidate:
    """Train as by default, or with what else is asked."""
    study = train(
        job.manifest,
        folder / "run",
        Recipe(seed=job.seed),
        accept=known_codes(),  # what is wrong with the data is wrong for every arm
        store=folder / "store",
        study_id=_STUDY,
        verbose=False,
        **asked,
    )
    reader = Reader(study.bundle)
    return Candidate(
        pixels=job.pixels("test", study.bundle.preprocessing),
        predict=lambda images: np.concatenate(
            [reader.answer(images[first : first + 64]).probabilities for first in range(0, len(images), 64)]
        ),
        points={"": study.bundle.thresholds},
        validation=(
            np.concatenate([found.labels for found in reader.references]),
            np.concatenate([found.scores for found in reader.references]),
        ),
    )


def folds(job: Job, folder: Path) -> Candidate:
    """`--folds 5`, or as many as the patients allow."""
    return default(job, folder, folds=possible_folds(job.side("train")))


def timed(job: Job, folder: Path) -> Candidate:
    """`--time`."""
    return default(job, folder, time=job.time)
