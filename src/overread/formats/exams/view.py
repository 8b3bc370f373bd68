"""How the frames of an exam are looked at: which of them, through which window, at which resolution."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from overread.errors import InvalidOption
from overread.formats.windows import Window, windows_of

ALL = "all"
_EVERY, _MIDDLE = re.compile(r"every=([1-9]\d*)"), re.compile(r"middle=([1-9]\d*)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """What is looked at of a file that holds more than one picture, or more than 8 bits; a bundle records it.

    Args:
        frames: "all", "every=3" or "middle=20" of an exam.
        window: for grey values: in Hounsfield units lung, bone, brain or soft, in any "CENTER,WIDTH"; two or three
            joined by "+" become channels. None shows each as its file says.
        microns: of a whole slide, the side of a pixel in micrometres.

    Raises:
        InvalidOption: a value is none of these.
    """

    frames: str = ALL
    window: str | None = None
    microns: float | None = None

    def __post_init__(self) -> None:
        known = self.frames == ALL or _EVERY.fullmatch(self.frames) or _MIDDLE.fullmatch(self.frames)
        if not known:
            raise InvalidOption(f"frames={self.frames!r} is unknown: expected all, every=3 or middle=20")
        windows_of(self.window)
        if self.microns is not None and not 0.05 <= self.microns <= 100:
            raise InvalidOption(f"microns={self.microns:g} is outside 0.05 to 100: name the side of a pixel in microns")

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows that grey values are seen through; none where each is shown as its file says."""
        return windows_of(self.window)

    def chosen(self, count: int) -> range:
        """The places, from 0, of the frames that are looked at among so many."""
        if match := _EVERY.fullmatch(self.frames):
            step = int(match[1])
            return range((count - 1) % step // 2, count, step)  # as much left out at either end
        if match := _MIDDLE.fullmatch(self.frames):
            kept = min(int(match[1]), count)
            return range((count - kept) // 2, (count - kept) // 2 + kept)
        return range(count)

    def to_dict(self) -> dict[str, Any]:
        """The options that are not as they are by default."""
        return {f.name: value for f in dataclasses.fields(self) if (value := getattr(self, f.name)) != f.default}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> View:
        """The inverse of `to_dict`.

        Raises:
            InvalidOption, TypeError: an option is unknown or has a value that it cannot have.
        """
        return cls(**options)
