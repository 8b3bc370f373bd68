"""A fold as files, as pipelines read them that know neither tables nor DICOM."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from overread.images import Preprocessing, prepare
from suite.arm import Job

# What these pipelines decode themselves.
_THEIRS = (".jpg", ".jpeg", ".png", ".bmp")


def as_folders(job: Job, folder: Path) -> tuple[Path, Path]:
    """Links to the train images in a folder for each class, by its number, and to the test images in one folder.

    They are numbered in the order of the cases. What the pipelines cannot decode is written as PNG.
    """
    train, test = folder / "train", folder / "test"
    for column in range(len(job.task.classes)):
        (train / str(column)).mkdir(parents=True)
    test.mkdir()
    for number, case in enumerate(job.manifest.cases):
        column = int(job.task.encode([case.label])[0])
        target = (train / str(column) if case.split == "train" else test) / f"{number:06d}"
        if case.path.suffix.lower() in _THEIRS and case.frame is None:
            target.with_suffix(case.path.suffix.lower()).symlink_to(case.path.resolve())
        else:
            pixels = prepare(case.path, Preprocessing(height=512, width=512, channels=3), frame=case.frame)
            Image.fromarray(pixels).save(target.with_suffix(".png"))
    return train, test
