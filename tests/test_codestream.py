"""Compressed pixels are refused before any decoder sees them where they say another size than the file around them."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest

from overread.errors import UnreadableImage
from overread.formats import open_picture
from overread.formats.codestreams.jpeg import declared_by_jpeg
from overread.formats.codestreams.jpeg2000 import declared_by_jpeg2000

pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from support.codestreams import (
    PIXELS,
    SOUND,
    box,
    dicom,
    encoded,
    jpeg2000,
    progressive,
    rle,
    sized_jpeg,
    sized_jpeg2000,
)

HUGE = 65535
JPEG, BARE, JP2, JPEG_LS = SOUND[JPEGBaseline8Bit], jpeg2000(), jpeg2000(boxes=True), SOUND[JPEGLSLossless]


def pixels(content: bytes, frame: int | None = None) -> np.ndarray:
    with open_picture(content, frame=frame) as picture:
        return picture.pixels()


def refusal(content: bytes) -> str:
    """What is said of a file, which takes no time."""
    start = time.process_time()
    with pytest.raises(UnreadableImage) as caught:
        pixels(content)
    assert time.process_time() - start < 1
    return str(caught.value)


@pytest.mark.parametrize("syntax", SOUND)
@pytest.mark.parametrize("fragments", [1, 3])
def test_a_sound_frame_is_read_also_from_several_fragments_and_among_other_frames(syntax: str, fragments: int) -> None:
    shown = pixels(dicom(syntax, SOUND[syntax], fragments=fragments))
    assert np.abs(shown.astype(int) - PIXELS).max() <= 4
    several = dicom(syntax, SOUND[syntax], b"damaged!", SOUND[syntax], fragments=1)
    assert np.array_equal(pixels(several, frame=3), shown)


@pytest.mark.parametrize(
    ("syntax", "content"),
    [
        (JPEGBaseline8Bit, sized_jpeg(JPEG, HUGE, HUGE)),
        (JPEGLosslessSV1, sized_jpeg(JPEG.replace(b"\xff\xc0", b"\xff\xc3"), 30, 41)),
        (JPEGLSLossless, sized_jpeg(JPEG_LS, HUGE, HUGE)),
        (JPEG2000Lossless, sized_jpeg2000(BARE, 60_000, 60_000)),
        (JPEG2000Lossless, sized_jpeg2000(JP2, 60_000, 60_000)),
        (JPEGBaseline8Bit, encoded("JPEG", np.stack([PIXELS] * 3, axis=2))),
        (JPEG2000Lossless, jpeg2000(np.stack([PIXELS] * 3, axis=2))),
    ],
)
def test_another_size_or_number_of_samples_is_refused(syntax: str, content: bytes) -> None:
    assert "of another size or number of samples than its DICOM header says" in refusal(dicom(syntax, content))


@pytest.mark.parametrize("codestream", [BARE, sized_jpeg2000(BARE, 60_000, 60_000)])
def test_boxes_do_not_hide_a_codestream(codestream: bytes) -> None:
    signature, free = JP2[:12], box(b"free", bytes(5000))
    # A box may give its length in eight bytes, and the last one none.
    long = struct.pack(">L4sQ", 1, b"uuid", 16 + 4) + codestream[:4]
    within = box(b"uuid", box(b"jp2c", BARE))
    for last in (box(b"jp2c", codestream), struct.pack(">L4s", 0, b"jp2c") + codestream):
        declared = declared_by_jpeg2000(signature + JP2[12:32] + free + long + within + last + box(b"jp2c", BARE))
        assert declared == declared_by_jpeg2000(codestream)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        BARE[:40],
        b"\0\0" + BARE,
        BARE[:2] + b"\xff\x64\0\4\0\1" + BARE[2:],
        JP2[:12],
        JP2[:12] + box(b"free") * 5000 + box(b"jp2c", BARE),
        JP2[:12] + struct.pack(">L4s", 0, b"free") + box(b"jp2c", BARE),
        JP2[:12] + struct.pack(">L4sQ", 1, b"free", 2**63) + box(b"jp2c", BARE),
        BARE[:24] + struct.pack(">2L", 0, 0) + BARE[32:],
    ],
)
def test_a_jpeg_2000_whose_size_cannot_be_told_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="JPEG 2000"):
        declared_by_jpeg2000(content)


def with_precincts(content: bytes, side: int, *, in_tile: bool) -> bytes:
    """A JPEG 2000 whose precincts have sides of 2 to so many, as its main header or that of its tile says."""
    at = content.index(b"\xff\x52")
    length = struct.unpack_from(">H", content, at + 2)[0]
    style = content[at + 4 : at + 2 + length]
    segment = bytes([style[0] | 1]) + style[1:] + bytes([side * 17]) * (style[5] + 1)
    segment = b"\xff\x52" + struct.pack(">H", len(segment) + 2) + segment
    if not in_tile:
        return content[:at] + segment + content[at + 2 + length :]
    at = content.index(b"\xff\x90")
    part = struct.unpack_from(">L", content, at + 6)[0] + len(segment)
    return content[: at + 6] + struct.pack(">L", part) + content[at + 10 : at + 12] + segment + content[at + 12 :]


def test_a_jpeg_2000_of_countless_tiles_or_precincts_is_refused() -> None:
    large = sized_jpeg2000(BARE, 4096, 4096)
    with pytest.raises(UnreadableImage, match="16,777,216 tiles"):
        declared_by_jpeg2000(large[:24] + struct.pack(">2L", 1, 1) + large[32:])
    for in_tile in (False, True):
        with pytest.raises(UnreadableImage, match="precincts"):
            declared_by_jpeg2000(with_precincts(large, 1, in_tile=in_tile))
        sound = with_precincts(BARE, 7, in_tile=in_tile)
        assert np.array_equal(pixels(dicom(JPEG2000Lossless, sound)), PIXELS)
        assert declared_by_jpeg2000(with_precincts(large, 7, in_tile=in_tile)).width == 4096


@pytest.mark.parametrize("content", [JPEG, JPEG_LS])
def test_fill_bytes_and_comments_come_before_a_size(content: bytes) -> None:
    comment = (
        b"\xff\xfe" + struct.pack(">H", 65535) + b"\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0".ljust(65533, b"\0")
    )
    declared = declared_by_jpeg(content[:2] + comment + b"\xff\xff\xff" + content[2:])
    assert (declared.height, declared.width, declared.samples, declared.bits) == (*PIXELS.shape, 1, 8)


FRAME = b"\xff\xc0\0\x0b\x08\0\x28\0\x1e\1\1\x11\0"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        JPEG[2:],
        JPEG[:100],
        JPEG[:2] + FRAME + JPEG[2:],
        JPEG.replace(FRAME[:13], b""),
        sized_jpeg(JPEG, 30, 0),
        JPEG_LS[:2] + b"\xff\xf8\0\x0b\4\4\0\1\0\0\0\1\0" + JPEG_LS[2:],
        JPEG[:2] + b"\xff\xfe\0\2" * 5000 + JPEG[2:],
        JPEG[:2] + b"\xff\xd9" + JPEG[2:],
    ],
)
def test_a_jpeg_that_does_not_say_its_size_once_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="JPEG"):
        declared_by_jpeg(content)


def test_a_codestream_of_another_kind_than_its_transfer_syntax_is_refused() -> None:
    assert "does not begin" in refusal(dicom(JPEGBaseline8Bit, BARE))
    assert "does not begin" in refusal(dicom(JPEG2000Lossless, JPEG))


def test_rle_that_unpacks_to_more_than_its_pixels_is_refused_before_it_does() -> None:
    header = struct.pack("<16L", 1, 64, *[0] * 14)
    assert "unpacks to far more" in refusal(dicom(RLELossless, header + b"\x81\0" * 600_000))
    assert "number of segments" in refusal(dicom(RLELossless, struct.pack("<16L", 2, 64, 64, *[0] * 13) + rle()[64:]))
    assert "number of segments" in refusal(dicom(RLELossless, b"\1"))


@pytest.mark.parametrize("width", [640, 4096])
def test_a_jpeg_of_countless_scans_is_refused_and_one_of_some_is_read(width: int) -> None:
    assert pixels(progressive(width, 640, 20)).shape == (640, width)
    for content in (progressive(width, 640, 4000), progressive(width, 640, 120)):
        assert "more than 100 scans" in refusal(content)
    elements = {"Rows": 640, "Columns": width}
    assert "more than 100 scans" in refusal(dicom(JPEGBaseline8Bit, progressive(width, 640, 4000), **elements))


def test_what_looks_like_scans_in_a_preview_or_behind_the_image_is_none() -> None:
    preview = b"\xff\xe5" + struct.pack(">H", 4 + 2 * 500) + b"\xff\xda" * 500 + b"\0\0"
    decorated = JPEG[:2] + preview + JPEG[2:] + b"\xff\xda" * 500
    assert np.array_equal(pixels(decorated), pixels(JPEG))
