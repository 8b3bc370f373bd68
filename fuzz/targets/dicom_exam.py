"""DICOM files as exams: where the frames of one lie, in which order, and a vendor's header of a mosaic."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from targets.dicom import TOKENS as DICOM_TOKENS

from overread.errors import OverreadError
from overread.formats import Instance
from overread.formats.dicom.exams.mosaic import csa_numbers
from overread.formats.dicom.exams.open_frames import open_frames

_MOST_PIXELS, _MOST_FRAMES = 2**16, 4
TOKENS = (*DICOM_TOKENS, b"SV10", b"MOSAIC", b"\x28\0\x08\0IS\2\0", b"\xfe\xff\0\xe0\0\0\0\0", b"\x20\0\x32\0DS")


def one_input(data: bytes) -> None:
    """Open one file as an exam, and look at its first frames."""
    if data[:4] == b"SV10":
        csa_numbers(data)
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(OverreadError):
        path = Path(folder, "file")
        path.write_bytes(data)
        with open_frames([Instance(path)], _MOST_PIXELS) as frames:
            for index in range(min(len(frames), _MOST_FRAMES)):
                frames.origin(index)
                with contextlib.suppress(OverreadError):
                    assert frames.picture(index).pixels().size <= 3 * _MOST_PIXELS
