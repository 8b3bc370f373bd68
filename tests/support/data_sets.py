"""Small data sets with pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from overread.cases import Manifest
from overread.cases.case import Case
from overread.decision import Task
from overread.images import DataSet, Preprocessing


def data_set_of(
    folder: Path, labels: Sequence[str], sides: Sequence[str], *, per_patient: int = 2, task: Task | None = None
) -> DataSet:
    """Images of 8 px, each of one grey, with their sides and patients, by default of as many classes as labels."""
    cases = tuple(
        Case(
            path=folder / f"{i}.png", name=f"{i}.png", label=label, split=side, patient_id=f"secret {i // per_patient}"
        )
        for i, (label, side) in enumerate(zip(labels, sides, strict=True))
    )
    for i, case in enumerate(cases):
        Image.new("L", (8, 8), 10 * i).save(case.path)
    manifest = Manifest(cases=cases, task=task or Task.of(tuple(dict.fromkeys(labels))))
    return DataSet.open(manifest, Preprocessing(height=8, width=8, channels=1), folder=folder / "store")
