"""Columns of a table that tell who the patients are: found by heading and by cells, and carried nowhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import overread
from overread.auditing import Material
from overread.auditing.rules.privacy import RULE
from overread.cases import Manifest, Source
from overread.cases.persons.columns import personal_kind
from overread.formats import Header

NAMES = ["Anna Schmidt", "Paul Okafor", "María García", "Wei Zhang", "Olga Petrova"]
BIRTHS = [f"{1931 + 4 * i}-0{1 + i % 9}-1{i % 10}" for i in range(16)]
STREETS = ["Hauptstr. 5", "12 High Street", "8 rue de la Paix", "Calle Mayor 3"]
PHONES = ["+49 711 4711234", "(555) 010-9999", "0711 815 4711", "020 7946 0958"]
MAILS = ["anna@example.org", "p.okafor@clinic.example", "x@example.com"]
NUMBERS = ["A123456789", "B987654321", "C192837465"]
PLAIN = Header(size_bytes=9000, suffix=".png", format="PNG", width=300, height=300, mode="L", bit_depth=8, frames=1)


@pytest.mark.parametrize(
    "kind, cells, headings",
    [
        (
            "names of persons", NAMES,
            "Surname|Patient Name|Last name, first name|Nachname|Prénom|Apellidos|Cognome|Nome completo|Achternaam"
            "|Ad Soyad|Imię i nazwisko|ФИО|姓名|氏名|성명|اسم المريض|Name of patient",
        ),
        (
            "dates of birth", BIRTHS,
            "dob|PatientBirthDate|date_of_birth|Geburtsdatum|Date de naissance|Fecha de nacimiento|Data di nascita"
            "|Data de nascimento|Geboortedatum|Doğum tarihi|Data urodzenia|Дата рождения|出生日期|生年月日"
            "|تاريخ الميلاد",
        ),
        (
            "addresses", STREETS,
            "Home address|street|Anschrift|Straße|Adresse|Domicilio|Indirizzo|Endereço|Adres|住址|住所",
        ),
        (
            "telephone numbers", PHONES,
            "phone|Mobile phone|Telefonnummer|Téléphone|Teléfono|Cellulare|Telefone|Telefoonnummer|Cep Telefonu"
            "|Телефон|电话",
        ),
        ("mail addresses", MAILS, "e-mail|Email address|Courriel|Correo electrónico|Почта|邮箱|メールアドレス"),
        (
            "personal numbers", NUMBERS,
            "MRN|SSN|NHS number|insurance_number|Medical record number|passport no|Versichertennummer|N° sécu|DNI"
            "|Codice fiscale|CPF|BSN|T.C. Kimlik No|PESEL|СНИЛС|身份证号|رقم الهوية",
        ),
    ],
)  # fmt: skip
def test_a_heading_in_many_languages_tells(kind: str, cells: Sequence[str], headings: str) -> None:
    assert {heading: personal_kind(heading, cells) for heading in headings.split("|")} == dict.fromkeys(
        headings.split("|"), kind
    )


@pytest.mark.parametrize(
    "heading, cells",
    [
        ("file name", ["a.png", "b.png", "c.png"]), ("class name", ["Crohn", "Paget", "Barrett"]),
        ("image_name", ["ISIC_0024306", "ISIC_0024307"]), ("name", ["ISIC_0024306", "ISIC_0024307"]),
        ("patient name hash", ["9f86d081884c7d65", "60303ae22b998861"]), ("name of finding", ["nodule", "mass"]),
        ("patient_name", ["P001", "P002"]), ("patient_name", ["anonymous", "anonymous"]),
        ("name", ["benign", "malignant", "normal"]), ("nombre", ["3", "5", "7"]),
        ("cell", ["LYMPHOCYTE", "EOSINOPHIL"]),
        ("mobile", ["yes", "no"]), ("birth", ["vaginal", "caesarean"]), ("address", ["192.168.0.1", "10.0.0.7"]),
        ("phone_model", ["Pixel 7", "iPhone 12"]), ("dob", ["", "removed", "***"]), ("dob", ["1961", "1950"]),
        ("mrn", ["P01", "P02"]), ("contact", ["direct", "immersion"]), ("age", ["61", "55"]), ("sex", ["F", "M"]),
        ("study_date", BIRTHS), ("ExamDate", BIRTHS), ("uid", ["1.2.840.113619.2.5", "1.2.840.113619.2.6"]),
        ("x", ["00013774", "00013775", "00013776"]), ("route", ["via oral", "via rectal", "via nasal"]),
        ("ids", ["0011-0001", "0011-0002", "0012-0001"]), ("maker", ["SIEMENS", "Philips", "Carl Zeiss"]),
    ],
)  # fmt: skip
def test_other_headings_and_cells_tell_nothing(heading: str, cells: Sequence[str]) -> None:
    assert personal_kind(heading, cells) is None


@pytest.mark.parametrize(
    "kind, cells",
    [
        ("mail addresses", MAILS), ("telephone numbers", PHONES), ("addresses", STREETS), ("dates of birth", BIRTHS),
        ("personal numbers", ["123-45-6789", "234-56-7890", "345-67-8901"]), ("names of persons", NAMES),
    ],
)  # fmt: skip
def test_cells_tell_under_any_heading(kind: str, cells: Sequence[str]) -> None:
    assert personal_kind("column 7", cells) == kind


def test_dates_are_of_birth_where_they_lie_far_apart_and_each_patient_has_one() -> None:
    recent = [f"{2010 + i % 10}-03-1{i % 10}" for i in range(40)]
    assert personal_kind("d", recent) is None
    patients = [f"p{i // 3}" for i in range(48)]
    assert personal_kind("d", [BIRTHS[i // 3] for i in range(48)], patients) == "dates of birth"
    assert personal_kind("d", [BIRTHS[i % 16] for i in range(48)], patients) is None


def write(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "cases.csv") -> Path:
    for i, row in enumerate(rows):
        noise = np.random.default_rng(i).integers(0, 255, (70, 70), np.uint8)
        Image.fromarray(noise).save(folder / row.get("path", row.get("image", "")))
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def rows(first: str) -> list[dict[str, str]]:
    """A table of 16 images of 16 patients that says too much."""
    return [
        {
            first: f"{i:02d}.png", "label": ("benign", "malignant")[i % 2], "patient_id": f"P{i}", "sex": "FM"[i // 8],
            "Surname": NAMES[i % 5].split()[1], "dob": BIRTHS[i], "x1": MAILS[i % 3],
            "insurance_number": NUMBERS[i % 3],
        }
        for i in range(16)
    ]  # fmt: skip


SECRETS = ("Okafor", "Petrova", "1931-", "example", "A123456789")


def test_the_finding_names_headings_and_counts_alone(tmp_path: Path) -> None:
    manifest = Manifest.read(write(tmp_path, rows("path")))
    no_pixels: Any = None
    (finding,) = RULE.apply(Material(manifest=manifest, headers=(PLAIN,) * 16, data_set=no_pixels, failures={}))
    assert (finding.code, finding.severity, finding.count) == ("personal-columns", "warn", 4)
    assert finding.sentence.startswith("4 columns of the table tell who the patients are: surname (names of persons")
    assert finding.evidence[1] == {"column": "dob", "holds": "dates of birth", "images": "16"}
    text = json.dumps([finding.to_dict(), *manifest.notes])
    assert not any(secret in text for secret in SECRETS)


def test_no_case_and_no_file_that_is_written_has_what_they_say(tmp_path: Path) -> None:
    table, out = write(tmp_path, rows("path")), tmp_path / "out"
    fixed = tmp_path / "fixed.csv"
    found = overread.audit(table, out, fix=fixed, verbose=False, store=tmp_path / "store")
    assert "personal-columns" in {finding.code for finding in found.findings}
    manifest = Manifest.read(table)
    assert manifest.columns == ["sex"]
    manifest.write_csv(tmp_path / "manifest.csv")
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != table]
    assert len(written) > 20
    for path in written:
        assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path.name
    assert fixed.read_text().splitlines()[0] == "path,label,patient_id,split,sex"
    assert Manifest.read(fixed).personal == ()


def test_columns_of_a_table_of_labels_are_told_and_are_no_labels(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    table = write(images, rows("image"), "labels.csv").rename(tmp_path / "labels.csv")
    manifest = Manifest.read(Source(data=str(images), labels=(str(table),)))
    assert {column.heading for column in manifest.personal} == {"Surname", "dob", "x1", "insurance_number"}
    assert {case.label for case in manifest.cases} == {"benign", "malignant"}
    assert manifest.columns == ["sex"]
