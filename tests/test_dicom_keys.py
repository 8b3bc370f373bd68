"""Exams by the series and studies of DICOM headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.cases import Source
from overread.errors import InvalidData
from overread.study.data import read_manifest
from support.dicom_series import one_slice, write_shuffled
from support.image_files import write_images


def write_study(root: Path) -> None:
    """Two classes of two patients with two series each, all files of a patient in one folder."""
    for patient in range(4):
        slices = [
            one_slice(
                100 * patient + 10 * series + n, (0, 0, n), PatientID=f"p{patient}", InstanceNumber=n,
                SeriesInstanceUID=f"1.2.{patient}.{series}", StudyInstanceUID=f"1.2.{patient}",
            )
            for series in range(2)
            for n in range(3)
        ]  # fmt: skip
        write_shuffled(root / ("ill" if patient % 2 else "well") / f"case{patient}", slices)


def test_files_of_one_series_are_one_exam(tmp_path: Path) -> None:
    write_study(tmp_path)
    manifest = read_manifest(Source(data=str(tmp_path), exams="series"))
    assert len(manifest) == 8
    assert {len(case.instances) for case in manifest.cases} == {3}
    assert all("/case" in case.name and "1.2." not in case.name for case in manifest.cases)


def test_a_study_is_named_by_the_folder_that_is_its_own(tmp_path: Path) -> None:
    write_study(tmp_path)
    manifest = read_manifest(Source(data=str(tmp_path), exams="study"))
    assert sorted(case.name for case in manifest.cases) == ["ill/case1", "ill/case3", "well/case0", "well/case2"]
    assert {len(case.instances) for case in manifest.cases} == {6}


def test_without_a_word_slices_stay_images_and_a_note_says_what_they_are(tmp_path: Path) -> None:
    write_study(tmp_path)
    manifest = read_manifest(Source(data=str(tmp_path)))
    assert len(manifest) == 24
    assert any(note.startswith("24 DICOM files belong to 8 series") for note in manifest.notes)


def test_what_is_no_dicom_has_no_series(tmp_path: Path) -> None:
    write_images(tmp_path, {"a": 2, "b": 2})
    with pytest.raises(InvalidData, match="exams are by series, which DICOM headers tell, and of 4 of 4 images none"):
        read_manifest(Source(data=str(tmp_path), exams="series"))
