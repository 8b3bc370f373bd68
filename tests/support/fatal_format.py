"""An image format whose decoder does to its process what a file says; in a module, for processes to import."""

from __future__ import annotations

import os
import time
from typing import BinaryIO

import numpy as np

from overread.formats import DecodedPicture, Header, Picture, decode_apart
from overread.machine.apart import is_apart

MAGIC = b"FATAL "


class Fatal:
    """What stands behind the magic word is done: "abort", "hang", "swallow", or nothing but an image."""

    name = "FATAL"
    suffixes = (".fatal",)
    libraries = ()

    def sniff(self, head: bytes, name: str) -> bool:
        return head.startswith(MAGIC)

    def header(self, stream: BinaryIO) -> Header:
        return Header(width=8, height=8, mode="L", bit_depth=8)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        decode_apart()
        match stream.read().removeprefix(MAGIC):
            case b"abort":
                os.abort()
            case b"hang":
                time.sleep(600)
            case b"swallow":
                bytearray(2**40)
        assert is_apart()
        return DecodedPicture(np.arange(64, dtype=np.uint8).reshape(8, 8))
