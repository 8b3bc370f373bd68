"""How much training images may change."""

from __future__ import annotations

import dataclasses

from overread.errors import InvalidOption


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The range of each random change; 0 (or False) turns a change off.

    Args:
        rotation_degrees: angle drawn from [-r, r].
        shift: translation drawn from [-s, s] as a fraction of each side.
        zoom: scale drawn log-uniformly from [1 / (1 + z), 1 + z].
        horizontal_flip: mirror left and right for half of the images. Off by default: a chest or
            a larynx is not symmetric.
        vertical_flip: mirror top and bottom for half of the images.
        brightness: offset drawn from [-b, b] as a fraction of the pixel range.
        contrast: factor about the image's mean drawn from [1 - c, 1 + c].

    Raises:
        InvalidOption: a range is negative, not finite or so wide that images would vanish.
    """

    rotation_degrees: float = 10.0
    shift: float = 0.06
    zoom: float = 0.12
    horizontal_flip: bool = False
    vertical_flip: bool = False
    brightness: float = 0.1
    contrast: float = 0.2

    def __post_init__(self) -> None:
        limits = {"rotation_degrees": 180.0, "shift": 0.5, "zoom": 1.0, "brightness": 1.0, "contrast": 1.0}
        for name, limit in limits.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= limit):
                raise InvalidOption(f"augmentation {name}={value!r} is outside 0 to {limit:g}: choose a value in it")

    @property
    def is_identity(self) -> bool:
        """True when every change is off."""
        return not any(dataclasses.astuple(self))

    @classmethod
    def off(cls) -> Augmentation:
        """The augmentation that changes nothing."""
        return cls(rotation_degrees=0, shift=0, zoom=0, brightness=0, contrast=0)
