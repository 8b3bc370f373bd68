"""DICOM files that do not say, or say wrongly, how they are encoded; and syntaxes that are not read."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.dicom_files import dataset, file_bytes

pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra: pip install 'overread[dicom]'")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian  # noqa: E402

from overread.errors import UnreadableImage  # noqa: E402
from overread.formats import format_of, open_picture, read_header  # noqa: E402

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def shown(content: bytes) -> np.ndarray:
    with open_picture(content) as picture:
        return picture.pixels()


def described(syntax: str = ExplicitVRLittleEndian, **elements) -> Dataset:
    return dataset(RAMP, syntax, Modality="CT", Manufacturer="Acme", PatientName="Doe^Jane", **elements)


def data_set(content: bytes) -> bytes:
    """A file's content behind its meta information, whose length stands first in it."""
    return content[132 + 12 + int.from_bytes(content[140:144], "little") :]


def with_syntax(syntax: str | None) -> bytes:
    """A file that names another transfer syntax, or none."""
    content = file_bytes(described())
    at = content.index(b"\2\0\x10\0UI")
    end = at + 8 + int.from_bytes(content[at + 6 : at + 8], "little")
    value = (syntax or "").encode() + bytes(len(syntax or "") % 2)
    element = content[at : at + 6] + len(value).to_bytes(2, "little") + value
    return content[:at] + (element if syntax else b"") + content[end:]


PLAIN = shown(file_bytes(described()))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_bare_data_set_is_told_by_its_content_and_reads_as_its_file_does(syntax: str, tmp_path: Path) -> None:
    bare = data_set(file_bytes(described(syntax)))
    assert np.array_equal(shown(bare), PLAIN)
    (tmp_path / "export.bin").write_bytes(bare)
    header = read_header(tmp_path / "export.bin")
    assert (header.format, header.width, header.assumed_tags) == ("DICOM", 64, ("TransferSyntaxUID",))


def test_a_file_without_a_transfer_syntax_is_read_by_what_its_elements_look_like() -> None:
    assert np.array_equal(shown(with_syntax(None)), PLAIN)


@pytest.mark.parametrize("length", [0, 4, 100_000, 2**32 - 1])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_wrong_length_of_the_meta_information_does_not_matter(syntax: str, length: int) -> None:
    content = file_bytes(described(syntax))
    assert np.array_equal(shown(content[:140] + length.to_bytes(4, "little") + content[144:]), PLAIN)


def test_a_file_without_preamble_that_begins_with_its_meta_information_is_read() -> None:
    assert np.array_equal(shown(file_bytes(described())[132:]), PLAIN)


@pytest.mark.parametrize(
    "is_so, declared", [(ImplicitVRLittleEndian, ExplicitVRLittleEndian), (ExplicitVRLittleEndian, "1.2.840.10008.1.2")]
)
def test_explicit_and_implicit_are_told_apart_by_what_is_there(is_so: str, declared: str) -> None:
    as_declared, bare = file_bytes(described(declared)), data_set(file_bytes(described(is_so)))
    meta = as_declared[: len(as_declared) - len(data_set(as_declared))]
    assert np.array_equal(shown(meta + bare), PLAIN)


@pytest.mark.parametrize(
    "missing",
    [
        ["PhotometricInterpretation"],
        ["SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation"],
        ["BitsStored", "HighBit"],
    ],
)
def test_elements_that_old_files_lack_are_taken_as_viewers_take_them_and_noted(
    missing: list[str], tmp_path: Path
) -> None:
    ds = described()
    for keyword in missing:
        delattr(ds, keyword)
    assert np.array_equal(shown(file_bytes(ds)), PLAIN)
    (tmp_path / "old.dcm").write_bytes(file_bytes(ds))
    assert set(read_header(tmp_path / "old.dcm").assumed_tags) == set(missing)


def test_a_file_that_says_all_is_noted_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(file_bytes(described()))
    assert read_header(tmp_path / "a.dcm").assumed_tags == ()


def test_a_deflated_file_is_read_as_the_plain_one_header_and_all(tmp_path: Path) -> None:
    content = file_bytes(described("1.2.840.10008.1.2.1.99"))
    assert len(content) < RAMP.nbytes
    assert np.array_equal(shown(content), PLAIN)
    (tmp_path / "a.dcm").write_bytes(content)
    header = read_header(tmp_path / "a.dcm")
    assert (header.width, header.person_tags) == (64, ("PatientName",))


def test_a_deflated_bomb_or_damaged_stream_is_refused() -> None:
    content = file_bytes(described("1.2.840.10008.1.2.1.99"))
    meta = content[: 132 + 12 + int.from_bytes(content[140:144], "little")]
    compressor = zlib.compressobj(wbits=-15)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(300)) + compressor.flush()
    with pytest.raises(UnreadableImage, match="more than 256 MiB"):
        shown(meta + bomb)
    with pytest.raises(UnreadableImage, match="deflated DICOM file that is damaged"):
        shown(meta + b"\xff" * 100)
    with pytest.raises(UnreadableImage):
        shown(content[:-2000])


@pytest.mark.parametrize(
    "syntax, name",
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264"),
        ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection"),
        ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL"),
        ("1.2.840.10008.1.2.99", "1.2.840.10008.1.2.99"),
    ],
)
def test_a_syntax_that_is_not_read_is_named(syntax: str, name: str) -> None:
    with pytest.raises(UnreadableImage, match=f"transfer syntax {name}.*, which is not read: convert it"):
        shown(with_syntax(syntax))


def test_a_syntax_of_a_vendor_may_hold_anything_and_is_not_quoted() -> None:
    with pytest.raises(UnreadableImage, match="of a vendor's own, which is not read") as refused:
        shown(with_syntax("1.2.276.19650312"))
    assert "1965" not in str(refused.value)


def test_compressed_pixels_that_cannot_be_decoded_name_their_compression() -> None:
    ds = described()
    ds.compress("1.2.840.10008.1.2.5", encoding_plugin="pydicom")
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    with pytest.raises(UnreadableImage, match="JPEG pixel data that does not begin as JPEG"):
        shown(file_bytes(ds))
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.5"
    frame = struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\0\1\0\1"
    ds.PixelData = encapsulate([frame])
    with pytest.raises(UnreadableImage, match=r"pixel data \(RLE Lossless\).*damaged or cannot be decoded"):
        shown(file_bytes(ds))


def test_what_is_no_dicom_is_not_taken_for_it() -> None:
    rng = np.random.default_rng(0)
    image = io.BytesIO()
    Image.fromarray(RAMP.astype(np.uint8)).save(image, "BMP")
    others = [b"", b"\x08\0", b"\x08\0\x05\0CS", bytes(512), b"\xff" * 512, image.getvalue(), b"text " * 100]
    others += [b"\x08\0" + rng.bytes(510) for _ in range(300)] + [b"\x02\0\0\0" + rng.bytes(508) for _ in range(300)]
    for content in others:
        found = format_of(content[:512], "a.bin")
        assert found is None or found.name != "DICOM"


def test_a_real_file_without_meta_information_shows_its_colours(shared_data: Path) -> None:
    path = shared_data / "dicom" / "OT-PAL-8-face.dcm"
    with open_picture(path) as picture:
        pixels = picture.pixels()
    assert pixels.shape == (480, 640, 3)
    assert len(np.unique(pixels)) > 40
    assert read_header(path).assumed_tags == ("TransferSyntaxUID",)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50"])
def test_damaged_codestreams_are_refused_and_do_not_end_the_process(syntax: str) -> None:
    """The decoder of gdcm does, on some of these."""
    ds = dataset((RAMP % 251).astype(np.uint8))
    if syntax.endswith("90"):
        ds.compress(syntax, generate_instance_uid=False)
    else:
        jpeg = io.BytesIO()
        Image.fromarray(RAMP.astype(np.uint8)).save(jpeg, "JPEG")
        ds.file_meta.TransferSyntaxUID, ds.PixelData = syntax, encapsulate([jpeg.getvalue()])
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    content, rng = file_bytes(ds), np.random.default_rng(2)
    assert shown(content).shape == (64, 64)
    start = content.index(b"\xff\xd8" if syntax.endswith("50") else b"\xff\x4f\xff\x51")
    for _ in range(120):
        damaged = bytearray(content)
        for place in rng.integers(start + 2, min(start + 300, len(content)), 3):
            damaged[place] = rng.integers(256)
        try:
            shown(bytes(damaged))
        except UnreadableImage as error:
            assert str(error)


def test_a_file_of_the_standard_before_dicom_is_read(tmp_path: Path) -> None:
    def element(group: int, number: int, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return struct.pack("<HHL", group, number, len(value)) + value

    def short(*numbers: int) -> bytes:
        return struct.pack(f"<{len(numbers)}H", *numbers)

    identifying = element(8, 1, struct.pack("<L", 9000)) + element(8, 0x10, b"ACR-NEMA 2.0") + element(8, 0x60, b"MR")
    image = element(0x28, 5, short(2)) + element(0x28, 0x10, short(64)) + element(0x28, 0x11, short(64))
    image += element(0x28, 0x100, short(16)) + element(0x28, 0x101, short(12)) + element(0x28, 0x102, short(11))
    image += element(0x28, 0x103, short(0)) + element(0x28, 0x200, short(0x7FE0))
    pixels = element(0x7FE0, 0x10, RAMP.tobytes())
    parts = {8: identifying, 0x28: image, 0x7FE0: pixels}
    content = b"".join(element(group, 0, struct.pack("<L", len(part))) + part for group, part in parts.items())
    assert np.array_equal(shown(content), PLAIN)
    (tmp_path / "IMG0001").write_bytes(content)
    assert set(read_header(tmp_path / "IMG0001").assumed_tags) == {
        "TransferSyntaxUID", "SamplesPerPixel", "PhotometricInterpretation",
    }  # fmt: skip
