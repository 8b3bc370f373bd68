"""Codestreams made in code: sound ones, and those whose own size differs from what stands around them."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from support.dicom_files import dataset, file_bytes

PIXELS = (np.add.outer(np.arange(40), np.arange(30)) * 3).astype(np.uint8)


def encoded(kind: str, pixels: np.ndarray = PIXELS, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def jpeg_ls(pixels: np.ndarray = PIXELS) -> bytes:
    import jpeg_ls as codec

    return bytes(codec.encode_array(pixels))


def jpeg2000(pixels: np.ndarray = PIXELS, *, boxes: bool = False) -> bytes:
    """A bare codestream, or one in the boxes of JP2."""
    return encoded("JPEG2000", pixels, no_jp2=not boxes)


def rle(pixels: np.ndarray = PIXELS) -> bytes:
    """A frame of one segment, each byte for itself."""
    packed = b"".join(bytes([0, value]) for value in pixels.tobytes())
    return struct.pack("<16L", 1, 64, *[0] * 14) + packed


def sized_jpeg(content: bytes, width: int, height: int) -> bytes:
    """A JPEG or JPEG-LS that declares another size."""
    own = struct.pack(">HH", *PIXELS.shape)
    assert content.count(own) == 1
    return content.replace(own, struct.pack(">HH", height, width))


def sized_jpeg2000(content: bytes, width: int, height: int) -> bytes:
    """A JPEG 2000 that declares another size, in one tile."""
    at = content.index(b"\xff\x4f\xff\x51") + 8
    return content[:at] + struct.pack(">8L", width, height, 0, 0, width, height, 0, 0) + content[at + 32 :]


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">L", 8 + len(content)) + kind + content


SOUND = {
    JPEGBaseline8Bit: encoded("JPEG"),
    JPEG2000Lossless: jpeg2000(),
    JPEGLSLossless: jpeg_ls(),
    RLELossless: rle(),
}


def dicom(syntax: str, *frames: bytes, fragments: int = 1, **elements: object) -> bytes:
    """A file of these frames, of the size of `PIXELS`."""
    ds = dataset(PIXELS, **({"NumberOfFrames": len(frames)} if len(frames) > 1 else {}) | elements)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate(list(frames), fragments_per_frame=fragments)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return file_bytes(ds)


def progressive(width: int, height: int, scans: int) -> bytes:
    """A JPEG of so many progressive scans, each of a few bytes and none with content (T.81 G)."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    blocks = -(-width // 8) * -(-height // 8)
    head = segment(0xDB, bytes(1) + bytes([1] * 64))
    head += segment(0xC2, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0))
    # One code of one bit: a DC difference of nothing, and 32,768 blocks and more without AC.
    head += segment(0xC4, b"\0" + bytes([1, *[0] * 15]) + b"\0") + segment(0xC4, b"\x10" + bytes([1, *[0] * 15, 0xE0]))
    scan = bytes([1, 1, 0])
    first = segment(0xDA, scan + bytes([0, 0, 0])) + bytes(-(-blocks // 8))
    # Its 14 further bits say how many more.
    empty = bytes(2 * (blocks // 2**14 + 1))
    return b"\xff\xd8" + head + first + (segment(0xDA, scan + bytes([1, 63, 0])) + empty) * (scans - 1) + b"\xff\xd9"
