"""Series of DICOM slices, and files of several frames, made in code."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items

from overread.formats import Instance
from support.dicom_files import dataset, file_bytes

AXIAL = (1, 0, 0, 0, 1, 0)
SIDE = 8


def one_slice(value: int, position: Sequence[float] | None, directions: Sequence[float] = AXIAL, **elements) -> Dataset:
    """A CT slice of one value in Hounsfield units, which tells it from the others."""
    stored = np.full((SIDE, SIDE), value + 1024, "<u2")
    header = {
        "Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "SeriesInstanceUID": "1.2.9",
        "SOPInstanceUID": f"1.2.9.{random.Random(value).randrange(10**9)}", "InstanceNumber": value % 7,
    }  # fmt: skip
    if position is not None:
        header |= {"ImagePositionPatient": list(position), "ImageOrientationPatient": list(directions)}
    return dataset(stored, **(header | elements))


def write_shuffled(folder: Path, slices: Sequence[Dataset], seed: int = 0) -> list[Instance]:
    """Files whose names and order say nothing."""
    names = [f"{number:03d}.dcm" for number in range(len(slices))]
    random.Random(seed).shuffle(names)
    folder.mkdir(parents=True, exist_ok=True)
    for name, ds in zip(names, slices, strict=True):
        (folder / name).write_bytes(file_bytes(ds))
    return [Instance(folder / name) for name in sorted(names)]


def item(**elements) -> Items:
    """A sequence of one item."""
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return Items([ds])


def enhanced(
    stored: np.ndarray, positions: Sequence[Sequence[float]], slopes: Sequence[float], **elements
) -> FileDataset:
    """An enhanced CT of `(frames, rows, columns)`, its rescale and window frame by frame."""
    ds = dataset(stored[0], Modality="CT", NumberOfFrames=len(stored), SeriesInstanceUID="1.2.8")
    groups = []
    for number, (position, slope) in enumerate(zip(positions, slopes, strict=True)):
        group = Dataset()
        group.PlanePositionSequence = item(ImagePositionPatient=list(position))
        group.PixelValueTransformationSequence = item(RescaleSlope=slope, RescaleIntercept=number, RescaleType="HU")
        group.FrameVOILUTSequence = item(WindowCenter=50, WindowWidth=100 + number)
        groups.append(group)
    shared = Dataset()
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=list(AXIAL))
    ds.SharedFunctionalGroupsSequence = Items([shared])
    ds.PerFrameFunctionalGroupsSequence = Items(groups)
    ds.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    return ds
