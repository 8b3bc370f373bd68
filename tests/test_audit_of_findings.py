"""The audit of findings, ordered grades and several tasks: present against absent, cut by cut, part by part."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.auditing import Audit, Finding, Material, Rule, brief_lines
from overread.auditing.plan import draft_plan
from overread.auditing.rules.balance import RULE as BALANCE
from overread.auditing.rules.duplicates import duplicates_among
from overread.auditing.rules.patients import RULE as PATIENTS
from overread.auditing.rules.rows import RULE as ROWS
from overread.auditing.rules.shortcuts import RULE as SHORTCUTS
from overread.cases import Case, Manifest
from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.formats import Header
from overread.images import DataSet, PixelStore, Preprocessing
from overread.images.copies import Copies
from overread.images.copies.join import long_chains

CHEST = SeveralFindings(("effusion", "mass"))
GRADES = OrderedGrades(tuple("0123"))
EYE = SeveralTasks.together({"retinopathy": GRADES, "oedema": OrderedGrades(tuple("012"))})
HEADER = Header(
    size_bytes=1000, suffix=".jpg", format="JPEG", width=48, height=48, mode="L", bit_depth=8, frames=1,
    has_alpha=False, jpeg_quantiser=None, manufacturer="", has_position=False, identifying_tags=0,
)  # fmt: skip


def manifest_of(labels: Sequence[str], task: Task = CHEST, *, per_patient: int = 1, **facts: Any) -> Manifest:
    cases = [
        Case(path=Path(f"{i}.png"), name=f"{i}.png", label=label, patient_id=f"p{i // per_patient}", **facts)
        for i, label in enumerate(labels)
    ]
    return Manifest(cases=tuple(cases), task=task)


def material_of(manifest: Manifest, widths: Sequence[int] | None = None) -> Material:
    n = len(manifest)
    pixels = np.random.default_rng(0).integers(0, 255, (n, 8, 8, 1)).astype(np.uint8)
    preprocessing = Preprocessing(height=8, width=8, channels=1)
    store = PixelStore(pixels, tuple(map(str, range(n))), {}, preprocessing, Path("none.npy"))  # type: ignore[arg-type]
    headers = tuple(dataclasses.replace(HEADER, width=width) for width in widths or [48] * n)
    data_set = DataSet(manifest=manifest, store=store, rows=np.arange(n), failures={})
    return Material(manifest=manifest, headers=headers, data_set=data_set, failures={})


def found(rule: Rule, material: Material) -> dict[str, Finding]:
    return {finding.code: finding for finding in rule.apply(material)}


def test_a_finding_is_held_against_its_absence_where_that_is_known() -> None:
    labels = ["effusion"] * 50 + ["No Finding"] * 50 + ["?effusion"] * 100 + ["mass|effusion"] * 10
    finding = found(BALANCE, material_of(manifest_of(labels)))["class-imbalance"]
    assert finding.severity == "warn" and "mass is in 10 of 210 images" in finding.sentence
    assert "whoever always says that there is no mass is right in 95 % of the images" in finding.sentence
    assert "24 % are not known, those on effusion in 100 of 210 images" in finding.sentence
    assert finding.evidence[1] == {
        "finding": "effusion", "present": "60", "absent": "50", "not known": "100", "present of those known": "54.5 %",
    }  # fmt: skip


def test_a_rare_finding_says_how_little_even_a_perfect_reader_would_show() -> None:
    labels = ["effusion"] * 200 + ["No Finding"] * 200 + ["mass"] * 20
    finding = found(BALANCE, material_of(manifest_of(labels)))["rare-finding"]
    assert "a sensitivity for mass of 44 to 100 % (3 patients with mass)" in finding.sentence
    assert "effusion" not in finding.sentence and finding.count == 1


def test_a_finding_whose_absence_hardly_anybody_knows_is_rare_likewise() -> None:
    labels = ["effusion|?mass"] * 200 + ["mass|?effusion"] * 200 + ["No Finding"] * 20
    sentence = found(BALANCE, material_of(manifest_of(labels)))["rare-finding"].sentence
    assert "a specificity for effusion of 44 to 100 % (3 patients without effusion)" in sentence


def test_findings_that_never_occur_without_another_are_named() -> None:
    task = SeveralFindings(("effusion", "mass", "nodule"))
    labels = ["effusion"] * 100 + ["No Finding"] * 100 + ["effusion|mass"] * 20 + ["nodule"] * 20
    labels += ["effusion|nodule"] * 5
    finding = found(BALANCE, material_of(manifest_of(labels, task)))["finding-never-alone"]
    assert finding.severity == "warn"
    assert "mass is never there without effusion (20 images of 20 patients)" in finding.sentence
    assert [row["finding"] for row in finding.evidence] == ["mass"]


def test_a_finding_that_is_never_the_only_one_is_told_with_what_it_goes_with() -> None:
    task = SeveralFindings(("effusion", "mass", "nodule"))
    labels = ["effusion"] * 100 + ["No Finding"] * 100 + ["effusion|mass"] * 12 + ["nodule|mass"] * 8 + ["nodule"] * 20
    finding = found(BALANCE, material_of(manifest_of(labels, task)))["finding-never-alone"]
    assert finding.severity == "info"
    assert "mass is never there alone, but with effusion in 12 of 20 images and nodule in 8 of 20" in finding.sentence


def test_findings_of_few_patients_or_apart_from_each_other_are_none() -> None:
    few = ["effusion"] * 100 + ["No Finding"] * 100 + ["effusion|mass"] * 5
    apart = ["effusion"] * 100 + ["No Finding"] * 100 + ["effusion|mass"] * 30 + ["mass"]
    for labels in (few, apart):
        assert "finding-never-alone" not in found(BALANCE, material_of(manifest_of(labels)))


def test_columns_and_sources_go_with_the_presence_of_a_finding() -> None:
    with_it = manifest_of(["effusion|?mass"] * 60, extra={"age": "", "site": "a"}).cases
    without = manifest_of(["No Finding"] * 60, extra={"age": "60", "site": "b"}).cases
    without = tuple(dataclasses.replace(case, patient_id=f"q{i}") for i, case in enumerate(without))
    rest = tuple(dataclasses.replace(c, patient_id=f"r{i}", label="mass|?effusion") for i, c in enumerate(without))
    findings = found(BALANCE, material_of(Manifest(cases=with_it + without + rest, task=CHEST)))
    missing = findings["metadata-missing-by-class"].sentence
    assert "age is empty in 100 % of the images with effusion and in 0 % of those without effusion" in missing
    one_source = findings["class-from-one-source"].sentence
    assert "all 60 images with effusion have one site, as do 0 % of the others" in one_source


def test_grades_are_called_grades() -> None:
    findings = found(BALANCE, material_of(manifest_of(["0"] * 100 + ["1"] * 5 + ["2"] * 60 + ["3"] * 60, GRADES)))
    assert "images of grade 0 (100) as of grade 1 (5)" in findings["class-imbalance"].sentence
    assert findings["class-imbalance"].evidence[0] == {"grade": "0", "images": "100"}
    assert "a sensitivity for grade 1 of 21 to 100 % (1 patient of grade 1)" in findings["class-too-small"].sentence


def test_each_of_several_tasks_is_looked_at_by_itself() -> None:
    labels = ["retinopathy: 0; oedema: 0"] * 120 + ["retinopathy: 3; oedema: 1"] * 120 + ["oedema: 2"] * 120
    findings = BALANCE.apply(material_of(manifest_of(labels, EYE)))
    assert {f.code for f in findings if f.sentence.startswith("oedema: ")} == set()
    (imbalance,) = (f for f in findings if f.code == "class-imbalance")
    assert imbalance.sentence.startswith("retinopathy: There are many images of grade 0 (120) as of grade 2 (0)")


COPIES = Copies(exact=((0, 1),), near=(), origin={}, blank=())


@pytest.mark.parametrize(
    ("labels", "task", "code", "said"),
    [
        (("effusion|mass", "mass|effusion"), CHEST, "duplicate-across-patients", ""),
        (("effusion|?mass", "effusion|mass"), CHEST, "duplicate-across-patients", ""),
        (("effusion|mass", "effusion"), CHEST, "duplicate-across-classes", "they differ in mass (1 group)"),
        (("1", "3"), GRADES, "duplicate-across-classes", "they differ by 2 grades (1 group)"),
        (("retinopathy: 1", "oedema: 2"), EYE, "duplicate-across-patients", ""),
        (
            ("retinopathy: 1; oedema: 0", "retinopathy: 2; oedema: 0"),
            EYE, "duplicate-across-classes", "they differ in retinopathy by 1 grade (1 group)",
        ),
    ],
)  # fmt: skip
def test_copies_contradict_each_other_only_in_what_both_labels_tell(
    labels: tuple[str, ...], task: Task, code: str, said: str
) -> None:
    (finding,) = duplicates_among(manifest_of(labels, task), COPIES)
    assert finding.code == code and said in finding.sentence
    assert ("they differ" in finding.sentence) == bool(said)


def test_identical_images_whose_labels_agree_are_left_out_but_for_one() -> None:
    for labels, kept in ((("effusion|?mass", "effusion"), 1), (("effusion|mass", "effusion"), 0)):
        manifest = manifest_of([*labels, "mass", "No Finding"])
        findings = duplicates_among(manifest, COPIES)
        plan = draft_plan(Audit(findings=tuple(findings), n=4), material_of(manifest))
        assert len(plan.kept) == 2 + kept


def with_rows(*labels: str, task: Task = CHEST) -> Manifest:
    rows = {"row": ("2", "3"), "label": labels, "patient": (), "side": ()}
    return manifest_of([labels[0]], task, rows=rows)


def test_rows_contradict_each_other_only_in_what_both_tell() -> None:
    assert set(found(ROWS, material_of(with_rows("effusion|mass", "mass|effusion")))) == {"rows-repeated"}
    assert set(found(ROWS, material_of(with_rows("effusion|?mass", "effusion|mass")))) == {"rows-repeated"}
    contradicting = found(ROWS, material_of(with_rows("effusion", "mass")))["rows-contradict"]
    assert "--finding" not in contradicting.fix
    assert set(found(ROWS, material_of(with_rows("1", "2", task=GRADES)))) == {"rows-contradict"}


def test_patients_whose_images_contradict_are_told_where_they_are_the_exception() -> None:
    same, other = ["effusion", "effusion|?mass"], ["effusion", "No Finding"]
    few = found(PATIENTS, material_of(manifest_of(same * 50 + other * 3, per_patient=2)))
    many = found(PATIENTS, material_of(manifest_of(same * 20 + other * 20, per_patient=2)))
    assert "have images whose labels contradict: all others have labels that agree" in (
        few["patient-with-several-labels"].sentence
    )
    assert "patient-with-several-labels" not in many


def test_shortcuts_are_told_by_finding_over_the_images_that_know_it() -> None:
    labels = ["effusion"] * 40 + ["No Finding"] * 40 + ["?effusion"] * 40
    material = material_of(manifest_of(labels), widths=[64] * 40 + [48] * 40 + [64, 48] * 20)
    sentence = found(SHORTCUTS, material)["shortcut-size"].sentence
    assert "All 40 images without effusion are 48 x 48 pixels, and none of the 40 with effusion." in sentence
    assert "effusion can be told from its absence with an AUC of 1.00" in sentence and "over 80 images" in sentence


def test_shortcuts_of_grades_are_told_by_cut() -> None:
    labels = ["0", "1", "2", "3"] * 30
    material = material_of(manifest_of(labels, GRADES), widths=[64 if label >= "2" else 48 for label in labels])
    finding = found(SHORTCUTS, material)["shortcut-size"]
    assert "grade 2 or more can be told from lower grades with an AUC of 1.00" in finding.sentence
    assert [row["grade"] for row in finding.evidence] == ["1 or more", "2 or more", "3 or more"]


def test_without_patients_runs_of_neighbouring_files_stand_for_them_whatever_they_show() -> None:
    labels = ["effusion", "No Finding", "mass", "effusion|mass"] * 30
    manifest = manifest_of(labels)
    manifest = manifest.replace(dataclasses.replace(case, patient_id=None) for case in manifest.cases)
    widths = [64 if "effusion" in label else 48 for label in labels]
    sentence = found(SHORTCUTS, material_of(manifest, widths))["shortcut-size"].sentence
    assert "Patients are not named, so 40 runs of neighbouring files stand for them." in sentence


def test_a_chain_is_too_long_where_it_holds_much_of_a_finding() -> None:
    chain = tuple(range(4))
    copies = Copies(exact=(), near=(), origin={}, blank=(), chains=(chain,))
    labels = ["effusion|mass", "effusion", "mass|effusion", "effusion"] + ["effusion"] * 40
    assert long_chains(copies, manifest_of([*labels, *["mass"] * 2])) == {chain}
    assert long_chains(copies, manifest_of([*labels, *["mass"] * 40])) == frozenset()


def test_the_lines_for_the_terminal_speak_of_findings_and_come_back_from_a_file() -> None:
    material = material_of(manifest_of(["effusion"] * 50 + ["No Finding"] * 200))
    audit = Audit(findings=tuple(BALANCE.apply(material)), n=250, task=CHEST)
    again = Audit.from_dict(json.loads(json.dumps(audit.to_dict())))
    assert again.task == CHEST and brief_lines(again) == brief_lines(audit)
    lines = [line.text for line in brief_lines(audit)]
    assert any("a finding at least twice as often absent as present" in line for line in lines)
    assert "class" not in "".join(line.split(": ", 2)[2] for line in lines[:-1] or lines)
    assert "task" not in Audit(findings=(), n=1, task=Task.of(("a", "b"))).to_dict()
