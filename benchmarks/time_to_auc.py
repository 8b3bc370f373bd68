"""How long until a validation AUC of 0.98: overread with its network against ImageDataGenerator with the classic one.

Validation is carved by patient from the train side; the test side is not touched. Time counts from the first step,
validation after each epoch included. Making of graphs is included for both; decoding is included for overread.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from plain_keras import classic_cnn, compile_plainly, image_data_generator
from rich.console import Console
from table import Row, data_folder, options, report

from overread.cases import Manifest, split_cases
from overread.images import DataSet, Preprocessing
from overread.recipe import Recipe
from overread.training.train_network import train_network

WANTED = 0.98


class Reached(keras.callbacks.Callback):
    """Stops a training of overread once the validation AUC is reached."""

    auc = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.auc, self.epochs = (logs or {})["val_auc"], epoch + 1
        self.model.stop_training = self.auc >= WANTED


def overread_seconds(manifest: Manifest, seed: int) -> tuple[float, Reached]:
    """From image files to the wanted AUC, on a store that is not there yet."""
    reached = Reached()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        data_set = DataSet.open(manifest, Preprocessing(channels=1), folder=Path(folder) / "store")
        train_network(
            data_set,
            Recipe(network="compact", seed=seed),
            Path(folder),
            console=Console(quiet=True),
            callbacks=[reached],
        )
        return time.perf_counter() - start, reached


def plain_seconds(manifest: Manifest, seed: int, epochs: int) -> tuple[float, float, int]:
    """Seconds, AUC and epochs of the plain pipeline."""
    keras.utils.set_random_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        for case in manifest.cases:
            target = Path(folder) / case.split / case.label
            target.mkdir(parents=True, exist_ok=True)
            (target / case.path.name).symlink_to(case.path.resolve())
        start, auc, epoch = time.perf_counter(), 0.0, 0
        network = compile_plainly(classic_cnn())
        run = image_data_generator(network, Path(folder) / "train", Path(folder) / "val")
        while auc < WANTED and epoch < epochs:
            auc, epoch = run()["val_auc"], epoch + 1
        return time.perf_counter() - start, auc, epoch


def carved(seed: int, share: float) -> Manifest:
    """Patients of the train side, or a share of its images, with a validation side by patient."""
    manifest = Manifest.read(data_folder())
    outside = [case for case in manifest.cases if case.split != "test"]
    rng = np.random.default_rng(seed)
    patients = sorted({case.patient_id for case in outside})
    kept = set(rng.permutation(patients)[: round(share * len(patients))].tolist())
    # The test side is needed by the split and read by nothing.
    chosen = [case for case in manifest.cases if case.split == "test" or case.patient_id in kept]
    split: Any = split_cases(manifest.replace(chosen), validation=0.15, test=0.15, seed=seed)
    return split.manifest.replace(case for case in split.manifest.cases if case.split != "test")


def main() -> None:
    """Run and print."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.3, help="share of the patients")
    parser.add_argument("--epochs", type=int, default=6, help="of the plain pipeline, at most")
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        manifest = carved(seed, arguments.share)
        ours, reached = overread_seconds(manifest, seed)
        other, auc, epochs = plain_seconds(manifest, seed, arguments.epochs)
        at_least = "" if auc >= WANTED else "more than "
        rows.append(
            Row(
                what=f"seconds to a validation AUC of {WANTED}, seed {seed}",
                ours=f"{ours:.0f} s ({reached.auc:.4f} after {reached.epochs} epochs)",
                other=f"(a) {at_least}{other:.0f} s ({auc:.4f} after {epochs} epochs)",
                ratio=other / ours,
                target=5,
            )
        )
    report("Time to a validation AUC of 0.98", rows, arguments.json)


if __name__ == "__main__":
    main()
