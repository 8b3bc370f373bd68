"""What headers tell without decoding, and which files are found to be unreadable, misnamed or unlike their fellows."""

from __future__ import annotations

import dataclasses
import io
import os
import struct
import sys
import warnings
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from overread.auditing import Finding, Material
from overread.auditing.rules.files import RULE
from overread.cases import Manifest
from overread.cases.case import Case
from overread.decision import Task
from overread.errors import InvalidOption
from overread.formats import Header, read_header, read_headers
from overread.images import DataSet, Preprocessing

GREY = np.random.default_rng(0).integers(0, 256, (48, 80), np.uint8)
COLOUR = np.repeat(GREY[:, :, None], 3, axis=2)
DEEP = GREY.astype(np.uint16) * 257
PLAIN = Header(size_bytes=9000, suffix=".png", format="PNG", width=300, height=300, mode="L", bit_depth=8, frames=1)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def header_of(folder: Path, content: bytes, name: str = "a.bin") -> Header:
    (folder / name).write_bytes(content)
    return read_header(folder / name)


def exif(*, position: bool = False, make: str = "") -> Image.Exif:
    found = Image.Exif()
    if make:
        found[0x010F] = make
    place = {1: "N", 2: (52.0, 22.0, 1.0), 3: "E", 4: (9.0, 43.0, 0.0)}
    found.get_ifd(0x8825).update({0: b"\x02\x03\0\0"} | (place if position else {}))
    # TIFF is written with the directory of positions only when it was read.
    read = Image.Exif()
    read.load(found.tobytes())
    return read


def deep_png() -> bytes:
    """16-bit RGB, which Pillow reads as 8 bits and cannot write."""
    rows = b"".join(b"\0" + bytes(6 * 70) for _ in range(70))
    parts = ((b"IHDR", struct.pack(">2L5B", 70, 70, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))


FRAMES = {"save_all": True, "append_images": [Image.fromarray(GREY)] * 2}
KINDS: dict[str, tuple[bytes, tuple[str, str, int, int, bool]]] = {
    "png": (encoded(Image.fromarray(GREY), "PNG"), ("PNG", "L", 8, 1, False)),
    "16-bit png": (encoded(Image.fromarray(DEEP), "PNG"), ("PNG", "I;16", 16, 1, False)),
    "binary png": (encoded(Image.fromarray(GREY > 127), "PNG"), ("PNG", "1", 1, 1, False)),
    "palette png": (encoded(Image.fromarray(COLOUR).quantize(200), "PNG"), ("PNG", "P", 8, 1, False)),
    "transparent palette": (
        encoded(Image.fromarray(COLOUR).quantize(16), "PNG", transparency=0), ("PNG", "P", 4, 1, True)
    ),
    "alpha png": (encoded(Image.fromarray(COLOUR).convert("RGBA"), "PNG"), ("PNG", "RGBA", 8, 1, True)),
    "animated png": (encoded(Image.fromarray(GREY), "PNG", **FRAMES), ("PNG", "L", 8, 3, False)),
    "jpeg": (encoded(Image.fromarray(GREY), "JPEG"), ("JPEG", "L", 8, 1, False)),
    "colour jpeg": (encoded(Image.fromarray(COLOUR), "JPEG"), ("JPEG", "RGB", 8, 1, False)),
    "cmyk jpeg": (encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), ("JPEG", "CMYK", 8, 1, False)),
    "tiff": (encoded(Image.fromarray(COLOUR), "TIFF"), ("TIFF", "RGB", 8, 1, False)),
    "16-bit tiff": (encoded(Image.fromarray(DEEP), "TIFF"), ("TIFF", "I;16", 16, 1, False)),
    "tiff of 3 frames": (encoded(Image.fromarray(GREY), "TIFF", **FRAMES), ("TIFF", "L", 8, 3, False)),
    "bmp": (encoded(Image.fromarray(COLOUR), "BMP"), ("BMP", "RGB", 8, 1, False)),
    "webp": (encoded(Image.fromarray(COLOUR), "WebP"), ("WebP", "RGB", 8, 1, False)),
    "alpha webp": (
        encoded(Image.merge("RGBA", [Image.fromarray(GREY)] * 4), "WebP", lossless=True), ("WebP", "RGBA", 8, 1, True)
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_tells_what_the_file_is_whatever_its_name(kind: str, tmp_path: Path) -> None:
    content, expected = KINDS[kind]
    header = header_of(tmp_path, content, "a.Bin")
    assert (header.format, header.mode, header.bit_depth, header.frames, header.has_alpha) == expected
    assert (header.width, header.height, header.size_bytes, header.suffix) == (80, 48, len(content), ".bin")
    assert (header.jpeg_quantiser is not None) == (header.format == "JPEG")


def test_sixteen_bit_colour_is_told_from_eight(tmp_path: Path) -> None:
    header = header_of(tmp_path, deep_png())
    assert (header.mode, header.bit_depth) == ("RGB", 16)


def test_stronger_compression_has_a_larger_quantiser(tmp_path: Path) -> None:
    found = [
        header_of(tmp_path, encoded(Image.fromarray(COLOUR), "JPEG", quality=q)).jpeg_quantiser for q in (95, 75, 30)
    ]
    assert found == sorted(found)
    assert len(set(found)) == 3
    table = Image.open(io.BytesIO(encoded(Image.fromarray(COLOUR), "JPEG", quality=75))).quantization[0]
    assert found[1] == sum(table) / 64


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WebP"])
def test_a_position_and_a_manufacturer_are_read_without_decoding(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [
        encoded(Image.fromarray(COLOUR), kind, exif=exif(position=position, make="Acme")) for position in (True, False)
    ]

    decoded: list[object] = []
    for reader in (ImageFile.ImageFile, type(Image.open(io.BytesIO(contents[0])))):
        monkeypatch.setattr(reader, "load", lambda image: decoded.append(image))
    there, absent = (header_of(tmp_path, content) for content in contents)
    assert (there.manufacturer, there.has_position) == ("Acme", True)
    assert (absent.manufacturer, absent.has_position) == ("Acme", False)
    assert header_of(tmp_path, encoded(Image.fromarray(COLOUR), kind)).manufacturer == ""
    assert decoded == []


def test_a_position_behind_the_pixels_of_a_png_or_in_xmp_is_found(tmp_path: Path) -> None:
    plain = encoded(Image.fromarray(GREY), "PNG")
    late = plain[:-12] + chunk(b"eXIf", exif(position=True, make="Acme").tobytes()[6:]) + plain[-12:]
    header = header_of(tmp_path, late)
    assert (header.has_position, header.manufacturer, header.width) == (True, "Acme", 80)
    xmp = b'<rdf:Description exif:GPSLatitude="52,22.5N"/>'
    assert header_of(tmp_path, encoded(Image.fromarray(GREY), "JPEG", xmp=xmp)).has_position
    assert not header_of(tmp_path, encoded(Image.fromarray(GREY), "JPEG", xmp=b"<exif:GPSVersionID/>")).has_position


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_damaged_exif_costs_no_other_fact(kind: str, tmp_path: Path) -> None:
    for damaged in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM", b"Exif\0\0garbage and more of it"):
        header = header_of(tmp_path, encoded(Image.fromarray(COLOUR), kind, exif=damaged))
        assert (header.width, header.mode, header.manufacturer, header.has_position) == (80, "RGB", "", False)


def test_what_is_no_image_gives_zeros_and_its_size(tmp_path: Path) -> None:
    assert read_header(tmp_path / "absent.png") == Header(size_bytes=0, suffix=".png")
    assert read_header(tmp_path) == Header(size_bytes=0, suffix="")
    for content in (b"", b"text", bytes(5000), b"GIF89a" + bytes(50)):
        assert header_of(tmp_path, content, "a.png") == Header(size_bytes=len(content), suffix=".png")
        assert header_of(tmp_path, content, "a.dcm") == Header(size_bytes=len(content), suffix=".dcm")
    for magic, kind in (
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"II*\0", "TIFF"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "BMP"),
    ):
        assert header_of(tmp_path, magic + bytes(9)) == Header(size_bytes=len(magic) + 9, suffix=".bin", format=kind)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert read_header(tmp_path / "a.png").width == 0


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_makes_a_header_raise_or_warn(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    content = KINDS[kind][0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for length in {0, 1, 8, 12, 20, 26, 33, 60, 100, len(content) - 1, len(content) // 2}:
            assert header_of(tmp_path, content[:length]).size_bytes == length
        for _ in range(40):
            damaged = np.frombuffer(content, np.uint8).copy()
            damaged[rng.integers(2, min(len(content), 400), 6)] = rng.integers(0, 256, 6)
            assert header_of(tmp_path, damaged.tobytes()).size_bytes == len(content)
    assert not caught


def test_headers_come_in_the_order_of_the_paths_and_progress_reaches_the_end(tmp_path: Path) -> None:
    paths = []
    for i in range(150):
        paths.append(tmp_path / f"{i}.png")
        Image.new("L", (i + 1, 2)).save(paths[-1])
    paths.insert(70, tmp_path / "absent.png")
    seen: list[tuple[int, int]] = []
    headers = read_headers(paths, 3, progress=lambda done, total: seen.append((done, total)))
    assert [header.width for header in headers] == [*range(1, 71), 0, *range(71, 151)]
    assert seen[-1] == (151, 151)
    assert seen == sorted(seen)
    assert read_headers([]) == ()
    with pytest.raises(InvalidOption, match="workers=0"):
        read_headers(paths, 0)


def test_a_dicom_header_is_read_with_its_tags_counted_and_no_value_kept(tmp_path: Path) -> None:
    from test_dicom import RAMP, dataset, file_bytes

    secret = {"PatientName": "Doe^Jane", "PatientBirthDate": "19650312", "PatientID": "4711", "InstitutionName": ""}
    ds = dataset(RAMP, **secret, Manufacturer="Acme", BitsStored=12, BurnedInAnnotation="YES", StudyDate="20200101")
    header = header_of(tmp_path, file_bytes(ds))
    assert (header.format, header.width, header.height, header.mode) == ("DICOM", 64, 64, "MONOCHROME2")
    assert (header.bit_depth, header.frames, header.manufacturer) == (12, 1, "Acme")
    assert header.person_tags == ("PatientName", "PatientBirthDate", "PatientID", "StudyDate")
    assert (header.identifying_tags, header.has_burned_in_text, header.is_deidentified) == (4, True, False)
    assert not any(value in repr(header) for value in secret.values() if value)
    assert header_of(tmp_path, file_bytes(dataset(RAMP, NumberOfFrames=7))).frames == 7


def test_placeholders_of_de_identification_are_no_identity(tmp_path: Path) -> None:
    from test_dicom import RAMP, dataset, file_bytes

    for value in ("Anonymous", "ANON^0001", "^^^^", "REMOVED", "XXXX", "0000", "n/a", "Patient 12", "De-identified"):
        header = header_of(tmp_path, file_bytes(dataset(RAMP, PatientName=value, PatientIdentityRemoved="YES")))
        assert (header.identifying_tags, header.is_deidentified) == (0, True), value
    for value in ("Testa^Maria", "Xu^Li", "Anders^Per", "Patientia^Eva"):
        assert header_of(tmp_path, file_bytes(dataset(RAMP, PatientName=value))).person_tags == ("PatientName",), value


def test_a_dicom_file_that_is_damaged_or_without_pydicom_gives_format_and_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_dicom import RAMP, dataset, file_bytes

    whole = file_bytes(dataset(RAMP, PatientName="Doe^Jane"))
    for length in range(132, 380, 23):
        header = header_of(tmp_path, whole[:length])
        assert (header.format, header.width) == ("DICOM", 0), length
    assert header_of(tmp_path, whole[132:], "a.dcm").width == 64
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert header_of(tmp_path, whole) == Header(size_bytes=len(whole), suffix=".bin", format="DICOM")


def material(
    headers: Sequence[Header],
    labels: str,
    failures: Mapping[int, str] | None = None,
    patients: Sequence[str] | None = None,
) -> Material:
    """Headers without files: the rules on headers look at hardly anything else."""
    patients = patients or [""] * len(labels)
    cases = tuple(
        Case(
            path=Path(f"{i}.png"), name=f"{label}/{i}.png", label=label, split="test" if i % 2 else "train",
            patient_id=patient or None,
        )
        for i, (label, patient) in enumerate(zip(labels, patients, strict=True))
    )  # fmt: skip
    manifest = Manifest(cases=cases, task=Task.of(sorted(set(labels))))
    data_set: Any = None
    return Material(manifest=manifest, headers=tuple(headers), data_set=data_set, failures=failures or {})


def changed(**fields: Any) -> Header:
    return dataclasses.replace(PLAIN, **fields)


def found(
    headers: Sequence[Header],
    labels: str,
    failures: Mapping[int, str] | None = None,
    patients: Sequence[str] | None = None,
) -> dict[str, Finding]:
    return {finding.code: finding for finding in RULE.apply(material(headers, labels, failures, patients))}


def test_files_that_are_alike_give_no_finding() -> None:
    assert found([PLAIN] * 40, "AB" * 20) == {}


def test_real_broken_files_are_found_and_told_apart(tmp_path: Path) -> None:
    whole = encoded(Image.fromarray(np.tile(GREY, (3, 2))), "PNG")
    contents = {
        "A/empty.png": b"", "A/cut.png": whole[: len(whole) // 2], "A/text.png": b"hello", "A/good.png": whole,
        "A/frames.tif": KINDS["tiff of 3 frames"][0], "B/good.png": whole, "B/jpeg.png": KINDS["jpeg"][0],
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    manifest = Manifest.from_folder(tmp_path / "data")
    options = Preprocessing(height=32, width=32)
    data_set = DataSet.open(manifest, options, folder=tmp_path / "store", skip_unreadable=True)
    headers = read_headers(manifest.paths)
    failures = data_set.store.failures
    findings = RULE.apply(Material(manifest=manifest, headers=headers, data_set=data_set, failures=failures))
    by_code = {finding.code: finding for finding in findings}
    names = {code: {row["image"] for row in finding.evidence if "image" in row} for code, finding in by_code.items()}
    assert names["unreadable"] == {"A/empty.png", "A/cut.png", "A/text.png"}
    assert names["multi-frame"] == {"A/frames.tif"}
    assert names["wrong-extension"] == {"B/jpeg.png"}
    assert by_code["unreadable"].severity == by_code["multi-frame"].severity == "block"
    for kind in ("1 empty or missing", "1 damaged, cut short", "1 no images", "A 3 of 5, B 0 of 2"):
        assert kind in by_code["unreadable"].sentence
    assert "--skip-unreadable" in by_code["unreadable"].fix
    assert {manifest.cases[i].name for (i,) in by_code["unreadable"].groups} == names["unreadable"]


def test_an_extension_is_wrong_only_where_it_claims_another_format() -> None:
    right = [changed(suffix=s, format=f) for s, f in ((".jpeg", "JPEG"), (".tif", "TIFF"), (".dcm", "DICOM"))]
    silent = [changed(suffix=s, format="DICOM") for s in ("", ".7", ".img")]
    wrong = [changed(suffix=".png", format="JPEG"), changed(suffix=".dcm", format="PNG")]
    finding = found([*right, *silent, *wrong], "ABABABAB")["wrong-extension"]
    assert (finding.severity, finding.groups) == ("warn", ((6,), (7,)))
    assert "1 JPEG named as PNG, 1 PNG named as DICOM" in finding.sentence
    assert "wrong-extension" not in found([*right, *silent], "ABABAB")


@pytest.mark.parametrize(
    "code, other",
    [
        ("mixed-colour", {"mode": "RGB"}), ("mixed-colour", {"mode": "P"}), ("mixed-colour", {"mode": "YBR_FULL"}),
        ("mixed-bit-depth", {"mode": "I;16", "bit_depth": 16}), ("extreme-aspect", {"width": 3000, "height": 700}),
    ],
)  # fmt: skip
def test_what_is_evened_out_warns_only_where_it_goes_with_the_class(code: str, other: dict[str, Any]) -> None:
    labels = "A" * 100 + "B" * 100
    spread = [changed(**other) if i % 10 == 0 else PLAIN for i in range(200)]
    told = [changed(**other) if i < 20 else PLAIN for i in range(200)]
    few = [changed(**other) if i < 2 else PLAIN for i in range(200)]
    for headers, severity, count in (
        (spread, "info", "A 10 of 100, B 10 of 100"),
        (told, "warn", "A 20 of 100"),
        (few, "info", "A 2"),
    ):
        finding = found(headers, labels)[code]
        assert finding.severity == severity
        assert count in finding.sentence
        assert ("goes with the class" in finding.sentence) == (severity == "warn")


def test_the_rarer_kind_is_shown_and_modes_of_one_kind_are_not_mixed() -> None:
    finding = found([changed(mode="RGB")] * 9 + [PLAIN], "ABABABABAB")["mixed-colour"]
    assert finding.count == 1
    assert "1 of 10 images are stored in grey, the others in colour" in finding.sentence
    assert finding.evidence[0]["image"] == "B/9.png"
    assert found([changed(mode=mode) for mode in ("L", "1", "MONOCHROME1", "LA")], "ABAB") == {}
    assert found([changed(mode=mode) for mode in ("RGB", "CMYK", "P", "RGBA")], "ABAB") == {}
    assert found([changed(bit_depth=depth) for depth in (1, 4, 8, 8)], "ABAB") == {}


def test_a_trifle_in_much_data_does_not_go_with_the_class() -> None:
    labels = "A" * 10000 + "B" * 10000
    headers = [changed(mode="RGB") if i % 100 < (10 if i < 10000 else 12) else PLAIN for i in range(20000)]
    assert found(headers, labels)["mixed-colour"].severity == "info"


def test_an_unreadable_file_is_not_told_for_its_size_and_storage_too() -> None:
    odd = changed(width=20, height=300, mode="RGB", bit_depth=16, has_alpha=True)
    assert set(found([PLAIN, PLAIN, odd], "ABA", {2: "is truncated"})) == {"unreadable"}


def test_small_sides_transparency_and_sizes_are_told() -> None:
    small = found([PLAIN, changed(width=63, height=400), changed(width=64, height=64), PLAIN], "ABAB")
    assert small["very-small"].groups == ((1,),)
    assert small["very-small"].severity == "warn"
    assert "from 64 x 64 to 300 x 300" in small["mixed-sizes"].sentence
    assert (small["mixed-sizes"].count, small["mixed-sizes"].groups) == (4, ())
    assert "mixed-sizes" not in found([PLAIN, changed(width=200)], "AB")
    transparent = found([PLAIN, changed(has_alpha=True)], "AB")
    assert set(transparent) == {"transparency"}
    assert transparent["transparency"].severity == "info"
    assert "extreme-aspect" not in found([changed(width=1200)] * 2, "AB")


def test_transparency_is_looked_at_and_what_is_opaque_everywhere_is_no_finding(tmp_path: Path) -> None:
    layers = {"opaque": np.full((48, 80), 255, np.uint8), "holed": np.full((48, 80), 255, np.uint8)}
    layers["holed"][:, :8] = 0
    paths = []
    for name, layer in layers.items():
        Image.fromarray(np.dstack([COLOUR, layer])).save(tmp_path / f"{name}.png")
        paths.append(tmp_path / f"{name}.png")

    def of(*chosen: Path) -> dict[str, Finding]:
        cases = tuple(Case(path=path, name=path.name, label="AB"[i % 2]) for i, path in enumerate(chosen))
        manifest = Manifest(cases=cases, task=Task.of(("A", "B")))
        data_set: Any = None
        headers = read_headers(manifest.paths)
        material = Material(manifest=manifest, headers=headers, data_set=data_set, failures={})
        return {finding.code: finding for finding in RULE.apply(material)}

    assert "transparency" not in of(*[paths[0]] * 10)
    finding = of(paths[0], paths[1], *[paths[0]] * 8)["transparency"]
    assert (
        finding.count == 1
        and "of 10 images with such a layer that were looked at, 1 have transparent" in finding.sentence
    )
    assert finding.evidence[0]["what"] == "PNG RGBA, 10 % of its pixels are transparent"
    many = of(*[paths[0]] * 200)["transparency"]
    assert (
        many.count == 136 and "another 64 images with one were looked at, and none has a transparent" in many.sentence
    )


def test_mixed_sizes_say_that_nothing_needs_doing_only_where_size_does_not_go_with_the_class() -> None:
    labels = "A" * 100 + "B" * 100
    large, small = changed(width=1024, height=1024), changed(width=400, height=400)
    spread = found([large if i % 3 else small for i in range(200)], labels)["mixed-sizes"]
    assert spread.severity == "info" and "nothing needs doing" in spread.fix
    told = found([large if i < 50 else small for i in range(200)], labels)["mixed-sizes"]
    assert told.severity == "warn" and "nothing needs doing" not in told.fix
    assert "The size goes with the class" in told.sentence and "A 50 of 100" in told.sentence
    several = [changed(width=900 + i % 60 if label == "A" else 400 + i % 60) for i, label in enumerate(labels)]
    bigger = found([*several[:-1], changed(width=3000, height=3000)], labels)["mixed-sizes"]
    assert "are larger than half of all images" in bigger.sentence


def test_files_of_few_patients_do_not_go_with_the_class_however_many_they_are() -> None:
    labels = "A" * 100 + "B" * 100
    headers = [changed(mode="RGB") if i < 100 else PLAIN for i in range(200)]
    assert found(headers, labels)["mixed-colour"].severity == "warn"
    of_few = found(headers, labels, patients=[f"p{i // 50}" for i in range(200)])["mixed-colour"]
    assert of_few.severity == "info"


def test_many_classes_are_told_by_the_few_with_the_largest_shares() -> None:
    labels = "ABCDEFGHIJ" * 5
    headers = [changed(has_alpha=True) if label in "CH" else PLAIN for label in labels]
    sentence = found(headers, labels)["transparency"].sentence
    assert "C 5 of 5, H 5 of 5" in sentence
    assert "and 0 of other classes" in sentence
    assert " J " not in sentence


def test_evidence_is_cut_and_groups_are_not() -> None:
    finding = found([changed(width=20)] * 300, "AB" * 150)["very-small"]
    assert (finding.count, len(finding.groups), len(finding.evidence)) == (300, 300, 50)
    assert finding.evidence[1] == {"image": "B/1.png", "class": "B", "side": "test", "what": "20 x 300"}


def test_real_radiographs_and_endoscopies_are_clean(shared_data: Path) -> None:
    for name in ("chest_xray", "larynx_vocalfolds"):
        manifest = Manifest.read(shared_data / name)
        some = manifest.replace(manifest.cases[::9])
        headers = read_headers(some.paths)
        data_set: Any = None
        assert {header.format for header in headers} == {"JPEG"}
        assert RULE.apply(Material(manifest=some, headers=headers, data_set=data_set, failures={})) == []
