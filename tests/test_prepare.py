"""From a file to the pixels that a network sees."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from overread.errors import InvalidBundle, InvalidOption, MissingPath, UnreadableImage
from overread.formats import is_coloured
from overread.images import Preprocessing, prepare
from overread.images.prepare import as_channels, fit_pixels


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("options", [{"height": 0}, {"width": 1.5}, {"height": True}, {"channels": 2}, {"fit": "crop"}])
def test_an_option_outside_its_range_is_refused(options: dict) -> None:
    with pytest.raises(InvalidOption, match=next(iter(options))):
        Preprocessing(**options)


def test_options_survive_storage() -> None:
    options = Preprocessing(height=128, width=96, channels=3, fit="stretch")
    assert Preprocessing.from_dict(options.to_dict()) == options


@pytest.mark.parametrize("stored", [{"sharpen": 1}, {"height": -1}, {"fit": None}])
def test_stored_options_that_this_version_cannot_honour_are_refused(stored: dict) -> None:
    with pytest.raises(InvalidBundle):
        Preprocessing.from_dict(stored)


def test_channels_must_be_decided_before_a_single_image_is_prepared() -> None:
    with pytest.raises(InvalidOption, match="channels=None"):
        prepare(png(np.zeros((4, 4), np.uint8)), Preprocessing())


@given(
    rows=st.integers(1, 70), columns=st.integers(1, 70), height=st.integers(1, 50), width=st.integers(1, 50),
    channels=st.sampled_from([1, 3]), fit=st.sampled_from(["pad", "stretch"]), is_grey=st.booleans(),
)  # fmt: skip
def test_any_image_comes_out_at_the_size_asked_for(rows, columns, height, width, channels, fit, is_grey) -> None:
    pixels = np.full((rows, columns) if is_grey else (rows, columns, 3), 200, np.uint8)
    options = Preprocessing(height=height, width=width, channels=channels, fit=fit)
    prepared = prepare(png(pixels), options)
    assert prepared.shape == (height, width, channels)
    assert prepared.dtype == np.uint8
    assert set(np.unique(prepared)) <= {0, 200}
    assert (prepared == 200).any()
    assert fit == "pad" or (prepared == 200).all()


def test_padding_keeps_the_aspect_and_centres_on_black() -> None:
    prepared = prepare(png(np.full((20, 40), 255, np.uint8)), Preprocessing(height=40, width=40, channels=1))[:, :, 0]
    assert (prepared[10:30] == 255).all()
    assert not prepared[:10].any()
    assert not prepared[30:].any()


def test_stretching_fills_the_size() -> None:
    options = Preprocessing(height=32, width=32, channels=1, fit="stretch")
    assert (prepare(png(np.full((20, 40), 255, np.uint8)), options) == 255).all()


def test_shrinking_averages_rather_than_picks() -> None:
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    shrunk = prepare(png(stripes), Preprocessing(height=32, width=32, channels=1))
    assert np.abs(shrunk.astype(int) - 128).max() <= 8


@given(st.integers(0, 255))
def test_grey_stored_as_rgb_keeps_its_value(value: int) -> None:
    pixels = np.full((2, 3, 3), value, np.uint8)
    assert (as_channels(pixels, 1) == value).all()
    assert (as_channels(pixels[:, :, 0], 3) == value).all()


def test_grey_is_the_rounded_bt601_luma() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    assert np.array_equal(as_channels(pixels, 1)[:, :, 0], (299 * red + 587 * green + 114 * blue + 500) // 1000)


def test_colour_is_told_from_grey_stored_as_a_jpeg_in_rgb() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.stack([noise] * 3, axis=2)).save(stream, "JPEG", quality=30)
    options = Preprocessing(height=64, width=64)
    assert fit_pixels(stream.getvalue(), [Preprocessing(height=64, width=64, channels=3)])[0].ndim == 3
    assert fit_pixels(stream.getvalue(), [options])[0].ndim == 2
    assert not is_coloured(fit_pixels(stream.getvalue(), [options])[0])
    assert not is_coloured(noise)
    pink = np.full((64, 64, 3), (220, 120, 130), np.uint8)
    assert is_coloured(fit_pixels(png(pink), [options])[0])


def test_a_file_and_its_bytes_give_the_same_pixels(tmp_path: Path) -> None:
    content = png(np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8))
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    options = Preprocessing(height=32, width=32, channels=3)
    assert np.array_equal(prepare(path, options), prepare(content, options))
    assert np.array_equal(prepare(str(path), options), prepare(content, options))


def test_a_path_that_gives_no_file_is_named_for_what_it_is_without_the_path(tmp_path: Path) -> None:
    options = Preprocessing(channels=1)
    with pytest.raises(MissingPath, match="is not there") as missing:
        prepare(tmp_path / "absent.png", options)
    with pytest.raises(UnreadableImage, match="is a folder") as folder:
        prepare(tmp_path, options)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadableImage, match="no regular file") as pipe:
        prepare(tmp_path / "pipe.png", options)
    (tmp_path / "empty.dcm").touch()
    with pytest.raises(UnreadableImage, match="is empty") as empty:
        prepare(tmp_path / "empty.dcm", options)
    assert not any(str(tmp_path) in str(caught.value) for caught in (missing, folder, pipe, empty))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [20, 30])
def test_prepared_pixels_belong_to_the_caller(channels: int, size: int) -> None:
    assert prepare(
        png(np.zeros((20, 20, 3), np.uint8)), Preprocessing(height=size, width=20, channels=channels)
    ).flags.writeable


def test_reading_raster_images_imports_neither_pydicom_nor_a_framework() -> None:
    code = (
        "import sys, overread.images.prepare\n"
        "print({'pydicom', 'keras', 'tensorflow', 'scipy'} & {name.split('.')[0] for name in sys.modules})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_real_radiographs_are_grey_and_endoscopies_coloured(shared_data: Path) -> None:
    options = Preprocessing()
    chests = sorted((shared_data / "chest_xray" / "test" / "NORMAL").iterdir())[:20]
    larynges = sorted((shared_data / "larynx_vocalfolds" / "all" / "pathology").iterdir())[:20]
    assert not any(is_coloured(fit_pixels(path, [options])[0]) for path in chests)
    assert all(is_coloured(fit_pixels(path, [options])[0]) for path in larynges)
