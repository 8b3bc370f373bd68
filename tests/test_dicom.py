"""DICOM files as a viewer would first show them, and what is refused."""

from __future__ import annotations

import csv
import logging
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from support.dicom_files import dataset, file_bytes, lut

pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.encaps import encapsulate, get_frame  # noqa: E402
from pydicom.pixels import apply_modality_lut, apply_windowing  # noqa: E402
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless  # noqa: E402

from overread.errors import MissingExtra, MissingPath, UnreadableImage  # noqa: E402
from overread.formats import is_coloured  # noqa: E402
from overread.formats.dicom import is_dicom  # noqa: E402
from overread.formats.dicom.dataset import DISPLAY_TAGS  # noqa: E402
from overread.images import Preprocessing, prepare  # noqa: E402
from overread.images.prepare import fit_pixels  # noqa: E402
from overread.study.data import patient_id_hash  # noqa: E402

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def read(ds: Dataset | bytes, size: int = 64) -> np.ndarray:
    content = ds if isinstance(ds, bytes) else file_bytes(ds)
    return fit_pixels(content, [Preprocessing(height=size, width=size)])[0]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
@pytest.mark.parametrize("centre, width", [(40, 400), (-500, 1501), (0, 1)])
def test_a_window_is_applied_as_pydicom_applies_it(function: str | None, centre: float, width: float) -> None:
    elements = {"WindowCenter": centre, "WindowWidth": width} | ({"VOILUTFunction": function} if function else {})
    ds = dataset(RAMP.astype(np.int16), RescaleSlope=2, RescaleIntercept=-1024, **elements)
    lowest, highest = -(2**15) * 2 - 1024, (2**15 - 1) * 2 - 1024
    with np.errstate(over="ignore"):
        shown = apply_windowing(apply_modality_lut(RAMP.astype(np.int16), ds), ds)
    assert np.abs(read(ds) - (shown - lowest) / (highest - lowest) * 255).max() <= 0.51


def test_the_first_of_several_windows_is_used() -> None:
    several = dataset(RAMP, WindowCenter=[1000, 50], WindowWidth=[500, 10])
    assert np.array_equal(read(several), read(dataset(RAMP, WindowCenter=1000, WindowWidth=500)))


@pytest.mark.parametrize("width", [0, -5, ""])
def test_a_window_without_width_is_no_window(width: float | str) -> None:
    assert np.array_equal(read(dataset(RAMP, WindowCenter=100, WindowWidth=width)), read(dataset(RAMP)))


def test_without_a_window_deep_pixels_spread_between_their_percentiles() -> None:
    low, high = np.percentile(RAMP, (0.1, 99.9))
    assert np.array_equal(read(dataset(RAMP)), np.rint(np.clip((RAMP - low) / (high - low), 0, 1) * 255))


def test_without_a_window_8_bits_are_shown_as_stored_and_7_in_full() -> None:
    stored = (RAMP % 128).astype(np.uint8)
    assert np.array_equal(read(dataset(stored)), stored)
    assert np.array_equal(read(dataset(stored, BitsStored=7)), np.rint(stored / 127 * 255))


def test_monochrome1_and_presentation_inverse_are_inverted_once() -> None:
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    plain = read(dataset(RAMP, **window))
    for inverse in (
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    ):
        assert np.array_equal(read(dataset(RAMP, **window, **inverse)), 255 - plain)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("declared", [-2000, 63536])
def test_padding_is_black_and_outside_the_window(photometric: str, declared: int) -> None:
    stored = RAMP.astype(np.int16)
    stored[:32] = -2000
    ds = dataset(stored, PhotometricInterpretation=photometric)
    ds.add_new("PixelPaddingValue", "SS" if declared < 0 else "US", declared)
    shown = read(ds)
    assert not shown[:32].any()
    assert shown[32:].max() == 255
    assert 120 < shown[32:].mean() < 135


def test_a_padding_range_that_ends_at_zero_is_honoured() -> None:
    stored = RAMP.astype(np.int16) - 100
    ds = dataset(stored)
    ds.add_new("PixelPaddingValue", "SS", -100)
    ds.add_new("PixelPaddingRangeLimit", "SS", 0)
    shown = read(ds)
    assert not shown[stored <= 0].any()
    assert shown[stored > 50].min() > 0


def test_an_8_bit_voi_table_for_12_bit_pixels_is_looked_up_whole() -> None:
    table = np.minimum(np.arange(4096) // 8, 255)
    assert np.array_equal(read(dataset(RAMP, VOILUTSequence=[lut(table, 0, 8)])), table[RAMP])


@pytest.mark.parametrize("first, vr", [(-1024, "SS"), (65536 - 1024, "US")])
def test_a_modality_table_comes_before_the_window_and_its_ends_repeat(first: int, vr: str) -> None:
    table = np.arange(1000, 1000 + 2048)[::-1]
    sequence = [lut(table, first, 16, vr)]
    ds = dataset(RAMP.astype(np.int16) - 2048, ModalityLUTSequence=sequence, WindowCenter=2024, WindowWidth=2048)
    values = table[np.clip(RAMP.astype(int) - 2048 + 1024, 0, 2047)]
    assert np.abs(read(ds) - np.clip((values - 2023.5) / 2047 + 0.5, 0, 1) * 255).max() <= 0.51


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_becomes_rgb_in_either_byte_order(syntax: str, bits: int) -> None:
    stored = (RAMP % 256).astype(np.uint8)
    ds = dataset(stored, syntax, PhotometricInterpretation="PALETTE COLOR")
    planes = []
    for shift, colour in enumerate(("Red", "Green", "Blue")):
        plane = np.roll(np.arange(256), 60 * shift)
        packed = plane.astype(np.uint8).view("<u2") if bits == 8 else (plane * 256).astype("<u2")
        ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, bits])
        data = packed.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
        ds.add_new(f"{colour}PaletteColorLookupTableData", "OW", data)
        planes.append(plane[stored])
    assert np.array_equal(read(ds), np.stack(planes, axis=2))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_colour_keeps_its_high_byte_in_every_depth_and_order(syntax: str, dtype: type) -> None:
    high = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    stored = high.astype(dtype) << (8 * (np.dtype(dtype).itemsize - 1))
    assert np.array_equal(read(dataset(stored, syntax)), high)


def test_fractions_are_windowed_and_numbers_that_are_none_are_black() -> None:
    values = (RAMP / 4096).astype(np.float32)
    values[0, 0] = np.nan
    ds = dataset(RAMP, WindowCenter=0.5, WindowWidth=1)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.BitsAllocated = 32
    ds.FloatPixelData = values.tobytes()
    shown = read(ds)
    assert shown[0, 0] == 0
    assert np.abs(shown - np.nan_to_num(values) * 255).max() <= 0.51


def test_an_enhanced_image_finds_its_window_in_the_functional_groups() -> None:
    ds, shared, voi = dataset(RAMP), Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 500, 100
    shared.FrameVOILUTSequence = [voi]
    ds.SharedFunctionalGroupsSequence = [shared]
    assert np.array_equal(read(ds), read(dataset(RAMP, WindowCenter=500, WindowWidth=100)))


@pytest.mark.parametrize(
    "ds, reason",
    [
        (dataset(RAMP, NumberOfFrames=2), "holds 2 frames"),
        (dataset(RAMP, Rows=60000, Columns=60000), "declares a size"),
        (dataset(RAMP, Rows=0), "declares a size"),
        (dataset(RAMP, Rows=65), "damaged or cannot be decoded"),
        (dataset(RAMP, PhotometricInterpretation="HSV"), r"damaged or cannot be decoded|photometric"),
    ],
)
def test_what_is_no_single_sensible_frame_is_refused(ds: Dataset, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        read(ds)


def test_a_file_without_pixels_or_cut_short_is_refused_at_any_length() -> None:
    ds = dataset(RAMP)
    content = file_bytes(ds)
    for length in (133, 200, 400, len(content) - RAMP.nbytes - 1):
        with pytest.raises(UnreadableImage, match="DICOM"):
            read(content[:length])
    for missing in (2, RAMP.nbytes - 1, RAMP.nbytes):
        with pytest.raises(UnreadableImage, match="fewer bytes than its DICOM pixel data declares"):
            read(content[:-missing])
    del ds.PixelData
    with pytest.raises(UnreadableImage, match="without pixels"):
        read(ds)


def test_a_compressed_file_reads_as_the_plain_one_and_is_refused_when_cut() -> None:
    ds = dataset((RAMP % 251).astype(np.uint8))
    plain = read(ds)
    ds.compress(RLELossless, encoding_plugin="pydicom")
    assert np.array_equal(read(ds), plain)
    with pytest.raises(UnreadableImage, match="truncated"):
        read(file_bytes(ds)[:-50])


def test_a_missing_decoder_is_named_with_its_remedy(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.pixels.decoders import JPEG2000Decoder

    monkeypatch.setattr(JPEG2000Decoder, "_available", {})
    with pytest.raises(UnreadableImage, match=r"JPEG 2000.*pip install 'overread\[dicom\]'"):
        fit_pixels(shared_data / "dicom" / "RG1_J2KI.dcm", [Preprocessing()])[0]


def test_a_jpeg_2000_bomb_is_refused_by_its_codestream(shared_data: Path) -> None:
    ds = pydicom.dcmread(shared_data / "dicom" / "MR2_J2KR.dcm")
    frame = bytearray(get_frame(ds.PixelData, 0, number_of_frames=1))
    struct.pack_into(">2L", frame, frame.index(b"\xff\x4f\xff\x51") + 8, 60000, 60000)
    ds.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(UnreadableImage, match="another size"):
        read(ds)


def test_without_pydicom_a_dicom_file_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(file_bytes(dataset(RAMP)))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    for call in (lambda: prepare(path, Preprocessing(channels=1)), lambda: patient_id_hash(path)):
        with pytest.raises(MissingExtra, match=r"overread\[dicom\]"):
            call()
    assert is_dicom(path)


def test_content_decides_what_is_dicom_and_a_dicom_name_only_where_content_is_silent(tmp_path: Path) -> None:
    whole = file_bytes(dataset(RAMP))
    for name, content, expected in (
        ("a.png", whole, True), ("a.dcm", whole[132:], True), ("a.dicom", b"text", True), ("b", whole[132:], True),
        ("b.dcm", b"\x89PNG\r\n\x1a\n", False), ("c.txt", b"", False),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert is_dicom(tmp_path / name) == expected, name
    assert is_dicom(whole[:132])
    assert not is_dicom(tmp_path / "absent.dcm")
    options = Preprocessing(channels=1)
    assert np.array_equal(prepare(tmp_path / "a.dcm", options), prepare(tmp_path / "a.png", options))
    with pytest.raises(UnreadableImage, match="DICOM"):
        prepare(tmp_path / "a.dicom", options)


def test_files_of_one_patient_share_a_pseudonym_that_hides_the_id(tmp_path: Path) -> None:
    def pseudonym(**elements) -> str | None:
        (tmp_path / "a.dcm").write_bytes(file_bytes(dataset(RAMP, **elements)))
        return patient_id_hash(tmp_path / "a.dcm")

    first = pseudonym(PatientID="SECRET-7")
    assert first is not None
    assert first.startswith("p-")
    assert len(first) == 18
    assert "SECRET" not in first
    assert pseudonym(PatientID=" SECRET-7 ", PatientName="Other") == first
    assert pseudonym(PatientID="SECRET-8") != first
    one, other = (pseudonym(PatientID="SECRET-7", IssuerOfPatientID=issuer) for issuer in ("A", "B"))
    assert len({first, one, other}) == 3
    assert pseudonym() is None
    assert pseudonym(PatientID="") is None
    assert pseudonym(IssuerOfPatientID="A") is None
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    assert patient_id_hash(tmp_path / "a.dcm") is None
    with pytest.raises(MissingPath):
        patient_id_hash(tmp_path / "absent.dcm")


def test_no_message_warning_or_log_quotes_a_patient(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    ds = dataset(RAMP[:, :60], Columns=64)
    secret = "SECRET" * 20
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.PatientID, ds.PatientName, ds.PatientBirthDate = secret, secret, secret
    (tmp_path / "a.dcm").write_bytes(file_bytes(ds))
    caplog.clear()
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        assert patient_id_hash(tmp_path / "a.dcm")
        with pytest.raises(UnreadableImage) as refused:
            prepare(tmp_path / "a.dcm", Preprocessing(channels=1))
    assert not any("SECRET" in text for text in (str(refused.value), caplog.text, *(str(w.message) for w in caught)))
    assert refused.value.__cause__ is None


def real_files(folder: Path) -> list[tuple[Path, bool]]:
    with (folder / "dicom" / "index.csv").open() as table:
        return [
            (
                folder / "dicom" / row["path"],
                row["frames"] == "1" and (row["decode"] == "ok" or row["transfer_syntax"] == "none"),
            )
            for row in csv.DictReader(table)
        ]


def test_every_real_single_frame_file_shows_contrast_and_every_other_is_refused(shared_data: Path) -> None:
    for path, is_readable in real_files(shared_data):
        if is_readable:
            assert np.ptp(fit_pixels(path, [Preprocessing()])[0]) > 200, path.name
        else:
            with pytest.raises(UnreadableImage):
                fit_pixels(path, [Preprocessing()])[0]


@pytest.mark.parametrize(
    "names, tolerance",
    [
        ("SC_rgb SC_rgb_16bit SC_rgb_32bit SC_rgb_gdcm2k_uncompressed", 0),
        ("SC_rgb SC_rgb_expb SC_rgb_expb_16bit SC_rgb_expb_32bit", 0),
        ("SC_rgb SC_rgb_dcmtk_ebcr_dcmd", 2), ("SC_rgb SC_ybr_full_uncompressed SC_rgb_dcmtk_ebcys4_dcmd", 6),
        ("US1_UNCR US1_J2KR", 0), ("US1_UNCI US1_J2KI", 1), ("MR2_UNCR MR2_J2KR", 0), ("MR2_UNCI MR2_J2KI", 1),
        ("693_UNCR 693_J2KR", 0), ("OBXXXX1A OBXXXX1A_expb OBXXXX1A_rle", 0),
        ("JLSL_RGB_ILV0 JLSL_RGB_ILV1 JLSL_RGB_ILV2", 0),
        ("gdcm-US-ALOKA-16 gdcm-US-ALOKA-16_big", 0), ("color-pl color-px", 0), ("mlut_18 vlut_04", 1),
        ("parametric_map_float parametric_map_double_float", 0),
    ],
)  # fmt: skip
def test_one_image_in_several_encodings_gives_one_result(shared_data: Path, names: str, tolerance: int) -> None:
    first, *others = (fit_pixels(shared_data / "dicom" / f"{n}.dcm", [Preprocessing()])[0] for n in names.split())
    for other in others:
        assert np.abs(first.astype(int) - other).max() <= tolerance


def test_a_real_monochrome1_chest_has_white_bones_and_a_doppler_image_its_colours(shared_data: Path) -> None:
    chest = fit_pixels(shared_data / "dicom" / "RG1_J2KI.dcm", [Preprocessing()])[0]
    spine, lung, air = chest[80:120, 108:116].mean(), chest[60:100, 60:80].mean(), chest[:20, 10:16].mean()
    assert spine > lung
    assert spine > air
    assert is_coloured(fit_pixels(shared_data / "dicom" / "US1_UNCR.dcm", [Preprocessing()])[0])


def test_the_module_reads_no_element_that_could_name_a_patient() -> None:
    groups = {pydicom.datadict.tag_for_keyword(keyword) >> 16 for keyword in DISPLAY_TAGS if keyword != "Modality"}
    assert groups <= {0x0028, 0x2050, 0x5200, 0x7FE0}
