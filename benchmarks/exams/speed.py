"""How fast exams are trained: kept features read back and pooled, against decoding and the network.

    PYTHONPATH=benchmarks python benchmarks/exams/speed.py FOLDER

FOLDER holds `exams.csv` of volume_phantom.py. Seconds are of the processor, so that other programs count little.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from overread.cases import Source
from overread.decision import Task
from overread.decision.familiarity import LOOK
from overread.images import DataSet, Preprocessing
from overread.study.data import read_manifest
from overread.training.exams.choose_pooling import Exams, fit_pooling
from overread.training.exams.columns import Columns
from overread.training.exams.frame_traits import FrameTraits

EXAMS, FRAMES, FEATURES = 210, 40, 1280


def kept(folder: Path) -> FrameTraits:
    """Features of as many frames as the train side of the phantom has, in which a frame stands out in every second."""
    rng, paths = np.random.default_rng(0), []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(EXAMS):
        traits = rng.standard_normal((FRAMES, FEATURES + LOOK), dtype=np.float32)
        traits[number % FRAMES, :8] += 4 * (number % 2)
        paths.append(folder / f"{number}.npy")
        np.save(paths[-1], traits)
    return FrameTraits(paths=tuple(paths))


def main(folder: Path) -> None:
    """Measure and print."""
    traits, rng = kept(folder / "kept"), np.random.default_rng(0)
    started = time.process_time()
    _ = traits.means
    print(f"kept features read back, and their means: {EXAMS * FRAMES / (time.process_time() - started):,.0f} slices/s")
    with threadpool_limits(1):
        started = time.process_time()
        Columns.of(traits, rng, folder)
        print(f"and their principal components: {EXAMS * FRAMES / (time.process_time() - started):,.0f} slices/s")
    exams = Exams(
        traits=traits,
        y_true=np.arange(EXAMS) % 2,
        groups=np.array([str(i) for i in range(EXAMS)], dtype=object),
        task=Task.of(("none", "lesion")),
        class_weights=True,
    )
    started = time.process_time()
    choice = fit_pooling(exams, "auto", rng, folder).choice
    print(f"{choice}: {time.process_time() - started:.0f} s with all of its cross-validation")
    manifest = read_manifest(Source(data=str(folder / "exams.csv")))
    few = manifest.replace(manifest.cases[:8])
    data_set = DataSet.open(few, Preprocessing(height=160, width=160, channels=1), folder=folder / "s")
    started = time.process_time()
    frames = 0
    for position in range(len(few)):
        with data_set.exam(position) as exam:
            frames += sum(len(chunk) for chunk in exam.chunks())
    print(f"decoding alone: {frames / (time.process_time() - started):,.0f} slices/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
