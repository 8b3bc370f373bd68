"""Marks that are the same at the same place in many images: part of a machine's frame, or a logo."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.annotations.find import Kind, Mark

# Boxes that differ by a pixel or two are one place. JPEG moves the levels of a mark by 3 on average, another number in
# a line of text by 20 and more.
_PLACE, _SAME, _COMPARED = 3, 10, 64
_LEAST, _LEAST_SHARE = 5, 0.1


@dataclasses.dataclass(frozen=True)
class Repeat:
    """One of the marks that repeat, and in how many images it stands."""

    mark: Mark
    images: int


def find_repeats(material: Material, marks: Sequence[Mark]) -> tuple[Repeat, ...]:
    """Find the marks that stand unchanged in a tenth of all images or more, the most frequent first.

    Of very many images that have a mark at one place some are compared, and their share is taken for that of all.
    """
    places: dict[tuple[Kind, tuple[int, ...]], list[Mark]] = defaultdict(list)
    for mark in marks:
        places[mark.kind, tuple((edge + 1) // _PLACE for edge in mark.box)].append(mark)
    least = max(_LEAST, _LEAST_SHARE * len(material.readable))
    found = [_repeat(material, there) for there in places.values() if len(there) >= least]
    return tuple(sorted((one for one in found if one.images >= least), key=lambda one: -one.images))


def _repeat(material: Material, marks: Sequence[Mark]) -> Repeat:
    compared = [marks[i] for i in np.linspace(0, len(marks) - 1, min(len(marks), _COMPARED)).astype(int)]
    top, left, bottom, right = compared[0].box
    rows = np.searchsorted(material.readable, [mark.position for mark in compared])
    seen = material.data_set.pixels(rows.tolist())[:, top:bottom, left:right].astype(np.int16)
    apart = np.abs(seen - np.median(seen, axis=0)).mean(axis=(1, 2, 3))
    return Repeat(compared[int(apart.argmin())], round(float((apart <= _SAME).mean()) * len(marks)))
