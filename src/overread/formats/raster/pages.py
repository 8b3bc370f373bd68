"""Which pages of a raster file are images, and which are smaller copies that come with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from PIL import ImageFile, TiffImagePlugin

from overread.formats.raster.tiff import Directory, directories


def open_pages(reader: type[ImageFile.ImageFile], stream: BinaryIO) -> tuple[ImageFile.ImageFile, Sequence[int]]:
    """Open a file by Pillow's class for it, at its first image, with the places of all pages that are images, from 0.

    In a TIFF thumbnails, levels of a pyramid, labels and masks are none: pages that say so, and those of the same shape
    as the largest page and at most half its size. A page alone is always one. Pillow would look through all pages
    before each of them.

    Raises:
        UnreadableImage: a TIFF has absurdly many pages, tags or strips.
        Exception: Pillow cannot open it.
    """
    if not issubclass(reader, TiffImagePlugin.TiffImageFile):
        stream.seek(0)
        image = reader(stream)
        return image, range(getattr(image, "n_frames", 1))
    pages = list(image_pages(stream))
    stream.seek(0)
    image = reader(stream)
    image.seek(pages[0])
    return image, pages


def image_pages(stream: BinaryIO) -> dict[int, int]:
    """Where in a TIFF the directory of each page lies that is an image, by the places of these pages, from 0.

    Raises:
        UnreadableImage: as `open_pages`.
    """
    found = directories(stream)
    largest = max(found, key=lambda one: (one.width, one.height))
    return {page: one.at for page, one in enumerate(found) if not _is_copy(one, largest)} or {0: found[0].at}


def _is_copy(page: Directory, largest: Directory) -> bool:
    if page.is_copy:
        return True
    # A side is rounded by up to a pixel.
    is_same_shape = abs(page.width * largest.height - page.height * largest.width) <= max(largest.width, largest.height)
    return is_same_shape and 2 * page.width <= largest.width + 1 and 2 * page.height <= largest.height + 1
