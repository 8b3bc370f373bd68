"""Where the tissue of a slide is, told from a picture of the whole, and where somebody has drawn on the glass.

Stained sections absorb light of some colours on a bright ground; fluorescence is bright on black. Shadows and dust are
grey, the ink of pens is of a purer colour than any stain or nearly black.

References:
    Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern 1979;9:62-66.
    doi:10.1109/TSMC.1979.4310076
"""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image, ImageFilter

# Cells are brought together to tissue over so many micrometres; on black, nuclei alone shine.
_CELLS_UM, _NUCLEI_UM = 5.0, 40.0
# Half the breadth of the thinnest stroke of a pen.
_STROKE_UM = 60.0
# A slide is dark where half of its light lies below the first and a tenth below the second.
_DARK_HALF, _DARK_TENTH = 90, 45
# Optical density over the ground: Otsu's threshold within these. Glass stays below 0.02, pale fat has 0.03 to 0.1 and
# all other tissue 0.15 and more (CMU-1, Kather's tiles; November 2026).
_DENSITY = 0.04, 0.08
# By how much the densities of two colours differ at least, absolutely and for the density: shadows are grey.
_TINT, _TINT_SHARE = 0.02, 0.12
# Levels over the ground on black: Otsu's threshold within these.
_GLOW = 4.0, 40.0
# Ink that covers more of what is not ground is a stain of this colour.
_MOST_INK = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tissue:
    """What a small picture of a slide shows.

    Args:
        tissue: `(height, width)` bool.
        pen: likewise, of ink on the glass, which is no tissue.
        is_dark: the slide shines on black.
    """

    tissue: np.ndarray
    pen: np.ndarray
    is_dark: bool


def find_tissue(picture: np.ndarray, microns: float | None = None) -> Tissue:
    """Tell tissue from ground and from ink.

    Args:
        picture: `(height, width, 4)` uint8; where the last is 0 there is no slide.
        microns: the side of its pixels, where known.
    """
    colour, inside = np.ascontiguousarray(picture[..., :3]), picture[..., 3] > 127
    most = _planes(colour)[0]
    shown = inside & (most > 0)  # black is what scanners fill gaps with
    none = np.zeros(inside.shape, bool)
    if not shown.any():
        return Tissue(tissue=none, pen=none, is_dark=False)
    tenth, half = np.percentile(colour.mean(axis=2, dtype=np.float32)[shown], (10, 50))
    if half < _DARK_HALF and tenth < _DARK_TENTH:
        light = _smooth(most, _radius(_NUCLEI_UM, microns))
        return Tissue(tissue=inside & _glowing(light, inside), pen=none, is_dark=True)
    white = np.clip(np.percentile(colour[shown], 99, axis=0), 200, 255)
    colour[~shown] = 255
    inked = _ink(np.minimum(_smooth(colour, 1) / white.astype(np.float32), 1))
    pen = _broad(inked, _radius(_STROKE_UM, microns)) & shown
    found = _stained(_smooth(colour, _radius(_CELLS_UM, microns)), white, shown)
    if pen.sum() > _MOST_INK * (found | pen).sum():
        pen = none
    return Tissue(tissue=found & ~pen, pen=pen, is_dark=False)


def _stained(colour: np.ndarray, white: np.ndarray, shown: np.ndarray) -> np.ndarray:
    levels = np.arange(1, 257, dtype=np.float32)[:, None] / white.astype(np.float32)
    density = -np.log10(np.minimum(levels, 1))
    most, least = _planes(np.stack([density[colour[..., k], k] for k in range(3)], axis=2))
    tint = most - least
    found = shown & (most > np.clip(_otsu(most[shown]), *_DENSITY))
    if np.percentile(tint[shown], 99) > _TINT:  # else the slide is grey altogether
        found &= tint > np.maximum(_TINT, _TINT_SHARE * most)
    return found


def _glowing(light: np.ndarray, inside: np.ndarray) -> np.ndarray:
    over = np.maximum(light - np.percentile(light[inside], 2), 0)
    return over > np.clip(np.expm1(_otsu(np.log1p(over[inside]))), *_GLOW)


def _ink(passed: np.ndarray) -> np.ndarray:
    """Where blue, green, red or black ink is, by the `(height, width, 3)` share of light that passes."""
    red, green, blue = np.moveaxis(passed, 2, 0)
    most, least = _planes(passed)
    pure = (most - least) / np.maximum(most, 1e-3)
    inks = (
        (blue - red > 0.2) & (green >= red - 0.02) & (blue > green + 0.1) & (pure > 0.6),
        (green - np.maximum(red, blue) > 0.08) & (pure > 0.45),
        (red - np.maximum(green, blue) > 0.35) & (np.abs(green - blue) < 0.1) & (pure > 0.75),
        (most < 0.22) & (most - least < 0.1),
    )
    return np.asarray(np.logical_or.reduce(inks))


def _broad(mask: np.ndarray, radius: int) -> np.ndarray:
    """What of a mask is at least so broad, with its rim, which is paler than ink."""
    core = _smooth(np.where(mask, 255, 0).astype(np.uint8), radius) > 250
    return _smooth(np.where(core, 255, 0).astype(np.uint8), min(32, radius + 2)) > 0


def _planes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the smallest of three channels; max(axis=2) is 30 times slower along so short an axis."""
    one, two, three = (pixels[..., k] for k in range(3))
    return np.maximum(np.maximum(one, two), three), np.minimum(np.minimum(one, two), three)


def _otsu(values: np.ndarray) -> float:
    """The threshold between two groups of values that differ most from one another."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts).astype(np.float64)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1:][np.argmax(np.nan_to_num(between))])


def _radius(wanted_um: float, microns: float | None) -> int:
    """Pixels for micrometres; 1 where the scale is not known."""
    return 1 if microns is None else int(np.clip(round(wanted_um / microns), 1, 32))


def _smooth(pixels: np.ndarray, radius: int) -> np.ndarray:
    """The mean over a square around each pixel, uint8 as the pixels are."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.BoxBlur(radius)))
