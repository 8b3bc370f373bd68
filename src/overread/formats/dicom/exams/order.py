"""The true order of the frames of an exam: by geometry, never by the names of files."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from overread.formats.dicom.exams.place import TOLD_BY, Place, Vector
from overread.words import count, listed

# Positions in mm that are one, cosines of directions that are one, and what counts as uneven or as tilted.
_SAME_MM, _SAME_DIRECTION = 0.01, 0.02
_UNEVEN_SHARE, _UNEVEN_MM = 0.1, 0.1
_TILTED_DEGREES = 1.0
_PLANES = (
    ("sagittal", "from the right to the left"),
    ("coronal", "from the front to the back"),
    ("axial", "from the feet to the head"),
)
_STRAIGHT = 0.9


@dataclasses.dataclass(frozen=True, eq=False)
class Stack:
    """Frames of one series, size and direction, in order: position by position, volume after volume.

    Args:
        places: of the frames.
        positions_mm: along their normal; empty where they have none.
        volumes: how many there are at a position, at the most.
        told_by: what tells those of one position apart; empty where there is one.
    """

    places: tuple[Place, ...]
    positions_mm: tuple[float, ...] = ()
    volumes: int = 1
    told_by: str = ""

    @property
    def middle(self) -> int:
        """The place of the frame in the middle of the first volume."""
        first = self.positions_mm.index(max(self.positions_mm)) + 1 if self.positions_mm else len(self.places)
        return min(first, len(self.places)) // 2


def without_copies(places: Sequence[Place]) -> tuple[list[Place], int]:
    """One of each object that is there more than once, at the same place, and how many others there were."""
    kept: dict[tuple[object, ...], Place] = {}
    for place in sorted(places, key=lambda place: (str(place.path), place.frame or 0, place.tile or 0)):
        # Without a position a number alone would have to tell, which is not unique in what was made anonymous.
        is_told = place.uid and place.position
        named = (place.uid, place.position, place.size, place.told) if is_told else (str(place.path),)
        kept.setdefault((*named, place.frame, place.tile), place)
    return list(kept.values()), len(places) - len(kept)


def in_stacks(places: Sequence[Place]) -> list[Stack]:
    """Sort frames into stacks, and each stack; nothing depends on the order in which they come.

    Series come by their numbers, within them localizers last, and the largest stack first.
    """
    groups: list[list[Place]] = []
    by_kind: dict[tuple[object, ...], list[list[Place]]] = {}
    for place in sorted(places, key=_tie):
        kind = (place.series, place.is_localizer, place.size, place.normal is None)
        alike = by_kind.setdefault(kind, [])
        own = next((group for group in alike if _is_parallel(group[0], place)), None)
        if own is None:
            own = []
            alike.append(own)
            groups.append(own)
        own.append(place)
    groups.sort(key=lambda group: (group[0].series, group[0].is_localizer, -len(group), _tie(group[0])))
    return [stack for group in groups for stack in _by_kind(group)]


def _by_kind(group: Sequence[Place]) -> list[Stack]:
    """A stack, or several where images of one position differ in kind, such as magnitude and phase."""
    stack = _sorted(group)
    if TOLD_BY[0] not in stack.told_by:
        return [stack]
    kinds = sorted({place.told[0] for place in group})
    return [_sorted([place for place in group if place.told[0] == kind]) for kind in kinds]


def _tie(place: Place) -> tuple[object, ...]:
    """What orders frames of which the geometry says nothing: number, UID, and last of all the path."""
    return place.told[-1][0], place.uid, str(place.path), place.frame or 0, place.tile or 0


def _is_parallel(one: Place, other: Place) -> bool:
    if one.normal is None or other.normal is None:
        return True
    pairs = ((one.rows, other.rows), (one.columns, other.columns))
    return all(a and b and max(map(abs, np.subtract(a, b))) < _SAME_DIRECTION for a, b in pairs)


def _sorted(group: Sequence[Place]) -> Stack:
    normal = group[0].normal
    if normal is None:
        return Stack(tuple(sorted(group, key=_tie)))
    along = {id(place): float(np.dot(place.position or (), normal)) for place in group}
    ordered = sorted(group, key=lambda place: (along[id(place)], _tie(place)))
    levels: list[list[Place]] = []
    last = -math.inf
    for place in ordered:
        if along[id(place)] - last > _SAME_MM:
            levels.append([])
        levels[-1].append(place)
        last = along[id(place)]
    for level in levels:
        level.sort(key=lambda place: (place.told, _tie(place)))
    volumes = max(map(len, levels))
    chosen = [level[volume] for volume in range(volumes) for level in levels if volume < len(level)]
    positions = tuple(round(along[id(place)], 4) for place in chosen)
    return Stack(tuple(chosen), positions, volumes, _told_by(levels) if volumes > 1 else "")


def _told_by(levels: Sequence[Sequence[Place]]) -> str:
    """The first thing in which those of one position always differ."""
    several = [level for level in levels if len(level) > 1]
    for index, name in enumerate(TOLD_BY):
        if all(len({place.told[index] for place in level}) == len(level) for level in several):
            return name
    differing = [
        name
        for index, name in enumerate(TOLD_BY[:-1])
        if any(len({place.told[index] for place in level}) > 1 for level in several)
    ]
    return listed([*differing, TOLD_BY[-1]])


def described(stack: Stack) -> str:
    """What a user should know of a stack and its order."""
    places, number = stack.places, len(stack.places)
    what = "localizer" if places[0].is_localizer else "slice"
    if not stack.positions_mm:
        if number == 1:
            return f"1 {what.replace('slice', 'frame')} without a position"
        files = len({place.path for place in places})
        by = "their instance numbers" if files > 1 else "the file"
        return f"{count(number, 'frame')} without positions, in the order of {by}"
    levels = sorted(set(_joined(stack.positions_mm)))
    plane, way = _plane(places[0].normal or (0.0, 0.0, 1.0))
    if len(levels) == 1 and number == 1:
        return f"1 {plane} {what}"
    said = f"{count(len(levels), f'{plane} {what}')} {way}{_gaps(levels)}{_tilt(stack)}"
    return f"{said}{_repeats(stack, levels)}" if stack.volumes > 1 else said


def _joined(positions: Sequence[float]) -> list[float]:
    """Positions of which those that are one have the same number."""
    found: list[float] = []
    for position in sorted(positions):
        is_same = bool(found) and position - found[-1] <= _SAME_MM
        found.append(found[-1] if is_same else position)
    return found


def _plane(normal: Vector) -> tuple[str, str]:
    part = max(range(3), key=lambda axis: round(abs(normal[axis]), 3))
    name, way = _PLANES[part]
    return name if abs(normal[part]) > _STRAIGHT else f"oblique {name}", way


def _gaps(levels: Sequence[float]) -> str:
    if len(levels) < 2:
        return ""
    gaps = np.diff(levels)
    low, high = float(gaps.min()), float(gaps.max())
    if high - low > max(_UNEVEN_MM, _UNEVEN_SHARE * float(np.median(gaps))):
        return f", {low:.3g} to {high:.3g} mm apart (unevenly)"
    return f", {float(np.median(gaps)):.3g} mm apart"


def _tilt(stack: Stack) -> str:
    """Whether the slices are shifted against each other, as where the gantry was tilted."""
    first = stack.places[0]
    ends = stack.positions_mm.index(min(stack.positions_mm)), stack.positions_mm.index(max(stack.positions_mm))
    start, end = (np.asarray(stack.places[index].position) for index in ends)
    step, normal = end - start, np.asarray(first.normal)
    length = float(np.linalg.norm(step))
    if length < _SAME_MM:
        return ""
    degrees = math.degrees(math.acos(min(1.0, abs(float(step @ normal)) / length)))
    return f", shifted by a tilt of {degrees:.1f} degrees" if degrees > _TILTED_DEGREES else ""


def _repeats(stack: Stack, levels: Sequence[float]) -> str:
    often = Counter(_joined(stack.positions_mm))
    told = f"told apart by their {stack.told_by}"
    if set(often.values()) == {stack.volumes}:
        return f", each {stack.volumes} times, {told}: volume after volume"
    repeated = sum(number > 1 for number in often.values())
    return f", of which {repeated} are there up to {stack.volumes} times, {told}: the first of each, then the others"
