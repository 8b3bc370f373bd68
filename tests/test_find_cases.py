"""Class folders or a table: which of the two is read, and what is done where both lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.cases import Manifest, Source
from overread.errors import InvalidData, Undecided
from support.tables import labels_of, write_files, write_table

FOLDERS = ["ill/1.png", "ill/2.png", "well/3.png", "well/4.png"]


def test_loose_images_are_labelled_by_the_table_beside_them(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png"])
    write_table(tmp_path / "labels.csv", "id,label\n1,a\n2,b\n")
    write_table(tmp_path / "notes.csv", "topic,remark\nx,y\n")
    manifest = Manifest.read(tmp_path)
    assert labels_of(manifest) == {"1.png": "a", "2.png": "b"}
    assert "notes.csv is not used: none of its columns names the images" in manifest.notes


@pytest.mark.parametrize("place", ["data/labels.tsv", "data/tables/labels.tsv", "labels.tsv"])
def test_the_table_may_lie_in_below_or_beside_the_folder(tmp_path: Path, place: str) -> None:
    write_files(tmp_path / "data", ["images/1.png", "images/2.png"])
    write_table(tmp_path / place, "id\tlabel\n1\ta\n2\tb\n")
    assert labels_of(Manifest.read(tmp_path / "data")) == {"images/1.png": "a", "images/2.png": "b"}


def test_a_table_beside_the_folder_counts_where_it_is_called_like_it(tmp_path: Path) -> None:
    write_files(tmp_path / "skin", ["1.png", "2.png"])
    write_table(tmp_path / "eyes.csv", "id,label\n1,a\n2,b\n")
    with pytest.raises(InvalidData):
        Manifest.read(tmp_path / "skin")
    (tmp_path / "eyes.csv").rename(tmp_path / "skin_metadata.csv")
    assert len(Manifest.read(tmp_path / "skin")) == 2


def test_what_a_run_or_the_audit_wrote_is_no_table_of_labels(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    write_table(tmp_path / "run" / "manifest.csv", "path,label\n1.png,x\n2.png,y\n")
    write_table(tmp_path / "run" / "run.json", '{"kind": "training"}')
    write_table(tmp_path / "cleaned.changes.csv", "path,change,reason\nill/1.png,left out,copy\nill/2.png,left out,x\n")
    assert Manifest.read(Source(data=str(tmp_path))).classes == ("well", "ill")


def test_what_was_read_in_images_is_no_table_of_labels(tmp_path: Path) -> None:
    write_files(tmp_path / "images", FOLDERS)
    readings = "path,predicted_label,probability_ill,error\nill/1.png,well,0.1,\nill/2.png,ill,0.9,\n"
    write_table(tmp_path / "readings.csv", readings)
    write_table(tmp_path / "images" / "again.csv", readings)
    assert Manifest.read(tmp_path / "images").columns == []


def test_a_table_that_agrees_with_class_folders_tells_patients_and_columns(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    write_table(tmp_path / "facts.csv", "file,target,patient_id,age\n1,1,p,50\n2,1,p,50\n3,0,q,60\n")
    manifest = Manifest.read(tmp_path)
    assert labels_of(manifest) == {name: name.split("/")[0] for name in FOLDERS}
    assert [case.patient_id for case in manifest.cases] == ["p", "p", "q", None]
    assert manifest.columns == ["age"]
    assert any(
        note.startswith("the label is the class folder, with which column target agrees; facts.csv: column file names")
        for note in manifest.notes
    )


def test_a_table_without_labels_still_tells_the_patients_of_class_folders(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    write_table(tmp_path / "patients.csv", "image,patient,age\n1,p,50\n2,p,51\n3,q,60\n4,r,62.5\n")
    assert [case.patient_id for case in Manifest.read(tmp_path).cases] == ["p", "p", "q", "r"]


def test_a_table_that_disagrees_with_class_folders_is_asked_about(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    table = write_table(tmp_path / "labels.csv", "file,label\n1,a\n2,b\n3,a\n4,b\n")
    with pytest.raises(Undecided, match=r"tell different labels: give --labels \S+labels.csv or --labels folders"):
        Manifest.read(tmp_path)
    assert Manifest.read(Source(data=str(tmp_path), labels=(str(table),))).classes == ("a", "b")
    assert set(Manifest.read(Source(data=str(tmp_path), labels=("folders",))).classes) == {"ill", "well"}


def test_of_several_tables_that_tell_labels_the_user_chooses(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png"])
    for name, label in (("one", "grade"), ("two", "stage")):
        write_table(tmp_path / f"{name}.csv", f"id,{label}\n1,a\n2,b\n")
    with pytest.raises(Undecided, match=r"several tables name the images: one.csv and two.csv: give --labels "):
        Manifest.read(tmp_path)
    source = Source(data=str(tmp_path), label_column="stage")
    assert "column stage (a 1, b 1)" in " ".join(Manifest.read(source).notes)


def test_a_table_of_path_and_label_goes_before_class_folders(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    write_table(tmp_path / "cases.csv", "path,label\nill/1.png,a\nwell/3.png,b\n")
    assert labels_of(Manifest.read(tmp_path)) == {"ill/1.png": "a", "well/3.png": "b"}


def test_paths_of_a_foreign_computer_in_a_table_of_path_and_label_are_found(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    rows = "".join(f"/home/other/data/{name},{name[0]},{name[5]}\n" for name in FOLDERS)
    table = write_table(tmp_path / "cases.csv", f"path,label,patient_id\n{rows}")
    assert labels_of(Manifest.read(table)) == {name: name[0] for name in FOLDERS}


def test_the_sheet_of_a_workbook_that_names_images_is_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    write_files(tmp_path, ["001.png", "002.png"])
    book = openpyxl.Workbook()
    book.active.append(["about", "this"])
    for title in ("First reader", "Second reader")[:1]:
        sheet = book.create_sheet(title)
        for row in (["id", "label"], [1, "a"], [2, "b"]):
            sheet.append(row)
    book.save(tmp_path / "labels.xlsx")
    assert labels_of(Manifest.read(tmp_path)) == {"001.png": "a", "002.png": "b"}
    second = book.copy_worksheet(book["First reader"])
    second.title = "Second reader"
    book.save(tmp_path / "labels.xlsx")
    for source in (tmp_path, tmp_path / "labels.xlsx"):
        with pytest.raises(Undecided, match=r"--labels '\S+labels\.xlsx#First reader'"):
            Manifest.read(source)
    assert len(Manifest.read(Source(data=str(tmp_path), labels=(f"{tmp_path / 'labels.xlsx'}#Second reader",)))) == 2


def test_what_a_competition_hands_out_is_read_by_the_one_table_of_labels(tmp_path: Path) -> None:
    write_files(tmp_path, [f"train_images/a{n}.png" for n in range(4)] + [f"test_images/b{n}.png" for n in range(4)])
    write_table(tmp_path / "train.csv", "id_code,diagnosis\na0,0\na1,1\na2,0\na3,1\n")
    write_table(tmp_path / "test.csv", "id_code\nb0\nb1\nb2\nb3\n")
    write_table(tmp_path / "sample_submission.csv", "id_code,diagnosis\nb0,0\nb1,0\nb2,0\nb3,0\n")
    manifest = Manifest.read(tmp_path)
    assert {case.name: case.label for case in manifest.cases} == {
        f"train_images/a{n}.png": str(n % 2) for n in range(4)
    }
    assert "test.csv is not used: it tells no labels" in manifest.notes
    assert {case.split for case in manifest.cases} == {None}


def test_a_side_in_the_table_that_the_folders_contradict_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, ["train/ill/1.png", "train/well/2.png", "test/ill/3.png", "test/well/4.png"])
    write_table(tmp_path / "facts.csv", "file,label,split\n1,ill,train\n2,well,test\n3,ill,test\n4,well,test\n")
    manifest = Manifest.read(tmp_path)
    assert [case.split for case in manifest.cases] == ["test", "test", "train", "train"]
    assert "1 image on another side in the table than in the folders: the folders count" in manifest.notes


def test_words_of_a_table_that_agrees_name_the_classes(tmp_path: Path) -> None:
    write_files(tmp_path, FOLDERS)
    write_table(tmp_path / "facts.csv", "file,diagnosis\nill/1.png,drusen\nwell/3.png,normal\n")
    manifest = Manifest.read(tmp_path)
    assert manifest.classes == ("normal", "drusen")
    assert len(manifest) == 4
    assert any("the class folders agree (ill is drusen, well is normal)" in note for note in manifest.notes)


@pytest.mark.parametrize("name", ["labels.csv", "{}_labels.csv"])
def test_each_side_may_have_its_table(tmp_path: Path, name: str) -> None:
    for side in ("train", "test"):
        write_files(tmp_path / side, ["1.png", "2.png"])
        write_table(
            tmp_path / side / name.format(side), f"id,label\n1,{'ab'[side == 'test']}\n2,{'ba'[side == 'test']}\n"
        )
    manifest = Manifest.read(tmp_path)
    assert {(case.name, case.label, case.split) for case in manifest.cases} == {
        ("train/1.png", "a", "train"),
        ("train/2.png", "b", "train"),
        ("test/1.png", "b", "test"),
        ("test/2.png", "a", "test"),
    }


def test_parts_of_a_set_may_each_have_their_table(tmp_path: Path) -> None:
    for place in ("north", "south"):
        write_files(tmp_path / place, ["1.png", "2.png"])
        write_table(tmp_path / place / "labels.csv", "id,label\n1,a\n2,b\n")
    source = Source(data=str(tmp_path), label_column="label")
    assert sorted(case.name for case in Manifest.read(source).cases) == [
        "north/1.png", "north/2.png", "south/1.png", "south/2.png",
    ]  # fmt: skip


def test_a_table_that_cannot_be_read_is_named_where_nothing_else_tells_the_labels(tmp_path: Path) -> None:
    write_files(tmp_path, ["images/1.png", "images/2.png"])
    write_table(tmp_path / "labels.csv", "id,label\n1,a\n2,b,c\n")
    with pytest.raises(InvalidData, match=r"labels.csv is not used: row 3 of labels.csv has 3 cells; expected 2"):
        Manifest.read(tmp_path)


def test_the_tables_of_sides_are_known_beside_others(tmp_path: Path) -> None:
    write_files(tmp_path, ["train/1.png", "train/2.png", "test/1.png", "test/2.png"])
    write_table(tmp_path / "train.csv", "id,label\n1,a\n2,b\n")
    write_table(tmp_path / "test.csv", "id,label\n1,b\n2,a\n")
    write_table(tmp_path / "readers.csv", "reader,years\nx,5\ny,12\n")
    manifest = Manifest.read(tmp_path)
    assert sorted((case.name, case.label, case.split) for case in manifest.cases) == [
        ("test/1.png", "b", "test"),
        ("test/2.png", "a", "test"),
        ("train/1.png", "a", "train"),
        ("train/2.png", "b", "train"),
    ]
    assert "readers.csv is not used: none of its columns names the images" in manifest.notes


def test_of_several_tables_those_with_the_column_that_is_named_count(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png"])
    write_table(tmp_path / "a.csv", "id,label\n1,a\n2,b\n")
    write_table(tmp_path / "b.csv", "picture,grade\n1,x\n2,y\n")
    assert Manifest.read(Source(data=str(tmp_path), image_column="picture")).classes == ("x", "y")
