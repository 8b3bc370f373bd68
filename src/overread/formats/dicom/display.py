"""A frame of a DICOM file to 8-bit grey or RGB as it is meant to be displayed (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.dicom.dataset import refuse_long_values
from overread.formats.dicom.lookup import high_byte, modality_looked_up, palette_looked_up, voi_looked_up
from overread.formats.dicom.padding import padding
from overread.formats.picture import GreyValues, OfferedWindows, percentile_window, window
from overread.formats.windows import HOUNSFIELD, HOUNSFIELD_WINDOWS

if TYPE_CHECKING:
    from pydicom import Dataset


def displayed(ds: Dataset, stored: np.ndarray, index: int = 0) -> np.ndarray:
    """Show a frame as a viewer would first show it.

    Grey goes through the modality LUT or rescale, then the VOI LUT or the first window (LINEAR, LINEAR_EXACT, SIGMOID).
    Without either, up to 8 stored bits are shown in full and more through `percentile_window`, padding left out.
    MONOCHROME1 and Presentation LUT Shape INVERSE are inverted; padding is black. Palette and YBR become RGB; colour
    of more than 8 bits keeps its high byte. Pixels are taken as square; overlays and ICC profiles are left out.

    Args:
        ds: the elements that display needs; the rescale and window of a frame of its own are raised to its top.
        stored: `(rows, columns)` or `(rows, columns, 3)` stored values.
        index: the place of the frame, from 0.

    Returns:
        `(rows, columns)` or `(rows, columns, 3)` uint8.

    Raises:
        UnreadableImage: the photometric interpretation is not read.
    """
    photometric = ds.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        return palette_looked_up(ds, stored)
    if stored.ndim == 3 and stored.shape[2] == 3 and photometric.startswith(("RGB", "YBR_FULL", "YBR_ICT", "YBR_RCT")):
        return high_byte(stored, ds.BitsStored)
    if is_grey(ds, stored):
        raise_functional_groups(ds, ds, index)
        return _grey(ds, stored)
    raise UnreadableImage("has a DICOM photometric interpretation that is not read: convert it to RGB or MONOCHROME2")


def is_grey(ds: Dataset, stored: np.ndarray) -> bool:
    """Whether there are grey values behind what is shown."""
    return stored.ndim == 2 and ds.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")


def _grey(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    outside = padding(ds, stored)
    levels = _voi_applied(ds, stored, outside)
    if _is_inverted(ds):
        levels = 255 - levels
    levels[outside] = 0
    return levels


def _is_inverted(ds: Dataset) -> bool:
    # PS3.3 C.8.11.3.1.2: INVERSE goes with MONOCHROME1 and means the same one inversion.
    return ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE"


def values_behind(ds: Dataset, stored: np.ndarray) -> GreyValues:
    """The values of a grey frame that was `displayed`, with every linear window of its header; padding becomes NaN."""
    values = np.where(padding(ds, stored), np.nan, _modality_applied(ds, stored).astype(np.float32))
    is_linear = not ds.get("VOILUTSequence") and ds.get("VOILUTFunction") != "SIGMOID"
    found = [_window_ends(ds, stored, *pair) for pair in _windows(ds, stored)] if is_linear else []
    windows = {f"Header window {i}" if len(found) > 1 else "Header window": ends for i, ends in enumerate(found, 1)}
    if not windows and stored.dtype.kind != "f" and ds.BitsStored <= 8:
        windows = {"All stored bits": _stored_ends(ds)}
    unit = HOUNSFIELD if is_in_hounsfield(ds) else ""
    offered = OfferedWindows(windows, values, HOUNSFIELD_WINDOWS if unit else {})
    return GreyValues(values=values, windows=offered, inverted=_is_inverted(ds), unit=unit)


def is_in_hounsfield(ds: Dataset) -> bool:
    """Whether values after rescale are Hounsfield units: those of a CT that names no other unit (PS3.3 C.8.2.1)."""
    if ds.get("RescaleType"):
        return bool(ds.RescaleType == HOUNSFIELD)
    return ds.get("Modality") == "CT" and ds.get("RescaleIntercept") is not None


def raise_functional_groups(ds: Dataset, header: Dataset, index: int) -> None:
    """Give a frame's data set the rescale and window that enhanced objects keep apart (PS3.3 C.7.6.16).

    Args:
        ds: of the frame.
        header: that holds the functional groups.
        index: the place of the frame, from 0.
    """
    for groups, place in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", index)):
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if header.get(groups) and header[groups][place].get(macro):
                item = header[groups][place][macro][0]
                refuse_long_values(item)
                ds.update(item)


def _voi_applied(ds: Dataset, stored: np.ndarray, outside: np.ndarray) -> np.ndarray:
    values = _modality_applied(ds, stored)
    if ds.get("VOILUTSequence"):
        return voi_looked_up(ds, values)
    if windows := _windows(ds, stored):
        centre, width = windows[0]
        if ds.get("VOILUTFunction") == "SIGMOID":
            with np.errstate(over="ignore"):
                return np.rint(255 / (1 + np.exp(-4 * (values - centre) / width))).astype(np.uint8)
        return window(values, *_window_ends(ds, stored, centre, width))
    if stored.dtype.kind != "f" and ds.BitsStored <= 8:
        return window(values, *_stored_ends(ds))
    return window(values, *percentile_window(values[~outside]))


def _windows(ds: Dataset, stored: np.ndarray) -> list[tuple[float, float]]:
    """Centre and width of every window of the header that can be used, the first of which is shown first.

    One that is narrower than a step from value to value would leave nothing but black and white; PS3.3 C.11.2.1.2 has
    widths of 1 and more.
    """
    least = 0.0 if stored.dtype.kind == "f" else min(1.0, abs(_slope(ds)))
    pairs = zip(_all(ds.get("WindowCenter")), _all(ds.get("WindowWidth")), strict=False)
    return [
        (centre, width) for centre, width in pairs if math.isfinite(centre) and 0 < width < math.inf and width >= least
    ]


def _window_ends(ds: Dataset, stored: np.ndarray, centre: float, width: float) -> tuple[float, float]:
    # PS3.3 C.11.2.1.2: LINEAR is LINEAR_EXACT half a value lower and one value narrower. It counts whole values:
    # on a map of fractions, where writers put it too, it would leave nothing but black and white.
    if ds.get("VOILUTFunction") != "LINEAR_EXACT" and width >= 1 and stored.dtype.kind != "f":
        centre, width = centre - 0.5, width - 1
    return centre - width / 2, centre + width / 2


def _stored_ends(ds: Dataset) -> tuple[float, float]:
    """The least and the most value that stored bits, 8 at most, can stand for."""
    lowest = -(2 ** (ds.BitsStored - 1)) if ds.PixelRepresentation else 0
    values = _modality_applied(ds, np.arange(lowest, lowest + 2**ds.BitsStored))
    return float(values.min()), float(values.max())


def _modality_applied(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    if ds.get("ModalityLUTSequence"):
        return modality_looked_up(ds, stored)
    if ds.get("RescaleSlope") is None and ds.get("RescaleIntercept") is None:
        return stored
    return stored * _slope(ds) + float(ds.get("RescaleIntercept") or 0)


def _slope(ds: Dataset) -> float:
    # One of 0 would leave nothing of the image.
    return float(ds.get("RescaleSlope") or 1)


def _all(value: Any) -> list[float]:
    """One or several decimal values, NaN for an empty one."""
    parts = value if hasattr(value, "__len__") and not isinstance(value, str) else [value]
    return [math.nan if part in (None, "") else float(part) for part in parts]
