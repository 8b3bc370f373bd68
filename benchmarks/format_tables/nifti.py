"""NIfTI: every volume, its slices and values against nibabel and SimpleITK (whose reader of NIfTI is ITK's own)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK

from overread.errors import OverreadError
from overread.formats import Frames, Instance, kind_of_other, open_exam, read_header

_NEAR = 1e-4


def tables(data: Path) -> Iterator[tuple[str, Sequence[str], list[Sequence[object]]]]:
    """A table a folder."""
    warnings.simplefilter("ignore")
    SimpleITK.ProcessObject.GlobalWarningDisplayOff()
    columns = ("file", "read", "spacing mm", "notes", "against nibabel", "against SimpleITK")
    for folder in ("nifti", "depression_t1w_volumes", "hippocampus_volumes"):
        files = [path for path in sorted((data / folder).rglob("*")) if path.suffix in (".nii", ".gz", ".mnc")]
        yield folder, columns, [_row(data / folder, path) for path in files]


def _row(root: Path, path: Path) -> Sequence[object]:
    name = path.relative_to(root).as_posix()
    if (kind := kind_of_other(path)) is not None:
        return name, "no", "", f"{kind.noun}: {kind.remark}", "", ""
    try:
        with open_exam([Instance(path)]) as frames:
            header = read_header(path)
            height, width = frames.picture(0).pixels().shape[:2]
            spacing = " x ".join(f"{side:g}" for side in header.spacing_mm or ())
            compared = [_compared(frames, path, reader) for reader in (_by_nibabel, _by_simpleitk)]
            return name, f"{len(frames)} of {width} x {height}", spacing, "; ".join(frames.notes), *compared
    except OverreadError as error:
        return name, "no", "", str(error), "", ""


def _by_nibabel(path: Path) -> tuple[np.ndarray, list[float]]:
    """`(slices, rows, columns)` from the feet up, the front on top and the right on the left, and their places."""
    image = nib.as_closest_canonical(nib.load(path))
    values = np.asarray(image.dataobj, np.float32)
    values = values[..., values.shape[3] // 2] if values.ndim == 4 else values
    centre = (np.array(values.shape[:2]) - 1) / 2
    places = [float((image.affine @ [*centre, index, 1])[2]) for index in range(values.shape[2])]
    return values[::-1, ::-1].transpose(2, 1, 0), places


def _by_simpleitk(path: Path) -> tuple[np.ndarray, list[float]]:
    """Likewise, through "LPS", whose axes go to the left, to the back and up."""
    image = SimpleITK.ReadImage(str(path))
    if image.GetDimension() == 4:
        size = list(image.GetSize())
        index = [0, 0, 0, size[3] // 2]
        image = SimpleITK.Extract(image, [*size[:3], 0], index)
    image = SimpleITK.DICOMOrient(image, "LPS")
    centre = [(side - 1) / 2 for side in image.GetSize()[:2]]
    places = [image.TransformContinuousIndexToPhysicalPoint([*centre, index])[2] for index in range(image.GetSize()[2])]
    return SimpleITK.GetArrayFromImage(image).astype(np.float32), places


def _compared(frames: Frames, path: Path, reader: Callable[[Path], tuple[np.ndarray, list[float]]]) -> str:
    try:
        values, places = reader(path)
    except Exception as error:  # noqa: BLE001 - what another program cannot read is told
        return f"not read ({type(error).__name__})"
    if len(values) != len(frames):
        return f"{len(values)} slices"
    scale = float(np.nanmax(np.abs(values))) or 1
    own = [frames.picture(index).grey_values() for index in range(len(frames))]
    shapes = {grey.values.shape for grey in own if grey is not None} - {values.shape[1:]}
    told = [f"pixels made square from {values.shape[2]} x {values.shape[1]}"] if shapes else []
    if not shapes:
        apart = max(
            float(np.nanmax(np.abs(grey.values - other))) for grey, other in zip(own, values, strict=True) if grey
        )
        told.append("same values" if apart <= _NEAR * scale else f"values differ by {apart:g}")
    moved = max(abs((frames.origin(index).position_mm or 0) - place) for index, place in enumerate(places))
    told.append("same places" if moved < 0.01 else f"places differ by {moved:.2f} mm")
    return ", ".join(told)
