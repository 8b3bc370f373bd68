"""PNG, JPEG, TIFF, BMP and WebP in every mode, and what is refused."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.errors import UnreadableImage
from overread.formats import open_picture
from overread.formats.picture import MAX_PIXELS, Fitted, percentile_window, window
from overread.images import Preprocessing, prepare
from overread.images.prepare import fit_pixels

RAMP = np.arange(64 * 64).reshape(64, 64)


def encoded(image: Image.Image, file_format: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def decode(content: bytes, fitted: Fitted, channels: int | None = None) -> np.ndarray:
    with open_picture(content) as picture:
        return picture.pixels(fitted, channels)


def read(content: bytes, size: int = 64) -> np.ndarray:
    return fit_pixels(content, [Preprocessing(height=size, width=size)])[0]


def raw_png(width: int, height: int, *, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "WEBP"])
def test_a_lossless_format_gives_the_pixels_that_were_stored(file_format: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    options = {"lossless": True} if file_format == "WEBP" else {}
    assert np.array_equal(read(encoded(Image.fromarray(pixels), file_format, **options)), pixels)


def test_a_jpeg_reduced_while_decoding_matches_one_reduced_afterwards() -> None:
    y, x = np.mgrid[:1000, :1500]
    scene = (127 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)).astype(np.uint8)
    jpeg, png = (encoded(Image.fromarray(scene), kind) for kind in ("JPEG", "PNG"))
    difference = read(jpeg).astype(int) - read(png)
    assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_no_more_than_it_needs(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.new("L", (1600, 800)), "JPEG", exif=exif)
    upright = (1600, 800) if orientation == 1 else (800, 1600)

    def fitted(size: tuple[int, int]) -> tuple[int, int]:
        assert size == upright
        return size[0] // 8, size[1] // 16

    assert decode(content, fitted).shape == (upright[1] // 4, upright[0] // 4)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_every_8_bit_mode_keeps_a_grey_ramp(mode: str) -> None:
    levels = [0, 255, 0, 255] if mode == "1" else [0, 90, 180, 255]
    image = Image.fromarray(np.tile(np.repeat(np.array(levels, np.uint8), 16), (64, 1)))
    if mode in ("YCbCr", "LAB"):
        image = image.convert("RGB")
    if mode == "PA":
        image = image.convert("P")
    content = encoded(image.convert(mode), "PNG" if mode == "LA" else "TIFF")
    pixels = read(content)
    shown = pixels if pixels.ndim == 2 else pixels[:, :, 1]
    assert np.abs(shown.astype(int) - np.asarray(image.convert("L"))).max() <= 2
    assert (pixels.ndim == 2) == (mode in ("1", "L", "LA"))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_becomes_black(mode: str) -> None:
    if mode == "P":
        white = Image.new("P", (64, 64), 0)
        white.putpalette([255, 255, 255, 9, 9, 9])
        content = encoded(white, "PNG", transparency=0)
    else:
        white = Image.new(mode, (64, 64), (255, 0) if mode == "LA" else (255, 255, 255, 0))
        content = encoded(white, "PNG")
    assert not read(content).any()


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4", "<f4"])
def test_deep_grey_is_windowed_between_its_percentiles(dtype: str) -> None:
    mode = {"<u2": "I;16", ">u2": "I;16B", "<i4": "I", "<f4": "F"}[dtype]
    values = (RAMP + 1000).astype(dtype)
    pixels = read(encoded(Image.frombytes(mode, (64, 64), values.tobytes()), "TIFF"))
    low, high = np.percentile(values, (0.1, 99.9))
    assert np.array_equal(pixels, np.rint(np.clip((values - low) / (high - low), 0, 1) * 255))


def test_a_16_bit_png_is_not_clipped_to_white() -> None:
    pixels = read(encoded(Image.fromarray((RAMP * 16).astype(np.uint16)), "PNG"))
    assert 120 < pixels.mean() < 135


@pytest.mark.parametrize("value", [0, 700, 65535])
def test_a_constant_deep_image_is_black(value: int) -> None:
    assert not read(encoded(Image.fromarray(np.full((64, 64), value, np.uint16)), "PNG")).any()


def test_values_that_are_no_numbers_become_black_and_do_not_move_the_window() -> None:
    values = RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    pixels = read(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :3].tolist() == [0, 255, 0]
    assert 120 < pixels.mean() < 135
    assert percentile_window(np.full(4, np.nan)) == (0.0, 0.0)
    assert not window(np.full((2, 2), np.nan), 0.0, 0.0).any()


def test_a_rare_value_is_seen_though_the_percentiles_coincide() -> None:
    mask = np.zeros((64, 64), np.uint16)
    mask[5, 5] = 1
    assert read(encoded(Image.fromarray(mask), "PNG"))[5, 5] == 255


def test_a_deep_tiff_whose_white_is_zero_is_inverted() -> None:
    content = encoded(Image.fromarray(RAMP.astype(np.uint16)), "TIFF")
    black_is_zero = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert content.count(black_is_zero) == 1
    inverted = content.replace(black_is_zero, struct.pack("<HHIHH", 262, 3, 1, 0, 0))
    assert np.array_equal(read(inverted), 255 - read(content))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_upright_by_its_exif_orientation(file_format: str, orientation: int) -> None:
    scene = np.zeros((240, 480), np.uint8)
    scene[:120, :240] = 255
    scene[120:, :240] = 90
    turned = {
        1: scene, 2: scene[:, ::-1], 3: scene[::-1, ::-1], 4: scene[::-1], 5: scene.T,
        6: np.rot90(scene), 7: scene[::-1, ::-1].T, 8: np.rot90(scene, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(np.ascontiguousarray(turned)), file_format, exif=exif)
    upright = as_grey(read(content, size=48))
    assert abs(int(upright[16, 8]) - 255) <= 3
    assert abs(int(upright[30, 8]) - 90) <= 3
    assert not upright[:10].any()
    assert upright[:, 30:].max() <= 3


def as_grey(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 else pixels[:, :, 0]


@pytest.mark.parametrize("file_format", ["TIFF", "WEBP", "PNG"])
def test_several_frames_are_refused_and_counted(file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    with pytest.raises(UnreadableImage, match="holds 3 frames"):
        read(encoded(frames[0], file_format, save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.9])
def test_a_truncated_file_is_refused(file_format: str, kept: float) -> None:
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)), file_format)
    with pytest.raises(UnreadableImage, match="truncated"):
        read(content[: int(len(content) * kept)])


def test_text_named_png_and_formats_beyond_the_five_are_refused(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("no image at all")
    with pytest.raises(UnreadableImage, match="is none of PNG"):
        prepare(tmp_path / "note.png", Preprocessing(channels=1))
    with pytest.raises(UnreadableImage, match=r"is none of PNG.*\(GIF image\): export it as one"):
        read(encoded(Image.new("L", (8, 8)), "GIF"))
    with pytest.raises(UnreadableImage, match=r"is none of PNG.*\(HEIC image\)"):
        read(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(UnreadableImage, match=r"is a git LFS pointer: fetch"):
        read(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(UnreadableImage, match=f"16000 x 11000 pixels; 1 to {MAX_PIXELS}"):
        read(raw_png(16000, 11000, depth=8, colour=0, rows=b""))


def test_a_large_image_is_read_without_a_warning_and_without_touching_pillows_limit() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    side = 9600
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = read(raw_png(side, side, depth=1, colour=0, rows=(b"\0" + b"\xff" * (side // 8)) * side))
    assert (pixels == 255).all()
    assert limit == Image.MAX_IMAGE_PIXELS
    assert side * side > limit
    with pytest.raises(UnreadableImage, match=f"1 to {limit}"):
        read(encoded(Image.new("1", (side, side)), "TIFF", compression="group4"))


def test_a_damaged_header_never_escapes_as_another_error() -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
    for file_format in ("PNG", "JPEG", "TIFF", "BMP", "WEBP"):
        content = encoded(image, file_format)
        for _ in range(150):
            damaged = bytearray(content)
            for place in random.integers(0, min(len(damaged), 400), 3):
                damaged[place] = random.integers(256)
            try:
                assert read(bytes(damaged)).shape[:2] == (64, 64)
            except UnreadableImage as error:
                assert str(error)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 98}]
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(901, 1203), (150, 200), (100, 90), (2000, 2000)])
def test_a_jpeg_gives_the_pixels_that_pillow_gives(options: dict, mode: str, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    content = encoded(Image.fromarray(noise).resize((1203, 901)).convert(mode), "JPEG", **options)
    for channels, wanted in ((1, "L"), (3, mode), (None, mode)):
        pillow = Image.open(io.BytesIO(content))
        pillow.draft(wanted, (2 * size[0], 2 * size[1]))
        found = decode(content, lambda _: size, channels)
        assert found.ndim == (2 if wanted == "L" else 3)
        assert np.array_equal(found, pillow)
        exif = Image.Exif()
        exif[0x0110] = "a camera"
        camera = content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif.tobytes()) + 2) + exif.tobytes() + content[2:]
        assert channels is None or np.array_equal(decode(camera, lambda _: size, channels), pillow)


def test_a_jpeg_that_is_merely_odd_is_read_and_cmyk_becomes_rgb() -> None:
    content = encoded(Image.linear_gradient("L"), "JPEG")
    assert np.array_equal(read(content + b"more", 256), read(content, 256))
    assert read(encoded(Image.new("CMYK", (64, 64)), "JPEG")).shape == (64, 64, 3)


def test_grey_stored_as_a_jpeg_in_colour_has_the_same_pixels_as_luma_and_as_rgb() -> None:
    content = encoded(Image.linear_gradient("L").convert("RGB"), "JPEG")
    luma, rgb = (fit_pixels(content, [Preprocessing(channels=channels)])[0] for channels in (None, 3))
    assert np.array_equal(np.stack([luma] * 3, axis=2), rgb)
