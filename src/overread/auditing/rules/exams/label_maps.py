"""Volumes of masks that no name gives away: few whole numbers in large areas, where most volumes are pictures."""

from __future__ import annotations

import contextlib

import numpy as np

from overread.auditing.finding import Finding, image_row
from overread.auditing.material import Material
from overread.auditing.rules.masks.recognise import recognise_masks
from overread.errors import OverreadError
from overread.formats import open_exam
from overread.formats.nifti.label_map import numbers_of_parts

_LEAST_EVEN, _MODALITY = 0.7, 0.5


def find_label_maps(material: Material) -> list[Finding]:
    """Masks by the values of their middle slices; where half of the exams are so, this is the modality."""
    known = material.once(recognise_masks)
    cases = material.manifest.cases
    exams = [i for i in material.readable.tolist() if cases[i].instances and material.headers[i].plane]
    found = [i for i in exams if i not in known and _holds_parts(material, i)]
    if not found or len(found) >= _MODALITY * len(exams):
        return []
    sizes = {_geometry(material, i) for i in exams if i not in found}
    beside = sum(_geometry(material, i) in sizes for i in found)
    return [
        Finding(
            code="label-map-among-exams",
            severity="block",
            sentence=f"{len(found):,} of {len(cases):,} exams are volumes of a few whole numbers in large areas, as "
            f"masks and label maps are; {beside:,} of them have the size of a volume of pictures. A network would "
            "learn what somebody drew, which no new patient brings along.",
            fix="Look at them, and move those that are no pictures out of the data (or remove their rows from the "
            "table); the cleaned manifest leaves them out.",
            count=len(found),
            evidence=tuple(image_row(cases[i], reason="few whole numbers") for i in found),
            groups=tuple((i,) for i in found),
        )
    ]


def _geometry(material: Material, position: int) -> tuple[int, int, int]:
    header = material.headers[position]
    return header.width, header.height, header.frames


def _holds_parts(material: Material, position: int) -> bool:
    with contextlib.suppress(OverreadError), open_exam(material.manifest.cases[position].instances) as frames:
        grey = frames.overview().grey_values()
        return grey is not None and _are_parts(grey.values)
    return False


def _are_parts(values: np.ndarray) -> bool:
    """Whether neighbours are mostly equal, outside the ground, and all values are a few whole numbers."""
    found = numbers_of_parts(values)
    if not found.size:
        return False
    ground = found[0] if (values == found[0]).mean() > (values == 0).mean() else 0
    inside = (values[:, 1:] != ground) | (values[:, :-1] != ground)
    even = values[:, 1:] == values[:, :-1]
    return bool(inside.any()) and float(even[inside].mean()) >= _LEAST_EVEN
