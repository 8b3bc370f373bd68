"""Colour of 16 bits a channel: read with both its bytes, or refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from overread.errors import UnreadableImage
from overread.formats import open_picture

# Of 12 bits, as cameras give them: the high byte alone would be near to black.
COLOUR = np.random.default_rng(0).integers(0, 4096, (24, 20, 3), np.uint16)
ALPHA = np.random.default_rng(1).integers(0, 65536, (24, 20, 1), np.uint16)


def shown(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, (0.1, 99.9))
    return np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)


def png(samples: np.ndarray, *, colour_type: int, key: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = samples.shape[:2]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    # The second row and each after it as its difference from the row above.
    lines = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    rows = b"\0" + lines[0].tobytes() + b"".join(
        b"\2" + (lines[i] - lines[i - 1]).tobytes() for i in range(1, height)
    )  # fmt: skip
    transparent = chunk(b"tRNS", key) if key else b""
    return b"\x89PNG\r\n\x1a\n" + header + transparent + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(samples: np.ndarray, *, order: str = "<", deflate: bool = False, photometric: int = 2, **tags: int) -> bytes:
    """One strip, whose place is behind the directory and the depths."""
    height, width, channels = samples.shape
    data = samples.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if deflate else data
    entries = {
        256: width, 257: height, 258: None, 259: 8 if deflate else 1, 262: photometric, 273: None, 277: channels,
        278: height, 279: len(data), 284: tags.get("planes", 1),
    }  # fmt: skip
    if channels == 4 and photometric == 2:
        entries[338] = tags.get("extra", 2)
    depths_at = 8 + 2 + 12 * len(entries) + 4
    values = {**entries, 258: depths_at, 273: depths_at + 2 * channels}
    directory = b"".join(
        struct.pack(f"{order}HHI", tag, 4, 1) + struct.pack(f"{order}I", value)
        if tag != 258
        else struct.pack(f"{order}HHII", tag, 3, channels, value)
        for tag, value in sorted(values.items())
    )
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8)
    depths = struct.pack(f"{order}{channels}H", *[16] * channels)
    return head + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + depths + data


def read(content: bytes) -> np.ndarray:
    with open_picture(content) as picture:
        return picture.pixels()


@pytest.mark.parametrize(
    "content",
    [
        png(COLOUR, colour_type=2),
        *(tiff(COLOUR, order=order, deflate=deflate) for order in "<>" for deflate in (False, True)),
        tiff(np.concatenate([COLOUR, ALPHA], axis=2), extra=0),  # of which nobody knows what it means
    ],
    ids=["png", "tiff", "tiff deflated", "tiff of a Mac", "tiff of a Mac deflated", "tiff with a fourth channel"],
)
def test_both_bytes_count_under_one_window_for_all_channels(content: bytes) -> None:
    assert np.array_equal(read(content), shown(COLOUR))


@pytest.mark.parametrize(
    "content",
    [
        png(np.concatenate([COLOUR, ALPHA], axis=2), colour_type=6),
        tiff(np.concatenate([COLOUR, ALPHA], axis=2), extra=2),
    ],
    ids=["png", "tiff"],
)
def test_transparency_is_composited_on_black(content: bytes) -> None:
    expected = shown(COLOUR * (ALPHA / 65535))
    assert np.abs(read(content).astype(int) - expected).max() <= 1


def test_colour_that_is_multiplied_by_its_alpha_stands_on_black_already() -> None:
    assert np.array_equal(read(tiff(np.concatenate([COLOUR, ALPHA], axis=2), extra=1)), shown(COLOUR))


def test_the_colour_that_a_png_calls_transparent_is_black() -> None:
    colour = COLOUR.copy()
    colour[3, 4] = 4095, 4000, 3000
    pixels = read(png(colour, colour_type=2, key=colour[3, 4].astype(">u2").tobytes()))
    assert not pixels[3, 4].any()
    assert pixels[3, 5].any()


def test_grey_with_alpha_is_read_as_deep_grey_is() -> None:
    grey = np.concatenate([COLOUR[:, :, :1], np.full_like(ALPHA, 65535)], axis=2)
    with open_picture(png(grey, colour_type=4)) as picture:
        assert np.array_equal(picture.pixels(), shown(COLOUR[:, :, 0]))
        values = picture.grey_values()
    assert values is not None
    assert np.array_equal(values.values, COLOUR[:, :, 0])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (tiff(COLOUR, planes=2), "in planes of their own"),
        (tiff(np.concatenate([COLOUR, ALPHA], axis=2), photometric=5), "as CMYK"),
    ],
)
def test_what_would_be_read_as_8_bits_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(UnreadableImage, match=f"{named}, which is not read: save it as 16-bit RGB"):
        read(content)


def test_a_file_that_ends_early_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="truncated"):
        read(png(COLOUR, colour_type=2)[:-900])
