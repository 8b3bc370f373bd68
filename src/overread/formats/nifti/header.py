"""What a NIfTI file says of itself without its voxels, and which of its texts may name a person."""

from __future__ import annotations

import contextlib
import os
import re
from typing import BinaryIO, Literal

from overread.formats.header import Header
from overread.formats.nifti.described import Described, describe_volume, unzipped
from overread.formats.nifti.layout import lay_out

# Free texts of the header. db_name and aux_file are what Analyze had for the names of a data base and of a table.
_TEXTS = ("descrip", "db_name", "aux_file", "intent_name")
# What programs write there of themselves and of the scan.
_OF_PROGRAMS = re.compile(
    r"[\W_\d]*|(fsl|spm|afni|freesurfer|nibabel|ants?|itk|niftyreg|mrtrix|dcm2nii|mricron?|nordic|elastix|simpleitk|"
    r"matlab|brainvoyager|slicer|philips|siemens|ge\b|bruker)\b.*|(te|tr|ti|fa|time|phase|mb|dw)\s*=.*|"
    r".*\b(t[12]w?|flair|epi|bold|mask|seg|label|mean|norm(alized)?|copy|contrast|map|stat|tfce|zscore|warp(ed)?)\b.*|"
    r"none|n/?a|x+|unknown|\d+(\.\d+)+.*",
    re.IGNORECASE | re.DOTALL,
)
# dcm2niix notes the time of day, and dates stand in many ways.
_DATE = re.compile(r"(?<!\d)((19|20)\d\d[-./]?(0[1-9]|1[0-2])[-./]?(0[1-9]|[12]\d|3[01])|"
                   r"(0[1-9]|[12]\d|3[01])[-./](0[1-9]|1[0-2])[-./](19|20)\d\d)(?!\d)")  # fmt: skip
_NAME = re.compile(r"\^|\b[A-Z][a-z]+,? [A-Z][a-z]+\b|\b(name|patient|dob|born|mrn)\s*[:=]", re.IGNORECASE)
_EXTENSIONS = {2: "DICOM", 4: "AFNI", 6: "comment", 18: "PyPICKLE", 22: "MIND ident", 44: "MATLAB"}
_MOST_EXTENSIONS, _FLAG = 100, 4
# Whose whole purpose is to hold what was known of the scan, and so of the person.
_TELLING = (2, 22)


def header_of(stream: BinaryIO) -> Header:
    """Read a header.

    Raises:
        UnreadableImage, MissingExtra: there is no usable header, or nibabel is not installed.
    """
    found = describe_volume(stream)
    layout = lay_out(found)
    height, width = layout.square
    texts = (*_texts(found), *_extensions(stream, found))
    return Header(
        width=width,
        height=height,
        mode=_mode(found),
        bit_depth=8 if found.is_colour else found.dtype.itemsize * 8,
        frames=layout.counts[0],
        spacing_mm=layout.spacing_mm,
        plane=layout.plane.name,
        identifying_tags=len(texts),
        person_tags=texts,
    )


def _mode(found: Described) -> str:
    if found.is_colour:
        return "RGB"
    return "F" if found.dtype.kind == "f" else "L" if found.dtype.itemsize == 1 else "I"


def _texts(found: Described) -> tuple[str, ...]:
    """The fields whose text no program is known for, or that has a name or a date in it."""
    named = [name for name in _TEXTS if name in found.header.template_dtype.names]
    values = {name: bytes(found.header[name].item()).split(b"\0")[0].decode("latin-1").strip() for name in named}
    return tuple(
        name
        for name, text in values.items()
        if _DATE.search(text) or (not _OF_PROGRAMS.fullmatch(text) and (name == "db_name" or _NAME.search(text)))
    )


def _extensions(stream: BinaryIO, found: Described) -> tuple[str, ...]:
    """Extensions that hold what was known of the scan; read by their lengths alone."""
    codes = set()
    stream.seek(0)
    # What is damaged there is none of the image.
    with contextlib.suppress(Exception), unzipped(stream, compressed=found.compressed) as content:
        at = content.seek(found.header.template_dtype.itemsize)
        if content.read(_FLAG)[:1] in (b"", b"\0"):
            return ()
        at += _FLAG
        order: Literal["big", "little"] = "big" if found.header.endianness == ">" else "little"
        for _ in range(_MOST_EXTENSIONS):
            lengths = content.read(8)
            size = int.from_bytes(lengths[:4], order)
            if at + size > found.offset or size < 8:
                break
            codes.add(int.from_bytes(lengths[4:], order))
            at = content.seek(size - 8, os.SEEK_CUR)
    return tuple(f"{_EXTENSIONS[code]} extension" for code in sorted(codes) if code in _TELLING)
