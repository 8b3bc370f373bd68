"""DICOM files to the few elements that are needed, without a word that could quote a patient."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from overread.errors import MissingExtra, UnreadableImage
from overread.formats.apart import DecodeApart
from overread.formats.dicom.lookup import COLOURS
from overread.machine.quiet import without_warnings_of

if TYPE_CHECKING:
    from pydicom import Dataset

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# fmt: off
DISPLAY_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "VOILUTSequence", "PresentationLUTShape", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RescaleType", "LossyImageCompression", "ExtendedOffsetTable", "ExtendedOffsetTableLengths", *PIXEL_KEYWORDS,
    *(f"{colour}PaletteColorLookupTable{part}" for colour in COLOURS for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS),
)
# fmt: on
@contextlib.contextmanager
def without_detail(failure: str) -> Iterator[None]:
    """Name a failure of pydicom without its text, which may quote values, and without its traceback or warnings."""
    try:
        with without_warnings_of("pydicom"):
            yield
    except (MissingExtra, UnreadableImage, DecodeApart):
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        raise UnreadableImage(f"{failure} ({type(error).__name__})") from None


def read_dataset(stream: BinaryIO, tags: Sequence[str], *, stop_before_pixels: bool = False) -> Dataset:
    """Read these elements of a file that is not deflated, wherever in it the stream is.

    Raises:
        MissingExtra: pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("DICOM files need pydicom and its decoders: pip install 'overread[dicom]'") from None
    stream.seek(0)
    return pydicom.dcmread(stream, force=True, specific_tags=list(tags), stop_before_pixels=stop_before_pixels)
