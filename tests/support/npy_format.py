"""Arrays that NumPy saved, as an image format of a user's own; in a module, for processes to import."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from overread.errors import UnreadableImage
from overread.formats import DecodedPicture, Header, Picture, frame_index


class Npy:
    """One array is one frame or, with three axes, several."""

    name = "NPY"
    suffixes = (".npy",)
    libraries = ("numpy",)

    def sniff(self, head: bytes, name: str) -> bool:
        return head.startswith(b"\x93NUMPY")

    def header(self, stream: BinaryIO) -> Header:
        frames, height, width = _shape(stream)
        return Header(width=width, height=height, mode="F", bit_depth=32, frames=frames)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        frames, height, width = _shape(stream)
        index = frame_index(frames, frame)
        if height * width > max_pixels:
            raise UnreadableImage(f"has {height} x {width} values; up to {max_pixels} were expected")
        stream.seek(0)
        return DecodedPicture.of_values(np.load(stream).reshape(frames, height, width)[index])


def _shape(stream: BinaryIO) -> tuple[int, int, int]:
    np.lib.format.read_magic(stream)
    shape, _, _ = np.lib.format.read_array_header_1_0(stream)
    frames, height, width = shape if len(shape) == 3 else (1, *shape)
    return frames, height, width
