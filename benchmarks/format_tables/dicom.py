"""DICOM: every series, and every file, against pydicom and SimpleITK (whose reader of DICOM is GDCM)."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from pydicom.pixels import apply_modality_lut

from overread.errors import OverreadError
from overread.formats import Frames, Instance, kind_of_other, open_exam, open_picture, read_header

_NEAR = 0.02


def tables(data: Path) -> Iterator[tuple[str, Sequence[str], list[Sequence[object]]]]:
    """A table of series, and one of files."""
    warnings.simplefilter("ignore")
    SimpleITK.ProcessObject.GlobalWarningDisplayOff()
    series = data / "dicom_series"
    rows = [_series_row(series, folder, paths) for folder, paths in _series(series)]
    columns = ("series", "files", "read", "order and notes", "pydicom", "GDCM (SimpleITK)", "values against pydicom")
    yield "DICOM series", columns, rows
    files = [path for folder in ("dicom", "dicom_series") for path in sorted((data / folder).rglob("*"))]
    columns = ("file", "read as", "pixels", "frames one by one", "values against pydicom")
    yield "DICOM files", columns, [_file_row(data, path) for path in files if path.is_file()]


def _series(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """The files of each series in each folder, as `--exams series` gathers them, and all of a mixed folder."""
    found: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".txt":
            ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            folder = str(path.parent.relative_to(root))
            uid = str(ds.get("SeriesInstanceUID", "")) if "Rows" in ds else "without images"
            found[folder, uid].append(path)
    numbers: dict[str, int] = defaultdict(int)
    for (folder, _), paths in found.items():
        numbers[folder] += 1
        alone = sum(other == folder for other, _ in found) == 1
        yield folder if alone else f"{folder} ({numbers[folder]})", paths


def _series_row(root: Path, name: str, paths: list[Path]) -> Sequence[object]:
    try:
        with open_exam([Instance(path) for path in paths]) as frames:
            shapes = sorted({frames.picture(i).pixels().shape for i in range(len(frames))})
            sizes = ", ".join(" x ".join(map(str, shape)) for shape in shapes)
            own = _against_pydicom(frames)
            gdcm = _against_gdcm(frames, paths)
            return name, len(paths), f"{len(frames)} of {sizes}", "; ".join(frames.notes), own, gdcm, _values(frames)
    except OverreadError as error:
        return name, len(paths), "no", str(error), "", "", ""


def _placed(path: Path, frame: int | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Position and normal of a frame as pydicom reads them."""
    ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    position, directions = ds.get("ImagePositionPatient"), ds.get("ImageOrientationPatient")
    if frame is not None:
        groups = [ds.PerFrameFunctionalGroupsSequence[frame - 1]] if "PerFrameFunctionalGroupsSequence" in ds else []
        groups += list(ds.get("SharedFunctionalGroupsSequence", []))
        for group in reversed(groups):
            if "PlanePositionSequence" in group:
                position = group.PlanePositionSequence[0].get("ImagePositionPatient")
            if "PlaneOrientationSequence" in group:
                directions = group.PlaneOrientationSequence[0].get("ImageOrientationPatient")
    if position is None or directions is None:
        return None
    rows, columns = np.reshape(np.array(directions, float), (2, 3))
    return np.array(position, float), np.cross(rows, columns)


def _against_pydicom(frames: Frames) -> str:
    """Whether positions rise within each stack, and are the products of position and normal but for the sign."""
    off, falls, without = 0.0, 0, 0
    last: tuple[np.ndarray, float] | None = None
    for origin in map(frames.origin, range(len(frames))):
        placed = _placed(origin.path, origin.frame) if origin.box is None else None
        if placed is None or origin.position_mm is None:
            without += 1
            continue
        position, normal = placed
        off = max(off, abs(abs(float(position @ normal)) - abs(origin.position_mm)))
        same = last is not None and np.allclose(last[0], normal, atol=_NEAR)
        falls += bool(same and last is not None and origin.position_mm < last[1] - _NEAR)
        last = normal, origin.position_mm
    if without == len(frames):
        return "no positions"
    return f"positions differ by {off:.3f} mm at most; {falls + 1} rising run{'s' * (falls > 0)}"


def _against_gdcm(frames: Frames, paths: list[Path]) -> str:
    """The order of GDCM's series reader."""
    origins = [frames.origin(i) for i in range(len(frames))]
    if len(set(paths)) < 2 or any(origin.frame or origin.box for origin in origins):
        return _against_volume(frames, paths)
    folder = str(paths[0].parent)
    own = [str(origin.path) for origin in origins]
    for uid in SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(folder):
        found = list(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(folder, uid))
        if set(found) == set(own):
            if found == own:
                return "same order"
            return "reversed" if found == own[::-1] else "another order of the same files"
    return "splits the series otherwise"


def _against_volume(frames: Frames, paths: list[Path]) -> str:
    """What SimpleITK reads of a file of several frames."""
    if len(paths) > 1:
        return "no order of files of several frames"
    try:
        image = SimpleITK.ReadImage(str(paths[0]))
    except RuntimeError:
        return "not read"
    volume = SimpleITK.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1 or volume.ndim != 3 or len(volume) != len(frames):
        return f"reads {' x '.join(map(str, volume.shape))}"
    grey = [frames.picture(i).grey_values() for i in range(len(frames))]
    if any(one is None for one in grey):
        return f"reads {len(volume)} frames"
    ours = np.stack([one.values for one in grey if one is not None])
    if np.allclose(ours, volume, atol=1e-3, equal_nan=True):
        return f"same {len(volume)} frame{'s' * (len(volume) > 1)} and values"
    numbers = [frames.origin(i).frame for i in range(len(frames))]
    if None not in numbers and np.allclose(ours, volume[[number - 1 for number in numbers if number]], atol=1e-3):
        return "same values, in the order of the file"
    said = f"{len(volume)} frame{'s' * (len(volume) > 1)}"
    if read_header(paths[0]).mode == "MONOCHROME1":
        return f"{said}, inverted before the rescale (MONOCHROME1)"
    return f"{said} with other values: one rescale for all"


def _values(frames: Frames) -> str:
    """The largest difference from pydicom's values, of frames that have grey ones."""
    worst, compared = 0.0, 0
    for index, origin in enumerate(map(frames.origin, range(len(frames)))):
        grey = frames.picture(index).grey_values()
        expected = _expected(origin.path, origin.frame)
        if grey is None or expected is None:
            continue
        if origin.box is not None:
            left, top, width, height = origin.box
            expected = expected[top : top + height, left : left + width]
        known = np.isfinite(grey.values)
        worst = max(worst, float(np.abs(grey.values[known] - expected[known]).max(initial=0)))
        compared += 1
    return f"{compared} frames, at most {worst:.2g}" if compared else ""


def _expected(path: Path, frame: int | None) -> np.ndarray | None:
    try:
        ds = pydicom.dcmread(path, force=True)
        stored = ds.pixel_array if frame is None else ds.pixel_array[frame - 1]
        if frame is not None and "PerFrameFunctionalGroupsSequence" in ds:
            shared = list(ds.get("SharedFunctionalGroupsSequence", []))
            for group in (*shared, ds.PerFrameFunctionalGroupsSequence[frame - 1]):
                if "PixelValueTransformationSequence" in group:
                    ds.update(group.PixelValueTransformationSequence[0])
        return np.asarray(apply_modality_lut(stored, ds), float)
    except Exception:  # noqa: BLE001 - what pydicom does not decode is no measure
        return None


def _file_row(data: Path, path: Path) -> Sequence[object]:
    name = path.relative_to(data)
    if (other := kind_of_other(path)) is not None:
        return name, f"no image: {other.noun or 'unknown'}", "", "", ""
    header = read_header(path)
    if not header.frames:
        return name, "damaged", _reason(path), "", ""
    what = f"{header.mode}, {header.bit_depth} bits, {header.width} x {header.height}, {header.frames} frame"
    what += "s" * (header.frames > 1)
    try:
        with open_exam([Instance(path)]) as frames:
            pixels = [frames.picture(i).pixels() for i in range(len(frames))]
            values = _values(frames)
            alike = _one_by_one(path, header.frames, frames, pixels)
            return name, what, f"{len(pixels)} of {' x '.join(map(str, pixels[0].shape))}", alike, values
    except OverreadError as error:
        return name, what, f"not read: it {error}", "", ""


def _one_by_one(path: Path, count: int, frames: Frames, pixels: list[np.ndarray]) -> str:
    """Whether frames by number have the values that they have in the exam."""
    same = 0
    for index in range(len(frames)):
        origin = frames.origin(index)
        if origin.box is not None:
            return "mosaic"
        with open_picture(path, frame=origin.frame) as picture:
            grey, own = picture.grey_values(), frames.picture(index).grey_values()
            if grey is not None and own is not None:
                same += bool(np.array_equal(grey.values, own.values, equal_nan=True))
            else:
                same += bool(np.array_equal(picture.pixels(), pixels[index]))
    return "same" if same == count else f"{same} of {count} the same"


def _reason(path: Path) -> str:
    try:
        with open_picture(path) as picture:
            picture.pixels()
    except OverreadError as error:
        return f"not read: it {error}"
    return "read"
