"""The audit of exams: frames that several share, masks among volumes, what tells the class of all their files."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from overread.auditing import Audit, audit_manifest, brief_lines
from overread.auditing.brief import totals
from overread.auditing.finding import Finding
from overread.auditing.wording import say_exams
from overread.cases.source import Source
from overread.study.data import read_manifest
from support.dicom_files import dataset, file_bytes
from support.volumes import content, write

EXAMS = 12


def scan(seed: int, slices: int = 10, side: int = 40) -> np.ndarray:
    """A head of its own, smooth enough to be told from others, on zeros; empty at both ends."""
    rng = np.random.default_rng(seed)
    small = rng.integers(50, 250, (10, 10, 6)).astype(np.float32)
    size = side, side
    planes = [np.asarray(Image.fromarray(small[..., k]).resize(size, Image.Resampling.BICUBIC)) for k in range(6)]
    grown = np.stack([planes[k % 6] for k in range(slices)], axis=2)
    across = np.linspace(-1, 1, side)
    along = np.linspace(-1.1, 1.1, slices)
    inside = across[:, None, None] ** 2 + across[None, :, None] ** 2 + along**2 < 1
    return np.where(inside, grown * 3, 0).astype(np.int16)


def study(root: Path, *, slices: Mapping[str, int] | None = None) -> Path:
    """Twelve volumes in two classes."""
    for number in range(EXAMS):
        label = ("ill", "well")[number % 2]
        write(root / label / f"e{number:02d}.nii.gz", scan(number, (slices or {}).get(label, 10)))
    return root


def found(root: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in audited(root).findings}


def audited(root: Path) -> Audit:
    return audit_manifest(read_manifest(Source(data=str(root))), folder=root.parent / "store")[0]


def codes(root: Path) -> set[str]:
    return {code for code in found(root) if "duplicate" in code or code.startswith(("frames", "label-map", "mixed"))}


def test_different_volumes_give_no_alarm_and_are_called_exams(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    assert codes(root) == set()
    audit = audited(root)
    assert totals(audit).startswith("12 exams, ")
    said = " ".join([finding.sentence for finding in audit.findings] + [line.text for line in brief_lines(audit)])
    assert "images" not in said
    assert Audit.from_dict(audit.to_dict()) == audit


def test_a_study_of_images_stays_as_it_was_said(tmp_path: Path) -> None:
    for number in range(EXAMS):
        path = tmp_path / "data" / ("ill", "well")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scan(number)[:, :, 5].clip(0, 255).astype(np.uint8)).save(path)
    audit = audited(tmp_path / "data")
    assert totals(audit).startswith("12 images, ")
    assert "of_exams" not in audit.to_dict()
    assert not any(re.search(r"\bexams?\b", finding.sentence) for finding in audit.findings)


@pytest.mark.parametrize("how", ["container", "scale", "orientation"])
def test_a_volume_that_is_there_twice_is_found_in_whatever_form(how: str, tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    again = root / "ill" / "again.nii"
    if how == "container":
        again.write_bytes(gzip.decompress((root / "well" / "e01.nii.gz").read_bytes()))
    elif how == "scale":
        again.write_bytes(content(scan(1).astype(np.float32) * 1234.5))
    else:
        image = nib.load(root / "well" / "e01.nii.gz")
        ornt = nib.orientations.axcodes2ornt("PIR")
        change = nib.orientations.ornt_transform(nib.io_orientation(image.affine), ornt)
        again.write_bytes(image.as_reoriented(change).to_bytes())
    both = codes(root)
    assert both & {"duplicate-across-classes", "near-duplicate-across-classes"}
    assert not any(code.startswith("frames") for code in both)


def test_slices_of_one_exam_in_another_are_found_though_the_overviews_differ(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    copied = scan(50)
    copied[:, :, 2] = scan(1)[:, :, 2]
    write(root / "ill" / "copied.nii.gz", copied)
    # Of the same values, or the range would make other pixels of it.
    assert codes(root) <= {"frames-across-classes"}
    half = scan(3, 20)
    write(root / "well" / "whole.nii.gz", half)
    write(root / "well" / "upper.nii.gz", half[:, :, 9:])
    parts = found(root)["frames-across-exams"]
    assert {row["image"] for row in parts.evidence} == {"well/whole.nii.gz", "well/upper.nii.gz"}
    assert "have frames in common" in parts.sentence


def test_shared_frames_on_two_sides_of_a_split_stop_a_study(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for side in ("train", "test"):
        study(root / side)
        for path in sorted((root / side).rglob("*.nii.gz")):
            if side == "test":
                write(path, scan(100 + int(path.name[1:3])))
    whole = scan(500, 20)
    write(root / "train" / "ill" / "whole.nii.gz", whole)
    write(root / "test" / "ill" / "lower.nii.gz", whole[:, :, :11])
    finding = found(root)["frames-across-splits"]
    assert finding.severity == "block"
    assert len(finding.groups) == 1


def test_empty_slices_at_the_ends_of_volumes_are_no_copies(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    for number in range(EXAMS):
        path = root / ("ill", "well")[number % 2] / f"e{number:02d}.nii.gz"
        values = np.zeros((40, 40, 30), np.int16)
        values[:, :, 10:20] = scan(number)
        values[3, 3, :] = 900  # a marker in each slice of each
        write(path, values)
    assert codes(root) == set()


def test_label_maps_without_a_telling_name_are_found(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    drawn = np.zeros((40, 40, 10), np.uint8)
    for part in range(1, 6):
        drawn[4 * part : 4 * part + 4, 8:30] = part
    write(root / "ill" / "e20.nii.gz", drawn)
    gravest = found(root)
    named = {
        code: finding for code, finding in gravest.items() if code in ("label-map-among-exams", "mask-among-images")
    }
    assert [finding.groups[0][0] for finding in named.values()] == [6]


def test_the_number_of_frames_and_their_distance_are_shortcuts(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for number in range(30):
        ill = number % 2 == 0
        affine = np.diag([1, 1, 1.5 if ill else 1, 1])
        write(root / ("ill" if ill else "well") / f"e{number:02d}.nii.gz", scan(number, 8 if ill else 14, 24), affine)
    shortcuts = found(root)
    assert "shortcut-frames" in shortcuts
    assert "frames of the exam" in shortcuts["shortcut-frames"].sentence
    assert {"shortcut-slice-spacing"} <= {*shortcuts} or "distance between slices" in " ".join(
        finding.sentence for finding in shortcuts.values()
    )


def test_volumes_in_several_planes_are_told(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    write(root / "ill" / "e30.nii.gz", scan(30), np.diag([5.0, 1, 1, 1]))
    finding = found(root)["mixed-planes"]
    assert "sagittal 1" in finding.sentence
    assert "axial 12" in finding.sentence


def test_depth_of_volumes_is_no_matter_for_each_has_a_range_of_its_own(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    write(root / "ill" / "e40.nii.gz", (scan(40) / 4).astype(np.uint8))
    assert "mixed-bit-depth" not in found(root)


def test_texts_of_volumes_are_counted_apart_from_tags_of_dicom(tmp_path: Path) -> None:
    root = study(tmp_path / "data")
    write(root / "ill" / "e50.nii.gz", scan(50), descrip=b"Jane Doe 1961-03-04")
    findings = found(root)
    assert "dicom-identity" not in findings
    assert findings["volume-identity"].count == 1
    assert "descrip in 1" in findings["volume-identity"].sentence
    assert "Jane" not in str(findings["volume-identity"].to_dict())


def test_the_headers_of_all_files_of_an_exam_are_read(tmp_path: Path) -> None:
    rows = ["path,label,exam_id"]
    for number in range(6):
        for frame in range(3):
            name = f"e{number}_{frame}.dcm"
            tags = {"PatientName": "Doe^Jane"} if (number, frame) == (2, 2) else {"PatientName": ""}
            values = scan(10 * number + frame)[:, :, 5].astype(np.uint16)
            (tmp_path / name).write_bytes(file_bytes(dataset(values, PatientID="", **tags)))
            rows.append(f"{name},{('ill', 'well')[number % 2]},e{number}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    manifest = read_manifest(Source(data=str(tmp_path / "labels.csv")))
    audit, _ = audit_manifest(manifest, folder=tmp_path / "store")
    told = {finding.code: finding for finding in audit.findings}
    assert told["dicom-identity"].count == 1
    assert "PatientName" in str(told["dicom-identity"].evidence)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 of 12 images are", "3 of 12 exams are"), ("1 image of 12", "1 exam of 12"),
        ("look at images/a.nii.gz or 'images'", "look at images/a.nii.gz or 'images'"),
        ("an image less than 64 pixels", "an image less than 64 pixels"),
    ],
)  # fmt: skip
def test_images_are_called_exams_outside_of_names(text: str, said: str) -> None:
    assert say_exams(text) == said
