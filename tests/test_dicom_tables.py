"""Look-up tables of DICOM whose descriptors and entries disagree, and rescales and windows that make no sense."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from support.dicom_files import dataset, file_bytes, lut

pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian  # noqa: E402

from overread.errors import UnreadableImage  # noqa: E402
from overread.formats import open_picture  # noqa: E402

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
# A contrast curve, as makers put it into such tables.
CURVE = np.rint(4095 / (1 + np.exp(-(np.arange(4096) - 2048) / 400))).astype(np.uint16)
CURVE[-1] = 4095


def read(content: bytes) -> np.ndarray:
    with open_picture(content) as picture:
        return picture.pixels()


def shown(ds: Dataset) -> np.ndarray:
    return read(file_bytes(ds))


@pytest.mark.parametrize("entry_bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("declared", [0, 8, 10, 12, 14, 16, 32])
def test_a_voi_table_is_scaled_by_the_bits_of_its_entries_whatever_is_declared(entry_bits: int, declared: int) -> None:
    entries = CURVE.astype(np.uint32) << 4 >> (16 - entry_bits)
    ds = dataset(RAMP, VOILUTSequence=[lut(entries.astype(np.uint16), 0, declared)])
    assert np.abs(shown(ds) - CURVE[RAMP] / 4095 * 255).max() < 1.1


def test_a_table_may_have_more_or_fewer_entries_than_declared() -> None:
    whole = lut(CURVE, 0, 12)
    right = shown(dataset(RAMP, VOILUTSequence=[whole]))
    for declared in (256, 4095, 4097, 5000, 0):
        whole.LUTDescriptor = [declared, 0, 12]
        assert np.array_equal(shown(dataset(RAMP, VOILUTSequence=[whole])), right), declared
    filled_up = lut(np.concatenate([CURVE[:3000], np.zeros(200, np.uint16)]), 0, 12)
    filled_up.LUTDescriptor = [3000, 0, 12]
    assert np.array_equal(shown(dataset(RAMP, VOILUTSequence=[filled_up])), (CURVE >> 4)[np.minimum(RAMP, 2999)])


@pytest.mark.parametrize("missing", [1, 1000, 2048, 3000])
@pytest.mark.parametrize("declared", [12, 16])
def test_a_table_that_was_cut_short_ends_where_it_ends(missing: int, declared: int) -> None:
    item = lut(CURVE[:-missing] | 1, 0, declared)
    item.LUTDescriptor = [4096, 0, declared]
    levels = shown(dataset(RAMP, VOILUTSequence=[item])).astype(int)
    there = np.minimum(RAMP, 4095 - missing)
    most = 2 ** max(8, int(CURVE[-missing - 1] | 1).bit_length()) - 1
    assert np.abs(levels - CURVE[there] / most * 255).max() < 1.6


@pytest.mark.parametrize("declared", [8, 12, 16])
@pytest.mark.parametrize("count", [4096, 4095])
def test_8_bit_entries_packed_two_to_a_word_are_told_by_their_length(declared: int, count: int) -> None:
    packed = np.resize((CURVE[:count] >> 4).astype(np.uint8), count + count % 2).view("<u2")
    item = lut(packed, 0, declared)
    item.LUTDescriptor = [count, 0, declared]
    assert np.array_equal(shown(dataset(RAMP, VOILUTSequence=[item])), (CURVE >> 4)[np.minimum(RAMP, count - 1)])


@pytest.mark.parametrize("first, vr", [(-1024, "SS"), (64512, "US")])
@pytest.mark.parametrize("lowest", [-1024, 0, 500])
def test_the_first_value_of_a_table_is_signed_where_only_that_meets_the_image(first: int, vr: str, lowest: int) -> None:
    stored = np.linspace(lowest, 3000, 4096).astype(np.int16).reshape(64, 64)
    ds = dataset(stored, VOILUTSequence=[lut(CURVE, first, 12, vr)])
    assert np.array_equal(shown(ds), (CURVE >> 4)[np.clip(stored.astype(int) + 1024, 0, 4095)])


def test_an_unsigned_first_value_that_was_written_as_signed_meets_the_image_too() -> None:
    stored = np.linspace(40000, 44000, 4096).astype(np.uint16).reshape(64, 64)
    ds = dataset(stored, VOILUTSequence=[lut(CURVE, 40000 - 65536, 12, "SS")])
    assert np.array_equal(shown(ds), (CURVE >> 4)[stored.astype(int) - 40000])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_entries_written_as_numbers_read_as_those_written_as_words(syntax: str) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.add_new("LUTData", "US", CURVE.tolist())
    assert np.array_equal(shown(dataset(RAMP, syntax, VOILUTSequence=[item])), (CURVE >> 4)[RAMP])


def test_a_modality_table_keeps_its_values_whatever_bits_it_declares() -> None:
    for declared in (8, 12, 16):
        ds = dataset(RAMP, ModalityLUTSequence=[lut(CURVE, 0, declared)], WindowCenter=2048, WindowWidth=4096)
        assert np.abs(shown(ds) - CURVE[RAMP] / 4095 * 255).max() < 1.1


def test_without_a_window_8_bits_spread_over_all_that_a_modality_table_gives() -> None:
    peak = np.minimum(np.arange(256), 255 - np.arange(256)) * 8
    ds = dataset((RAMP % 256).astype(np.uint8), ModalityLUTSequence=[lut(peak.astype(np.uint16), 0, 16)])
    assert np.array_equal(shown(ds), np.rint(peak[RAMP % 256] / peak.max() * 255))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("declared", [8, 16])
@pytest.mark.parametrize("entries", ["words", "bytes", "high bytes"])
def test_a_palette_of_bytes_or_words_shows_its_colours_whatever_is_declared(
    syntax: str, declared: int, entries: str
) -> None:
    stored = (RAMP % 256).astype(np.uint8)
    ds = dataset(stored, syntax, PhotometricInterpretation="PALETTE COLOR")
    # Blue is dark throughout, and must stay so beside the others.
    planes = [np.arange(256), np.arange(256)[::-1], np.arange(256) // 4]
    for colour, plane in zip(("Red", "Green", "Blue"), planes, strict=True):
        packed = {
            "words": plane.astype("<u2"),
            "bytes": plane.astype(np.uint8).view("<u2"),
            "high bytes": (plane * 257).astype("<u2"),
        }[entries]
        ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, declared])
        order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
        ds.add_new(f"{colour}PaletteColorLookupTableData", "OW", packed.astype(order).tobytes())
    assert np.array_equal(shown(ds), np.stack([plane[stored] for plane in planes], axis=2))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_segmented_palette_is_read_and_one_that_expands_to_far_more_than_there_can_be_is_refused(bits: int) -> None:
    unit = f"<u{bits // 8}"
    # Two values, a line up to a third, and both again.
    again = [2, 2, *np.frombuffer((0).to_bytes(4, "little"), unit)]
    sound = np.array([0, 2, 10, 20, 1, 4, 60, *again], unit).tobytes()
    ds = dataset((RAMP % 8).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [12, 0, bits])
        ds.add_new(f"Segmented{colour}PaletteColorLookupTableData", "OW", sound + bytes(len(sound) % 2))
    entries = np.array([10, 20, 30, 40, 50, 60, 10, 20]) >> (bits - 8)
    assert np.array_equal(shown(ds)[:, :, 0], entries[RAMP % 8])
    lines = np.array([0, 1, 9] + [1, 255, 9] * 2000, unit).tobytes()
    many = np.array([0, 1, 9] + [2, 1, *again[2:]] * 3000, unit).tobytes()
    for bomb in (lines, many):
        ds.SegmentedGreenPaletteColorLookupTableData = bomb + bytes(len(bomb) % 2)
        with pytest.raises(UnreadableImage, match="expands to far more"):
            shown(ds)


def implicit(group: int, element: int, value: bytes) -> bytes:
    return struct.pack("<HHL", group, element, len(value)) + value


@pytest.mark.parametrize("name", ["window", "table", "descriptor"])
def test_a_number_of_megabytes_is_refused_before_it_is_converted(name: str) -> None:
    descriptor, data = struct.pack("<3H", 1, 0, 16), bytes(300_000)
    item = implicit(0x28, 0x3002, data if name == "descriptor" else descriptor) + implicit(0x28, 0x3006, data)
    element = implicit(0x28, 0x3010, implicit(0xFFFE, 0xE000, item))
    if name == "window":
        element = implicit(0x28, 0x1050, b"1\\" * 40_000)
    content = file_bytes(dataset(RAMP, ImplicitVRLittleEndian))
    at = content.index(b"\xe0\x7f\x10\0")
    with pytest.raises(UnreadableImage, match="longer than any can be"):
        read(content[:at] + element + content[at:])


def test_presentation_inverse_turns_what_a_table_gives() -> None:
    plain = dataset(RAMP, VOILUTSequence=[lut(CURVE, 0, 16)])
    inverse = dataset(RAMP, VOILUTSequence=[lut(CURVE, 0, 16)], PresentationLUTShape="INVERSE")
    assert np.array_equal(shown(inverse), 255 - shown(plain))


def test_a_slope_of_zero_is_none_and_a_negative_one_turns_the_image() -> None:
    window = {"WindowCenter": 1024, "WindowWidth": 4096, "RescaleIntercept": -1024}
    assert np.array_equal(
        shown(dataset(RAMP, RescaleSlope=0, **window)), shown(dataset(RAMP, RescaleSlope=1, **window))
    )
    assert np.array_equal(shown(dataset(RAMP, RescaleSlope=-1, RescaleIntercept=0)), 255 - shown(dataset(RAMP)))


@pytest.mark.parametrize("widths", [[0, 500], [-3, 500], ["", 500], [0.001, 500]])
def test_of_several_windows_the_first_that_can_be_used_is_shown(widths: list[float]) -> None:
    several = dataset(RAMP, WindowCenter=[9, 1000], WindowWidth=widths)
    assert np.array_equal(shown(several), shown(dataset(RAMP, WindowCenter=1000, WindowWidth=500)))


def test_a_window_narrower_than_a_step_of_the_values_is_none_but_on_fractions_it_is_one() -> None:
    tiny = {"WindowCenter": 2000, "WindowWidth": 0.5}
    assert np.array_equal(shown(dataset(RAMP, **tiny)), shown(dataset(RAMP)))
    fractions = dataset(RAMP, RescaleSlope=1 / 4096, RescaleIntercept=0, WindowCenter=0.5, WindowWidth=0.5)
    assert np.abs(shown(fractions) - np.clip(RAMP / 4096 * 2 - 0.5, 0, 1) * 255).max() <= 0.51


@pytest.mark.parametrize("name", ["voi12_data16", "voi16_data12"])
def test_files_with_a_table_of_the_wrong_depth_show_the_whole_range(shared_data: Path, name: str) -> None:
    path = shared_data / "faults" / f"{name}.dcm"
    with open_picture(path) as picture:
        assert np.abs(picture.pixels() - pydicom.dcmread(path).pixel_array / 4095 * 255).max() < 1.1
