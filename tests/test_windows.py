"""Windows over grey values: by name or by numbers, one or as channels, and what has none."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.errors import InvalidOption, UnreadableImage
from overread.formats import DecodedPicture, GreyValues, View
from overread.formats.windows import windows_of
from overread.images import Preprocessing, prepare, prepare_picture
from overread.recipe import Recipe
from overread.study.data import preprocessing_of
from support.dicom_files import file_bytes
from support.dicom_series import SIDE, one_slice


def square(window: str, channels: int | None = 1) -> Preprocessing:
    return Preprocessing(height=SIDE, width=SIDE, channels=channels, view=View(window=window))


def ct(value: int, **elements) -> bytes:
    return file_bytes(one_slice(value, None, **elements))


@pytest.mark.parametrize(
    ("window", "value", "level"),
    [
        ("brain", 40, 128),
        ("brain", 80, 255),
        ("lung", -600, 128),
        ("soft", 240, 255),
        ("bone", -500, 0),
        ("0,100", 25, 191),
    ],
)
def test_a_window_spreads_its_range_over_hounsfield_units(window: str, value: int, level: int) -> None:
    assert prepare(ct(value), square(window)).ravel()[0] == level


def test_the_window_of_the_header_gives_way(tmp_path: Path) -> None:
    content = ct(40, WindowCenter=1000, WindowWidth=10)
    assert prepare(content, Preprocessing(height=SIDE, width=SIDE, channels=1)).ravel()[0] == 0
    assert prepare(content, square("brain")).ravel()[0] == 128


def test_several_windows_are_channels_and_of_two_the_third_is_the_mean() -> None:
    three = prepare(ct(40), square("lung+soft+brain", None))
    assert three.shape == (SIDE, SIDE, 3)
    assert three[0, 0].tolist() == [236, 127, 128]
    assert prepare(ct(0), square("soft+brain", None))[0, 0].tolist() == [102, 0, 51]


def test_several_windows_are_three_channels_whatever_is_asked() -> None:
    assert preprocessing_of(Recipe(network="compact", window="lung+soft")).channels == 3
    assert preprocessing_of(Recipe(network="compact", window="lung")).channels is None
    with pytest.raises(InvalidOption, match="is three channels, which grey is not"):
        square("lung+soft", 1)


@pytest.mark.parametrize(
    "window", ["liver", "", "40", "40,0", "40,-5", "1,2,3", "lung+", "lung+soft+bone+brain", "nan,5"]
)
def test_what_is_no_window_is_refused_with_what_there_is(window: str) -> None:
    with pytest.raises(InvalidOption, match=r"expected soft, lung, bone or brain|expected one above 0|one to 3"):
        Recipe(window=window)


def test_capitals_and_spaces_do_not_matter_and_numbers_may_be_negative() -> None:
    assert [str(one) for one in windows_of(" Lung + -600, 1500 ")] == ["lung (-1350 to 150 HU)", "-1350 to 150"]


def test_a_bundle_records_its_window() -> None:
    kept = square("lung").to_dict()
    assert kept["view"] == {"window": "lung"}
    assert Preprocessing.from_dict(kept).view.windows == windows_of("lung")


def test_what_is_in_no_hounsfield_units_takes_numbers_and_no_name() -> None:
    mr = ct(40, Modality="MR")
    with pytest.raises(UnreadableImage, match=r"not in Hounsfield units, which the window lung is meant for"):
        prepare(mr, square("lung"))
    assert prepare(mr, square("40,80")).ravel()[0] == 128


@pytest.mark.parametrize("unit", ["HU", "US", None])
def test_a_ct_that_names_no_other_unit_is_in_hounsfield_units(unit: str | None) -> None:
    content = ct(40, **({"RescaleType": unit} if unit else {}))
    if unit == "US":
        with pytest.raises(UnreadableImage, match="Hounsfield"):
            prepare(content, square("brain"))
    else:
        assert prepare(content, square("brain")).ravel()[0] == 128


def test_8_bit_pixels_have_no_values_for_a_window() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(stream, "PNG")
    with pytest.raises(
        UnreadableImage, match="holds 8-bit or colour pixels and no grey values, which the window 40,80"
    ):
        prepare(stream.getvalue(), square("40,80"))


def test_a_16_bit_png_is_seen_through_numbers() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.full((SIDE, SIDE), 3000, np.uint16)).save(stream, "PNG")
    assert prepare(stream.getvalue(), square("3000,1000")).ravel()[0] == 128


def test_inverted_values_stay_inverted_and_what_has_none_is_black() -> None:
    values = np.full((SIDE, SIDE), 100, np.float32)
    values[0, 0] = np.nan
    grey = GreyValues(values=values, windows={"a": (0, 1)}, inverted=True)
    seen = prepare_picture(DecodedPicture(np.zeros((SIDE, SIDE), np.uint8), grey), square("50,100"))
    assert seen[0, 0, 0] == 0
    assert seen[1, 1, 0] == 0
    other = prepare_picture(DecodedPicture(np.zeros((SIDE, SIDE), np.uint8), grey), square("150,200"))
    assert other[0, 0, 0] == 0
    assert other[1, 1, 0] == 255 - 64
