"""What the file of an image gives away: size, format, compression, maker and folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from overread.auditing.every_header import frames_in, headers_of_exams
from overread.auditing.material import Material
from overread.auditing.rules.shortcuts.properties import Property
from overread.cases import Case
from overread.cases.case import SPLIT_ALIASES
from overread.decision.cuts import FloatArray
from overread.formats import Header

# Without patient ids, more folders than this are taken for one folder a patient, which tells a class by itself.
_MOST_SOURCES = 20
# TIFF files may hold JPEG, as scanners of slides write them; those of one study mostly don't.
_LOSSLESS = frozenset({"PNG", "TIFF", "BMP"})


def header_properties(material: Material) -> list[Property]:
    """What the header of each readable file says of its making; of those that may agree the likely cause first."""
    headers = [material.headers[i] for i in material.readable]
    size_bytes = np.array([float(header.size_bytes) for header in headers])
    width, height = (_known(getattr(header, side) or None for header in headers) for side in ("width", "height"))
    bit_depth = _known(header.bit_depth or None for header in headers)
    quantiser = _known(header.jpeg_quantiser for header in headers)
    is_detail = _are_stored_alike(headers)
    makers = _anonymous([header.manufacturer.strip().lower() for header in headers], "maker", "no maker named")
    return [
        Property.of_names("size", [f"{header.width} x {header.height} pixels" for header in headers]),
        Property(name="width", values=width, unit="pixels"),
        Property(name="height", values=height, unit="pixels"),
        Property(name="aspect", values=width / height),
        Property(name="bytes", values=size_bytes, unit="bytes", is_detail=is_detail),
        Property(name="bytes-per-pixel", values=_bytes_per_pixel(headers), is_detail=is_detail),
        Property.of_names("format", [header.format or "unknown" for header in headers]),
        Property.of_names("extension", [h.suffix or "none" for h in headers]),
        Property.of_names("mode", _modes(headers)),
        Property(name="bit-depth", values=bit_depth, unit="bits"),
        Property.of_names("alpha", _alpha(headers)),
        Property(name="jpeg-quantiser", values=quantiser),
        Property.of_names("manufacturer", makers),
        *_exam_properties(material),
    ]


def _exam_properties(material: Material) -> list[Property]:
    """How many frames exams have and how far apart these lie; nothing of images."""
    if not material.has_exams:
        return []
    every = material.once(headers_of_exams)
    cases = material.manifest.cases
    readable = material.readable.tolist()
    frames = [float(frames_in(cases[i].instances, every[i])) if cases[i].instances else 1.0 for i in readable]
    spacing = [material.headers[i].spacing_mm or (None, None, None) for i in readable]
    return [
        Property(name="frames", values=np.array(frames)),
        Property(name="slice-spacing", values=_known(own[0] for own in spacing), unit="mm"),
        Property(name="pixel-spacing", values=_known(own[1] for own in spacing), unit="mm"),
        Property.of_names("plane", [material.headers[i].plane or "unknown" for i in readable]),
    ]


def folder_properties(material: Material) -> list[Property]:
    """Which folder below that of its class a file comes from: the outermost, and the innermost by its name.

    Left out where a class has no folder below it, where the class decides the folder (then a class folder under another
    name, as in a CSV with labels of its own), and where patients are not named and so many folders may be patients.
    """
    manifest = material.data_set.manifest
    paths, below_class = zip(*map(_folders, manifest.cases), strict=True)
    found = []
    for name, position in (("source-folder", 0), ("inner-folder", -1)):
        folders = [path[position] if path else "" for path in paths]
        labels = {(folder, name) for folder, shown in zip(folders, manifest.shown, strict=True) for name in shown}
        has_folders = {label for folder, label in labels if folder} == set(manifest.classes)
        is_class = not any(below_class) and len(labels) == len(manifest.classes)
        may_be_patients = not manifest.has_patients and len(set(folders)) > _MOST_SOURCES
        if has_folders and not is_class and not may_be_patients:
            found.append(Property.of_names(name, [folder or "no folder" for folder in folders]))
    return found


def _known(values: Iterator[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _are_stored_alike(headers: Sequence[Header]) -> bool:
    """Whether all are of one geometry and without loss, so that the size of a file is the detail of its picture."""
    kinds = {(header.format, header.width, header.height, header.mode, header.bit_depth) for header in headers}
    return len(kinds) == 1 and headers[0].format in _LOSSLESS


def _bytes_per_pixel(headers: Sequence[Header]) -> FloatArray:
    areas = np.array([header.width * header.height * header.frames or np.nan for header in headers])
    return np.array([header.size_bytes for header in headers]) / areas


def _modes(headers: Sequence[Header]) -> list[str]:
    """Pillow's modes by name; a photometric interpretation is the value of a DICOM tag and is numbered instead."""
    of_dicom = [header.mode if header.format == "DICOM" else "" for header in headers]
    numbered = _anonymous(of_dicom, "DICOM kind", "")
    return [hidden or header.mode or "unknown" for hidden, header in zip(numbered, headers, strict=True)]


def _alpha(headers: Sequence[Header]) -> list[str]:
    return ["with" if header.has_alpha else "without" for header in headers]


def _anonymous(values: Sequence[str], word: str, if_empty: str) -> list[str]:
    number = {value: f"{word} {i}" for i, value in enumerate(sorted(set(values) - {""}), start=1)}
    return [number.get(value, if_empty) for value in values]


def _folders(case: Case) -> tuple[tuple[str, ...], bool]:
    """The folders that say more than side and class, and whether they lie below one with the name of the class."""
    parents = PurePosixPath(case.name).parts[:-1]
    if case.label in parents:
        return parents[parents.index(case.label) + 1 :], True
    return tuple(part for part in parents if part.lower() not in SPLIT_ALIASES), False
