"""DICOM files to the few elements that are needed, without a word that could quote a patient."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from overread.errors import MissingExtra, UnreadableImage
from overread.formats.apart import DecodeApart
from overread.machine.quiet import without_warnings_of

if TYPE_CHECKING:
    from pydicom import Dataset

_UNDEFINED_LENGTH = 0xFFFFFFFF
# What one element may take, by its value representation: what an explicit one can hold of numbers and text, and twice
# the largest look-up table. Pixels, palettes and sequences are as long as they are.
_MOST_BYTES = 65534
_MOST_BYTES_OF = {"US or OW": 2**18} | dict.fromkeys(("OB", "OD", "OF", "OV", "OW", "OB or OW", "SQ", "UN"), 2**32)
COLOURS = ("Red", "Green", "Blue")
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# fmt: off
DISPLAY_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "VOILUTSequence", "PresentationLUTShape", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "RescaleType", "Modality", "LossyImageCompression", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    *PIXEL_KEYWORDS,
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


def refuse_long_values(ds: Dataset) -> None:
    """Refuse numbers, texts and tables of more bytes than they can have: pydicom takes minutes over megabytes of them.

    Raises:
        UnreadableImage: there is one.
    """
    from pydicom.datadict import dictionary_VR

    for tag in ds.keys():  # noqa: SIM118 - without it values are converted
        length = getattr(ds.get_item(tag), "length", 0)
        if _UNDEFINED_LENGTH > length > _MOST_BYTES and length > _MOST_BYTES_OF.get(dictionary_VR(tag), 0):
            raise UnreadableImage("has a DICOM number, text or table that is longer than any can be: it is damaged")


def read_dataset(stream: BinaryIO, tags: Sequence[str], *, stop_before_pixels: bool = False) -> Dataset:
    """Read these elements of a file that is not deflated, wherever in it the stream is.

    Raises:
        UnreadableImage: one of them is longer than it can be.
        MissingExtra: pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("DICOM files need pydicom and its decoders: pip install 'overread[dicom]'") from None
    stream.seek(0)
    ds = pydicom.dcmread(stream, force=True, specific_tags=list(tags), stop_before_pixels=stop_before_pixels)
    refuse_long_values(ds)
    return ds
