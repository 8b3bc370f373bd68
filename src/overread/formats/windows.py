"""Windows over grey values: which there are by name, and a picture seen through them."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Sequence

import numpy as np

from overread.errors import InvalidOption, UnreadableImage
from overread.formats.picture import GreyValues, Picture, window
from overread.words import listed

HOUNSFIELD = "HU"
# Hounsfield windows as (low, high) that radiologists start from, each level -/+ half its width.
HOUNSFIELD_WINDOWS = {"Soft tissue": (-160, 240), "Lung": (-1350, 150), "Bone": (-500, 1300), "Brain": (0, 80)}
_NAMED = {name.lower().split()[0]: ends for name, ends in HOUNSFIELD_WINDOWS.items()}
NAMES = tuple(_NAMED)
_NUMBER = r"-?\d+(?:\.\d+)?"
_CENTRE_AND_WIDTH = re.compile(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*")
_MOST = 3
# Beyond what float32 tells apart there is nothing to see.
_FARTHEST = 1e9


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """A range of grey values that is spread from black to white.

    Args:
        name: as it was asked for.
        low: what is black, as is all below it.
        high: what is white.
        is_of_hounsfield: whether it means anything in Hounsfield units alone.
    """

    name: str
    low: float
    high: float
    is_of_hounsfield: bool

    def __str__(self) -> str:
        """In words: "lung (-1350 to 150 HU)"."""
        ends = f"{self.low:g} to {self.high:g}"
        return f"{self.name} ({ends} {HOUNSFIELD})" if self.is_of_hounsfield else ends


@functools.lru_cache
def windows_of(text: str | None) -> tuple[Window, ...]:
    """The windows that an option names: none, one, or two or three that become channels.

    Args:
        text: "lung", "40,80" (centre and width), or such joined by "+".

    Raises:
        InvalidOption: it is neither a name nor CENTER,WIDTH, or there are more than three.
    """
    if text is None:
        return ()
    parts = text.split("+") if isinstance(text, str) else ()
    found = tuple(_window(part) for part in parts)
    if not 1 <= len(found) <= _MOST:
        raise InvalidOption(f"window={text!r} names {len(found)} windows: one to {_MOST} become channels")
    return found


def described_windows(windows: Sequence[Window]) -> str:
    """Windows in words: "the window lung (-1350 to 150 HU)"."""
    return f"the window{'s' * (len(windows) > 1)} {listed([str(one) for one in windows])}"


def _window(text: str) -> Window:
    name = text.strip().lower()
    if name in _NAMED:
        low, high = _NAMED[name]
        return Window(name, float(low), float(high), is_of_hounsfield=True)
    match = _CENTRE_AND_WIDTH.fullmatch(text)
    if match is None:
        raise InvalidOption(
            f"window={text!r} is unknown: expected {listed(NAMES, 'or')}, or CENTER,WIDTH such as 40,400; several "
            "are joined by +"
        )
    centre, width = float(match[1]), float(match[2])
    if not (width > 0 and math.isfinite(centre) and abs(centre) + width < _FARTHEST):
        raise InvalidOption(f"window={text!r} has a width of {width:g}: expected one above 0")
    return Window(f"{centre:g},{width:g}", centre - width / 2, centre + width / 2, is_of_hounsfield=False)


def seen_through(picture: Picture, windows: tuple[Window, ...]) -> np.ndarray:
    """The grey values of a picture through windows, each a channel; of two, a third channel is the mean.

    Args:
        picture: that is open.
        windows: one to three.

    Returns:
        `(height, width)` uint8 through one window, `(height, width, 3)` through several; black where there is no value.

    Raises:
        UnreadableImage: it has no grey values, or none in Hounsfield units where a window is named in these.
    """
    asked = "+".join(one.name for one in windows)
    grey = picture.grey_values()
    if grey is None:
        raise UnreadableImage(
            f"holds 8-bit or colour pixels and no grey values, which the window {asked} needs: give the DICOM, NIfTI "
            "or 16-bit file that it was made from, or train without --window"
        )
    if any(one.is_of_hounsfield for one in windows) and grey.unit != HOUNSFIELD:
        raise UnreadableImage(
            f"is not in Hounsfield units, which the window {asked} is meant for: give a CT, or train with --window "
            "CENTER,WIDTH in the values that it has"
        )
    channels = [_shown(grey, one.low, one.high) for one in windows]
    if len(channels) == 1:
        return channels[0]
    if len(channels) < _MOST:
        channels.append(((channels[0].astype(np.uint16) + channels[1] + 1) // 2).astype(np.uint8))
    return np.stack(channels, axis=2)


def _shown(grey: GreyValues, low: float, high: float) -> np.ndarray:
    levels = window(grey.values, low, high)
    return np.where(np.isnan(grey.values), 0, 255 - levels).astype(np.uint8) if grey.inverted else levels
