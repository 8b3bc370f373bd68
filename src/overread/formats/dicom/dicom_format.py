"""DICOM as one of the image formats."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from overread.errors import MissingPath, UnreadableImage
from overread.formats.dicom.dataset import without_detail
from overread.formats.dicom.display import displayed, values_behind
from overread.formats.dicom.frame import read_frame
from overread.formats.dicom.header import header_of
from overread.formats.dicom.sniff import starts_as_dicom
from overread.formats.header import Header
from overread.formats.picture import Fitted, GreyValues, Picture, as_stored
from overread.formats.raster import RASTER_FORMATS
from overread.formats.source import HEAD_LENGTH, opened

if TYPE_CHECKING:
    from pydicom import Dataset

_ENDINGS = (".dcm", ".dicom")
_UNUSABLE_SETTINGS = "has DICOM display settings that cannot be used"


class Dicom:
    """Files with "DICM" at byte 128 or elements from the first one, and those named so that are no raster format."""

    name = "DICOM"
    suffixes = _ENDINGS
    libraries = ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pyjpegls", "python-gdcm")

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether content says so, or the name where content is silent."""
        if starts_as_dicom(head):
            return True
        is_named_so = name.lower().endswith(_ENDINGS)
        return is_named_so and not any(raster.sniff(head, name) for raster in RASTER_FORMATS)

    def header(self, stream: BinaryIO) -> Header:
        """What describes the image, and which tags may name a person."""
        return header_of(stream)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Decode the stored values of a frame."""
        return _DicomPicture(*read_frame(stream, frame, max_pixels))


DICOM = Dicom()


@dataclasses.dataclass(frozen=True, eq=False)
class _DicomPicture:
    ds: Dataset
    stored: np.ndarray
    index: int

    @functools.cached_property
    def _shown(self) -> np.ndarray:
        with without_detail(_UNUSABLE_SETTINGS):
            return displayed(self.ds, self.stored, self.index)

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        return self._shown

    def grey_values(self) -> GreyValues | None:
        """The values after rescale or modality LUT, with every window that the header has; None for colour."""
        if self._shown.ndim != 2:
            return None
        with without_detail(_UNUSABLE_SETTINGS):
            return values_behind(self.ds, self.stored)


def is_dicom(source: str | Path | bytes) -> bool:
    """Whether a file (or the bytes it starts with) is to be read as DICOM.

    False for a path that cannot be opened; reading it says why.
    """
    try:
        with opened(source) as stream:
            return DICOM.sniff(stream.read(HEAD_LENGTH), "" if isinstance(source, bytes) else str(source))
    except (MissingPath, UnreadableImage):
        return False
