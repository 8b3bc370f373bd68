"""Pixels: one preprocessing from a file to an array, and a store that does it once for a whole data set.

The store and what stands on it are loaded on first use: reading needs the preprocessing alone.
"""

from typing import TYPE_CHECKING

from overread.images.prepare import REFERENCE, Preprocessing, content_box, prepare, prepare_picture
from overread.lazy import on_first_use

_HOMES = {
    "DataSet": "overread.images.data_set",
    "PixelFile": "overread.images.pixel_file",
    "PixelStore": "overread.images.pixel_store",
}
__all__ = [
    "REFERENCE",
    "DataSet",
    "PixelFile",
    "PixelStore",
    "Preprocessing",
    "content_box",
    "prepare",
    "prepare_picture",
]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.images.data_set import DataSet as DataSet
    from overread.images.pixel_file import PixelFile as PixelFile
    from overread.images.pixel_store import PixelStore as PixelStore
