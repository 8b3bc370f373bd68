"""Look-up tables of DICOM, whose descriptors are not always right (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.dicom.dataset import COLOURS, refuse_long_values

if TYPE_CHECKING:
    from pydicom import Dataset

_VOI_DEPTHS, _PALETTE_DEPTHS = tuple(range(8, 17)), (8, 16)
# How many values 16 bits hold.
_WORDS = 65536
# Segments of segmented palettes: entries, and others that are repeated, for each of which pydicom copies all.
_DISCRETE, _INDIRECT, _INDIRECT_COSTS = 0, 2, 64


def modality_looked_up(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    """The stored values through the modality table, as they are: their unit is not that of a screen."""
    item = ds.ModalityLUTSequence[0]
    refuse_long_values(item)
    return _looked_up(_table(ds, item.LUTDescriptor, item.LUTData), item.LUTDescriptor, stored)


def voi_looked_up(ds: Dataset, values: np.ndarray) -> np.ndarray:
    """Values through the first VOI table, as 8 bits."""
    item = ds.VOILUTSequence[0]
    refuse_long_values(item)
    table = _table(ds, item.LUTDescriptor, item.LUTData)
    return high_byte(_looked_up(table, item.LUTDescriptor, values), _depth([table], _VOI_DEPTHS))


def palette_looked_up(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    """Stored values through the palette, as `(rows, columns, 3)` of 8 bits."""
    if "SegmentedRedPaletteColorLookupTableData" in ds:
        from pydicom.pixels import apply_color_lut

        for colour in COLOURS:
            _require_few_entries(ds, colour)
        colours = apply_color_lut(stored, ds)
        return high_byte(colours[:, :, :3], 8 * colours.dtype.itemsize)
    # pydicom 3.0 reads 16-bit palettes of big-endian files in the wrong order, and wraps indices of long 8-bit ones.
    descriptors = [ds[f"{colour}PaletteColorLookupTableDescriptor"].value for colour in COLOURS]
    data = [ds[f"{colour}PaletteColorLookupTableData"].value for colour in COLOURS]
    tables = [_table(ds, *one) for one in zip(descriptors, data, strict=True)]
    depth = _depth(tables, _PALETTE_DEPTHS)
    channels = [
        high_byte(_looked_up(table, descriptor, stored), depth)
        for table, descriptor in zip(tables, descriptors, strict=True)
    ]
    return np.stack(channels, axis=2)


def _require_few_entries(ds: Dataset, colour: str) -> None:
    """Refuse a segmented palette of more entries than 16 bits can number: pydicom expanded 6 kB to 1.3 GB in 5 s."""
    is_bytes = ds.RedPaletteColorLookupTableDescriptor[2] // 8 == 1
    data = ds[f"Segmented{colour}PaletteColorLookupTableData"].value
    order = "<" if ds.original_encoding[1] else ">"
    words = np.frombuffer(data[: len(data) // 2 * 2], "u1" if is_bytes else f"{order}u2").tolist()
    # Each segment counts as one more, for it takes its time too.
    if len(words) > 2 * _WORDS or _expanded_entries(words, is_bytes, 0, len(words), 2 * _WORDS) > 2 * _WORDS:
        raise UnreadableImage("has a segmented DICOM palette that expands to far more entries than pixels can have")


def _expanded_entries(words: list[int], is_bytes: bool, at: int, segments: int, most: int) -> int:
    """How many entries so many segments from a place on expand to, up to `most` and some (PS3.3 C.7.9.2)."""
    total = 0
    while at + 1 < len(words) and segments and total <= most:
        kind, length = words[at], words[at + 1]
        at, segments = at + 2, segments - 1
        if kind == _INDIRECT:
            unit = 8 if is_bytes else 16
            place = sum(word << unit * i for i, word in enumerate(words[at : at + (4 if is_bytes else 2)]))
            total += _INDIRECT_COSTS + _expanded_entries(words, is_bytes, place, length, most - total)
            at += 4 if is_bytes else 2
        else:
            total += 1 + length
            at += length if kind == _DISCRETE else 1
    return total


def high_byte(values: np.ndarray, bits: int) -> np.ndarray:
    """Values of so many bits as 8."""
    if bits > 8:
        return (values >> (bits - 8)).astype(np.uint8)
    return values.astype(np.uint8) if bits == 8 else (values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)


def _table(ds: Dataset, descriptor: Sequence[int], data: Any) -> np.ndarray:
    """The entries that are there, of which the descriptor may give another number.

    8-bit entries may be packed two to a word. Half as many words as entries are either that or all there are: the
    halves of words that belong together would go up and down.
    """
    entries = descriptor[0] % _WORDS or _WORDS
    if isinstance(data, bytes):
        order = "<" if ds.original_encoding[1] else ">"
        table = np.frombuffer(data + bytes(len(data) % 2), f"{order}u2").astype("<u2")
    else:
        table = (np.atleast_1d(np.asarray(data, np.int64)) % _WORDS).astype("<u2")
    packed = table.view(np.uint8)[:entries]
    if 2 * len(table) in (entries, entries + 1) and _unevenness(packed) <= 3 * _unevenness(table):
        return packed
    # More entries than declared are entries, unless they only fill the element up.
    return table if table[entries:].any() else table[:entries]


def _unevenness(table: np.ndarray) -> float:
    """How far a table goes up and down, in multiples of its range: 1 for one that only rises."""
    return float(np.abs(np.diff(table.astype(np.int64))).sum() / max(1, int(np.ptp(table))))


def _depth(tables: Sequence[np.ndarray], depths: Sequence[int]) -> int:
    """The bits of an entry: of the depths there can be, the least that holds the largest entry, whatever is declared.

    Declared bits are wrong both ways (12 for entries of 16, 16 for entries of 12 or 8), which shows noise or nearly
    black. A table that its descriptor fits has an entry that needs these bits.
    """
    most = max(int(table.max()) for table in tables)
    return next(depth for depth in depths if most < 2**depth)


def _looked_up(table: np.ndarray, descriptor: Sequence[int], values: np.ndarray) -> np.ndarray:
    """Look values up; those beyond an end get that end's entry."""
    first = _first_mapped(descriptor[1], len(table), values)
    return np.asarray(table[np.clip(values.astype(np.int64) - first, 0, len(table) - 1)])


def _first_mapped(first: int, entries: int, values: np.ndarray) -> int:
    """The value of the first entry, whose sign writers get wrong: of its readings, the one that meets the values."""
    low, high = values.min(), values.max()
    readings = (first, first - _WORDS, first + _WORDS)
    return next((one for one in readings if one <= high and one + entries > low), first)
