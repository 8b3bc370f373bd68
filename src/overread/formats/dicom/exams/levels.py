"""One brightness for all slices of a stack, so that none looks brighter than its neighbours for its header's sake."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.dicom.display import is_in_hounsfield
from overread.formats.dicom.exams.place import numbers, text
from overread.formats.picture import Fitted, GreyValues, OfferedWindows, Picture, as_stored, percentile_window, window
from overread.formats.windows import HOUNSFIELD_WINDOWS

if TYPE_CHECKING:
    from pydicom import Dataset

# Frames, and values of each, that a range is taken from.
_LOOKED_AT, _VALUES = 16, 65536
_SLICING = ("CT", "MR", "PT", "NM")
_DEFAULT = "Soft tissue"
OF_EXAM = "Exam"


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """How a header wants a frame to be shown.

    Args:
        is_grey: whether it has grey values.
        window: centre, width and function of its window; () where there is none; None for a table.
        is_shallow: whether, without a window, all of its few stored bits are shown.
        is_hounsfield: whether its values are Hounsfield units.
        is_slice: whether it is made by a machine that makes slices, whatever its header says of where they lie.
    """

    is_grey: bool
    window: tuple[object, ...] | None
    is_shallow: bool
    is_hounsfield: bool
    is_slice: bool


def look_of(ds: Dataset) -> Look:
    """How a frame is to be shown.

    Args:
        ds: its header, with the rescale and window of its own.
    """
    shown = (numbers(ds, "WindowCenter")[:1], numbers(ds, "WindowWidth")[:1], text(ds, "VOILUTFunction"))
    is_table = bool(ds.get("VOILUTSequence"))
    has_window = bool(shown[0] and shown[1])
    return Look(
        is_grey=text(ds, "PhotometricInterpretation").startswith("MONOCHROME"),
        window=None if is_table else shown if has_window else (),
        is_shallow=not has_window and int(ds.get("BitsStored") or 16) <= 8 and ds.get("RescaleSlope") in (None, 1),
        is_hounsfield=is_in_hounsfield(ds),
        is_slice=text(ds, "Modality") in _SLICING,
    )


class Levels:
    """The range of grey values that all frames of a stack are shown by; found when the first is shown.

    Args:
        looks: what the headers of its frames say.
        picture: gives the frame at a place as its own header says.
    """

    def __init__(self, looks: Sequence[Look], picture: Callable[[int], Picture]) -> None:
        self._count, self._picture = len(looks), picture
        self._lock = threading.Lock()
        self._is_own, self.note = _decided(looks)
        self._is_hounsfield = bool(looks) and all(look.is_hounsfield for look in looks)

    def shown(self, picture: Picture) -> Picture:
        """A frame as it is shown among the others."""
        return picture if self._is_own else _Levelled(picture, self)

    @functools.cached_property
    def _range(self) -> tuple[float, float]:
        if self._is_hounsfield:
            low, high = HOUNSFIELD_WINDOWS[_DEFAULT]
            return float(low), float(high)
        places = np.linspace(0, self._count - 1, min(self._count, _LOOKED_AT)).round().astype(int)
        found = []
        for place in dict.fromkeys(places.tolist()):
            grey = self._picture(place).grey_values()
            if grey is not None:
                values = grey.values[np.isfinite(grey.values)]
                found.append(values[:: max(1, values.size // _VALUES)])
        return percentile_window(np.concatenate(found)) if found else (0.0, 0.0)

    def ends(self) -> tuple[float, float]:
        """The range."""
        with self._lock:
            return self._range


def _decided(looks: Sequence[Look]) -> tuple[bool, str]:
    """Whether each frame is shown as its own header says, and what is to be said of it."""
    grey = [look for look in looks if look.is_grey]
    if len(looks) < 2 or len(grey) < len(looks):
        return True, ""
    windows = {look.window for look in grey}
    if None in windows or (len(windows) == 1 and (() not in windows or all(look.is_shallow for look in grey))):
        return True, ""
    why = "their windows differ" if len(windows) > 1 else "they name no window"
    if all(look.is_hounsfield for look in grey):
        low, high = HOUNSFIELD_WINDOWS[_DEFAULT]
        return False, f"{why}, so without --window all are shown from {low} to {high} HU (soft tissue)"
    return False, f"{why}, so without --window all are shown by one range, the middle 99.8 % of the values"


@dataclasses.dataclass(frozen=True, eq=False)
class _Levelled:
    picture: Picture
    levels: Levels

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Give `(height, width)` uint8 through the range of the stack; black where there is no value."""
        grey = self.picture.grey_values()
        if grey is None:
            raise UnreadableImage("has no grey values where others of its series have")
        shown = window(grey.values, *self.levels.ends())
        return np.where(np.isnan(grey.values), 0, 255 - shown).astype(np.uint8) if grey.inverted else shown

    def grey_values(self) -> GreyValues | None:
        """Give the values, with the range of the stack before the windows of the header."""
        grey = self.picture.grey_values()
        if grey is None:
            return None
        windows = grey.windows
        if isinstance(windows, OfferedWindows):
            own: Mapping[str, tuple[float, float]] = {OF_EXAM: self.levels.ends(), **windows.first}
            return dataclasses.replace(grey, windows=dataclasses.replace(windows, first=own))
        return dataclasses.replace(grey, windows={OF_EXAM: self.levels.ends(), **windows})
