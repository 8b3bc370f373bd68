"""Which files are whole slides: by their names and first bytes, and of other TIFFs by what their pages are."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from overread.formats.raster.tiff import Directory, directories
from overread.formats.source import opened
from overread.machine.extras import is_installed
from overread.machine.remote import is_remote, place

# Of whose names alone, with content that may be a slide's, a file is one.
SUFFIXES = (".svs", ".ndpi", ".scn", ".bif", ".svslide", ".mrxs", ".vms", ".vmu")
_TIFF = re.compile(rb"II[*+]\0|MM\0[*+]")
_CONTENT = {
    ".svs": _TIFF,
    ".ndpi": _TIFF,
    ".scn": _TIFF,
    ".bif": _TIFF,
    ".svslide": re.compile(rb"SQLite format 3\0"),
    ".mrxs": re.compile(rb"\xff\xd8\xff|BM|\x89PNG"),
    ".vms": re.compile(rb"\[Virtual Microscope Specimen\]"),
    ".vmu": re.compile(rb"\[Uncompressed Virtual Microscope Specimen\]"),
}
# VL Whole Slide Microscopy Image Storage, in the meta header or at the start of the data set.
_DICOM_SLIDE = re.compile(
    rb"(?:\x02\x00\x02\x00UI|\x08\x00\x16\x00(?:UI|..)).{2}1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.6(?![0-9.])",
    re.DOTALL,
)
# A TIFF that no maker of scanners signed is a slide where it has tiles, smaller levels and a side beyond what a network
# can be given as one picture; smaller ones are pictures, as they have always been.
LARGEST_PICTURE = 4096
_MOST_TILES = 10_000_000


def can_read_slides() -> bool:
    """Whether the library that reads slides is installed."""
    return is_installed(("openslide",))


def is_dicom_slide(head: bytes) -> bool:
    """Whether a file that begins so is a DICOM object of a whole slide."""
    return _DICOM_SLIDE.search(head) is not None


def is_slide(head: bytes, name: str) -> bool:
    """Whether a file is a whole slide.

    DICOM and TIFF under names of their own are slides only where what reads slides is installed, and of TIFF only files
    of this machine: their pages have to be looked at.

    Args:
        head: its first 512 bytes.
        name: or path.
    """
    suffix = name[name.rfind(".") :].lower().strip() if "." in name else ""
    if suffix in _CONTENT:
        return _CONTENT[suffix].match(head) is not None
    if is_dicom_slide(head):
        return can_read_slides()
    return _TIFF.match(head) is not None and can_read_slides() and _is_tiff_slide(name)


def _is_tiff_slide(name: str) -> bool:
    """Whether the TIFF at a path is one of a scanner, or a large pyramid of tiles."""
    if not name or is_remote(name):
        return False
    with contextlib.suppress(Exception):  # what it is damaged by is told where its picture is read
        path = place(name)
        if not path.is_file():
            return False
        with opened(path) as stream:
            if not directories(stream, most_parts=_MOST_TILES, only_first=True)[0].is_tiled:
                return False  # as most pictures, of which some have thousands of pages
            pages = directories(stream, most_parts=_MOST_TILES)
        return _is_of_a_scanner_or_large(path, pages)
    return False


def _is_of_a_scanner_or_large(path: Path, pages: Sequence[Directory]) -> bool:
    from overread.formats.slides.openslide_calls import maker_of, safely

    maker = safely(maker_of, path.absolute())
    if maker != "generic-tiff":
        return maker is not None
    largest = max(pages, key=lambda page: page.width * page.height)
    smaller = sum(page.is_tiled and 2 * page.width <= largest.width + 1 for page in pages)
    return smaller > 0 and max(largest.width, largest.height) > LARGEST_PICTURE
