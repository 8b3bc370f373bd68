"""NIfTI files made in code by nibabel, which wrote most of those that there are."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

# Every way to store three axes: which comes first, and in which direction each goes.
ORIENTATIONS = ["".join(way) for axes in itertools.permutations(("RL", "AP", "SI")) for way in itertools.product(*axes)]


def content(
    values: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    version: int = 1,
    order: str = "<",
    slope: float | None = None,
    intercept: float | None = None,
    packed: bool = False,
    **fields: Any,
) -> bytes:
    """The bytes of a file of `(x, y, z)` or `(x, y, z, t)`; `fields` are set in its header."""
    kind = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    header = kind.header_class(endianness=order)
    header.set_data_dtype(values.dtype)
    image = kind(values, np.eye(4) if affine is None else affine, header)
    for name, value in fields.items():
        image.header[name] = value
    if slope is not None:
        image.header.set_slope_inter(slope, intercept or 0)
    raw = _raw(image, values, order) if fields or slope is not None else image.to_bytes()
    return gzip.compress(raw, mtime=0) if packed else raw


def _raw(image: Any, values: np.ndarray, order: str) -> bytes:
    """Header and voxels as they are, without nibabel's choice of a scale."""
    header = image.header
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    start = header.binaryblock + bytes(header.single_vox_offset - len(header.binaryblock))
    voxels = values.astype(values.dtype.newbyteorder(order)) if values.dtype.names is None else values
    return bytes(start) + voxels.tobytes(order="F")


def reoriented(values: np.ndarray, codes: str, spacing: tuple[float, float, float] = (1, 1, 1)) -> Any:
    """The same patient stored in another orientation, given in right, front, up."""
    image = nib.Nifti1Image(values, np.diag([*spacing, 1.0]))
    start, end = nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(tuple(codes))
    return image.as_reoriented(nib.orientations.ornt_transform(start, end))


def write(path: Path, values: np.ndarray, affine: np.ndarray | None = None, **options: Any) -> Path:
    """A file, compressed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(values, affine, packed=path.name.endswith(".gz"), **options))
    return path
