"""Properties that an image has apart from the disease: their names, what they are and the values of a study."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from overread.decision.cuts import FloatArray

Kind = Literal["export", "shape", "source", "frame", "appearance", "corners"]
# By the name of a property, as in the code of its finding: what it is, and what decides the advice.
DESCRIPTIONS: Mapping[str, tuple[str, Kind]] = {
    "width": ("the width of the stored image", "shape"),
    "height": ("the height of the stored image", "shape"),
    "aspect": ("the ratio of width to height", "shape"),
    "bytes": ("the size of the file (compression and detail)", "export"),
    "bytes-per-pixel": ("the number of bytes for each pixel of the file", "export"),
    "format": ("the file format", "export"),
    "extension": ("the ending of the file name", "export"),
    "mode": ("the colour mode of the file", "export"),
    "bit-depth": ("the number of bits a channel", "export"),
    "alpha": ("the transparency channel", "export"),
    "jpeg-quantiser": ("the strength of the JPEG compression", "export"),
    "manufacturer": ("the maker of the device", "source"),
    "source-folder": ("the folder that the image comes from", "source"),
    "inner-folder": ("the name of the innermost folder", "source"),
    "brightness": ("the mean brightness", "appearance"),
    "contrast": ("the contrast (spread of the grey levels)", "appearance"),
    "colour": ("the strength of the colours", "appearance"),
    "border": ("the share of plain border, black or of one colour", "frame"),
    "marks": ("bright marks or text near the edges", "frame"),
    "corners": ("the four corners of the image (4 x 4 grey values each)", "corners"),
    "header": ("all properties of the file together", "export"),
}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Property:
    """One thing known of every readable case, from which the class should not be told.

    Args:
        name: one of `DESCRIPTIONS`.
        values: `(n,)` float64, NaN where a case has none; or indices of `categories`; or `(n, d)` judged together.
        categories: names of what `values` counts, none of them the value of a DICOM tag; empty for a measure.
        unit: of a measure, as printed behind its value.
    """

    name: str
    values: FloatArray
    categories: tuple[str, ...] = ()
    unit: str = ""

    @classmethod
    def of_names(cls, name: str, names: Sequence[str]) -> Property:
        """A property that has a name instead of a measure for each case."""
        categories, index = np.unique(names, return_inverse=True)
        return cls(name=name, values=index.astype(np.float64), categories=tuple(categories.tolist()))

    @property
    def words(self) -> str:
        """What it is, such as "the file format"."""
        return DESCRIPTIONS[self.name][0]

    @property
    def kind(self) -> Kind:
        """What decides the advice."""
        return DESCRIPTIONS[self.name][1]

    @property
    def is_constant(self) -> bool:
        """True when no two cases differ in it."""
        known = self.values[~np.isnan(self.values)] if self.values.ndim == 1 else self.values
        return known.size == 0 or bool((known == known[0]).all())
