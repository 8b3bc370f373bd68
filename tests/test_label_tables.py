"""Label tables as their users have them, with images made in code for some of their ids."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from overread.cases import Manifest, Source
from overread.cases.tables.table import read_tables
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.study.data import read_manifest
from support.tables import write_files

MOST = 60


def jpg(cell: str) -> str:
    return f"images/{cell}.jpg"


def as_it_is(cell: str) -> str:
    return f"images/{cell}"


def as_path(cell: str) -> str:
    return cell.replace("\\", "/")


@pytest.fixture
def tables(shared_data: Path) -> Path:
    folder = shared_data / "label_tables"
    if not folder.is_dir():
        pytest.skip("no label_tables/ in OVERREAD_DATA")
    return folder


def layout(
    tables: Path, name: str, column: str | None, file_of: Callable[[str], str], folder: Path, most: int = MOST
) -> Path:
    """A folder with the table and an image for some of its ids."""
    shutil.copyfile(tables / name, folder / name)
    (table,) = read_tables(str(folder / name))
    cells = table.without_header()["column 1"] if column is None else table[column]
    different = [*dict.fromkeys(filter(None, cells))]
    write_files(folder, [file_of(cell) for cell in different[:: max(1, len(different) // most)]])
    return folder


@pytest.mark.parametrize(
    ("name", "column", "file_of", "classes", "said"),
    [
        ("HAM10000_metadata.csv", "image_id", jpg, ("bkl",), "patients: column lesion_id"),
        ("ISIC_2019_Training_GroundTruth_head.csv", "image", jpg, ("MEL", "NV"), "columns MEL..UNK, a 1 "),
        ("ISIC_2019_onehot_renamed_0-8_head.csv", "image", jpg, ("0", "1"), "columns 0..8, a 1 for each class"),
        ("ISIC_2019_Training_Metadata_head.csv", "image", jpg, ("0", "1"), "column target (0 "),
        ("RSNA_stage_2_train_labels_semicolon_head.csv", "patientId", jpg, ("0", "1"), "column patientId names"),
        ("MURA_train_labeled_studies_head.csv", None, as_path, ("negative", "positive"),
         "column 1, a row for all images of each"),
        ("EyePACS_retinopathy_solution_head.csv", "image", jpg, ("0", "1", "2"), "not used: Usage"),
        ("NIH_sample_labels.csv", "Image Index", as_it_is, ("Effusion", "Mass"), "column Finding Labels, a list of"),
        ("RFMiD_Training_Labels.csv", "ID", lambda cell: f"images/{cell}.png", ("DR", "CL"),
         "Disease_Risk says that there is any of the findings"),
        ("CBIS-DDSM_mass_case_description_head.csv", "od_img_path", as_path,
         ("BENIGN", "BENIGN_WITHOUT_CALLBACK", "MALIGNANT"), "patients: column patient_id"),
    ],
)  # fmt: skip
def test_the_table_is_understood_without_options(
    tables: Path,
    tmp_path: Path,
    name: str,
    column: str | None,
    file_of: Callable[[str], str],
    classes: tuple[str, ...],
    said: str,
) -> None:
    manifest = Manifest.read(layout(tables, name, column, file_of, tmp_path))
    assert set(classes) <= set(manifest.classes)
    assert any(said in note for note in manifest.notes), manifest.notes
    assert len(manifest) >= MOST


@pytest.mark.parametrize(
    ("name", "column", "file_of", "question", "known"),
    [
        ("ISIC_2020_Training_GroundTruth_head.csv", "image_name", jpg,
         "--label-column diagnosis or --label-column target", {"label_column": "target"}),
        ("ODIR_full_df_as_on_kaggle.csv", "filename", as_it_is,
         "--label-column N..O or --label-column labels", {"label_column": "labels"}),
        ("MURA_valid_labeled_studies.csv", None, as_path, "--labels folders", {"label_column": "column 2"}),
        ("MURA_valid_labeled_studies_with_header.csv", "Img_Path", as_path, "--labels folders",
         {"label_column": "Label"}),
        ("oasis_cross-sectional.csv", "iD", lambda cell: f"images/{cell}.png", "--label-column ",
         {"label_column": "CDR"}),
    ],
)  # fmt: skip
def test_the_table_is_asked_about_where_it_may_be_read_in_several_ways(
    tables: Path,
    tmp_path: Path,
    name: str,
    column: str,
    file_of: Callable[[str], str],
    question: str,
    known: dict[str, str],
) -> None:
    folder = layout(tables, name, column, file_of, tmp_path, 300)
    with pytest.raises(Undecided, match=question):
        Manifest.read(folder)
    assert len(Manifest.read(Source(data=str(folder), **known))) > MOST / 2  # type: ignore[arg-type]


def test_visits_of_one_subject_stay_together(tables: Path, tmp_path: Path) -> None:
    folder = layout(tables, "oasis_longitudinal.csv", "MRI ID", lambda cell: f"images/{cell}.png", tmp_path, 400)
    manifest = Manifest.read(Source(data=str(folder), label_column="Group"))
    assert set(manifest.classes) >= {"Demented", "Nondemented"}
    assert len({case.patient_id for case in manifest.cases}) < len(manifest)


@pytest.mark.parametrize(
    ("name", "column", "file_of", "error", "message"),
    [
        ("ISIC_2019_submission_probabilities_head.csv", "image", jpg, InvalidData, "hold probabilities"),
        ("ISIC_2019_Test_Metadata_head.csv", "image", jpg, InvalidData, "reads as a label"),
        ("NonCOVID-CT-MetaInfo_head.csv", "image name", as_it_is, InvalidData, "reads as a label"),
        ("ISIC_2020_Training_Duplicates.csv", "image_name_1", jpg, InvalidData, "reads as a label"),
    ],
)  # fmt: skip
def test_a_table_without_labels_is_refused(
    tables: Path,
    tmp_path: Path,
    name: str,
    column: str | None,
    file_of: Callable[[str], str],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        Manifest.read(layout(tables, name, column, file_of, tmp_path))


def test_truth_and_metadata_of_one_set_are_read_as_one(tables: Path, tmp_path: Path) -> None:
    names = ["ISIC_2019_Training_GroundTruth_head.csv", "ISIC_2019_Training_Metadata_head.csv"]
    for name in names:
        layout(tables, name, "image", jpg, tmp_path)
    source = Source(data=str(tmp_path), labels=tuple(str(tmp_path / name) for name in names), label_column="MEL..UNK")
    manifest = Manifest.read(source)
    assert manifest.classes == ("MEL", "NV")
    assert "sex" in manifest.columns


def test_the_real_sets_are_understood_or_asked_about(shared_data: Path) -> None:
    head = Manifest.read(shared_data / "head_ct")
    assert (len(head), head.positive) == (200, "1")
    with pytest.raises(Undecided, match="--label-column 'Retinopathy grade' or --label-column 'Risk of macular edema'"):
        Manifest.read(shared_data / "idrid_grades")
    grades = Manifest.read(Source(data=str(shared_data / "idrid_grades"), label_column="Retinopathy grade"))
    assert [len(grades.select(side)) for side in ("train", "test")] == [413, 103]
    with pytest.raises(Undecided, match="several tables name the images"):
        Manifest.read(shared_data / "nih_multilabel")
    nih = str(shared_data / "nih_multilabel")
    effusion = Manifest.read(Source(data=nih, labels=(f"{nih}/Data_Entry_2017.csv",), finding="Effusion"))
    assert (len(effusion.of_class("Effusion")), len({case.patient_id for case in effusion.cases})) == (170, 264)
    odir = str(shared_data / "odir_multilabel")
    patients = read_manifest(Source(data=odir, labels=(f"{odir}/full_df.csv",), finding="Diabetes"))
    assert (len(patients), len(patients.of_class("Diabetes"))) == (428, 132)
    assert {len(case.instances) for case in patients.cases} == {2}
    eyes = Manifest.read(Source(data=odir, labels=(f"{odir}/per_eye_derived.csv",), finding="D"))
    assert (len(eyes), len(eyes.of_class("D")), eyes.has_patients) == (856, 194, True)


def test_a_finding_that_no_row_shows_is_refused_by_name(tables: Path, tmp_path: Path) -> None:
    folder = layout(tables, "NIH_sample_labels.csv", "Image Index", as_it_is, tmp_path)
    with pytest.raises(InvalidOption, match=r"tells no finding 'Effusions': expected one of .*Effusion "):
        Manifest.read(Source(data=str(folder), finding="Effusions"))
