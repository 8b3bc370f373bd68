"""Every file that may be a slide: as what it is read, and its geometry by OpenSlide and by Pillow or pydicom."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import openslide
import pydicom
from PIL import Image, TiffImagePlugin

from overread.formats import Instance, is_exam, open_exam, read_header

# What was renamed to be stored, and is tried under its own name.
_RENAMED = {"named_by_an_emoji.svs": "\U0001f610.svs", "named_by_an_emoji.png": "\U0001f610.png"}
_COLUMNS = ("file", "read as", "OpenSlide", "Pillow or pydicom", "tiles, or why not", "first tile against OpenSlide")


def tables(data: Path) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[object]]]]:
    """The table of all files of whole slides, and of DICOM slides among the series."""
    found = sorted((data / "whole_slides").iterdir()) + sorted((data / "dicom_series" / "highdicom").glob("sm_*"))
    with tempfile.TemporaryDirectory() as temporary:
        paths = []
        for path in found:
            if path.suffix != ".txt":
                own = _RENAMED.get(path.name)
                paths.append(path if own is None else Path(shutil.copy(path, Path(temporary) / own)))
        yield "Whole slides", _COLUMNS, [[path.name, *row(path)] for path in paths]


def row(path: Path) -> list[str]:
    """What is said of one file."""
    header = read_header(path)
    read_as = f"{header.format or 'nothing'}{', an exam' if is_exam(path) else ''}"
    return [read_as, _openslide(path), _other(path), *_ours(path)]


def _openslide(path: Path) -> str:
    try:
        slide = openslide.OpenSlide(path)
    except openslide.OpenSlideError as error:
        return f"{type(error).__name__.removeprefix('OpenSlide')}: {str(error).replace(str(path), '')[:60]}"
    microns = slide.properties.get("openslide.mpp-x")
    sizes = ", ".join(f"{w} x {h}" for w, h in slide.level_dimensions)
    pictures = f"; {', '.join(slide.associated_images)}" if slide.associated_images else ""
    said = f"{float(microns):.4g} µm" if microns else "no µm"
    return f"{slide.properties['openslide.vendor']}: {sizes}; {said}{pictures}"


def _other(path: Path) -> str:
    """Sizes of the pages or of the matrix, by a library that knows nothing of slides."""
    try:
        if path.suffix == ".dcm":
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            spacing = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
            size = f"{ds.TotalPixelMatrixColumns} x {ds.TotalPixelMatrixRows}"
            return (
                f"{size}, {ds.get('NumberOfFrames', 1)} frames of {ds.Columns} x {ds.Rows}; {1000 * spacing[1]:.4g} µm"
            )
        if path.suffix in (".svs", ".tiff", ".ndpi"):
            with path.open("rb") as stream:
                image = TiffImagePlugin.TiffImageFile(stream)
                sizes = []
                for page in range(image.n_frames):
                    image.seek(page)
                    sizes.append(f"{image.width} x {image.height}")
            return f"{len(sizes)} pages: {', '.join(sizes)}"
        with Image.open(path) as picture:
            return f"{picture.width} x {picture.height}"
    except Exception as error:  # noqa: BLE001 - what it raises is told
        return f"{type(error).__name__}: {str(error)[:60]}"


def _ours(path: Path) -> list[str]:
    try:
        with open_exam([Instance(path)]) as frames:
            origin, pixels = frames.origin(0), frames.picture(0).pixels()
            said = "; ".join(frames.notes) or f"{len(frames)} picture of {pixels.shape[1]} x {pixels.shape[0]}"
    except Exception as error:  # noqa: BLE001 - likewise
        return [f"{type(error).__name__}: {error}", ""]
    return [said, "" if origin.box is None else _difference(path, origin.box, pixels)]


def _difference(path: Path, box: tuple[int, int, int, int], pixels: np.ndarray) -> str:
    """Against the same box of the largest level, brought to the size of the tile by means of areas."""
    slide = openslide.OpenSlide(path)
    own = slide.read_region(box[:2], 0, box[2:]).convert("RGB").resize(pixels.shape[1::-1], Image.Resampling.BOX)
    away = np.abs(np.asarray(own).astype(float) - pixels)
    return f"{away.mean():.2f} levels in the mean"
