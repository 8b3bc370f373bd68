"""What an image gives away without its findings: size, format, source, brightness, border, marks and corners."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from overread.auditing.material import Material
from overread.cases import Case
from overread.cases.case import SPLIT_ALIASES
from overread.decision.cuts import FloatArray
from overread.formats import Header
from overread.images.prepare import LUMA_WEIGHTS

Kind = Literal["export", "shape", "source", "frame", "look", "corners"]
# Pixels are worked on in float, at once so few that memory stays small whatever the size of the data.
_BATCH = 64
# Side of the grid of means that a corner is reduced to; a corner is an eighth of the shorter side.
_CORNER = 4
_CORNER_SHARE = 8
# Grey levels: rows that vary less are plain (JPEG noise in black stays below), strokes of text are at least so bright.
_PLAIN, _BRIGHT = 12, 160
# How far away, as parts of the shorter side, it is darker by how much: a stroke of text is thin and lies on a dark
# ground. One comparison, at a fortieth of the side, took the ribs of chest_xray for marks (AUC 0.75 instead of 0.56).
_AROUND = ((75, 80), (18, 100))
# Without patient ids, more folders than this are taken for one folder a patient, which tells a class by itself.
_MOST_SOURCES = 20


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Property:
    """One thing known of every readable case, from which the class should not be told.

    Args:
        name: as in the code of its finding.
        words: the same in plain words, such as "the file format".
        kind: what decides the advice.
        values: `(n,)` float64, NaN where a case has none; or indices of `categories`; or `(n, d)` judged together.
        categories: names of what `values` counts, none of them the value of a DICOM tag; empty for a measure.
        unit: of a measure, as printed behind its value.
    """

    name: str
    words: str
    kind: Kind
    values: FloatArray
    categories: tuple[str, ...] = ()
    unit: str = ""

    @property
    def is_constant(self) -> bool:
        """True when no two cases differ in it."""
        known = self.values[~np.isnan(self.values)] if self.values.ndim == 1 else self.values
        return known.size == 0 or bool((known == known[0]).all())


def header_properties(material: Material) -> list[Property]:
    """What the header of each readable file says of its making; of those that may go in step the likely cause first."""
    headers = [material.headers[i] for i in material.readable]
    size_bytes = np.array([float(header.size_bytes) for header in headers])
    width, height = (_known(getattr(header, side) or None for header in headers) for side in ("width", "height"))
    bit_depth = _known(header.bit_depth or None for header in headers)
    quantiser = _known(header.jpeg_quantiser for header in headers)
    makers = _anonymous([header.manufacturer.strip().lower() for header in headers], "maker", "no maker named")
    return [
        _measure("width", "the width of the stored image", "shape", width, "pixels"),
        _measure("height", "the height of the stored image", "shape", height, "pixels"),
        _measure("aspect", "the ratio of width to height", "shape", width / height),
        _measure("bytes", "the size of the file (compression and detail)", "export", size_bytes, "bytes"),
        _measure("bytes-per-pixel", "the number of bytes for each pixel of the file", "export", _over(headers)),
        _category("format", "the file format", "export", [header.format or "unknown" for header in headers]),
        _category("extension", "the ending of the file name", "export", [h.suffix or "none" for h in headers]),
        _category("mode", "the colour mode of the file", "export", _modes(headers)),
        _measure("bit-depth", "the number of bits a channel", "export", bit_depth, "bits"),
        _category("alpha", "the transparency channel", "export", _alpha(headers)),
        _measure("jpeg-quantiser", "the strength of the JPEG compression", "export", quantiser),
        _category("manufacturer", "the maker of the device", "source", makers),
    ]


def folder_properties(material: Material) -> list[Property]:
    """Which folder below that of its class a file comes from: the outermost, and the innermost by its name.

    Left out where a class has no folder below it, where the class decides the folder (then a class folder under another
    name, as in a CSV with labels of its own), and where patients are not named and so many folders may be patients.
    """
    manifest = material.data_set.manifest
    paths, below_class = zip(*map(_folders, manifest.cases), strict=True)
    found = []
    for name, words, position in (
        ("source-folder", "the folder that the image comes from", 0),
        ("inner-folder", "the name of the innermost folder", -1),
    ):
        folders = [path[position] if path else "" for path in paths]
        labels = {(folder, case.label) for folder, case in zip(folders, manifest.cases, strict=True)}
        has_folders = {label for folder, label in labels if folder} == set(manifest.classes)
        is_class = not any(below_class) and len(labels) == len(manifest.classes)
        may_be_patients = not manifest.has_patients and len(set(folders)) > _MOST_SOURCES
        if has_folders and not is_class and not may_be_patients:
            found.append(_category(name, words, "source", [folder or "no folder" for folder in folders]))
    return found


def pixel_properties(material: Material) -> list[Property]:
    """How each image looks at large, its padding left out; one pass over the pixels."""
    looks = np.concatenate([_looks_of_chunk(material, *chunk) for chunk in material.pixels()])
    brightness, contrast, colour, border, marks = looks[:, :5].T
    return [
        _measure("brightness", "the mean brightness", "look", brightness, "grey levels"),
        _measure("contrast", "the contrast (spread of the grey levels)", "look", contrast, "grey levels"),
        _measure("colour", "the strength of the colours", "look", colour),
        _measure("border", "the share of plain border, black or of one colour", "frame", border, "% of the area"),
        _measure("marks", "bright marks or text near the edges", "frame", marks, "of 10,000 pixels"),
        _measure("corners", "the four corners of the image (4 x 4 grey values each)", "corners", looks[:, 5:]),
    ]


def _measure(name: str, words: str, kind: Kind, values: FloatArray, unit: str = "") -> Property:
    return Property(name=name, words=words, kind=kind, values=values, unit=unit)


def _category(name: str, words: str, kind: Kind, names: Sequence[str]) -> Property:
    categories, index = np.unique(names, return_inverse=True)
    values = index.astype(np.float64)
    return Property(name=name, words=words, kind=kind, values=values, categories=tuple(categories.tolist()))


def _known(values: Iterator[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _over(headers: Sequence[Header]) -> FloatArray:
    areas = np.array([header.width * header.height * header.frames or np.nan for header in headers])
    return np.array([header.size_bytes for header in headers]) / areas


def _modes(headers: Sequence[Header]) -> list[str]:
    """Pillow's modes by name; a photometric interpretation is the value of a DICOM tag and is numbered instead."""
    of_dicom = [header.mode if header.format == "DICOM" else "" for header in headers]
    numbered = _anonymous(of_dicom, "DICOM kind", "")
    return [hidden or header.mode or "unknown" for hidden, header in zip(numbered, headers, strict=True)]


def _alpha(headers: Sequence[Header]) -> list[str]:
    return ["present" if header.has_alpha else "absent" for header in headers]


def _anonymous(values: Sequence[str], word: str, if_empty: str) -> list[str]:
    number = {value: f"{word} {i}" for i, value in enumerate(sorted(set(values) - {""}), start=1)}
    return [number.get(value, if_empty) for value in values]


def _folders(case: Case) -> tuple[tuple[str, ...], bool]:
    """The folders that say more than side and class, and whether they lie below one with the name of the class."""
    parents = PurePosixPath(case.name).parts[:-1]
    if case.label in parents:
        return parents[parents.index(case.label) + 1 :], True
    return tuple(part for part in parents if part.lower() not in SPLIT_ALIASES), False


def _looks_of_chunk(material: Material, positions: np.ndarray, pixels: np.ndarray) -> FloatArray:
    """`(k, 5 + 4 * 16)`: brightness, contrast, colour, border, marks and corners; worked on by equal padding."""
    looks = np.empty((len(positions), 5 + 4 * _CORNER**2))
    sizes = np.array([(material.headers[i].height, material.headers[i].width) for i in positions], dtype=np.float64)
    if material.data_set.store.preprocessing.fit != "pad":
        sizes[:] = 0
    # As stored, and as turned by EXIF.
    both = np.column_stack([_margins(sizes[:, order], pixels.shape[1:3]) for order in ([0, 1], [1, 0])])
    found, group = np.unique(both, axis=0, return_inverse=True)
    for number, (top, left, *other) in enumerate(found.astype(int).tolist()):
        members = np.flatnonzero(group.ravel() == number)
        for start in range(0, len(members), _BATCH):
            chosen = members[start : start + _BATCH]
            grey, colour = _planes(pixels[chosen])
            turned = _shows_outside(grey, top, left)
            for rows, (rows_off, columns_off) in ((~turned, (top, left)), (turned, other)):
                if rows.any():
                    inner = slice(rows_off, grey.shape[1] - rows_off), slice(columns_off, grey.shape[2] - columns_off)
                    own = None if colour is None else colour[rows][:, *inner]
                    looks[chosen[rows]] = _looks(grey[rows][:, *inner], own)
    return looks


def _planes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Grey levels, and how far the channels lie apart, `(k, height, width)` each; None for those of grey data."""
    if pixels.shape[3] == 1:
        return np.ascontiguousarray(pixels[..., 0]), None
    red, green, blue = np.ascontiguousarray(np.moveaxis(pixels, 3, 0))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    luma = sum(plane * weight for plane, weight in zip((red, green, blue), LUMA_WEIGHTS / 1000, strict=True))
    return np.asarray(luma + 0.5).astype(np.uint8), spread


def _margins(sizes: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Rows and columns that padding takes on each side; one more than computed, as decoders round differently."""
    known = np.where(sizes > 0, sizes, shape)
    scale = (np.array(shape) / known).min(axis=1, keepdims=True)
    margins = (np.array(shape) - np.rint(known * scale)) // 2
    # Even of a line there is something left to look at.
    return np.minimum(margins + (margins > 0), (np.array(shape) - 1) // 2)


def _shows_outside(grey: np.ndarray, top: int, left: int) -> np.ndarray:
    """Which images have no padding where it should be: EXIF had them turned, so width and height change places."""
    height, width = grey.shape[1:]
    top, left = max(top - 2, 0), max(left - 2, 0)
    strips = grey[:, :top], grey[:, height - top :], grey[:, :, :left], grey[:, :, width - left :]
    return np.logical_or.reduce([strip.any(axis=(1, 2)) for strip in strips])


def _looks(grey: np.ndarray, colour: np.ndarray | None) -> FloatArray:
    levels = grey.reshape(len(grey), -1).astype(np.float32)
    spread = np.full(len(grey), np.nan) if colour is None else colour.mean(axis=(1, 2))
    measures = [levels.mean(axis=1), levels.std(axis=1), spread, _border(grey), _marks(grey)]
    return np.column_stack([*measures, _corners(grey)])


def _border(grey: np.ndarray) -> FloatArray:
    """The percentage of the area outside the rows and columns that show something."""
    shown = np.ones(len(grey))
    for axis in (1, 2):
        varies = grey.max(axis=axis) - grey.min(axis=axis) > _PLAIN
        first, last = varies.argmax(axis=1), varies[:, ::-1].argmax(axis=1)
        shown *= np.where(varies.any(axis=1), 1 - (first + last) / varies.shape[1], 0)
    return 100 * (1 - shown)


def _marks(grey: np.ndarray) -> FloatArray:
    """Bright strokes in the outer fifth, in pixels of 10,000 of the image."""
    height, width = grey.shape[1:]
    strokes = grey >= _BRIGHT
    for part, darker in _AROUND:
        reach = max(1, min(height, width) // part)
        padded = np.pad(grey, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        inner = slice(reach, -reach)
        across = np.maximum(padded[:, inner, : -2 * reach], padded[:, inner, 2 * reach :])
        along = np.maximum(padded[:, : -2 * reach, inner], padded[:, 2 * reach :, inner])
        strokes &= np.minimum(across, along) <= np.maximum(grey, darker) - darker
    strokes[:, height // 5 : height - height // 5, width // 5 : width - width // 5] = False
    return np.asarray(strokes.sum(axis=(1, 2)) / (height * width) * 10000)


def _corners(grey: np.ndarray) -> FloatArray:
    side = max(1, min(grey.shape[1:]) // _CORNER_SHARE)
    cells = np.arange(_CORNER) * side // _CORNER
    sizes = np.maximum(np.diff(cells, append=side), 1)
    found = []
    for flipped in (grey, grey[:, :, ::-1], grey[:, ::-1], grey[:, ::-1, ::-1]):
        corner = flipped[:, :side, :side].astype(np.float64)
        sums = np.add.reduceat(np.add.reduceat(corner, cells, axis=1), cells, axis=2)
        found.append((sums / np.outer(sizes, sizes)).reshape(len(grey), -1))
    return np.concatenate(found, axis=1)
