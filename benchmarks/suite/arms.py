"""The arms of the suite, in the order in which they are run: those with a clock after the one that sets it."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

from suite.arm import Candidate, Job, Training


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arm:
    """One way from a fold to readings.

    Args:
        name: as options and files have it.
        label: as tables have it.
        module: where it is; only the process that runs it imports TensorFlow.
        function: its `Training`.
        clock: the arm whose time it may take.
    """

    name: str
    label: str
    module: str
    function: str
    clock: str | None = None

    def train(self, job: Job, folder: Path) -> Candidate:
        """Train on a fold."""
        training: Training = getattr(importlib.import_module(self.module), self.function)
        return training(job, folder)


ARMS = (
    Arm(name="default", label="overread", module="suite.ours", function="default"),
    Arm(name="folds", label="overread --folds 5", module="suite.ours", function="folds"),
    Arm(name="keras", label="Keras, fine-tuned", module="suite.plain", function="fine_tuned", clock="default"),
    Arm(name="aucmedi", label="AUCMEDI", module="suite.aucmedi_arm", function="trained", clock="default"),
    Arm(name="linear", label="linear on frozen features", module="suite.plain", function="linear"),
    Arm(name="time", label="overread --time", module="suite.ours", function="timed"),
    Arm(name="keras-time", label="Keras, for as long", module="suite.plain", function="fine_tuned", clock="time"),
    Arm(
        name="aucmedi-time", label="AUCMEDI, for as long", module="suite.aucmedi_arm", function="trained", clock="time"
    ),
)
