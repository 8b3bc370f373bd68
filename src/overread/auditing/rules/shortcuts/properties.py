"""Properties that an image has apart from the disease: their names, what they are and the values of a study."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from overread.decision.cuts import FloatArray

Kind = Literal["export", "detail", "shape", "source", "frame", "appearance", "corners", "protocol"]
# By the name of a property, as in the code of its finding: what it is, what images with a value of it are, and what
# decides the advice.
DESCRIPTIONS: Mapping[str, tuple[str, str, Kind]] = {
    "size": ("the width and height of the stored image", "are {}", "shape"),
    "width": ("the width of the stored image", "are {} pixels wide", "shape"),
    "height": ("the height of the stored image", "are {} pixels high", "shape"),
    "aspect": ("the ratio of width to height", "have a ratio of width to height of {}", "shape"),
    "bytes": ("the size of the file (compression and detail)", "have files of {} bytes", "export"),
    "bytes-per-pixel": ("the number of bytes for each pixel of the file", "take {} bytes a pixel", "export"),
    "format": ("the file format", "are stored as {}", "export"),
    "extension": ("the ending of the file name", "have the ending {}", "export"),
    "mode": ("the colour mode of the file", "are stored in the colour mode {}", "export"),
    "bit-depth": ("the number of bits a channel", "have {} bits a channel", "export"),
    "alpha": ("the transparency channel", "are stored {} a transparency channel", "export"),
    "jpeg-quantiser": (
        "the strength of the JPEG compression", "are JPEG files with a mean quantiser of {}", "export",
    ),
    "manufacturer": ("the maker of the device", "come from {}", "source"),
    "frames": ("the number of frames of the exam", "have {} frames", "protocol"),
    "slice-spacing": ("the distance between slices", "have slices {} apart", "protocol"),
    "pixel-spacing": ("the size of the pixels", "have pixels of {}", "protocol"),
    "plane": ("the plane of the slices", "are {}", "protocol"),
    "source-folder": ("the folder that the image comes from", "come from {}", "source"),
    "inner-folder": ("the name of the innermost folder", "come from {}", "source"),
    "brightness": ("the mean brightness", "have a mean brightness of {}", "appearance"),
    "contrast": ("the contrast (spread of the grey levels)", "have a spread of {} grey levels", "appearance"),
    "colour": ("the strength of the colours", "have colours of a strength of {}", "appearance"),
    "border": ("the share of plain border, black or of one colour", "have {} % of plain border", "frame"),
    "marks": ("bright marks or text near the edges", "have bright strokes in {} of 10,000 pixels", "frame"),
    "corners": ("the four corners of the image (4 x 4 grey values each)", "", "corners"),
    "header": ("all properties of the file together", "", "export"),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Property:
    """One thing known of every readable case, from which the class should not be told.

    Args:
        name: one of `DESCRIPTIONS`.
        values: `(n,)` float64, NaN where a case has none; or indices of `categories`; or `(n, d)` judged together.
        categories: names of what `values` counts, none of them the value of a DICOM tag; empty for a measure.
        unit: of a measure, as printed behind its value.
        is_detail: it measures how much there is to see, as the size of files does that are stored alike.
    """

    name: str
    values: FloatArray
    categories: tuple[str, ...] = ()
    unit: str = ""
    is_detail: bool = False

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
        return "detail" if self.is_detail else DESCRIPTIONS[self.name][2]

    def in_words(self, value: float) -> str:
        """What images that have a value are, such as "are 640 x 480 pixels"."""
        said = self.categories[int(value)] if self.categories else number_in_words(value)
        return DESCRIPTIONS[self.name][1].format(said)

    @property
    def is_constant(self) -> bool:
        """True when no two cases differ in it."""
        known = self.values[~np.isnan(self.values)] if self.values.ndim == 1 else self.values
        return known.size == 0 or bool((known == known[0]).all())


def number_in_words(value: float) -> str:
    """A measure to whole numbers, small ones to three figures."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
