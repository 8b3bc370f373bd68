"""One frame of a file, decoded: the pixels that a viewer would first show, and the grey values behind them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from overread.errors import UnreadableImage

# From a stored (width, height) to the size that is wanted in the end.
Fitted = Callable[[tuple[int, int]], tuple[int, int]]
# Of one frame, looked up in its header before decoding.
MAX_PIXELS = 128 * 2**20
MIDDLE = "Middle 99.8 %"
# Neutral JPEG chroma decodes to equal channels at any quality (measured on 30 radiographs from quality 10 to 95: 0.0),
# tinted noise of a scanner stays below 2, and 200 endoscopy frames lay between 31 and 138.
COLOUR_SPREAD = 2.0


def as_stored(size: tuple[int, int]) -> tuple[int, int]:
    """The size itself, where all pixels are wanted."""
    return size


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class GreyValues:
    """A grey image before a window made 8 bits of it.

    Args:
        values: `(height, width)` float32, NaN where there is none.
        windows: (low, high) by name, as the file or the kind of image offers them; the first is the one to start with.
        inverted: whether low values are shown bright.
        unit: of the values, "HU" for Hounsfield units; empty where it is not known.
    """

    values: np.ndarray
    windows: Mapping[str, tuple[float, float]]
    inverted: bool = False
    unit: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class OfferedWindows(Mapping[str, tuple[float, float]]):
    """Windows by name, among them the middle of the values, which is found when it is asked for: it takes its time.

    Args:
        first: those before it.
        grey: the values that it is the middle of.
        last: those behind it.
    """

    first: Mapping[str, tuple[float, float]]
    grey: np.ndarray
    last: Mapping[str, tuple[float, float]]

    def __getitem__(self, name: str) -> tuple[float, float]:
        """The ends of one."""
        if name == MIDDLE:
            return self._middle
        return self.first[name] if name in self.first else self.last[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(dict.fromkeys((*self.first, MIDDLE, *self.last)))

    def __len__(self) -> int:
        """How many there are."""
        return len(list(iter(self)))

    @functools.cached_property
    def _middle(self) -> tuple[float, float]:
        return percentile_window(self.grey)


@runtime_checkable
class Picture(Protocol):
    """One frame of an open file, upright; a format may put its decoding off until it is asked."""

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Give `(height, width)` or `(height, width, 3)` uint8 as a viewer would first show them.

        A format may use both arguments to save time, and may ignore them.

        Args:
            fitted: what the size will be in the end; at least twice that is to be given, or all there is.
            channels: 1 or 3 where grey or colour is wanted; None leaves it to the picture.

        Raises:
            UnreadableImage: they cannot be decoded.
        """
        ...

    def grey_values(self) -> GreyValues | None:
        """What is behind the pixels of a grey image deeper than 8 bits; None for any other."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class DecodedPicture:
    """The `Picture` of a format that decodes everything at once.

    Args:
        array: `(height, width)` or `(height, width, 3)` uint8, upright.
        values: the grey values behind it.
    """

    array: np.ndarray
    values: GreyValues | None = None

    @classmethod
    def of_values(
        cls,
        values: np.ndarray,
        windows: Mapping[str, tuple[float, float]] | None = None,
        *,
        inverted: bool = False,
    ) -> DecodedPicture:
        """Show grey values through their first window.

        Args:
            values: `(height, width)` of any number type; NaN is shown black.
            windows: (low, high) by name; by default the middle 99.8 % of the values.
            inverted: whether low values are bright.
        """
        grey = np.asarray(values, np.float32)
        windows = dict(windows or {MIDDLE: percentile_window(grey)})
        levels = window(grey, *next(iter(windows.values())))
        if inverted:
            levels = np.where(np.isnan(grey), 0, 255 - levels).astype(np.uint8)
        return cls(levels, GreyValues(values=grey, windows=windows, inverted=inverted))

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Give the array, whatever is wanted."""
        return self.array

    def grey_values(self) -> GreyValues | None:
        """Give the values behind it."""
        return self.values


def frame_index(frames: int, frame: int | None) -> int:
    """The place of the frame that is asked for, from 0.

    Args:
        frames: how many the file has.
        frame: its number, from 1 as DICOM counts; None for the only one.

    Raises:
        UnreadableImage: there are several and none is named, or it has no such frame.
    """
    if frame is None and frames > 1:
        raise UnreadableImage(f"holds {frames} frames; one was expected: export the frame that you need")
    if frame is not None and not 1 <= frame <= frames:
        held = "one frame" if frames == 1 else f"{frames} frames"
        raise UnreadableImage(f"holds {held} and no frame {frame}: name one that it has, counted from 1")
    return 0 if frame is None else frame - 1


def is_coloured(pixels: np.ndarray) -> bool:
    """Whether `(height, width)` or `(height, width, 3)` uint8 shows colour, or is grey that was stored as RGB."""
    if pixels.ndim == 2:
        return False
    # Planes rather than max(axis=2), which is 30 times slower along so short an axis.
    red, green, blue = pixels.reshape(-1, 3).T.copy()
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return bool(spread.mean() > COLOUR_SPREAD)


def percentile_window(values: np.ndarray) -> tuple[float, float]:
    """The 0.1 and 99.9 percentiles of the finite values; their extremes if those coincide, (0, 0) if none is finite."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 0.0
    low, high = np.percentile(finite, (0.1, 99.9))
    return (float(low), float(high)) if low < high else (float(finite.min()), float(finite.max()))


def window(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Spread [low, high] linearly over 0 to 255 as uint8; what lies outside is clipped and NaN becomes 0.

    An empty range is a step: values above `low` become 255, so that a constant image becomes black.
    """
    if not low < high:
        return np.where(values > low, 255, 0).astype(np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):
        levels = (values.astype(np.float64) - low) * (255.0 / (high - low))
    np.clip(levels, 0.0, 255.0, out=levels)
    return np.nan_to_num(np.rint(levels, out=levels), copy=False, nan=0.0).astype(np.uint8)
