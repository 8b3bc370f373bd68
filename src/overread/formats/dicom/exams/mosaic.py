"""Siemens mosaics: the slices of a volume side by side in one picture."""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import TYPE_CHECKING, BinaryIO

from overread.formats.dicom.dataset import without_detail
from overread.formats.dicom.exams.place import Place, Vector, numbers, text

if TYPE_CHECKING:
    from pydicom import Dataset

# Of the vendor's private elements: how many slices there are, and a header of its own.
_COUNT, _CSA = 0x0019100A, 0x00291010
_CSA_START = b"SV10"
_CSA_TAG, _CSA_ITEM = struct.Struct("<64si4s3i"), struct.Struct("<4i")
_MOST_SLICES = 1024
_MOST_TAGS, _MOST_ITEMS = 512, 64
_MOST_BYTES = 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Mosaic:
    """How a mosaic is to be cut.

    Args:
        count: of the slices.
        across: tiles in a row, and in a column.
        normal: the direction in which the slices follow each other; None where that is not told.
    """

    count: int
    across: int
    normal: Vector | None


def is_mosaic(header: Dataset) -> bool:
    """Whether a file says that it is one."""
    return "MOSAIC" in text(header, "ImageType").upper().split("\\")


def read_mosaic(stream: BinaryIO, header: Dataset) -> Mosaic | None:
    """How a mosaic is to be cut; None where the number of its slices is not told, or does not fit its size.

    Args:
        stream: the file.
        header: of it.
    """
    import pydicom

    with without_detail("has a vendor's header that is damaged"):
        stream.seek(0)
        ds = pydicom.dcmread(stream, force=True, specific_tags=[_COUNT, _CSA], stop_before_pixels=True)
        raw = ds.get_item(_CSA) if _CSA in ds else None
        value = getattr(raw, "value", None)
        told = csa_numbers(bytes(value)) if isinstance(value, bytes) else {}
        counts = told.get("NumberOfImagesInMosaic") or _whole(ds)
    count = int(counts[0]) if counts else 0
    across = math.isqrt(max(0, count - 1)) + 1
    if not 1 <= count <= _MOST_SLICES or int(header.Rows) % across or int(header.Columns) % across:
        return None
    normal = told.get("SliceNormalVector", ())
    is_told = len(normal) == 3 and abs(math.hypot(*normal) - 1) < 0.1
    return Mosaic(count, across, (normal[0], normal[1], normal[2]) if is_told else None)


def _whole(ds: Dataset) -> tuple[float, ...]:
    """The number of slices as a private element has it, by its bytes, for its type may not be told."""
    raw = getattr(ds.get_item(_COUNT), "value", None) if _COUNT in ds else None
    if isinstance(raw, bytes) and len(raw) == 2:
        return (float(int.from_bytes(raw, "little")),)
    return (float(raw),) if isinstance(raw, int) else ()


def csa_numbers(content: bytes) -> dict[str, tuple[float, ...]]:
    """The numbers of a Siemens CSA header of the second kind, by their names; whatever cannot be read is left out."""
    found: dict[str, tuple[float, ...]] = {}
    if content[:4] != _CSA_START or not 16 <= len(content) <= _MOST_BYTES:
        return found
    (tags,) = struct.unpack_from("<I", content, 8)
    at = 16
    for _ in range(min(tags, _MOST_TAGS)):
        if at + _CSA_TAG.size > len(content):
            break
        name, _, _, _, items, _ = _CSA_TAG.unpack_from(content, at)
        at += _CSA_TAG.size
        values = []
        for _ in range(min(max(items, 0), _MOST_ITEMS)):
            if at + _CSA_ITEM.size > len(content):
                break
            length = _CSA_ITEM.unpack_from(content, at)[1]
            at += _CSA_ITEM.size
            if not 0 <= length <= len(content) - at:
                return found
            values.append(content[at : at + length].split(b"\0")[0].strip())
            at += -(-length // 4) * 4
        found[name.split(b"\0")[0].decode("ascii", "replace")] = _as_numbers([value for value in values if value])
    return found


def _as_numbers(values: list[bytes]) -> tuple[float, ...]:
    try:
        found = tuple(map(float, values))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def tiles_of(whole: Place, mosaic: Mosaic, header: Dataset) -> list[Place]:
    """The place of each slice of a mosaic, whose own position is that of the whole picture's corner."""
    height, width = whole.size[0] // mosaic.across, whole.size[1] // mosaic.across
    spacing, gap = numbers(header, "PixelSpacing"), numbers(header, "SpacingBetweenSlices")
    start, along, down = whole.position, whole.rows, whole.columns
    is_placed = None not in (start, along, down, mosaic.normal) and len(spacing) == 2 and len(gap) == 1
    found = []
    for tile in range(mosaic.count):
        position = None
        if is_placed and start and along and down and mosaic.normal:
            right = (whole.size[1] - width) / 2 * spacing[1]
            lower = (whole.size[0] - height) / 2 * spacing[0]
            parts = zip(start, along, down, mosaic.normal, strict=True)
            moved = [at + a * right + b * lower + n * gap[0] * tile for at, a, b, n in parts]
            position = (moved[0], moved[1], moved[2])
        # Without positions the order is that of the tiles.
        told = (*whole.told[:-1], (*whole.told[-1], float(tile)))
        found.append(dataclasses.replace(whole, tile=tile, size=(height, width), position=position, told=told))
    return found
