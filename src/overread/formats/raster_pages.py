"""Which pages of a raster file are images, and which are smaller copies that come with one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import ImageFile, TiffImagePlugin

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _WIDTH, _HEIGHT = 254, 255, 256, 257
# Of the first: a smaller copy, or a mask of where another page is transparent. Of the second: a smaller copy.
_REDUCED_OR_MASK, _REDUCED = 1 | 4, 2


def image_pages(image: ImageFile.ImageFile) -> Sequence[int]:
    """The places of the pages that are images of their own, from 0; the file is left at the first of them.

    In a TIFF thumbnails, levels of a pyramid, labels and masks are none: pages that say so, and those of the same shape
    as the largest page and at most half its size. A page alone is always one.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return range(getattr(image, "n_frames", 1))
    tags = [_tags(image, page) for page in range(image.n_frames)]
    largest = max(tags, key=_size)
    pages = [page for page, one in enumerate(tags) if not _is_copy(one, largest)] or [0]
    image.seek(pages[0])
    return pages


def _tags(image: TiffImagePlugin.TiffImageFile, page: int) -> dict[int, Any]:
    # A page of a kind that Pillow does not read may still say that it is a thumbnail.
    with contextlib.suppress(Exception):
        image.seek(page)
    return {tag: image.tag_v2.get(tag, 0) for tag in (_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _WIDTH, _HEIGHT)}


def _size(tags: Mapping[int, Any]) -> tuple[int, int]:
    return tags[_WIDTH], tags[_HEIGHT]


def _is_copy(tags: Mapping[int, Any], largest: Mapping[int, Any]) -> bool:
    if tags[_NEW_SUBFILE_TYPE] & _REDUCED_OR_MASK or tags[_SUBFILE_TYPE] == _REDUCED:
        return True
    (width, height), (full_width, full_height) = _size(tags), _size(largest)
    # A side is rounded by up to a pixel.
    is_same_shape = abs(width * full_height - height * full_width) <= max(full_width, full_height)
    return is_same_shape and 2 * width <= full_width + 1 and 2 * height <= full_height + 1
