"""Small exams made in code: several pictures with one answer, as PNGs, pages of a TIFF, a series of DICOM or a volume.

Of an ill exam one frame holds a bright square; of a well one none does. `frames_of` makes the frames, the others write
them in a format.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.uid import generate_uid

from support.dicom_files import dataset, file_bytes

ILL, WELL = "ill", "well"


def frames_of(seed: int, *, ill: bool, count: int = 4, size: int = 32, at: int | None = None) -> np.ndarray:
    """`(count, size, size)` uint8: noise that grows brighter from frame to frame, so that their order can be told.

    Args:
        seed: of the noise.
        ill: whether the frame `at`, by default the one after the middle, holds a bright square.
        count: of frames.
        size: of a side in pixels.
        at: from 0.
    """
    rng = np.random.default_rng([7, seed])
    steps = np.linspace(0, 60, count).astype(np.uint8)[:, None, None]
    frames = rng.integers(0, 90, (count, size, size), dtype=np.uint8) + steps
    if ill:
        third = size // 3
        frames[(count // 2 + 1) % count if at is None else at, third : 2 * third, third : 2 * third] = 255
    return frames


def write_pngs(path: Path, frames: np.ndarray, *, size: tuple[int, int] | None = None) -> list[Path]:
    """An exam as a folder of PNGs, 001.png and on."""
    path.mkdir(parents=True, exist_ok=True)
    written = []
    for number, frame in enumerate(frames, start=1):
        image = Image.fromarray(frame)
        written.append(path / f"{number:03d}.png")
        (image if size is None else image.resize(size)).save(written[-1])
    return written


def write_pages(path: Path, frames: np.ndarray) -> Path:
    """An exam as a TIFF of several pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path.with_suffix(".tif"), save_all=True, append_images=rest)
    return path.with_suffix(".tif")


def write_series(path: Path, frames: np.ndarray, *, patient_id: str = "", shuffled: bool = True, **elements) -> Path:
    """An exam as a folder of CT slices in Hounsfield units, 3 mm apart from the feet up, whose names do not tell order.

    A grey value of 100 is 0 HU. `elements` add to or override the header of every slice.
    """
    path.mkdir(parents=True, exist_ok=True)
    study, series = generate_uid(entropy_srcs=[str(path)]), generate_uid(entropy_srcs=[str(path), "series"])
    names = np.random.default_rng(len(frames)).permutation(len(frames)) if shuffled else range(len(frames))
    for place, (name, frame) in enumerate(zip(names, frames, strict=True)):
        header = {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": patient_id,
            "SOPInstanceUID": generate_uid(entropy_srcs=[series, str(place)]),
            "StudyInstanceUID": study, "SeriesInstanceUID": series,
            "InstanceNumber": int(name) + 1, "ImagePositionPatient": [0, 0, 3 * place], "PixelSpacing": [1, 1],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": 3, "RescaleIntercept": -100,
            "RescaleSlope": 1,
        }  # fmt: skip
        ds = dataset(frame.astype(np.int16), **(header | elements))
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        (path / f"{name:03d}.dcm").write_bytes(file_bytes(ds))
    return path


def write_volume(path: Path, frames: np.ndarray, *, spacing_mm: Sequence[float] = (1, 1, 3)) -> Path:
    """An exam as a NIfTI volume, whose frames are its third axis from the feet up."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.with_name(f"{path.name}.nii")
    path.write_bytes(nifti(frames.transpose(2, 1, 0)[:, ::-1], np.diag([*spacing_mm, 1])))
    return path


def nifti(values: np.ndarray, affine: np.ndarray, *, slope: float = 1, intercept: float = 0) -> bytes:
    """The content of a NIfTI-1 file of `(x, y, z)` or `(x, y, z, t)`, little-endian, made without nibabel."""
    kinds = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512}
    kind = values.dtype.str[1:]
    dimensions = [values.ndim, *values.shape, *[1] * (7 - values.ndim)]
    spacing = np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    header = struct.pack("<i35xB8h14xhhh", 348, 0, *dimensions, kinds[kind], 8 * values.itemsize, 0)
    header += struct.pack("<8f3f", 1, *spacing, 1, 1, 1, 1, 352, slope, intercept)
    header += struct.pack("<hBB4f2i", 0, 0, 2, 0, 0, 0, 0, 0, 0) + bytes(80 + 24)
    header += struct.pack("<hh6f12f16s4s", 0, 1, *[0] * 6, *np.asarray(affine, float)[:3].ravel(), b"", b"n+1\0")
    assert len(header) == 348
    return header + bytes(4) + values.astype(f"<{kind}").tobytes(order="F")


def write_exams(
    root: Path, *, ill: int = 6, well: int = 6, write: Callable[[Path, np.ndarray], object] = write_pngs, **options
) -> Path:
    """Exams in class folders: `ill/e001` and on, and `well/e101` and on, each written by one of the functions above.

    Args:
        root: the folder of the data.
        ill, well: how many of each.
        write: `write_pngs`, `write_pages`, `write_series` or `write_volume`.
        options: of `frames_of`.
    """
    for name, count, first in ((ILL, ill, 1), (WELL, well, 101)):
        for number in range(first, first + count):
            write(root / name / f"e{number:03d}", frames_of(number, ill=name == ILL, **options))
    return root


def write_table(root: Path, *, ill: int = 6, well: int = 6, **options) -> Path:
    """PNG exams in one folder with a table `labels.csv` of path, label, patient_id and exam_id; the path of the table.

    Each patient has one exam.
    """
    rows = ["path,label,patient_id,exam_id"]
    for name, count, first in ((ILL, ill, 1), (WELL, well, 101)):
        for number in range(first, first + count):
            for path in write_pngs(root / f"e{number:03d}", frames_of(number, ill=name == ILL, **options)):
                rows.append(f"{path.relative_to(root).as_posix()},{name},p{number},e{number:03d}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root / "labels.csv"
