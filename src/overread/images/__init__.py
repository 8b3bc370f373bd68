"""Pixels: one preprocessing from a file to an array, and a store that does it once for a whole data set."""

from overread.images.data_set import DataSet
from overread.images.pixel_file import PixelFile
from overread.images.pixel_store import PixelStore
from overread.images.prepare import Preprocessing, content_box, prepare, prepare_picture

__all__ = [
    "DataSet",
    "PixelFile",
    "PixelStore",
    "Preprocessing",
    "content_box",
    "prepare",
    "prepare_picture",
]
