"""Studies of volumes as people have them: BIDS with its participants, masks beside images, an age cut in two."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from overread.cases.source import Source
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.study.data import read_manifest
from support.volumes import write

SUBJECTS = 8


def scan(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 900, (9, 8, 7)).astype(np.int16)


def mask(parts: int = 1) -> np.ndarray:
    drawn = np.zeros((9, 8, 7), np.uint8)
    for part in range(1, parts + 1):
        drawn[part * 2 : part * 2 + 2, 2:7, 2:6] = part
    return drawn


def bids(root: Path, *files: str) -> Path:
    """A data set of eight subjects, each with these files, given without the subject."""
    rows = ["participant_id\tage\tsex\tgroup"]
    for number in range(1, SUBJECTS + 1):
        name = f"sub-{number:02d}"
        for at, file in enumerate(files):
            kind, _, end = file.rpartition("/")
            drawn = "mask" in end or "dseg" in end
            write(root / kind.replace("SUB", name) / f"{name}_{end}", mask(2) if drawn else scan(10 * number + at))
            (root / kind.replace("SUB", name) / f"{name}_{end.split('.')[0]}.json").write_text(json.dumps({"x": 1}))
        rows.append(f"{name}\t{20 + 5 * number}\t{'MF'[number % 2]}\t{'patient' if number > 4 else 'control'}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    (root / "dataset_description.json").write_text("{}")
    return root


def test_participants_name_the_volumes_of_their_folders(tmp_path: Path) -> None:
    manifest = read_manifest(Source(data=str(bids(tmp_path, "SUB/anat/T1w.nii.gz")), label_column=("group",)))
    assert len(manifest) == SUBJECTS
    assert [case.patient_id for case in manifest.cases] == [f"sub-{n:02d}" for n in range(1, SUBJECTS + 1)]
    assert all(len(case.instances) == 1 for case in manifest.cases)
    assert {case.label for case in manifest.cases} == {"control", "patient"}


def test_several_kinds_of_volumes_of_a_person_are_asked_about_and_chosen_by_a_pattern(tmp_path: Path) -> None:
    root = bids(tmp_path, "SUB/anat/T1w.nii.gz", "SUB/anat/T2w.nii.gz", "SUB/func/task-rest_bold.nii.gz")
    with pytest.raises(Undecided, match="several kinds of volumes") as asked:
        read_manifest(Source(data=str(root), label_column=("group",)))
    assert asked.value.flag == "--images"
    assert set(asked.value.choices) == {"*_T1w.nii.gz", "*_T2w.nii.gz", "*_bold.nii.gz"}
    source = Source(data=str(root), label_column=("group",)).settled("images", "*_T2w.nii.gz")
    manifest = read_manifest(source)
    assert {case.name.rpartition("_")[2] for case in manifest.cases} == {"T2w.nii.gz"}
    assert len(manifest) == SUBJECTS
    assert source.absolute().images == "*_T2w.nii.gz"
    assert any("16 other images are left out" in note for note in manifest.notes)


def test_sessions_are_exams_of_one_patient(tmp_path: Path) -> None:
    root = bids(tmp_path, "SUB/ses-1/anat/ses-1_T1w.nii.gz", "SUB/ses-2/anat/ses-2_T1w.nii.gz")
    manifest = read_manifest(Source(data=str(root), label_column=("sex",)))
    assert len(manifest) == 2 * SUBJECTS
    assert len({case.patient_id for case in manifest.cases}) == SUBJECTS


def test_masks_and_derivatives_are_left_out_and_said(tmp_path: Path) -> None:
    root = bids(
        tmp_path,
        "SUB/anat/T1w.nii.gz", "SUB/anat/desc-brain_mask.nii.gz", "SUB/anat/dseg.nii.gz",
        "derivatives/fmriprep/SUB/anat/desc-preproc_T1w.nii.gz",
    )  # fmt: skip
    manifest = read_manifest(Source(data=str(root), label_column=("group",)))
    assert {case.name.rpartition("_")[2] for case in manifest.cases} == {"T1w.nii.gz"}
    assert not any("derivatives" in case.name for case in manifest.cases)
    said = ". ".join(manifest.notes)
    assert f"{2 * SUBJECTS} NIfTI masks are left out" in said
    assert f"{SUBJECTS} derivatives are left out" in said


def test_a_pattern_that_nothing_fits_is_refused(tmp_path: Path) -> None:
    root = bids(tmp_path, "SUB/anat/T1w.nii.gz")
    with pytest.raises(InvalidData, match="fits --images"):
        read_manifest(Source(data=str(root), label_column=("group",), images="*_flair.nii.gz"))


def test_masks_of_the_same_names_in_a_folder_beside_are_no_second_images(tmp_path: Path) -> None:
    rows = ["id,volume_mm3"]
    for number in range(6):
        write(tmp_path / "images" / f"case_{number}.nii.gz", scan(number))
        write(tmp_path / "labels" / f"case_{number}.nii.gz", mask(2))
        rows.append(f"case_{number},{100 + number}")
    (tmp_path / "volumes.csv").write_text("\n".join(rows) + "\n")
    manifest = read_manifest(Source(data=str(tmp_path), label_column=("volume_mm3",), cut_at="median"))
    assert [case.name for case in manifest.cases] == [f"images/case_{number}.nii.gz" for number in range(6)]
    assert any("6 NIfTI masks" in note for note in manifest.notes)


def test_images_in_a_folder_that_is_called_labels_are_images(tmp_path: Path) -> None:
    for number in range(3):
        for label in ("ill", "well"):
            write(tmp_path / label / "labels" / f"{label}{number}.nii.gz", scan(number))
    assert len(read_manifest(Source(data=str(tmp_path)))) == 6


@pytest.mark.parametrize(
    ("cut", "classes"), [("median", ("below 45", "from 45 on")), ("50", ("below 50", "from 50 on"))]
)
def test_a_number_is_cut_in_two(cut: str, classes: tuple[str, ...], tmp_path: Path) -> None:
    root = bids(tmp_path, "SUB/anat/T1w.nii.gz")
    manifest = read_manifest(Source(data=str(root), label_column=("age",), cut_at=cut))
    assert manifest.classes == classes
    assert manifest.task.positive == classes[1]
    edge = float(classes[1].split()[1])
    ages = {f"sub-{n:02d}": 20 + 5 * n for n in range(1, SUBJECTS + 1)}
    assert all((ages[case.patient_id or ""] >= edge) == (case.label == classes[1]) for case in manifest.cases)


@pytest.mark.parametrize(
    ("column", "cut", "said"),
    [
        (("age",), "300", "lie on one side"), (("sex",), "median", "no two numbers"), (("age",), "old", "no number"),
        ((), "median", "name it with --label-column"), (("age", "sex"), "median", "name it with --label-column"),
    ],
)  # fmt: skip
def test_a_cut_that_makes_no_two_classes_is_refused(
    column: tuple[str, ...], cut: str, said: str, tmp_path: Path
) -> None:
    root = bids(tmp_path, "SUB/anat/T1w.nii.gz")
    with pytest.raises(InvalidOption, match=said):
        read_manifest(Source(data=str(root), label_column=column, cut_at=cut))


def test_rows_without_a_number_are_left_out_of_a_cut(tmp_path: Path) -> None:
    root = bids(tmp_path, "SUB/anat/T1w.nii.gz")
    table = root / "participants.tsv"
    table.write_text(table.read_text().replace("sub-01\t25", "sub-01\tn/a"))
    manifest = read_manifest(Source(data=str(root), label_column=("age",), cut_at="median"))
    assert len(manifest) == SUBJECTS - 1
