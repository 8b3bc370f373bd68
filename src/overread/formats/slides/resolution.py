"""How large the pixels of a slide are by what its file says, and what a user is to know where that is wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Mapping

# What is wanted where nothing is asked for.
MICRONS = 1.0
# No scanner has smaller or larger ones; 353 µm are the 72 dpi that programs write who do not know.
_SMALLEST, _LARGEST = 0.05, 20.0
# A pixel has 10 µm over the power of the objective, within a factor of which scanners stay.
_MICRONS_AT_ONE, _FACTOR = 10.0, 1.8
_UNEQUAL, _ABSURDLY_UNEQUAL = 1.02, 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resolution:
    """The size of a slide's pixels.

    Args:
        microns: width and height of a pixel of the largest level; None where nothing says it.
        notes: what is wrong with what the file says, and what is taken instead.
    """

    microns: tuple[float, float] | None
    notes: tuple[str, ...] = ()


def resolution_of(properties: Mapping[str, str]) -> Resolution:
    """What a file's properties, under OpenSlide's names, say of its pixels.

    Microns that no scanner has count as not said; those of the objective are taken then, and none where it is not said
    either.
    """
    own = tuple(_number(properties.get(f"openslide.mpp-{axis}")) for axis in "xy")
    power = _number(properties.get("openslide.objective-power"))
    by_power = _MICRONS_AT_ONE / power if power and _SMALLEST <= _MICRONS_AT_ONE / power <= _LARGEST else None
    across, down = own[0] or own[1], own[1] or own[0]
    wrong = _wrong(across, down)
    if across is None or down is None or wrong:
        if by_power is None:
            return Resolution(microns=None, notes=(f"the slide {wrong or 'does not say how large its pixels are'}",))
        taken = f"{by_power:g} µm are taken, as its {power:g}x objective has them"
        said = wrong or "does not say how large its pixels are"
        return Resolution(microns=(by_power, by_power), notes=(f"the slide {said}: {taken}",))
    notes = []
    if max(across, down) > _UNEQUAL * min(across, down):
        notes.append(f"the slide's pixels are {across:.3g} µm wide and {down:.3g} µm high, and are made square")
    if by_power is not None and not 1 / _FACTOR <= math.sqrt(across * down) / by_power <= _FACTOR:
        notes.append(
            f"the slide says {across:.3g} µm and a {power:g}x objective, whose pixels have about {by_power:.2g} µm: "
            "the microns are believed"
        )
    return Resolution(microns=(across, down), notes=tuple(notes))


def _wrong(across: float | None, down: float | None) -> str:
    """What is absurd in what a slide says of its pixels; empty for nothing."""
    if across is None or down is None:
        return ""
    if not all(_SMALLEST <= side <= _LARGEST for side in (across, down)):
        return f"says that its pixels have {across:.4g} µm, which no scanner gives"
    if max(across, down) > _ABSURDLY_UNEQUAL * min(across, down):
        return f"says that its pixels are {across:.3g} µm wide and {down:.3g} µm high, which no scanner gives"
    return ""


def _number(text: str | None) -> float | None:
    """A number that a property holds; None where it holds none. 0 is a number, and a wrong one."""
    with contextlib.suppress(ValueError, TypeError):
        value = float(str(text).replace(",", "."))
        return value if math.isfinite(value) else None
    return None
