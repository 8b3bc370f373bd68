"""What a DICOM file of a slide shows: the slide, or the glass with its label, which is never read."""

from __future__ import annotations

from typing import BinaryIO

from overread.errors import UnreadableImage
from overread.formats.dicom.dataset import read_dataset, without_detail

# The third value of Image Type (PS3.3 C.8.12.4.1.1) where the label may be in the picture.
_LABELS = frozenset({"LABEL", "OVERVIEW"})


def refuse_label(stream: BinaryIO) -> None:
    """Refuse a picture of the label of a slide.

    Raises:
        UnreadableImage: it is one.
    """
    with without_detail("holds no readable DICOM header"):
        ds = read_dataset(stream, ["ImageType"], stop_before_pixels=True)
        shown = {str(value).upper() for value in ds.get("ImageType") or ()}
    stream.seek(0)
    if shown & _LABELS:
        raise UnreadableImage("shows the label of a slide, which may name the patient: it is not read")
