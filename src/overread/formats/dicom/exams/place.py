"""Where and when a frame was imaged, as DICOM headers say, and what tells it from others at the same place."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

Vector = tuple[float, float, float]
# fmt: off
PLACE_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber", "ImageType",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices",
    "EchoTime", "DiffusionBValue", "TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime",
    "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
)
# fmt: on
# What tells images of one position apart, in the order in which it is asked.
TOLD_BY = (
    "kind of image",
    "echo time",
    "b-value",
    "temporal position",
    "trigger time",
    "acquisition number",
    "acquisition time",
    "instance number",
)  # fmt: skip
_MISSING = -math.inf


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A frame, or a slice of a mosaic, and what its header says of where it lies.

    Args:
        path: of the file.
        frame: its number in the file from 1; None where the file has one.
        tile: its place in a mosaic, from 0; None in any other.
        uid: of the object that it belongs to.
        series: number and UID of its series.
        size: rows and columns.
        is_localizer: whether it was made to plan others.
        position: of the centre of its first pixel, in mm to the left, the back and the head of the patient.
        rows: the direction along which its columns are counted.
        columns: the direction along which its rows are counted.
        told: what `TOLD_BY` names, of which two are compared.
    """

    path: Path
    frame: int | None
    tile: int | None = None
    uid: str
    series: tuple[float, str]
    size: tuple[int, int]
    is_localizer: bool
    position: Vector | None
    rows: Vector | None
    columns: Vector | None
    told: tuple[Any, ...]

    @property
    def normal(self) -> Vector | None:
        """The direction across the slice, with a positive largest part: to the left, the back or the head."""
        if self.position is None or self.rows is None or self.columns is None:
            return None
        (a, b, c), (d, e, f) = self.rows, self.columns
        across = (b * f - c * e, c * d - a * f, a * e - b * d)
        length = math.hypot(*across)
        # Equal parts of an oblique one are told by the first, whatever is rounded.
        sign = math.copysign(1.0, max(across, key=lambda part: round(abs(part), 3)))
        return (across[0] * sign / length, across[1] * sign / length, across[2] * sign / length)


def places_of(header: Dataset, path: Path, count: int) -> list[Place]:
    """The place of every frame of a file, those of enhanced objects by their functional groups."""
    shared = _items(header, "SharedFunctionalGroupsSequence")
    each = _items(header, "PerFrameFunctionalGroupsSequence")
    kind = text(header, "ImageType")
    found = []
    for index in range(count):
        groups = [*each[index : index + 1], *shared[:1]]
        frame_kind = _in_groups(groups, _TYPES, "FrameType", text) or kind
        position = numbers_in(groups, ("PlanePositionSequence",), "ImagePositionPatient", header)
        directions = numbers_in(groups, ("PlaneOrientationSequence",), "ImageOrientationPatient", header)
        is_placed = _are_directions(directions) and len(position) == 3
        found.append(
            Place(
                path=path,
                frame=None if count == 1 else index + 1,
                uid=text(header, "SOPInstanceUID"),
                series=(_first(numbers(header, "SeriesNumber")), text(header, "SeriesInstanceUID")),
                size=(int(header.Rows), int(header.Columns)),
                is_localizer="LOCALIZER" in frame_kind.upper(),
                position=_vector(position) if is_placed else None,
                rows=_vector(directions[:3]) if is_placed else None,
                columns=_vector(directions[3:]) if is_placed else None,
                told=_told(header, groups, frame_kind, index),
            )
        )
    return found


_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence", "XAXRFFrameTypeSequence")


def _told(header: Dataset, groups: list[Dataset], kind: str, index: int) -> tuple[Any, ...]:
    content = ("FrameContentSequence",)
    one = lambda macros, keyword, own=None: _first(numbers_in(groups, macros, keyword, header, own))  # noqa: E731
    number = _first(numbers(header, "InstanceNumber"))
    return (
        kind,
        one(("MREchoSequence",), "EffectiveEchoTime", "EchoTime"),
        one(("MRDiffusionSequence",), "DiffusionBValue", "DiffusionBValue"),
        one(content, "TemporalPositionIndex", "TemporalPositionIdentifier"),
        one(("CardiacSynchronizationSequence",), "NominalCardiacTriggerDelayTime", "TriggerTime"),
        one(content, "FrameAcquisitionNumber", "AcquisitionNumber"),
        _in_groups(groups, content, "FrameAcquisitionDateTime", text) or _moment(header),
        (number, float(index)),
    )


def _moment(header: Dataset) -> str:
    return text(header, "AcquisitionDateTime") or text(header, "AcquisitionDate") + text(header, "AcquisitionTime")


def numbers_in(
    groups: list[Dataset], macros: tuple[str, ...], keyword: str, header: Dataset, own: str | None = None
) -> tuple[float, ...]:
    """Numbers of a frame's functional groups, else of its header, there under a keyword of its own."""
    return _in_groups(groups, macros, keyword, numbers) or numbers(header, own or keyword)


def _in_groups(groups: list[Dataset], macros: tuple[str, ...], keyword: str, read: Any) -> Any:
    for group in groups:
        for macro in macros:
            if (items := _items(group, macro)) and (found := read(items[0], keyword)):
                return found
    return read(None, keyword)


def _items(ds: Dataset, keyword: str) -> list[Dataset]:
    with contextlib.suppress(Exception):  # a damaged sequence says nothing
        return list(ds.get(keyword) or ())
    return []


def numbers(ds: Dataset | None, keyword: str) -> tuple[float, ...]:
    """The finite numbers of an element; none where it is missing, empty or anything else."""
    with contextlib.suppress(Exception):  # conversions raise anything
        value = None if ds is None else ds.get(keyword)
        parts: Any = value if hasattr(value, "__len__") and not isinstance(value, str) else [value]
        found = tuple(float(part) for part in parts if part not in (None, ""))
        return found if all(map(math.isfinite, found)) else ()
    return ()


def text(ds: Dataset | None, keyword: str) -> str:
    """The text of an element, its values joined by a backslash; empty where there is none."""
    with contextlib.suppress(Exception):
        value = None if ds is None else ds.get(keyword)
        if value is not None:
            return str(value) if isinstance(value, str) or not hasattr(value, "__len__") else "\\".join(map(str, value))
    return ""


def _first(found: tuple[float, ...]) -> float:
    return found[0] if found else _MISSING


def _vector(parts: tuple[float, ...]) -> Vector:
    return parts[0], parts[1], parts[2]


def _are_directions(parts: tuple[float, ...]) -> bool:
    """Whether they are two unit vectors, about at right angles."""
    if len(parts) != 6:
        return False
    along, down = parts[:3], parts[3:]
    dot = sum(a * b for a, b in zip(along, down, strict=True))
    return abs(math.hypot(*along) - 1) < 0.1 and abs(math.hypot(*down) - 1) < 0.1 and abs(dot) < 0.1
