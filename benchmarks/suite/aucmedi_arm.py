"""The arm of AUCMEDI, which runs in an environment of its own: `aucmedi_worker.py` is what happens there."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np

from suite.arm import Candidate, Job
from suite.files import as_folders
from suite.plain import SIZE, pretrained_body


def trained(job: Job, folder: Path) -> Candidate:
    """AUCMEDI's AutoML pipeline of one network, on the same weights, by a clock."""
    begun = time.perf_counter()
    train, test = as_folders(job, folder)
    body = folder / "body.keras"
    pretrained_body().save(body)
    task = {
        "train": str(train), "test": str(test), "body": str(body), "size": SIZE, "seed": job.seed,
        "classes": len(job.task.classes), "seconds": job.seconds - (time.perf_counter() - begun),
    }  # fmt: skip
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    worker = Worker(str(job.aucmedi), folder)
    worker.wait()
    with np.load(folder / "trained.npz") as found:
        return Candidate(
            pixels=found["pixels"],
            predict=worker.predict,
            points={"": {}},
            validation=(found["val_true"], found["val_prob"]),
        )


class Worker:
    """The process of AUCMEDI. It ends with this one, whose pipe it reads."""

    def __init__(self, python: str, folder: Path) -> None:
        self._folder = folder
        command = [python, str(Path(__file__).with_name("aucmedi_worker.py")), str(folder)]
        self._log = (folder / "aucmedi.log").open("w")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )

    def wait(self) -> None:
        """Until it has done what it was asked."""
        if not self._process.stdout.readline():
            log = (self._folder / "aucmedi.log").read_text(encoding="utf-8")
            raise RuntimeError(f"AUCMEDI ended before it could read: {log.strip().splitlines()[-1]}")

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Have it read pixels as it gave them."""
        np.save(self._folder / "pixels.npy", pixels)
        print("read", file=self._process.stdin, flush=True)
        self.wait()
        return np.load(self._folder / "y_prob.npy").astype(np.float64)
