"""DICOM as one of the image formats."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from overread.errors import MissingPath, UnreadableImage
from overread.formats.dicom.sniff import starts_as_dicom
from overread.formats.exams.frames import TILE, Frames, Instance
from overread.formats.header import Header
from overread.formats.picture import Picture
from overread.formats.raster import RASTER_FORMATS
from overread.formats.source import HEAD_LENGTH, opened

_ENDINGS = (".dcm", ".dicom")


class Dicom:
    """Files with "DICM" at byte 128 or elements from the first one, and those named so that are no raster format.

    What reads them is loaded with the first of them.
    """

    name = "DICOM"
    suffixes = _ENDINGS
    libraries = ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pyjpegls", "python-gdcm")

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether content says so, or the name where content is silent."""
        if starts_as_dicom(head):
            return True
        is_named_so = name.lower().endswith(_ENDINGS)
        return is_named_so and not any(raster.sniff(head, name) for raster in RASTER_FORMATS)

    def content_without_image(self, head: bytes) -> str:
        """What a file holds that holds no image, such as a structured report; empty for all else."""
        from overread.formats.dicom.objects import object_without_image

        return object_without_image(head)

    def header(self, stream: BinaryIO) -> Header:
        """What describes the image, and which tags may name a person."""
        from overread.formats.dicom.header import header_of

        return header_of(stream)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Decode the stored values of a frame."""
        from overread.formats.dicom.picture import read_picture

        return read_picture(stream, frame, max_pixels)

    def holds_exam(self, head: bytes, name: str) -> bool:
        """False: how many frames a file has is for its header to say."""
        return False

    def open_frames(
        self,
        instances: Sequence[Instance],
        *,
        microns: float | None,
        max_pixels: int,
        tile: tuple[int, int] = TILE,
    ) -> contextlib.AbstractContextManager[Frames]:
        """Open the files of one exam, such as a series, their frames in true order."""
        from overread.formats.dicom.exams.open_frames import open_frames

        return open_frames(instances, max_pixels)


DICOM = Dicom()


def is_dicom(source: str | Path | bytes) -> bool:
    """Whether a file (or the bytes it starts with) is to be read as DICOM.

    False for a path that cannot be opened; reading it says why.
    """
    try:
        with opened(source) as stream:
            return DICOM.sniff(stream.read(HEAD_LENGTH), "" if isinstance(source, bytes) else str(source))
    except (MissingPath, UnreadableImage):
        return False
