"""Traces of persons are found in headers and paths, and nothing of them is repeated."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from overread.auditing import Finding, Material
from overread.auditing.rules.privacy import RULE
from overread.cases import Manifest
from overread.cases.case import Case
from overread.decision import Task
from overread.demo.phantom import write_phantoms
from overread.formats import Header, read_headers
from support.person_names import persons

PLAIN = Header(size_bytes=9000, suffix=".png", format="PNG", width=300, height=300, mode="L", bit_depth=8, frames=1)


def found(names: Sequence[str], headers: Sequence[Header] | None = None) -> dict[str, Finding]:
    """The findings on images of these names; the folders Normal and Disease are the classes."""
    labels = ["Disease" if i % 2 else "Normal" for i in range(len(names))]
    cases = tuple(
        Case(path=Path(name), name=f"{label}/{name}", label=label) for name, label in zip(names, labels, strict=True)
    )
    manifest = Manifest(cases=cases, task=Task.of(("Normal", "Disease")))
    return {finding.code: finding for finding in on(manifest, headers or [PLAIN] * len(names))}


def on(manifest: Manifest, headers: Sequence[Header]) -> list[Finding]:
    """The findings on these headers; personal data are looked for in no pixels."""
    no_pixels: Any = None
    return RULE.apply(Material(manifest=manifest, headers=tuple(headers), data_set=no_pixels, failures={}))


def kinds(*names: str) -> dict[str, str]:
    """Of images of these names beside a harmless one: kind to number of images."""
    findings = found(["a_001.png", *names])
    return {row["kind"]: row["images"] for finding in findings.values() for row in finding.evidence}


def test_plain_names_and_headers_hold_nothing() -> None:
    assert found([f"img_{i:04d}.png" for i in range(20)]) == {}


@pytest.mark.parametrize(
    "name",
    [
        "John_Smith_01.png", "smith-john.png", "Müller, Hans/scan.png", "JohnSmith/1.png", "DOE^JANE.dcm",
        "anna/3.png", "site2/MARIA.GARCIA/left.png", "scan_peter2.png", "René^Zoë.png", "SMITH_JOHN_CT.dcm",
        "Müller, Anna.png", "tran-thi-mai.png", "王伟.png", "李秀英_2.png", "佐藤健一.png", "김민수.png",
        "Иван Петров.png",
        "محمد حسن.png", "O'Brien_Kevin.png", "Jan de Vries/1.png", "Agnieszka Nowak.png", "kaya_mehmet.png",
        "Jean-Pierre Girard.png", "okafor_chinedu_left.png",
    ],
)  # fmt: skip
def test_the_name_of_a_person_in_a_path_warns(name: str) -> None:
    assert kinds(name) == {"the name of a person": "1"}
    assert found(["b.png", name])["names-in-paths"].severity == "warn"


@pytest.mark.parametrize(
    "name, kind",
    [
        ("scan_1965-03-12.png", "a date of birth"), ("19650312_left.png", "a date of birth"),
        ("p7_dob_2011-03-12.png", "a date of birth"), ("born 12.03.1951/1.png", "a date of birth"),
        ("geb01011999.png", "a date of birth"), ("123-45-6789.png", "a number in the form of a national one"),
        ("120365-1234/a.png", "a number in the form of a national one"),
        ("2019-03-12_a.png", "a date"), ("20190312.png", "a date"), ("12.03.2019 a.png", "a date"),
        ("x_4711234.png", "a number of 7 digits or more"), ("MRN4711234.png", "a number of 7 digits or more"),
    ],
)  # fmt: skip
def test_dates_and_numbers_are_told_apart(name: str, kind: str) -> None:
    assert kinds(name) == {kind: "1"}
    is_weak = kind.startswith(("a date", "a number of")) and kind != "a date of birth"
    assert set(found(["b.png", name])) == {"numbers-in-paths" if is_weak else "names-in-paths"}
    assert found(["b.png", name]).popitem()[1].severity == ("info" if is_weak else "warn")


@pytest.mark.parametrize(
    "name",
    [
        "person1000_bacteria_2931.jpeg", "IM-0001-0001.jpeg", "patient1_seq1_0016.jpg", "ISIC_0024306.jpg",
        "00013774_026.png", "P059_06.png", "1.2.840.113619.2.5.1762583153.215519.978957063.78.dcm",
        "SOB_B_A-14-22549AB-40-001.png", "lungaca1.jpeg", "COVID-1001.png", "MR_head_t1.png", "St_Mary_Hospital/1.png",
        "san_francisco_general/1.png", "6c613a14b80a8591.png", "xKarlQ8Anna.png", "xKarlQ.png", "CHNCXR_0327_1.png",
        "Marked/1.png", "normal/left/ray_1.png", "may_grace/1.png", "Alexander disease/1.png", "scan_1023-2022.png",
        "2000_12_3.png", "person1965_12_31x.png", "newborn7/1.png", "HAM10000/ISIC_0024306.jpg", "benign (1).png",
        "LIDC-IDRI-0001/1-001.png", "TCGA-02-0001.png", "Te-gl_0010.jpg", "IM-0011-0001.jpeg",
        "SIEMENS/Carl Zeiss/1.png", "Philips_Ingenia.png", "Papilloma/1.png", "Baker cyst.png", "Paget.png",
        "Barrett.png", "Crohn.png", "Hodgkin/3.png",
        "Guillain-Barre.png", "Creutzfeldt_Jakob.png", "Stevens-Johnson.png", "Houston_01.png", "san jose/2.png",
        "Thorax^CHEST_WO (Adult)/2.dcm", "Breast^Bil tumor ax.dcm", "白内障.png", "高血压/1.png", "정상/1.png",
        "甲状腺.png",
        "Peter's anomaly.png", "San Francisco/may.png", "mark_left.png", "Alexander disease_2.png", "Lisfranc.png",
    ],
)  # fmt: skip
def test_names_of_studies_are_no_persons(name: str) -> None:
    assert kinds(name) == {}


def test_numbers_of_eight_digits_are_dates_only_where_most_are() -> None:
    counters = [f"{20586900 + 37 * i}.png" for i in range(30)] + ["19650312.png"]
    assert kinds(*counters) == {"a number of 7 digits or more": "31"}
    dates = [f"196503{i:02d}.png" for i in range(1, 31)] + ["20586908.png"]
    assert kinds(*dates) == {"a date of birth": "30", "a number of 7 digits or more": "1"}


def test_a_class_folder_is_no_person() -> None:
    cases = tuple(
        Case(path=Path("a"), name=f"{name}/{i}.png", label=name) for name in ("Anna", "Paul") for i in range(3)
    )
    assert on(Manifest(cases=cases, task=Task.of(("Anna", "Paul"))), [PLAIN] * 6) == []


def test_nothing_that_may_name_a_person_is_repeated() -> None:
    names = ["Anna_Schulz_19650312.png", "4711234.png", "123-45-6789.png", "2019-03-12.png", "plain.png"]
    marked = dataclasses.replace(PLAIN, has_position=True, has_burned_in_text=True, manufacturer="Secret & Co")
    findings = found(names, [marked] * 5)
    assert set(findings) == {"names-in-paths", "numbers-in-paths", "gps-position", "burned-in-text"}
    text = json.dumps([finding.to_dict() for finding in findings.values()])
    for part in ("Anna", "Schulz", "1965", "4711", "6789", "2019", "Secret"):
        assert part not in text
    for code in ("gps-position", "burned-in-text"):
        shown = [row["image"] for row in findings[code].evidence]
        assert shown == ["number 1", "number 2", "number 3", "number 4", "Normal/plain.png"]


def test_a_position_in_exif_warns_with_its_count(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 22.0, 1.0), 3: "E", 4: (9.0, 43.0, 0.0)})
    for i in range(4):
        folder = tmp_path / ("Normal", "Disease")[i % 2]
        folder.mkdir(exist_ok=True)
        options = {"exif": exif} if i == 3 else {}
        Image.fromarray(np.zeros((70, 70), np.uint8)).save(folder / f"{i}.jpg", **options)
    manifest = Manifest.from_folder(tmp_path)
    (finding,) = on(manifest, read_headers(manifest.paths))
    assert (finding.code, finding.severity, finding.count) == ("gps-position", "warn", 1)
    assert finding.sentence.startswith("1 of 4 images carry the place")
    assert finding.evidence == ({"image": "Disease/3.jpg", "class": "Disease"},)


def dicom_findings(folder: Path, *files: dict[str, Any]) -> dict[str, Finding]:
    from test_dicom import RAMP, dataset, file_bytes

    for i, elements in enumerate(files):
        (folder / f"{i}.dcm").write_bytes(file_bytes(dataset(RAMP, **elements)))
    names = [f"{i}.dcm" for i in range(len(files))]
    return found(names, read_headers([folder / name for name in names]))


def test_dicom_tags_are_counted_by_files_and_never_quoted(tmp_path: Path) -> None:
    named = {"PatientName": "Doe^Jane", "PatientBirthDate": "19650312", "PatientID": "4711"}
    findings = dicom_findings(tmp_path, named, named, {"PatientID": "4712"}, {}, {"BurnedInAnnotation": "YES"})
    finding = findings["dicom-identity"]
    assert (finding.severity, finding.count) == ("warn", 3)
    assert "3 of 5 images" in finding.sentence
    assert "2 of them give a person's name" in finding.sentence
    assert {row["tag"]: row["images"] for row in finding.evidence} == {
        "PatientName": "2", "PatientBirthDate": "2", "PatientID": "3",
    }  # fmt: skip
    burned = findings["burned-in-text"]
    assert (burned.severity, burned.count, burned.evidence[0]["image"]) == ("warn", 1, "Normal/4.dcm")
    text = json.dumps([finding.to_dict() for finding in findings.values()])
    assert not any(value in text for value in ("Doe", "Jane", "1965", "4711", "4712"))


def test_ids_alone_and_declared_de_identification_only_inform(tmp_path: Path) -> None:
    declared = {"PatientName": "CT-310", "PatientIdentityRemoved": "YES", "BurnedInAnnotation": "NO"}
    findings = dicom_findings(tmp_path, declared, {"PatientID": "7", "StudyDate": "20200101"})
    assert {code: finding.severity for code, finding in findings.items()} == {"dicom-identity": "info"}
    assert "1 of them declare the identity removed" in findings["dicom-identity"].sentence
    assert dicom_findings(tmp_path, {"PatientName": "Anonymous", "PatientBirthDate": "19000101"}, {}) == {}


def test_real_sets_and_phantoms_hold_no_person(shared_data: Path, tmp_path: Path) -> None:
    write_phantoms(tmp_path / "phantoms", patients=4, images_per_patient=3, size=32)
    for folder in (shared_data / "chest_xray", shared_data / "larynx_vocalfolds", tmp_path / "phantoms"):
        manifest = Manifest.read(folder)
        some = manifest.replace(manifest.cases[::5])
        assert on(some, read_headers(some.paths)) == [], folder.name


def test_a_word_that_stands_in_most_paths_names_the_set() -> None:
    assert found([f"carmen_{i:03d}.png" for i in range(30)]) == {}
    assert found([f"{'carmen' if i % 3 else 'paul'}_{i:03d}.png" for i in range(30)])["names-in-paths"].count == 10


def test_words_of_a_class_are_no_names_wherever_they_stand() -> None:
    names = [
        f"{name}/{name.split()[0].lower()}_{i}.png" for i in range(4) for name in ("Anna cyst", "Paul Mueller sign")
    ]
    cases = tuple(Case(path=Path(name), name=name, label=name.split("/")[0]) for name in names)
    manifest = Manifest(cases=cases, task=Task.of(("Anna cyst", "Paul Mueller sign")))
    assert on(manifest, [PLAIN] * len(names)) == []


def test_surnames_alone_are_told_where_many_differ_and_not_from_one() -> None:
    surnames = ["Okafor", "Yilmaz", "Kowalski", "Hernandez", "Schmidt", "Nguyen", "Patel", "Ivanov"]
    assert kinds("Kowalski_1.png") == {}
    told = found([f"{surnames[i % 8]}/left_{i}.png" for i in range(40)])
    assert told["names-in-paths"].count >= 35
    sites = ["Boston", "Leeds", "Sydney", "Mainz", "Kyoto", "Toulouse", "Houston", "Cleveland"]
    assert found([f"{sites[i % 8]}/left_{i}.png" for i in range(40)]) == {}


def test_most_names_of_many_countries_are_found_and_a_set_of_ten_persons_always_warns() -> None:
    told, count = 0, 0
    for country, names in persons().items():
        paths = [f"{surname}_{given}/{i}.png" for i, (given, surname) in enumerate(names)]
        findings = found(paths)
        assert "names-in-paths" in findings, country
        told, count = told + findings["names-in-paths"].count, count + len(names)
    assert told >= 0.9 * count


def test_slides_that_come_with_their_label_are_warned_of() -> None:
    labelled = dataclasses.replace(PLAIN, has_label_image=True)
    findings = found(["a.svs", "b.svs", "c.svs"], [PLAIN, labelled, labelled])
    finding = findings["slide-label"]
    assert (finding.severity, finding.count) == ("warn", 2)
    assert finding.sentence.startswith("2 of 3 images are whole slides that come with a picture of their label")
