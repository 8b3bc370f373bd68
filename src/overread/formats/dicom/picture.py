"""One frame of a DICOM file as it is meant to be displayed."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from overread.formats.dicom.dataset import without_detail
from overread.formats.dicom.display import displayed, is_grey, raise_functional_groups, values_behind
from overread.formats.dicom.frame import read_frame
from overread.formats.picture import Fitted, GreyValues, Picture, as_stored

if TYPE_CHECKING:
    from pydicom import Dataset

_UNUSABLE_SETTINGS = "has DICOM display settings that cannot be used"


def read_picture(stream: BinaryIO, frame: int | None, max_pixels: int) -> Picture:
    """Decode the stored values of a frame; see `read_frame`."""
    return DicomPicture(*read_frame(stream, frame, max_pixels))


@dataclasses.dataclass(frozen=True, eq=False)
class DicomPicture:
    """A frame whose stored values are decoded.

    Args:
        ds: what display needs of the header.
        stored: `(rows, columns)` or `(rows, columns, 3)` stored values.
        index: the place of the frame in the functional groups of the header, from 0.
    """

    ds: Dataset
    stored: np.ndarray
    index: int

    @functools.cached_property
    def _shown(self) -> np.ndarray:
        with without_detail(_UNUSABLE_SETTINGS):
            return displayed(self.ds, self.stored, self.index)

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Give it as a viewer would first show it, whatever is wanted."""
        return self._shown

    def grey_values(self) -> GreyValues | None:
        """The values after rescale or modality LUT, with every window that the header has; None for colour."""
        with without_detail(_UNUSABLE_SETTINGS):
            if is_grey(self.ds, self.stored):
                raise_functional_groups(self.ds, self.ds, self.index)
                return values_behind(self.ds, self.stored)
        _ = self._shown  # which says what colour is not read
        return None
