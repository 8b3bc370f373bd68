"""Patients on two sides, ids that are missing or cannot be right, and splits that cannot be made."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from overread.auditing import Finding, Material
from overread.auditing.rules.patients import RULE
from overread.cases import Case, Manifest, Source, pseudonym, split_cases
from overread.cases.relabel import read_mapping
from overread.decision import Task
from overread.demo.phantom import write_phantoms
from overread.errors import InvalidData
from overread.formats import Header
from overread.images import DataSet, PixelStore, Preprocessing

PLAIN = Header(size_bytes=9000, suffix=".png", format="PNG", width=300, height=300, mode="L", bit_depth=8, frames=1)
SIDES = ("train", "val", "test")


def case(name: str, label: str, patient: str | None = None, side: str | None = None, **extra: str) -> Case:
    return Case(path=Path(name), name=f"{label}/{name}", label=label, patient_id=patient, split=side, extra=extra)


def manifest_of(cases: Sequence[Case]) -> Manifest:
    return Manifest(cases=tuple(cases), task=Task.of(sorted({case.label for case in cases})))


def found(manifest: Manifest, pixels: np.ndarray | None = None) -> dict[str, Finding]:
    """The findings by code, on random pixels unless others are given."""
    if pixels is None:
        pixels = np.random.default_rng(0).integers(0, 256, (len(manifest), 8, 8, 1), np.uint8)
    options = Preprocessing(height=pixels.shape[1], width=pixels.shape[2], channels=1)
    store = PixelStore(pixels, ("",) * len(manifest), {}, options, Path("none"))  # type: ignore[arg-type]
    data_set = DataSet(manifest=manifest, store=store, rows=np.arange(len(manifest)), failures={})
    material = Material(manifest=manifest, headers=(PLAIN,) * len(manifest), data_set=data_set, failures={})
    return {finding.code: finding for finding in RULE.apply(material)}


def sound(images_per_patient: int = 2, patients: int = 40) -> list[Case]:
    """Patients who each have one class and stand on one side."""
    return [
        case(f"scan_{p:03d}_{i}.png", "ab"[p % 2], f"{p:03d}", SIDES[p // 2 % 3])
        for p in range(patients)
        for i in range(images_per_patient)
    ]


def test_sound_ids_on_sound_sides_are_no_finding() -> None:
    assert found(manifest_of(sound())) == {}
    assert found(manifest_of([case("x.png", c.label, c.patient_id) for c in sound()])) == {}


def test_patients_on_two_sides_block_and_their_images_are_grouped() -> None:
    cases = sound()
    moved = [case(c.path.name, c.label, c.patient_id, "test" if i in (0, 13) else c.split) for i, c in enumerate(cases)]
    finding = found(manifest_of(moved))["patient-across-splits"]
    assert finding.severity == "block"
    assert finding.count == 2
    assert finding.groups == ((0, 1), (12, 13))
    assert "2 patients, with 4 images in all" in finding.sentence
    assert finding.evidence[0] == {
        "patient": pseudonym("000"),
        "train": "1 image, such as a/scan_000_1.png",
        "test": "1 image, such as a/scan_000_0.png",
    }


drawn = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(SIDES)), min_size=2, max_size=60)


@given(drawn)
def test_exactly_the_patients_on_more_than_one_side_are_counted(rows: list[tuple[int, str]]) -> None:
    cases = [case(f"{i}.png", "ab"[i % 2], f"id{p}", side) for i, (p, side) in enumerate(rows)]
    sides = defaultdict(set)
    for p, side in rows:
        sides[p].add(side)
    crossing = sum(len(on) > 1 for on in sides.values())
    findings = found(manifest_of(cases))
    if len(sides) > 1:
        assert ("patient-across-splits" in findings) == (crossing > 0)
        assert not crossing or findings["patient-across-splits"].count == crossing


def test_one_id_for_everything_blocks_and_is_all_that_is_said() -> None:
    findings = found(manifest_of([case(c.path.name, c.label, "0", c.split) for c in sound()]))
    assert list(findings) == ["one-patient-id"]
    assert findings["one-patient-id"].severity == "block"
    assert findings["one-patient-id"].count == 80


@pytest.mark.parametrize(("wrong", "severity"), [(3, "warn"), (20, "info")])
def test_patients_with_two_labels_are_all_counted_and_warned_of_where_they_are_few(wrong: int, severity: str) -> None:
    cases = sound()
    changed = {2 * p for p in range(wrong)}
    relabelled = [
        dataclasses.replace(c, label="ab"[c.label == "a"]) if i in changed else c for i, c in enumerate(cases)
    ]
    finding = found(manifest_of(relabelled))["patient-with-several-labels"]
    assert (finding.severity, finding.count, len(finding.groups)) == (severity, wrong, wrong)
    assert f"{wrong} of 40 patients with several images" in finding.sentence
    assert ("some of theirs wrong" in finding.sentence) == (severity == "warn")


def test_images_that_name_no_patient_warn_and_the_names_are_read() -> None:
    cases = [case(f"scan_{p:03d}_{i}.png", "ab"[p % 2], None, SIDES[i]) for p in range(30) for i in range(3)]
    finding = found(manifest_of(cases))["patient-ids-missing"]
    assert (finding.severity, finding.count) == ("warn", 90)
    assert "None of 90 images names its patient" in finding.sentence
    assert "30 groups that may be patients, 30 of which stand on two sides" in finding.sentence
    assert r"--patient-pattern '^scan_\d+'" in finding.fix


def test_sides_that_were_carved_do_not_hide_the_patients_in_the_names() -> None:
    cases = [case(f"sub-{p:02d}_{i}.png", "ab"[p > 50], None) for p in range(1, 73) for i in range(5)]
    finding = found(split_cases(manifest_of(cases)).manifest)["patient-ids-missing"]
    assert "72 groups that may be patients" in finding.sentence
    assert r"--patient-pattern 'sub-\d+'" in finding.fix


def test_some_images_without_a_patient_are_counted() -> None:
    cases = [case(c.path.name, c.label, c.patient_id if i > 6 else None, c.split) for i, c in enumerate(sound())]
    finding = found(manifest_of(cases))["patient-ids-missing"]
    assert finding.count == 7
    assert "7 of 80 images name no patient" in finding.sentence
    assert len(finding.evidence) == 7


def test_an_id_for_each_image_warns_only_if_the_names_form_groups() -> None:
    grouped = [case(c.path.name, c.label, str(i), c.split) for i, c in enumerate(sound())]
    finding = found(manifest_of(grouped))["patient-ids-one-per-image"]
    assert (finding.severity, finding.count) == ("warn", 80)
    assert "80 patients" in finding.sentence and "40 groups" in finding.sentence
    alone = [case(f"scan_{i:03d}.png", c.label, str(i), c.split) for i, c in enumerate(sound())]
    assert found(manifest_of(alone)) == {}


def test_a_class_of_one_patient_cannot_be_split() -> None:
    cases = [case(f"{i}.png", "lesion", "1") for i in range(58)]
    cases += [case(f"n{i}.png", "none", str(1 + i % 2)) for i in range(100)]
    finding = found(manifest_of(cases))["impossible-split"]
    assert (finding.severity, finding.count) == ("block", 2)
    assert "58 images of lesion from 1 patient and 100 images of none from 2 patients" in finding.sentence
    assert "at least 3 patients with each class" in finding.fix
    assert finding.evidence[0] == {"class": "lesion", "images": "58", "patients": "1"}


def test_a_given_side_without_a_class_is_named() -> None:
    cases = [case(f"{i}.png", "ab"[i % 2], str(i), SIDES[i % 3]) for i in range(120)]
    finding = found(manifest_of([c for c in cases if (c.label, c.split) != ("b", "test")]))["impossible-split"]
    assert "test has no b" in finding.sentence
    assert finding.count == 1


def test_of_many_classes_the_small_ones_are_listed_with_the_option_that_takes_them_out() -> None:
    cases = [case(f"{c}_{i}.png", f"class {c:02d}", f"{c}-{i}") for c in range(16) for i in range(1 + 9 * (c > 2))]
    finding = found(manifest_of(cases))["impossible-split"]
    assert finding.count == 3 and len(finding.evidence) == 3
    assert "1 image of class 00 from 1 patient" in finding.sentence and "class 03" not in finding.sentence
    out, merged = (part.split("'")[1] for part in finding.fix.split("--map ")[1:])
    assert "the 3 classes that stand in the way" in finding.fix
    for option, classes in ((out, 13), (merged, 14)):
        mapping = read_mapping([option])
        renamed = [dataclasses.replace(c, label=mapping.get(c.label, c.label)) for c in cases]
        kept = manifest_of([c for c in renamed if c.label])
        assert len(kept.classes) == classes and "impossible-split" not in found(kept)


def test_classes_that_were_renamed_before_are_renamed_in_one_option() -> None:
    cases = [
        case(f"{c}_{i}.png", c, f"{c}-{i}") for c, n in (("big", 9), ("also big", 9), ("tiny", 1)) for i in range(n)
    ]
    manifest = dataclasses.replace(manifest_of(cases), source=Source(data="x", mapping={"T1": "tiny", "B": "big"}))
    assert "the class tiny: --map T1=,B=big." in found(manifest)["impossible-split"].fix


def test_sides_that_lack_a_class_may_be_dealt_anew() -> None:
    cases = [case(f"{i}.png", "ab"[i % 2], str(i), SIDES[i % 3]) for i in range(120)]
    finding = found(manifest_of([c for c in cases if (c.label, c.split) != ("b", "test")]))["impossible-split"]
    assert "--ignore-sides" in finding.fix and "--map" not in finding.fix


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (("train", "test"), "1 on train and test: the network would be tested on what it has learnt from"),
        (("val", "test"), "1 on val and test: the network would be tested on what it was tuned by"),
        (("train", "val"), "1 on train and val: the network would be tuned by what it has learnt from"),
    ],
)
def test_a_leak_is_told_by_the_sides_that_it_joins(sides: tuple[str, str], said: str) -> None:
    cases = sound()
    moved = [dataclasses.replace(c, split=sides[i % 2]) if i < 2 else c for i, c in enumerate(cases)]
    sentence = found(manifest_of(moved))["patient-across-splits"].sentence
    assert said in sentence and ("better than the truth" in sentence) == ("test" in sides)


def test_sides_that_are_named_for_some_images_only_block() -> None:
    cases = [case(c.path.name, c.label, c.patient_id, None if i < 5 else c.split) for i, c in enumerate(sound())]
    finding = found(manifest_of(cases))["split-incomplete"]
    assert (finding.severity, finding.count) == ("block", 5)
    assert "patient-across-splits" not in found(manifest_of(cases))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), min_size=2, max_size=40))
def test_a_split_is_called_impossible_exactly_where_none_can_be_made(rows: list[tuple[str, int]]) -> None:
    cases = [case(f"{i}.png", label, f"p{p}") for i, (label, p) in enumerate(rows)]
    if len({label for label, _ in rows}) < 2 or len({p for _, p in rows}) < 2:
        return
    manifest = manifest_of(cases)
    try:
        split_cases(manifest)
        impossible = False
    except InvalidData:
        impossible = True
    assert ("impossible-split" in found(manifest)) == impossible


def people(persons: Sequence[str], *, seasons: Sequence[str] = ()) -> np.ndarray:
    """A noisy picture for each image; those of one person are alike, those of one season a little."""
    rng = np.random.default_rng(0)
    faces = {person: rng.integers(0, 140, (32, 32, 1)) for person in persons}
    skies = {season: rng.integers(0, 20, (32, 32, 1)) for season in seasons}
    pixels = [faces[person] + rng.integers(0, 95, (32, 32, 1)) for person in persons]
    pixels = [image + skies[season] for image, season in zip(pixels, seasons, strict=True)] if seasons else pixels
    return np.stack(pixels).astype(np.uint8)


def restarting(kinds: dict[str, int], *, folder: bool = False) -> list[tuple[str, Case]]:
    """Persons and their images, where each kind is numbered from 1, in the file name or by the class alone."""
    rows = []
    for kind, count in kinds.items():
        for p in range(1, count + 1):
            for i in range(2):
                name = f"{p}_{i}.png" if folder else f"person{p}_{kind}_{i}.jpeg"
                label = kind if folder else "ill"
                rows.append((f"{kind}{p}", case(name, label, str(p) if folder else f"person{p}", SIDES[p % 3])))
    return rows


def test_numbers_that_start_anew_in_each_sub_type_are_told_with_the_pattern_that_helps() -> None:
    rows = restarting({"bacteria": 90, "virus": 60})
    rows += [(f"n{p}", case(f"IM-{p:04d}-0001.jpeg", "well", f"IM-{p:04d}", SIDES[p % 3])) for p in range(60)]
    manifest = manifest_of([row for _, row in rows])
    moved = [case(c.path.name, c.label, c.patient_id, "test" if "virus" in c.name else "train") for c in manifest.cases]
    findings = found(manifest_of(moved), people([person for person, _ in rows]))
    finding = findings["patient-ids-restart"]
    assert (finding.severity, finding.count) == ("warn", 60)
    assert "60 patient ids occur in both bacteria and virus (by file name)" in finding.sentence
    assert "the numbers of one end at 67 % of those of the other" in finding.sentence
    pattern = finding.fix.split("'")[1]
    assert len({c.patient_id for c in manifest.with_patient_pattern(pattern).cases}) == 90 + 60 + 60
    assert "finds 210 patients, 0 of them on two sides" in finding.fix
    crossing = findings["patient-across-splits"]
    assert crossing.count == 60
    assert "bacteria and virus (by file name) told apart, 0 of these patients are left" in crossing.sentence
    assert "patient-ids-restart" in crossing.fix


def test_bare_numbers_in_two_class_folders_are_told_by_how_the_images_look() -> None:
    rows = restarting({"ill": 50, "well": 50}, folder=True)
    finding = found(manifest_of([row for _, row in rows]), people([person for person, _ in rows]))[
        "patient-ids-restart"
    ]
    assert "50 patient ids occur in both ill and well (by class)" in finding.sentence
    assert "hardly more alike than two of strangers" in finding.sentence
    assert "column patient_id" in finding.fix
    same, each = finding.evidence
    assert float(same["mean correlation"]) > float(same["of strangers"]) + 0.3
    assert abs(float(each["mean correlation"]) - float(each["of strangers"])) < 0.2


def test_bare_numbers_with_one_image_each_are_told_too() -> None:
    rows = [row for row in restarting({"ill": 60, "well": 60}, folder=True) if row[1].path.stem.endswith("_0")]
    finding = found(manifest_of([row for _, row in rows]), people([person for person, _ in rows]))
    assert finding["patient-ids-restart"].count == 60


def test_patients_who_have_images_of_both_kinds_are_left_in_peace() -> None:
    for kinds, folder in (({"ill": 50, "well": 50}, True), ({"left": 90, "right": 60}, False)):
        rows = restarting(kinds, folder=folder)
        if not folder:
            rows += [("n", case(f"x{i}.png", "well", f"x{i}", SIDES[i % 3])) for i in range(9)]
        alike = people([row.patient_id or "" for _, row in rows])
        assert set(found(manifest_of([row for _, row in rows]), alike)) <= {"patient-with-several-labels"}


def with_ids(ids: dict[str, Sequence[int]]) -> list[tuple[str, Case]]:
    """Persons who differ between kinds, and their images, numbered as given."""
    rows = [
        (f"{kind}{p}", case(f"id{p}_{kind}_{i}.png", "ab"[p % 2], f"id{p}", SIDES[p % 3]))
        for kind, numbers in ids.items()
        for p in numbers
        for i in range(2)
    ]
    return [*rows, *((f"n{i}", case(f"x{i}.png", "ab"[i % 2], f"x{i}", SIDES[i % 3])) for i in range(12))]


def scattered(count: int) -> list[int]:
    return sorted(np.random.default_rng(0).integers(0, 10**9, count).tolist())


@pytest.mark.parametrize(
    "ids",
    [
        {"front": range(60), "side": range(60)},
        {"front": range(60), "side": range(58)},
        {"early": range(60), "late": range(45, 140)},
        {"all": scattered(60), "some": scattered(60)[:40]},
        {"many": range(60), "one": range(9)},
    ],
)  # fmt: skip
def test_numbers_that_may_well_be_shared_are_no_finding_however_unlike_the_images(
    ids: dict[str, Sequence[int]],
) -> None:
    rows = with_ids(ids)
    assert found(manifest_of([row for _, row in rows]), people([person for person, _ in rows])) == {}


def test_a_slight_likeness_of_images_with_one_number_does_not_make_them_one_person() -> None:
    rows = with_ids({"a": range(1, 100), "b": range(1, 80)})
    seasons = [row.patient_id or "" for _, row in rows]
    finding = found(manifest_of([row for _, row in rows]), people([person for person, _ in rows], seasons=seasons))[
        "patient-ids-restart"
    ]
    assert finding.count == 79
    assert finding.evidence[1]["difference (95 % interval)"].startswith("+0.0")


def test_numbers_that_start_anew_on_each_side_are_told() -> None:
    cases = [case(f"{p}_{i}.png", "ab"[p % 2], str(p), "train") for p in range(1, 121) for i in range(2)]
    cases += [case(f"{p}_{i}.png", "ab"[p % 2], str(p), "test") for p in range(1, 41) for i in range(2)]
    findings = found(manifest_of(cases), people([f"{c.split}{c.patient_id}" for c in cases]))
    assert findings["patient-ids-restart"].count == 40
    assert findings["patient-across-splits"].severity == "block"
    leaking = found(manifest_of(cases), people([c.patient_id or "" for c in cases]))
    assert "patient-ids-restart" not in leaking
    assert leaking["patient-across-splits"].count == 40


def test_phantoms_whose_ill_patients_have_normal_images_too_are_told_for_information(tmp_path: Path) -> None:
    folder = write_phantoms(tmp_path / "data", patients=40, images_per_patient=4, size=32)
    manifest = Manifest.read(folder).with_patient_pattern(r"^(P\d+)_")
    data_set = DataSet.open(manifest, Preprocessing(height=32, width=32), folder=tmp_path, skip_unreadable=True)
    headers = (PLAIN,) * len(manifest)
    failures = dict(data_set.store.failures)
    assert len(failures) == 2
    material = Material(manifest=manifest, headers=headers, data_set=data_set, failures=failures)
    (finding,) = RULE.apply(material)
    assert (finding.code, finding.severity) == ("patient-with-several-labels", "info")


def test_no_finding_repeats_a_patient_id() -> None:
    names = ["Ewa", "Ida", "Jan", "Leo", "Max", "Mia", "Ola", "Pia", "Tom", "Uta", "Eli", "Kim"]
    crossing = [case(f"{i}.png", "ab"[i % 2], names[i % 12], SIDES[i % 5 % 3]) for i in range(120)]
    alone = [case(f"{i}.png", "ab"[i % 2], "Ewa") for i in range(30)]
    few = [case(f"{i}.png", "ab"[i > 20], names[i % 2]) for i in range(30)]
    again = [row for _, row in restarting({"bacteria": 90, "virus": 60})] + [
        case("Ewa7_1.png", "well", "Ewa7", "train")
    ]
    codes = set()
    for cases in (crossing, alone, few, again):
        for code, finding in found(manifest_of(cases)).items():
            codes.add(code)
            said = f"{finding.sentence} {finding.fix} {finding.evidence}"
            assert not [name for name in names if name in said]
    assert {"patient-across-splits", "one-patient-id", "impossible-split", "patient-ids-restart"} <= codes


def small(manifest: Manifest) -> np.ndarray:
    """JPEG images of a manifest at 32 pixels."""
    pixels = np.zeros((len(manifest), 32, 32, 1), np.uint8)
    for i, path in enumerate(manifest.paths):
        with Image.open(path) as image:
            image.draft("L", (32, 32))
            pixels[i, ..., 0] = image.resize((32, 32))
    return pixels


def test_larynx_frames_cannot_be_split(shared_data: Path) -> None:
    findings = found(Manifest.read(shared_data / "larynx_vocalfolds"))
    assert set(findings) == {"impossible-split", "patient-with-several-labels"}
    assert "58 images of pathology from 1 patient" in findings["impossible-split"].sentence


def test_radiographs_with_their_given_ids_are_no_finding(shared_data: Path) -> None:
    assert found(Manifest.read(shared_data / "chest_xray")) == {}


def test_radiographs_by_bare_number_seem_to_cross_and_the_cause_is_told(shared_data: Path) -> None:
    manifest = Manifest.read(shared_data / "chest_xray").with_patient_pattern(r"person\d+|(?:NORMAL2-)?IM-\d+")
    findings = found(manifest, small(manifest))
    assert findings["patient-across-splits"].count == 170
    assert "0 of these patients are left" in findings["patient-across-splits"].sentence
    assert findings["patient-ids-restart"].count == 979
    assert "finds 4,097 patients, 0 of them on two sides" in findings["patient-ids-restart"].fix
    assert json.dumps([finding.to_dict() for finding in findings.values()])
