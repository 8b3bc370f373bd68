"""DICOM objects that hold no image to read: reports, presentation states, contours, directories."""

from __future__ import annotations

import re

# The class of the object, in the meta header or, where a file has none, at the start of its data set (PS3.10 7.1, PS3.3
# C.12.1): both lie in the first bytes of a file.
_SOP_CLASS = re.compile(rb"(?:\x02\x00\x02\x00UI|\x08\x00\x16\x00(?:UI|..)).{2}([0-9.]+)", re.DOTALL)
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_OBJECTS = {
    "1.2.840.10008.1.3.10": "directory file",
    _STORAGE + "88.59": "key object selection",
    _STORAGE + "88": "structured report",
    _STORAGE + "11": "presentation state",
    _STORAGE + "104": "encapsulated document",
    _STORAGE + "9": "waveform",
    _STORAGE + "4.2": "spectroscopy object",
    _STORAGE + "66.4": "segmentation",
    _STORAGE + "66.7": "segmentation",
    _STORAGE + "66": "registration object",
    _STORAGE + "67": "value mapping",
    _STORAGE + "68": "surface scan",
    _STORAGE + "78": "measurement",
    _STORAGE + "79": "measurement",
    _STORAGE + "80": "measurement",
    _STORAGE + "481.1": "",  # an RT image is one
    _STORAGE + "481.3": "RT structure set",
    _STORAGE + "481": "RT object",
    _STORAGE + "200": "protocol",
    "1.2.840.10008.5.1.4.34": "RT object",
    "1.2.840.10008.5.1.4.38": "hanging protocol",
    "1.2.840.10008.5.1.4.39": "colour palette",
    "1.3.12.2.1107.5.9.1": "private object",
    "1.3.46.670589.11.0.0.12": "private object",
    "1.2.840.113619.4": "private object",
}


def object_without_image(head: bytes) -> str:
    """What a DICOM file is, by the class of its object, that holds no image to read; empty for all others.

    Args:
        head: the first 512 bytes.
    """
    match = _SOP_CLASS.search(head)
    parts = match[1].decode("ascii").strip(".").split(".") if match else []
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_OBJECTS[uid] for uid in above if uid in _OBJECTS), "")
