"""Single-frame DICOM files to 8-bit grey or RGB as they are meant to be displayed (PS3.3 C.11, PS3.4 N.2).

pydicom and its decoders are imported on first use. Only the elements that display needs are ever read, so that no
message, warning or log of any library can hold a patient's data.
"""

from __future__ import annotations

import contextlib
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from overread.errors import MissingExtra, MissingPath, UnreadableImage
from overread.formats import raster
from overread.formats.raster import Deep, format_of, opened, percentile_window, window

if TYPE_CHECKING:
    from pydicom import Dataset

HEAD_LENGTH = 132
COLOURS = ("Red", "Green", "Blue")
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# fmt: off
DISPLAY_TAGS = [
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "VOILUTSequence", "PresentationLUTShape", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RescaleType", "ExtendedOffsetTable", "ExtendedOffsetTableLengths", *PIXEL_KEYWORDS,
    *(f"{colour}PaletteColorLookupTable{part}" for colour in COLOURS for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS),
]
# fmt: on
PYDICOM = re.compile(r"pydicom\b")
DEFLATED = b"1.2.840.10008.1.2.1.99"
J2K_SIZE = b"\xff\x4f\xff\x51"
UNDEFINED_LENGTH = 0xFFFFFFFF
# Hounsfield windows as (low, high) that radiologists start from, each level -/+ half its width.
HOUNSFIELD_WINDOWS = {"Soft tissue": (-160, 240), "Lung": (-1350, 150), "Bone": (-500, 1300), "Brain": (0, 80)}
_UNUSABLE_SETTINGS = "has DICOM display settings that cannot be used"


def is_dicom(source: str | Path | bytes) -> bool:
    """Whether a file (or the bytes it starts with) is DICOM: "DICM" at byte 128, or named so and no other format.

    False for a path that cannot be opened; reading it says why.
    """
    try:
        with opened(source) as stream:
            return claims_to_be(stream.read(HEAD_LENGTH), "" if isinstance(source, bytes) else source)
    except (MissingPath, UnreadableImage):
        return False


def claims_to_be(head: bytes, name: str | Path) -> bool:
    """Whether a file of this name that starts with `HEAD_LENGTH` bytes `head` is to be read as DICOM."""
    return head[128:132] == b"DICM" or (format_of(head) is None and Path(name).suffix.lower() in (".dcm", ".dicom"))


def read_patient_id(path: str | Path) -> str | None:
    """The id of the patient of a DICOM file; an IssuerOfPatientID keeps ids of two issuers apart. Never to be shown.

    Raises:
        MissingPath, MissingExtra: the path or pydicom is not there.
    """
    tags = ["PatientID", "IssuerOfPatientID"]
    try:
        with opened(path) as stream, _without_detail("holds no readable DICOM header"):
            ds = _read(stream, tags, stop_before_pixels=True)
            # The raw value: pydicom's conversion would warn of an odd id by quoting it.
            raw = [bytes(ds.get_item(tag).value or b"") if tag in ds else b"" for tag in tags]
    except UnreadableImage:
        return None
    patient_id, issuer = (value.decode("utf-8", "backslashreplace").strip(" \0") for value in raw)
    return f"{patient_id}^^^{issuer}" if patient_id and issuer else patient_id


def decode(stream: BinaryIO) -> np.ndarray:
    """Decode the one frame of a DICOM file as a viewer would first show it.

    Grey goes through the modality LUT or rescale, then the VOI LUT or the first window (LINEAR, LINEAR_EXACT, SIGMOID).
    Without either, up to 8 stored bits are shown in full and more through `percentile_window`, padding left out.
    MONOCHROME1 and Presentation LUT Shape INVERSE are inverted; padding is black. Palette and YBR become RGB; colour
    of more than 8 bits keeps its high byte. Pixels are taken as square; overlays and ICC profiles are left out.

    Returns:
        `(rows, columns)` or `(rows, columns, 3)` uint8.

    Raises:
        UnreadableImage: no, several, too many, truncated or undecodable pixels.
        MissingExtra: pydicom is not installed.
    """
    ds, stored = _frame(stream)
    with _without_detail(_UNUSABLE_SETTINGS):
        return _displayed(ds, stored)


def decode_deep(stream: BinaryIO) -> tuple[np.ndarray, Deep | None]:
    """Decode as `decode` does, and give a grey image's values too, for a viewer that moves the window.

    Returns:
        What `decode` returns, and the values after rescale or modality LUT; None for colour.

    Raises:
        UnreadableImage, MissingExtra: as `decode`.
    """
    ds, stored = _frame(stream)
    with _without_detail(_UNUSABLE_SETTINGS):
        shown = _displayed(ds, stored)
        return shown, _deep(ds, stored) if shown.ndim == 2 else None


def _frame(stream: BinaryIO) -> tuple[Dataset, np.ndarray]:
    """What display needs of the header, and the stored values of the one frame."""
    with _without_detail("is no readable DICOM file"):
        _check_header(_read(stream, DISPLAY_TAGS, stop_before_pixels=True), stream)
        ds = _read(stream, DISPLAY_TAGS)
        if not any(keyword in ds for keyword in PIXEL_KEYWORDS):
            raise UnreadableImage("is truncated: its DICOM pixel data has no end")
        _require_decoder(ds)
        _check_codestream(ds)
    with _without_detail("has DICOM pixel data that is damaged or cannot be decoded"):
        from pydicom.pixels import pixel_array

        return ds, pixel_array(ds)


@contextlib.contextmanager
def _without_detail(failure: str) -> Iterator[None]:
    """Name a failure of pydicom without its text, which may quote values, and without its traceback."""
    try:
        yield
    except (MissingExtra, UnreadableImage):
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        raise UnreadableImage(f"{failure} ({type(error).__name__})") from None


def _read(stream: BinaryIO, tags: list[str], *, stop_before_pixels: bool = False) -> Dataset:
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("DICOM files need pydicom and its decoders: pip install 'overread[dicom]'") from None
    # warnings.catch_warnings is not safe in threads before Python 3.14; one lasting filter for this library alone is.
    if all(entry[3] != PYDICOM for entry in warnings.filters):
        warnings.filterwarnings("ignore", module=PYDICOM.pattern)
    stream.seek(0)
    if DEFLATED in stream.read(65536):
        # pydicom inflates the whole file before anything can be checked: 10 MB may become 10 GB.
        raise UnreadableImage("is a deflated DICOM file, which is not read: convert it to Explicit VR Little Endian")
    stream.seek(0)
    return pydicom.dcmread(stream, force=True, specific_tags=tags, stop_before_pixels=stop_before_pixels)


def _check_header(header: Dataset, stream: BinaryIO) -> None:
    """Refuse before decoding what has no single frame of a sensible size, all of it in the file."""
    if "Rows" not in header or "Columns" not in header:
        raise UnreadableImage("is a DICOM file without an image (no Rows and Columns), or a truncated one")
    if "TransferSyntaxUID" not in header.file_meta:
        raise UnreadableImage("does not say its DICOM transfer syntax: convert it with a DICOM tool")
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnreadableImage(f"holds {frames} frames; one was expected: export the frame that you need")
    # int, for a damaged Columns may be a list, which Rows would repeat.
    if not 0 < int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel", 1)) <= raster.MAX_PIXELS:
        raise UnreadableImage(f"declares a size outside 1 to {raster.MAX_PIXELS} samples: reduce it first")
    is_implicit, is_little = header.original_encoding
    element = stream.read(8 if is_implicit else 12)
    if len(element) < 8:
        raise UnreadableImage("is a DICOM file without pixels, or a truncated one")
    (length,) = struct.unpack("<L" if is_little else ">L", element[-4:])
    here = stream.tell()
    if length != UNDEFINED_LENGTH and length > stream.seek(0, 2) - here:
        raise UnreadableImage("is truncated: it has fewer bytes than its DICOM pixel data declares")


def _check_codestream(ds: Dataset) -> None:
    """Compare the size that a JPEG 2000 codestream declares: one of 60,000 x 60,000 took 14 GB and 150 s to fail."""
    from pydicom.encaps import get_frame

    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    frame = get_frame(ds.PixelData, 0, number_of_frames=1)
    start = frame.find(J2K_SIZE, 0, 4096)
    if start < 0:
        return
    right, bottom, left, top, samples = struct.unpack_from(">4L16xH", frame, start + 8)
    if (bottom - top, right - left, samples) != (ds.Rows, ds.Columns, ds.SamplesPerPixel):
        raise UnreadableImage("has JPEG 2000 pixel data of another size than its DICOM header says")


def _require_decoder(ds: Dataset) -> None:
    from pydicom.pixels import get_decoder

    try:
        decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    except NotImplementedError:
        raise UnreadableImage("has a DICOM transfer syntax that is not read: convert it with a DICOM tool") from None
    if not decoder.is_available:
        name = decoder.UID.name
        raise UnreadableImage(f"is compressed as {name}, whose decoder is not there: pip install 'overread[dicom]'")


def _displayed(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    photometric = ds.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        return _palette_applied(ds, stored)
    if stored.ndim == 3 and stored.shape[2] == 3 and photometric.startswith(("RGB", "YBR_FULL", "YBR_ICT", "YBR_RCT")):
        return _high_byte(stored, ds.BitsStored)
    if stored.ndim == 2 and photometric in ("MONOCHROME1", "MONOCHROME2"):
        return _grey(ds, stored)
    raise UnreadableImage("has a DICOM photometric interpretation that is not read: convert it to RGB or MONOCHROME2")


def _grey(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    _raise_functional_groups(ds)
    padding = _padding(ds, stored)
    levels = _voi_applied(ds, stored, padding)
    if _is_inverted(ds):
        levels = 255 - levels
    levels[padding] = 0
    return levels


def _is_inverted(ds: Dataset) -> bool:
    # PS3.3 C.8.11.3.1.2: INVERSE goes with MONOCHROME1 and means the same one inversion.
    return ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE"


def _deep(ds: Dataset, stored: np.ndarray) -> Deep:
    """The values of a grey frame with every linear window of its header; padding becomes NaN."""
    values = np.where(_padding(ds, stored), np.nan, _modality_applied(ds, stored).astype(np.float32))
    pairs = zip(_all(ds.get("WindowCenter")), _all(ds.get("WindowWidth")), strict=False)
    is_linear = not ds.get("VOILUTSequence") and ds.get("VOILUTFunction") != "SIGMOID"
    found = [_window_ends(ds, stored, centre, width) for centre, width in pairs if width > 0 and is_linear]
    windows = {f"Header window {i}" if len(found) > 1 else "Header window": ends for i, ends in enumerate(found, 1)}
    if not windows and stored.dtype.kind != "f" and ds.BitsStored <= 8:
        windows = {"All stored bits": _stored_ends(ds)}
    windows.setdefault("Middle 99.8 %", percentile_window(values))
    if ds.get("RescaleType") == "HU":
        windows |= HOUNSFIELD_WINDOWS
    return Deep(values=values, windows=windows, inverted=_is_inverted(ds))


def _raise_functional_groups(ds: Dataset) -> None:
    """Enhanced objects keep the rescale and window in functional groups (PS3.3 C.7.6.16)."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if ds.get(groups) and ds[groups][0].get(macro):
                ds.update(ds[groups][0][macro][0])


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
