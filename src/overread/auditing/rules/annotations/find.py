"""Every burned-in mark of a study, with its kind and place."""

from __future__ import annotations

import dataclasses
import os
from typing import Literal, get_args

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.annotations.layout import grey_bars, pairs_of_crosses, rows_of_text, scales_of_ticks
from overread.auditing.rules.annotations.letters import Candidates, find_candidates, tell_letters
from overread.auditing.rules.annotations.strokes import Pieces, find_strokes
from overread.auditing.rules.masks.pixel_statistics import is_grey_study
from overread.machine.workers import in_order

Kind = Literal["text", "letter", "callipers", "ruler", "bar"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Mark:
    """Something written into an image: its position in the manifest, and top, left, bottom and right in pixels."""

    position: int
    kind: Kind
    box: tuple[int, int, int, int]


def find_marks(material: Material) -> tuple[Mark, ...]:
    """Find text, single letters, callipers, rulers and grey bars, by image.

    White, grey and coloured marks are found that are brighter than the ground that they stand on and written with
    strokes of at most 7 of 224 pixels; letters of text from 3 pixels high.
    """
    is_grey = is_grey_study(material)
    starts = range(0, len(material.readable), _BATCH)
    found = list(in_order(lambda start: _look(material, start, is_grey), starts, os.cpu_count() or 1))
    every = {kind: Pieces.together([marks[kind] for marks, _ in found]) for kind in found[0][0]}
    every["letter"] = tell_letters([letters for _, letters in found], every["text"])
    listed = [
        Mark(int(material.readable[image]), kind, tuple(box))
        for kind, pieces in every.items()
        for image, *box in zip(
            *(side.tolist() for side in (pieces.image, pieces.top, pieces.left, pieces.bottom, pieces.right)),
            strict=True,
        )
    ]
    return tuple(sorted(listed, key=lambda mark: (mark.position, KINDS.index(mark.kind), mark.box)))


def _look(material: Material, start: int, is_grey: bool) -> tuple[dict[Kind, Pieces], Candidates]:
    """Find the marks of a few images, and what may be letters."""
    pixels = material.data_set.pixels(range(start, min(start + _BATCH, len(material.readable))))
    planes = _brightness(pixels, is_grey)
    relief, is_stroke, pieces = find_strokes(planes)
    marks: dict[Kind, Pieces] = {
        "text": rows_of_text(planes, is_stroke, pieces),
        "callipers": pairs_of_crosses(planes, relief, pieces),
        "ruler": scales_of_ticks(is_stroke, pieces),
        "bar": grey_bars(planes, pieces),
    }
    letters = find_candidates(planes, relief, pieces)
    return (
        {kind: _moved(found, start) for kind, found in marks.items()},
        dataclasses.replace(letters, pieces=_moved(letters.pieces, start)),
    )


def _brightness(pixels: np.ndarray, is_grey: bool) -> np.ndarray:
    """In a grey study the brightest channel; on red tissue green tells white and yellow marks from it."""
    if pixels.shape[-1] == 1:
        return pixels[..., 0]
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return np.asarray(np.maximum(np.maximum(red, green), blue) if is_grey else np.ascontiguousarray(green))


def _moved(pieces: Pieces, start: int) -> Pieces:
    return dataclasses.replace(pieces, image=pieces.image + start)
