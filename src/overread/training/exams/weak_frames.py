"""Frames as images of their own, each with the label of its exam: what a network without weights learns from first."""

from __future__ import annotations

import dataclasses
import hashlib
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from overread.cases.case import Case
from overread.images import DataSet
from overread.images.pixel_file import PixelFile
from overread.images.pixel_store import PixelStore
from overread.machine.temporary import clear

# More teach little that is new, for their labels are those of exams.
_MOST_FRAMES, _MOST_OF_AN_EXAM = 16_384, 64


@contextmanager
def weak_frames(data_set: DataSet, folder: Path) -> Iterator[DataSet]:
    """Give up to 64 frames of each exam outside the test side, evenly spread, as cases of the sides of their exams.

    Args:
        data_set: exams with their sides.
        folder: for the file of their pixels, which goes when they have been used.

    Raises:
        OverreadError: a frame gives no pixels, or the disk cannot hold the file.
    """
    manifest = data_set.manifest
    positions = [*manifest.select("train"), *manifest.select("val")]
    most = max(1, min(_MOST_OF_AN_EXAM, _MOST_FRAMES // len(positions)))
    chosen = [(position, frame) for position in positions for frame in _spread(data_set, position, most)]
    preprocessing, path = data_set.store.preprocessing, folder / "frames.npy"
    shape = (len(chosen), preprocessing.height, preprocessing.width, preprocessing.channels or 3)
    clear(path)
    pixels, row = PixelFile.reserve(path, shape), 0
    try:
        for position in positions:
            with data_set.exam(position) as exam:
                for frame in _evenly(len(exam), most):
                    pixels.write(row, exam.pixels(frame)[None])
                    row += 1
        store = PixelStore(
            pixels=pixels,
            digests=tuple(_digest(data_set, position, frame) for position, frame in chosen),
            failures=types.MappingProxyType({}),
            preprocessing=preprocessing,
            path=data_set.store.path,
        )
        cases = [_as_image(manifest.cases[position], frame) for position, frame in chosen]
        yield DataSet(manifest=manifest.replace(cases), store=store, rows=np.arange(len(cases)), failures={})
    finally:
        clear(path)


def _as_image(exam: Case, frame: int) -> Case:
    """A frame under a name of its own; those of an exam stand for one person."""
    person = exam.patient_id or exam.name
    return dataclasses.replace(exam, instances=(), patient_id=person, name=f"{exam.name} {frame + 1}")


def _spread(data_set: DataSet, position: int, most: int) -> list[int]:
    with data_set.exam(position) as exam:
        return _evenly(len(exam), most)


def _evenly(frames: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, frames - 1, min(frames, most)).round().astype(int)).tolist()


def _digest(data_set: DataSet, position: int, frame: int) -> str:
    return hashlib.sha256(f"{data_set.store.digests[data_set.rows[position]]} {frame}".encode()).hexdigest()
