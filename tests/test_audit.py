"""The audit as a whole: what stops a study, what a human may accept, and the cleaned manifest that is drafted."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Manifest, Recipe, train
from overread.auditing import Audit, Finding, FindingKind, Material, Rule, examine, gather
from overread.cases import Source
from overread.errors import BlockedByAudit, OutputExists
from overread.images import REFERENCE, DataSet
from overread.run import RunFolder
from overread.study.audit import audit
from overread.study.data import read_manifest
from overread.study.way_on import way_on
from support.command_line import overread, sentence
from support.image_files import write_images

QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")


def scene(seed: int) -> Image.Image:
    """A smooth random picture, unlike any other."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 6), dtype=np.uint8))
    fine = random.integers(0, 40, (96, 96))
    smooth = np.asarray(coarse.resize((96, 96), Image.Resampling.BICUBIC), dtype=np.int64)
    return Image.fromarray(np.clip(smooth + fine - 20, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 30 patients with sides, and one of each kind of defect that blocks."""
    folder, rows, number = tmp_path_factory.mktemp("spoilt"), [], 0
    for label in ("normal", "ill"):
        for patient in range(30):
            side = ("train", "train", "train", "val", "test")[patient % 5]
            for image in range(2):
                number += 1
                name = f"{label[0]}{patient:02d}_{image}.png"
                scene(number).save(folder / name)
                rows.append([name, label, f"{label}{patient}", side])
    shutil.copy(folder / "n00_0.png", folder / "leaked.png")  # train to test, as another patient
    shutil.copy(folder / "n01_0.png", folder / "conflict.png")  # normal to ill
    mask = np.zeros((96, 96), np.uint8)
    mask[30:60, 20:70] = 255
    Image.fromarray(mask).save(folder / "i00_0_mask.png")
    scene(999).save(folder / "moved.png")
    rows += [
        ["leaked.png", "normal", "other", "test"],
        ["conflict.png", "ill", "ill1", "train"],
        ["i00_0_mask.png", "ill", "ill0", "train"],
        ["moved.png", "ill", "ill0", "test"],
    ]
    with (folder / "cases.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "label", "patient_id", "split"], *rows])
    return folder / "cases.csv"


@pytest.fixture(scope="module")
def found(spoilt: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Audit, Path]:
    out = tmp_path_factory.mktemp("audit")
    result = audit(spoilt, out / "report", fix=out / "plan.csv", store=out / "s")
    return result, out


BLOCKING = {"duplicate-across-splits", "duplicate-across-classes", "mask-among-images", "patient-across-splits"}


def find_other_hospital(material: Material) -> list[Finding]:
    return [
        Finding(
            code="other-hospital", severity="block", sentence="No image is of our hospital.", fix="Add some.",
            count=len(material.manifest),
        )
    ]  # fmt: skip


OWN = Rule(
    name="hospitals",
    kinds=(FindingKind("other-hospital", "block", "images of another hospital only"),),
    find=find_other_hospital,
)


def test_every_planted_defect_is_found_and_blocks(found: tuple[Audit, Path]) -> None:
    result, _ = found
    assert {finding.code for finding in result.blocking} == BLOCKING
    assert result.exit_status == 3
    assert [finding.severity for finding in result.findings] == sorted(
        (finding.severity for finding in result.findings), key=["block", "warn", "info"].index
    )


def test_a_finding_names_its_images_and_no_patient(found: tuple[Audit, Path]) -> None:
    text = json.dumps(found[0].to_dict())
    assert "leaked.png" in text
    for patient in ("normal0", "ill0", "other"):
        assert f'"{patient}"' not in text


def test_accepted_findings_no_longer_block_and_stay_on_record(found: tuple[Audit, Path]) -> None:
    accepted = found[0].accept(BLOCKING)
    accepted.require()
    assert accepted.exit_status in (0, 1)
    assert set(accepted.to_dict()["accepted"]) == BLOCKING
    with pytest.raises(BlockedByAudit, match=r"--accept mask-among-images"):
        still = found[0].accept(BLOCKING - {"mask-among-images"})
        still.require(way_on(still, (), None, Path("run")))


def test_the_report_shows_copies_side_by_side_and_a_sheet_of_each_class(found: tuple[Audit, Path]) -> None:
    text = (found[1] / "report" / "report.html").read_text(encoding="utf-8")
    assert "may not be trained on as they are" in text
    images = RunFolder(found[1] / "report").images.read_text(encoding="utf-8").splitlines()
    (number,) = [row.split(",")[0] for row in images if row.endswith("leaked.png")]
    assert f"image {number} beside" in text or f"beside image {number}" in text
    assert "leaked.png" not in text
    assert "drawn at random" in text
    assert "https://" not in text
    assert json.loads((found[1] / "report" / "audit.json").read_text())["exit_status"] == 3


def test_the_drafted_manifest_is_clean_and_leaves_the_data_alone(
    found: tuple[Audit, Path], spoilt: Path, tmp_path: Path
) -> None:
    plan = found[1] / "plan.csv"
    again = audit(plan, store=tmp_path / "s")
    assert again.blocking == ()
    kept = {Path(case.path).name for case in Manifest.from_csv(plan).cases}
    assert "i00_0_mask.png" not in kept
    assert "leaked.png" in kept and "n00_0.png" not in kept  # the test side stays as it was
    assert not {"n01_0.png", "conflict.png"} & kept  # only a human can tell which label is right
    sides = {Path(case.path).name: case.split for case in Manifest.from_csv(plan).cases}
    assert sides["moved.png"] == "train"
    changes = (found[1] / "plan.changes.csv").read_text()
    assert "moved.png,moved to train,patients and near copies are kept on one side" in changes
    assert "normal0" not in plan.read_text()
    assert (spoilt.parent / "i00_0_mask.png").exists()


def test_an_existing_plan_is_not_overwritten(found: tuple[Audit, Path], spoilt: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputExists, match="is there already"):
        audit(spoilt, fix=found[1] / "plan.csv", store=tmp_path / "s")


def test_training_stops_at_what_blocks_before_it_trains_and_goes_on_when_told(spoilt: Path, tmp_path: Path) -> None:
    with pytest.raises(BlockedByAudit, match=r"the audit stops this study.*--accept.*overread audit") as stopped:
        train(spoilt, tmp_path / "run", QUICK, store=tmp_path / "s")
    mends, goes_on = (shlex.split(command) for command in str(stopped.value).rpartition(": ")[2].split(" && "))
    assert mends == ["overread", "audit", str(spoilt), "--fix", "cleaned.csv"]
    assert goes_on == ["overread", "train", "cleaned.csv", "--out", str(tmp_path / "run")]
    with pytest.raises(BlockedByAudit, match="No image is of our hospital"):
        train(spoilt, tmp_path / "run", QUICK, accept=BLOCKING, rules=[OWN], store=tmp_path / "s")
    assert not (tmp_path / "run" / "checkpoints").exists()
    accepted = sorted(BLOCKING | {"other-hospital"})
    study = train(spoilt, tmp_path / "run", QUICK, accept=accepted, rules=[OWN], store=tmp_path / "s")
    report, card = study.report.read_text(encoding="utf-8"), study.bundle.path
    assert "a finding that blocks was accepted (mask-among-images)" in report
    assert card is not None and "tested on what it has learnt from" in (card / "card.md").read_text()
    assert json.loads((study.out / "audit.json").read_text())["accepted"] == accepted
    for text in (report, (card / "card.md").read_text()):
        assert "No image is of our hospital." in text


def test_clean_images_are_not_stopped(tmp_path: Path) -> None:
    for label in ("normal", "ill"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(60):
            scene(1000 * len(label) + i).save(tmp_path / "data" / label / f"{label[0]}{i // 2:02d}_{i % 2}.png")
    manifest = read_manifest(tmp_path / "data", patient_pattern=r"^\w\d+")
    result = audit(manifest, store=tmp_path / "s")
    assert result.blocking == ()
    assert not [finding.code for finding in result.findings if "duplicate" in finding.code]


def test_the_command_prints_findings_and_tells_by_its_status(spoilt: Path, tmp_path: Path) -> None:
    done = overread("audit", spoilt, "--json", "--store", tmp_path / "s")
    assert done.returncode == 3
    assert {found["code"] for found in json.loads(done.stdout)["findings"]} >= BLOCKING
    stopped = overread("train", spoilt, "--out", tmp_path / "run", "--store", tmp_path / "s")
    assert stopped.returncode == 3
    assert "the audit stops this study" in sentence(stopped)


def test_the_clean_radiographs_are_not_blocked(shared_data: Path, tmp_path: Path) -> None:
    every = read_manifest(shared_data / "chest_xray")
    some = every.replace([case for i, case in enumerate(every.cases) if i % 8 == 0])
    result = audit(some, store=tmp_path / "s")
    assert result.blocking == ()
    assert "shortcut-bytes" in {finding.code for finding in result.findings}


def test_an_endoscopy_set_of_one_diseased_patient_is_blocked(shared_data: Path, tmp_path: Path) -> None:
    result = audit(read_manifest(shared_data / "larynx_vocalfolds"), store=tmp_path / "s")
    assert [finding.code for finding in result.blocking] == ["impossible-split"]
    assert "1 patient" in result.blocking[0].sentence


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="severity 'bad' is unknown"):
        Finding(code="x", severity="bad", sentence="", fix="", count=0)  # type: ignore[arg-type]


def test_unreadable_files_are_named_and_left_out_of_the_plan(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"normal": 24, "ill": 24}, size=80)
    (folder / "ill" / "i000_0.png").write_bytes(b"")
    result = audit(read_manifest(folder, patient_pattern=r"^\w\d+"), fix=tmp_path / "plan.csv", store=tmp_path / "s")
    assert "unreadable" in {finding.code for finding in result.blocking}
    assert len(Manifest.from_csv(tmp_path / "plan.csv")) == 47


def test_frames_of_a_file_are_told_apart_and_kept_in_the_plan(tmp_path: Path) -> None:
    rows = ["path,label,frame,patient_id,site"]
    for number, label in enumerate(("normal", "ill")):
        pages = [scene(100 * number + page) for page in range(6)]
        pages[0].save(tmp_path / f"{label}.tiff", save_all=True, append_images=[*pages[1:], pages[0]])
        rows += [f"{label}.tiff,{label},{frame},{label}{frame % 6},a" for frame in range(1, 8)]
    (tmp_path / "cases.csv").write_text("\n".join(rows))
    result = audit(tmp_path / "cases.csv", fix=tmp_path / "plan.csv", store=tmp_path / "s")
    copies = next(finding for finding in result.findings if finding.code == "duplicate-within-patient")
    assert [row["image"] for row in copies.evidence[:2]] == ["normal.tiff (frame 1)", "normal.tiff (frame 7)"]
    plan = Manifest.from_csv(tmp_path / "plan.csv")
    assert [case.frame for case in plan.cases if case.label == "ill"] == [1, 2, 3, 4, 5, 6]
    assert plan.cases[0].extra == {"site": "a"}
    assert "ill.tiff (frame 7),left out" in (tmp_path / "plan.changes.csv").read_text()


@pytest.fixture
def halved(tmp_path: Path) -> Path:
    """Two classes whose patients are not named, with a train and a test folder, and two pictures in both of them."""
    number = 0
    for side, images in (("train", 60), ("test", 20)):
        for label in ("normal", "ill"):
            (tmp_path / "data" / side / label).mkdir(parents=True)
            for i in range(images):
                number += 1
                scene(number).save(tmp_path / "data" / side / label / f"{i}.png")
    for label in ("normal", "ill"):
        shutil.copy(tmp_path / "data" / "train" / label / "3.png", tmp_path / "data" / "test" / label / "copy.png")
    return tmp_path / "data"


def test_copies_across_sides_of_the_data_block_and_pooled_sides_keep_them_together(halved: Path) -> None:
    store = halved.parent / "s"
    given = audit(halved, store=store)
    assert "duplicate-across-splits" in {finding.code for finding in given.blocking}
    said = way_on(given, (), Source(data=str(halved), positive="ill"), Path("runs/a b"))
    assert "--ignore-sides" in said
    assert said.endswith(
        f"overread audit {halved} --positive ill --fix cleaned.csv && "
        "overread train cleaned.csv --out 'runs/a b' --positive ill"
    )
    graded = Source(data=str(halved), label_column=("a", "b"), uncertain="present", ordered=False, cut=("2", "b: 1"))
    assert way_on(given, (), graded, Path("run")).endswith(
        f"overread audit {halved} --label-column a --label-column b --uncertain present --no-ordered --cut 2 "
        "--cut 'b: 1' --fix cleaned.csv && overread train cleaned.csv --out run --no-ordered --cut 2 --cut 'b: 1'"
    )
    pooled = audit(Source(data=str(halved), ignore_sides=True), store=store)
    assert pooled.blocking == ()


def test_the_command_that_goes_on_goes_on(halved: Path, tmp_path: Path) -> None:
    fixed = overread("audit", str(halved), "--fix", str(tmp_path / "cleaned.csv"), "--store", str(tmp_path / "s"))
    assert (fixed.returncode, "duplicate-across-splits" in fixed.stdout) == (0, True)
    assert audit(tmp_path / "cleaned.csv", store=tmp_path / "s").blocking == ()


def test_what_training_would_carve_leaks_nothing_and_its_findings_are_those_of_the_audit(
    halved: Path, tmp_path: Path
) -> None:
    for side in ("train", "test"):
        for path in (halved / side).glob("*/*.png"):
            target = halved / "pooled" / path.parent.name / f"{side}{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    found = audit(halved / "pooled", recipe=QUICK, store=tmp_path / "s")
    assert "duplicate-within-class" in {finding.code for finding in found.findings}
    assert found.blocking == ()
    with pytest.raises(BlockedByAudit, match="No image is of our hospital"):
        train(halved / "pooled", tmp_path / "run", QUICK, rules=[OWN], store=tmp_path / "s")
    accepted = train(
        halved / "pooled", tmp_path / "run", QUICK, rules=[OWN], accept=["other-hospital"], store=tmp_path / "s"
    )
    trained = Audit.from_dict(json.loads((accepted.out / "audit.json").read_text()))
    assert [f.code for f in trained.findings if f.code != "other-hospital"] == [f.code for f in found.findings]
    assert any("2 groups of identical or near-identical images" in note for note in accepted.split.notes)


def test_what_cannot_be_split_is_audited_all_the_same(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 30, "b": 2})
    found = audit(folder, store=tmp_path / "s")
    assert "impossible-split" in {finding.code for finding in found.blocking}


def test_an_unreadable_image_looks_neither_like_a_leak_nor_like_an_incomplete_split(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"normal": 40, "ill": 40})
    for path in folder.glob("*/*_0.png"):
        if int(path.stem[1:4]) % 2:
            path.write_bytes(b"")
    manifest = read_manifest(folder, patient_pattern=r"^\w\d+")
    with pytest.raises(BlockedByAudit) as stopped:
        train(manifest, tmp_path / "run", QUICK, skip_unreadable=True, rules=[OWN], store=tmp_path / "s")
    assert re.findall(r"--accept (\S+)", str(stopped.value)) == ["other-hospital"]


def test_pictures_of_coloured_noise_are_no_overlays_of_one_another(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 24, "b": 24, "c": 24})
    for path in folder.glob("*/*.png"):
        grey = np.asarray(Image.open(path))
        Image.fromarray(np.stack([grey, grey // 2, 255 - grey], axis=2)).save(path)
    manifest = Manifest.from_folder(folder)
    assert examine(gather(manifest, DataSet.open(manifest, REFERENCE, folder=tmp_path / "s"))).blocking == ()


def test_a_folder_that_holds_something_is_refused_before_anything_is_written(spoilt: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputExists):
        audit(spoilt, spoilt.parent, fix=tmp_path / "plan.csv", store=tmp_path / "s")
    assert not (tmp_path / "plan.csv").exists()
    assert not (tmp_path / "s").exists()
