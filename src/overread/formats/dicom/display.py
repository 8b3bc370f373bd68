"""A frame of a DICOM file to 8-bit grey or RGB as it is meant to be displayed (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.dicom.dataset import COLOURS
from overread.formats.picture import MIDDLE, GreyValues, percentile_window, window

if TYPE_CHECKING:
    from pydicom import Dataset

# Hounsfield windows as (low, high) that radiologists start from, each level -/+ half its width.
HOUNSFIELD_WINDOWS = {"Soft tissue": (-160, 240), "Lung": (-1350, 150), "Bone": (-500, 1300), "Brain": (0, 80)}


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
        return _palette_applied(ds, stored)
    if stored.ndim == 3 and stored.shape[2] == 3 and photometric.startswith(("RGB", "YBR_FULL", "YBR_ICT", "YBR_RCT")):
        return _high_byte(stored, ds.BitsStored)
    if stored.ndim == 2 and photometric in ("MONOCHROME1", "MONOCHROME2"):
        _raise_functional_groups(ds, index)
        return _grey(ds, stored)
    raise UnreadableImage("has a DICOM photometric interpretation that is not read: convert it to RGB or MONOCHROME2")


def _grey(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    padding = _padding(ds, stored)
    levels = _voi_applied(ds, stored, padding)
    if _is_inverted(ds):
        levels = 255 - levels
    levels[padding] = 0
    return levels


def _is_inverted(ds: Dataset) -> bool:
    # PS3.3 C.8.11.3.1.2: INVERSE goes with MONOCHROME1 and means the same one inversion.
    return ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE"


def values_behind(ds: Dataset, stored: np.ndarray) -> GreyValues:
    """The values of a grey frame that was `displayed`, with every linear window of its header; padding becomes NaN."""
    values = np.where(_padding(ds, stored), np.nan, _modality_applied(ds, stored).astype(np.float32))
    pairs = zip(_all(ds.get("WindowCenter")), _all(ds.get("WindowWidth")), strict=False)
    is_linear = not ds.get("VOILUTSequence") and ds.get("VOILUTFunction") != "SIGMOID"
    found = [_window_ends(ds, stored, centre, width) for centre, width in pairs if width > 0 and is_linear]
    windows = {f"Header window {i}" if len(found) > 1 else "Header window": ends for i, ends in enumerate(found, 1)}
    if not windows and stored.dtype.kind != "f" and ds.BitsStored <= 8:
        windows = {"All stored bits": _stored_ends(ds)}
    windows.setdefault(MIDDLE, percentile_window(values))
    if ds.get("RescaleType") == "HU":
        windows |= HOUNSFIELD_WINDOWS
    return GreyValues(values=values, windows=windows, inverted=_is_inverted(ds))


def _raise_functional_groups(ds: Dataset, index: int) -> None:
    """Enhanced objects keep the rescale and window in functional groups (PS3.3 C.7.6.16)."""
    for groups, place in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", index)):
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if ds.get(groups) and ds[groups][place].get(macro):
                ds.update(ds[groups][place][macro][0])


def _padding(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    if ds.get("PixelPaddingValue") is None or stored.dtype.kind == "f":
        return np.zeros(stored.shape, bool)
    # The value is often written as unsigned for signed pixels: astype wraps it to what the pixels hold.
    first = np.asarray(ds.PixelPaddingValue).astype(stored.dtype)
    last = np.asarray(ds.get("PixelPaddingRangeLimit", ds.PixelPaddingValue)).astype(stored.dtype)
    return (stored >= min(first, last)) & (stored <= max(first, last))


def _voi_applied(ds: Dataset, stored: np.ndarray, padding: np.ndarray) -> np.ndarray:
    values = _modality_applied(ds, stored)
    if ds.get("VOILUTSequence"):
        item = ds.VOILUTSequence[0]
        return _high_byte(_looked_up(ds, item.LUTDescriptor, item.LUTData, values), item.LUTDescriptor[2])
    centre, width = _first(ds.get("WindowCenter")), _first(ds.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        function = ds.get("VOILUTFunction")
        if function == "SIGMOID":
            with np.errstate(over="ignore"):
                return np.rint(255 / (1 + np.exp(-4 * (values - centre) / width))).astype(np.uint8)
        return window(values, *_window_ends(ds, stored, centre, width))
    if stored.dtype.kind != "f" and ds.BitsStored <= 8:
        return window(values, *_stored_ends(ds))
    return window(values, *percentile_window(values[~padding]))


def _window_ends(ds: Dataset, stored: np.ndarray, centre: float, width: float) -> tuple[float, float]:
    # PS3.3 C.11.2.1.2: LINEAR is LINEAR_EXACT half a value lower and one value narrower. It counts whole values:
    # on a map of fractions, where writers put it too, it would leave nothing but black and white.
    if ds.get("VOILUTFunction") != "LINEAR_EXACT" and width >= 1 and stored.dtype.kind != "f":
        centre, width = centre - 0.5, width - 1
    return centre - width / 2, centre + width / 2


def _stored_ends(ds: Dataset) -> tuple[float, float]:
    """The least and the most value that the stored bits can hold."""
    lowest = -(2 ** (ds.BitsStored - 1)) if ds.PixelRepresentation else 0
    low, high = sorted(_modality_applied(ds, np.array([lowest, lowest + 2**ds.BitsStored - 1], np.int64)).tolist())
    return low, high


def _modality_applied(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    if ds.get("ModalityLUTSequence"):
        item = ds.ModalityLUTSequence[0]
        return _looked_up(ds, item.LUTDescriptor, item.LUTData, stored)
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    if slope is None and intercept is None:
        return stored
    return stored * float(1 if slope is None else slope) + float(intercept or 0)


def _palette_applied(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    if "SegmentedRedPaletteColorLookupTableData" in ds:
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(stored, ds)
        return _high_byte(colours[:, :, :3], 8 * colours.dtype.itemsize)
    # pydicom 3.0 reads 16-bit palettes of big-endian files in the wrong order, and wraps indices of long 8-bit ones.
    channels = []
    for colour in COLOURS:
        descriptor = ds[f"{colour}PaletteColorLookupTableDescriptor"].value
        data = ds[f"{colour}PaletteColorLookupTableData"].value
        channels.append(_high_byte(_looked_up(ds, descriptor, data, stored), descriptor[2]))
    return np.stack(channels, axis=2)


def _looked_up(ds: Dataset, descriptor: Any, data: Any, values: np.ndarray) -> np.ndarray:
    """Look values up in a DICOM table (PS3.3 C.11.1.1); those beyond an end get that end's entry."""
    entries, first = descriptor[0] or 65536, descriptor[1]
    if isinstance(data, bytes):
        order = "<" if ds.original_encoding[1] else ">"
        words = np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2").astype("<u2")
        # 8-bit entries may be packed two to a word.
        table: np.ndarray = words if len(words) >= entries else words.view(np.uint8)[:entries]
    else:
        table = np.atleast_1d(np.asarray(data, np.uint16))
    if first > 32767 and values.min() < 0:
        first -= 65536
    index: np.ndarray = np.clip(values.astype(np.int64) - first, 0, min(entries, len(table)) - 1)
    return np.asarray(table[index])


def _high_byte(values: np.ndarray, bits: int) -> np.ndarray:
    if bits > 8:
        return (values >> (bits - 8)).astype(np.uint8)
    return values.astype(np.uint8) if bits == 8 else (values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)


def _first(value: Any) -> float | None:
    """The first of one or several decimal values; None for none."""
    return next(iter(_all(value)), None)


def _all(value: Any) -> list[float]:
    """One or several decimal values; none for none."""
    if value is None or value == "":
        return []
    return (
        [float(part) for part in value] if hasattr(value, "__len__") and not isinstance(value, str) else [float(value)]
    )
