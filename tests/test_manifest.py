"""What counts as a case, a class, a patient and a side."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.cases import Manifest, pseudonym
from overread.cases.rows import cite, differ_in
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption, MissingPath
from support.image_files import write_images


def write_table(folder: Path, text: str) -> Path:
    table = folder / "cases.csv"
    table.write_text(text, encoding="utf-8")
    return table


def test_class_folders_become_labels_and_their_sub_folders_are_searched(tmp_path: Path) -> None:
    write_images(tmp_path / "data", {"Normal": 3, "Papilloma": 2})
    (tmp_path / "data" / "Normal" / "deeper").mkdir()
    (tmp_path / "data" / "Normal" / "N000_0.png").rename(tmp_path / "data" / "Normal" / "deeper" / "a.PNG")
    manifest = Manifest.from_folder(tmp_path / "data")
    assert manifest.classes == ("Normal", "Papilloma")
    assert manifest.y_true.tolist() == [0, 0, 0, 1, 1]
    assert "Normal/deeper/a.PNG" in [case.name for case in manifest.cases]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "VALIDATION", "Testing"), ("train", "valid", "test")]
)
def test_split_folders_are_recognised_by_their_aliases_in_any_case(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        write_images(tmp_path / name, {"a": 1, "b": 1})
    manifest = Manifest.from_folder(tmp_path)
    assert sorted({case.split for case in manifest.cases}) == ["test", "train", "val"]
    assert manifest.classes == ("a", "b")


def test_a_single_wrapping_folder_is_entered(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "unpacked" / "all", {"a": 1, "b": 1})
    assert Manifest.from_folder(tmp_path / "data").classes == ("a", "b")


def test_files_that_are_no_images_and_loose_images_are_counted_not_dropped_silently(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 1, "b": 1})
    (folder / "a" / "readme.txt").write_text("x")
    (folder / "a" / ".hidden.png").write_text("x")
    (folder / "loose.png").write_bytes((folder / "a" / "a000_0.png").read_bytes())
    manifest = Manifest.from_folder(folder)
    assert len(manifest) == 2
    assert any("1 .txt" in note for note in manifest.notes)
    assert any("1 image lies in no class folder" in note for note in manifest.notes)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["Normal", "Papilloma"], "Papilloma"),
        (["Disease", "No disease"], "Disease"),
        (["benign", "malignant"], "malignant"),
        (["abnormal", "normal"], "abnormal"),
        (["cat", "dog"], "dog"),
        (["no_pathology", "pathology"], "pathology"),
    ],
)
def test_the_positive_class_follows_the_documented_rule_and_is_told(
    tmp_path: Path, classes: list[str], expected: str
) -> None:
    manifest = Manifest.from_folder(write_images(tmp_path / "data", dict.fromkeys(classes, 1)))
    assert manifest.positive == manifest.classes[1] == expected
    assert any(f"the positive class is {expected}" in note for note in manifest.notes)


def test_the_user_names_the_positive_class(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"Normal": 1, "Papilloma": 1})
    assert Manifest.from_folder(folder, positive="Normal").classes == ("Papilloma", "Normal")
    with pytest.raises(InvalidOption, match="not among Normal, Papilloma"):
        Manifest.from_folder(folder, positive="Polyp")


def test_a_csv_carries_patients_sides_and_further_columns(tmp_path: Path) -> None:
    table = write_table(
        tmp_path, "\ufeffPath;Label;patient_id;split;scanner\na/1.png;ill;p1;Training;X\nb\\2.png;well;;test;Y\n\n"
    )
    manifest = Manifest.read(table)
    first, second = manifest.cases
    assert (first.patient_id, first.split, first.extra) == ("p1", "train", {"scanner": "X"})
    assert (second.name, second.patient_id, second.split) == ("b/2.png", None, "test")
    assert not manifest.has_patients


def test_a_csv_may_name_images_anywhere(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 1, "b": 1})
    (tmp_path / "tables").mkdir()
    elsewhere = (folder / "b" / "b000_0.png").resolve()
    table = write_table(tmp_path / "tables", f"path,label\n../data/a/./a000_0.png,x\n{elsewhere},y\n")
    first, second = Manifest.from_csv(table).cases
    assert first.path.exists() and second.path == elsewhere
    assert first.name == "../data/a/a000_0.png"


def test_a_folder_with_one_manifest_is_read_by_it(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 2, "b": 2})
    (folder / "notes.csv").write_text("image,remark\n")
    (folder / "cases.csv").write_text("path,label,patient_id\na/a000_0.png,x,1\nb/b000_0.png,y,2\n")
    manifest = Manifest.read(folder)
    assert manifest.classes == ("x", "y")
    assert manifest.has_patients


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\n1.png,a\n", "expected at least path,label"),
        ("", "has the columns none"),
        ("path,label\n1.png,\n2.png,b\n", "row 2 .* empty label"),
        ("path,label\n,a\n2.png,b\n", "row 2 .* empty path"),
        ("path,label,split\n1.png,a,train\n2.png,b,tset\n", "row 3 .* unknown split 'tset'"),
        ("path,label\n1.png,a,b,c\n", "row 2 .* 4 cells; expected 2"),
        ("path,label\n1.png,a\n2.png,a\n", "one class only"),
        ("path,label\n", "hold no image"),
    ],
)
def test_a_row_that_cannot_be_used_is_cited(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        Manifest.from_csv(write_table(tmp_path, text))


def test_rows_about_one_image_are_one_case_that_knows_what_they_differ_in(tmp_path: Path) -> None:
    lines = ["1.png,a,p1,train", "./1.png,b,p1,train", "2.png,b,p2,test", "2.png,b,p3,test", "3.png,a,,", "3.png,a,,"]
    manifest = Manifest.from_csv(write_table(tmp_path, "\n".join(["path,label,patient_id,split", *lines, "4.png,b,,"])))
    first, second, third, fourth = manifest.cases
    assert (first.label, second.patient_id, fourth.rows) == ("a", "p2", {})
    assert [differ_in(case.rows) for case in (first, second, third)] == [("label",), ("patient",), ()]
    assert cite(first.rows) == "rows 2 and 3"
    with pytest.raises(InvalidData, match=r"the rows of 2 images differ .* first rows 2 and 3 in the label"):
        manifest.require_agreement()
    manifest.replace([third, fourth]).require_agreement()


def test_a_label_that_the_bundle_does_not_know_is_cited(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,label\n1.png,a\n2.png,c\n")
    with pytest.raises(InvalidData, match=r"row 3 .* unknown label 'c'; expected one of a, b"):
        Manifest.from_csv(table, task=Task.of(("a", "b")))


def test_a_task_is_known_again_by_its_values() -> None:
    for classes in (("a", "b"), ("a", "b", "c")):
        values = Task.of(classes).to_dict()
        assert values == {"classes": list(classes), "positive": "b" if len(classes) == 2 else None}
        assert Task.from_dict({**values, "threshold": 0.5}) == Task.of(classes)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_bytes(b"path,label\n" + bytes(range(1, 32)) * 4)
    with pytest.raises(InvalidData, match=r"is no text.* save it as 'CSV UTF-8'"):
        Manifest.from_csv(tmp_path / "cases.csv")


def test_missing_and_unusable_folders_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MissingPath, match="is not there"):
        Manifest.read(tmp_path / "nowhere")
    with pytest.raises(InvalidData, match="no class sub-folders"):
        Manifest.read(tmp_path)
    write_images(tmp_path / "one", {"a": 2})
    with pytest.raises(InvalidData, match="one class only"):
        Manifest.read(tmp_path / "one")
    write_images(tmp_path / "mixed", {"train": 1})
    write_images(tmp_path / "mixed" / "other", {"a": 1})
    with pytest.raises(InvalidData, match="split folders and also other"):
        Manifest.read(tmp_path / "mixed")
    (tmp_path / "one" / "b").mkdir()
    with pytest.raises(InvalidData, match=r"class folder b .* holds no image"):
        Manifest.read(tmp_path / "one")


def test_a_pattern_joins_its_groups_into_the_patient(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_images(folder, {"a": 1, "b": 1})
    (folder / "a" / "a000_0.png").rename(folder / "a" / "person12_bacteria_3.png")
    (folder / "b" / "b000_0.png").rename(folder / "b" / "IM-0001-0002.png")
    manifest = Manifest.from_folder(folder).with_patient_pattern(r"person(\d+)_(bacteria|virus)|(IM-\d+)")
    assert [case.patient_id for case in manifest.cases] == ["12-bacteria", "IM-0001"]


def test_a_pattern_that_misses_a_name_or_is_broken_is_refused(two_classes: Path) -> None:
    manifest = Manifest.from_folder(two_classes)
    with pytest.raises(InvalidData, match="no part of 40 of 64 file names"):
        manifest.with_patient_pattern(r"D\d+")
    with pytest.raises(InvalidOption, match="no regular expression"):
        manifest.with_patient_pattern("(")


def test_the_sides_of_the_data_can_be_pooled(tmp_path: Path) -> None:
    write_images(tmp_path / "train", {"a": 2, "b": 2})
    write_images(tmp_path / "test", {"a": 1, "b": 1})
    pooled = Manifest.read(tmp_path).without_sides()
    assert {case.split for case in pooled.cases} == {None}
    assert pooled.notes[-1] == "the sides that the data name for 6 images are ignored"
    assert pooled.without_sides() is pooled


def test_a_written_manifest_holds_pseudonyms_and_no_patient_id(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,label,patient_id,split\n1.png,a,Jane Doe,train\n2.png,b,Jane Doe,test\n")
    Manifest.from_csv(table).write_csv(tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text()
    assert "Jane" not in text
    assert text.count(pseudonym("Jane Doe")) == 2
    again = Manifest.from_csv(tmp_path / "out.csv")
    assert [case.split for case in again.cases] == ["train", "test"]
