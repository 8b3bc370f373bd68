"""Patients from file names: a pattern is offered where names and data bear it out, and none where it might be wrong."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from overread.cases import Case, Manifest
from overread.cases.patients import match_patients, suggest_patients

Named = tuple[str, str, object]  # the name, the class and the patient that it is of


def cases_of(rows: Iterable[Named]) -> list[Case]:
    return [Case(path=Path("data") / name, name=name, label=label) for name, label, _ in rows]


def each(make: Callable[[int], str], patients: int = 60) -> list[Named]:
    """Images of patients, two to four of each; the name has `{i}` for the number of the image."""
    return [
        (make(patient).format(i=i), "ab"[patient % 2], patient)
        for patient in range(1, patients + 1)
        for i in range(1, 3 + patient % 3)
    ]


def anew(make: Callable[[str, int], str]) -> list[Named]:
    """Two classes of 30 and 80 patients, each numbered from 1."""
    return [
        (make(label, patient).format(i=i), label, (label, patient))
        for label, patients in (("benign", 30), ("malignant", 80))
        for patient in range(1, patients + 1)
        for i in range(2)
    ]


FOUND = {
    "a word for a patient": each(lambda p: f"patient_{p}_img{{i}}.png"),
    "the word after the number of the image": each(lambda p: f"scan{{i}}-subject{p:03d}.png"),
    "a code": each(lambda p: f"p{p:03d}-s2-{{i}}.png"),
    "a number": each(lambda p: f"{p:08d}_{{i:>03}}.png"),
    "a stem that goes on": [
        (f"IM-{p:04d}-0001{more}.jpeg", "ab"[p % 2], p) for p in range(1, 60) for more in ("", "-0001", "-0002")
    ],
    "left and right": [(f"{p * 7}_{eye}.jpg", "ab"[p % 2], p) for p in range(1, 60) for eye in ("left", "right")],
    "views": [(f"P_{p * 3:05d}_{v}.png", "ab"[p % 2], p) for p in range(1, 60) for v in ("L_CC", "L_MLO", "R_CC")],
    "a folder": each(lambda p: f"{'ab'[p % 2]}/patient{p:02d}/img{{i}}.png"),
    "a folder of a number alone": each(lambda p: f"train/{'ab'[p % 2]}/{p:04d}/scan/{{i}}.png"),
    "numbers that start anew in each class": anew(lambda label, p: f"{label}/{p}_{{i}}.png"),
    "folders that start anew in each class": anew(lambda label, p: f"{label}/patient{p:02d}/{{i}}.png"),
    "numbers that start anew after each word": anew(lambda label, p: f"person{p}_{label}_{{i}}.png"),
    "images numbered on through the classes": [
        (f"{'ab'[i % 2]}/{p:04d}_{i:03d}.png", "ab"[i % 2], p) for p in range(1, 60) for i in range(3)
    ],
}
UNSURE = {
    "each image its own": [(f"IDRiD_{p:03d}.jpg", "ab"[p % 2], p) for p in range(90)],
    "images numbered within the class": [(f"{c}/{c} ({i}).png", c, i) for c in ("normal", "sick") for i in range(90)],
    "the class before the number": [(f"{c}{k}_{i}.png", c, i) for c in "abcd" for k in range(3) for i in range(40)],
    "batches of one class, and images of another": [
        *((f"b{p % 3}_{p:04d}.png", "ill", p) for p in range(90)),
        *((f"b{p}_{p:04d}.png", "well", p) for p in range(9, 99)),
    ],
    "pictures and their masks": [
        (f"{c}/{c} ({p}){more}.png", c, p) for c in ("benign", "normal") for p in range(1, 80) for more in ("", "_mask")
    ],
    "the side before the number": [
        (f"{side}/{'ab'[i % 2]}/{side}{i % 2}_{i}.png", "ab"[i % 2], i) for side in ("train", "test") for i in range(90)
    ],
    "few groups": [(f"{p % 5}_{p:04d}.png", "ab"[p % 2], p) for p in range(300)],
    "days": each(lambda p: f"IMG_2019{1 + p // 28:02d}{1 + p % 28:02d}_{{i}}.png"),
    "places of tiles": [(f"{x * 256}_{y * 256}.png", "ab"[x % 2], 0) for x in range(20) for y in range(4)],
    "columns of tiles": [(f"tile_x{x}_y{y}.png", "ab"[x % 2], 0) for x in range(20) for y in range(4)],
    "patients after their scanner": each(lambda p: f"GE{p % 20}_{p:05d}_{{i}}.png"),
    "patients after the day": each(lambda p: f"2019-{1 + p % 12:02d}-{1 + p % 28:02d}-{p:04d}-{{i}}.png"),
    "exams with numbers of their own": [
        (f"p{p:03d}_e{3 * p + e}_{i}.png", "ab"[p % 2], p) for p in range(60) for e in range(3) for i in range(3)
    ],
    "storage": [(f"images_{p // 9:03d}/ISIC_{p * 37:07d}.jpg", "ab"[p % 2], p) for p in range(180)],
    "augmented images": each(lambda p: f"image_{p}_aug{{i}}.png"),
    "one patient's two classes, or two patients": [
        (f"{label}/sub-{p:02d}/{label}{i}.png", label, p) for p in range(1, 60) for label in "ab" for i in range(2)
    ],
    "codes of which a part looks like groups": [
        (f"{p:08x}{p * 7919 % 4096:03x}.png", "ab"[p % 2], p) for p in range(0, 4_000_000, 13_337)
    ],
}


@pytest.mark.parametrize("kind", FOUND)
def test_the_patients_are_found_whole_and_apart(kind: str) -> None:
    rows = FOUND[kind]
    found = suggest_patients(cases_of(rows))
    assert found is not None
    keys = match_patients(found.pattern, cases_of(rows))
    patients = {patient for _, _, patient in rows}
    assert found.patients == len(patients) == len(set(zip(keys, (row[2] for row in rows), strict=True)))


@pytest.mark.parametrize("kind", UNSURE)
def test_no_pattern_is_offered_where_it_might_be_wrong(kind: str) -> None:
    assert suggest_patients(cases_of(UNSURE[kind])) is None


def test_a_pattern_that_breaks_copies_apart_is_not_offered() -> None:
    cases = cases_of(FOUND["a code"])
    copied = [Case(**{**vars(case), "group": str(i % 5)}) if i < 10 else case for i, case in enumerate(cases)]
    assert suggest_patients(cases) is not None
    assert suggest_patients(copied) is None


def test_the_option_comes_with_three_groups_and_is_quoted_for_a_shell() -> None:
    found = suggest_patients(cases_of(FOUND["numbers that start anew after each word"]))
    assert found is not None
    assert shlex.split(found.option) == ["--patient-pattern", found.pattern]
    assert [len(names) for names in found.examples] == [2, 2, 2]


def test_a_pattern_with_a_slash_is_searched_in_the_path() -> None:
    cases = cases_of([("a/p1/1.png", "a", 1), ("b/p2/1.png", "b", 2)])
    assert match_patients(r"(p\d)/", cases) == ["p1", "p2"]
    assert match_patients(r"p\d", cases) == [None, None]


@pytest.mark.parametrize("sides", ["all", "train"])
def test_the_real_radiographs_names_give_every_child_as_the_published_table_has_it(
    shared_data: Path, sides: str
) -> None:
    with (shared_data / "chest_xray" / "images.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if sides in ("all", row["split"])]
    cases = cases_of((row["path"], row["label"], None) for row in rows)
    found = suggest_patients(cases)
    assert found is not None
    pairs = set(zip(match_patients(found.pattern, cases), (row["patient_id"] for row in rows), strict=True))
    assert len(pairs) == found.patients == len({row["patient_id"] for row in rows})


def test_the_real_frames_of_two_patients_are_not_taken_for_many(shared_data: Path) -> None:
    assert suggest_patients(Manifest.from_folder(shared_data / "larynx_vocalfolds" / "all").cases) is None
