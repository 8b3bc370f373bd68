"""How the elements and pixels of a DICOM file are encoded (PS3.5 10 and A), and what is taken where it does not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overread.errors import UnreadableImage

if TYPE_CHECKING:
    from pydicom import Dataset

IMPLICIT, EXPLICIT, EXPLICIT_BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."
JPEG_BASELINE, JPEG_EXTENDED = f"{_JPEG}50", f"{_JPEG}51"
# By the syntax of their codestream: JPEG and JPEG-LS share their markers.
JPEG_SYNTAXES = frozenset(f"{_JPEG}{number}" for number in (50, 51, 57, 70, 80, 81))
JPEG2000_SYNTAXES = frozenset(f"{_JPEG}{number}" for number in (90, 91, 201, 202, 203))
# pydicom would take gdcm's decoder first, which ends the process on some damaged files (November 2026); for JPEG-LS and
# lossless JPEG there is no better one.
PLUGINS = {
    JPEG_BASELINE: "pillow",
    JPEG_EXTENDED: "pillow",
    f"{_JPEG}90": "pylibjpeg",
    f"{_JPEG}91": "pylibjpeg",
}
_LOSSY = {
    JPEG_BASELINE,
    JPEG_EXTENDED,
    f"{_JPEG}81",  # JPEG-LS Near-Lossless
    f"{_JPEG}91",  # JPEG 2000
    f"{_JPEG}93",  # JPEG 2000 Part 2
    f"{_JPEG}203",  # HTJ2K
}
# Decoded by Python, or by libjpeg, which is sound. All others have codecs in C that a few damaged bytes have crashed
# (JPEG-LS, lossless JPEG) or made swallow memory (JPEG 2000).
_SOUND = {IMPLICIT, EXPLICIT, EXPLICIT_BIG, DEFLATED, JPEG_BASELINE, JPEG_EXTENDED, RLE}
# Those that pydicom 3.0 does not know.
_NAMES = {
    f"{_JPEG}110": "JPEG XL Lossless",
    f"{_JPEG}111": "JPEG XL JPEG Recompression",
    f"{_JPEG}112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}
_OF_THE_STANDARD = re.compile(r"1\.2\.840\.10008\.1\.2(\.\d{1,3}){1,3}")


def is_lossy(ds: Dataset) -> bool:
    """Whether pixels may differ from those that were imaged."""
    return ds.get("LossyImageCompression") == "01" or ds.file_meta.TransferSyntaxUID in _LOSSY


def assume_missing(ds: Dataset) -> tuple[str, ...]:
    """Give a data set the elements that decoding needs and old or stripped files leave out, as viewers do.

    Returns:
        The keywords of those that it lacked.
    """
    is_implicit, is_little = ds.original_encoding
    samples, bits = ds.get("SamplesPerPixel", 1), ds.get("BitsAllocated")
    defaults = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2" if samples == 1 else "RGB",
        **({"PlanarConfiguration": 0} if samples != 1 else {}),
        **({"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0} if bits in (8, 16) else {}),
    }
    missing = tuple(keyword for keyword in defaults if keyword not in ds)
    for keyword in missing:
        setattr(ds, keyword, defaults[keyword])
    if "TransferSyntaxUID" in ds.file_meta:
        return missing
    ds.file_meta.TransferSyntaxUID = IMPLICIT if is_implicit else EXPLICIT if is_little else EXPLICIT_BIG
    return ("TransferSyntaxUID", *missing)


def has_sound_decoder(ds: Dataset) -> bool:
    """Whether damaged pixels raise errors and do no more; where no transfer syntax is named, pixels are plain."""
    return ds.file_meta.get("TransferSyntaxUID", IMPLICIT) in _SOUND


def require_decoder(ds: Dataset) -> None:
    """Refuse by its name a transfer syntax that nothing here decodes.

    Raises:
        UnreadableImage: there is none, or its library is not installed.
    """
    from pydicom.pixels import get_decoder

    syntax, name = ds.file_meta.TransferSyntaxUID, syntax_name(ds)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise UnreadableImage(
            f"has the DICOM transfer syntax {name}, which is not read: convert it to Explicit VR Little Endian with "
            "a DICOM tool"
        ) from None
    if not decoder.is_available:
        raise UnreadableImage(f"is compressed as {name}, whose decoder is not there: pip install 'overread[dicom]'")


def syntax_name(ds: Dataset) -> str:
    """The name of the transfer syntax; what the standard does not have, and so might hold anything, is not quoted."""
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax in _NAMES:
        return _NAMES[syntax]
    return str(syntax.name) if _OF_THE_STANDARD.fullmatch(syntax) else "of a vendor's own"
