"""What a table is understood to say: labels, findings, patients, sides, and what is asked instead of guessed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.cases import Manifest, Source
from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task
from overread.errors import InvalidData, InvalidOption, OverreadError, Undecided
from overread.machine.question import Question, answered_by
from support.tables import labels_of, read, write_files, write_table


def table_of(folder: Path, header: str, *rows: str, name: str = "labels.csv") -> Path:
    """A table whose rows begin with the number of an image, which lies beside it."""
    write_files(folder, [f"{n}.png" for n in range(len(rows))])
    return write_table(folder / name, "\n".join([f"id,{header}", *(f"{n},{row}" for n, row in enumerate(rows))]))


def labels(manifest: Manifest) -> list[str]:
    return [case.label for case in manifest.cases]


def test_what_was_understood_is_said_in_three_lines(tmp_path: Path) -> None:
    table = table_of(tmp_path, "dx,lesion_id,age", "nv,p1,60", "mel,p2,61", "nv,p1,62", "mel,p3,63.5")
    manifest = read(table)
    assert manifest.notes[1:] == (
        "labels.csv: column id names the image (0 is 0.png); 4 of 4 rows have a file",
        "the label is column dx (mel 2, nv 2)",
        "patients: column lesion_id (3); sides: none named; not used: age",
    )
    assert manifest.cases[0].extra == {"age": "60"}


@pytest.mark.parametrize(
    ("header", "rows", "column"),
    [
        (
            "dx,dx_type,sex,localization",
            ["nv,histo,m,back", "mel,histo,f,face", "nv,cons,f,back", "mel,cons,m,face"],
            1,
        ),
        ("age,hemorrhage", ["50,1", "60,0", "70,1", "80,0"], 2),
        ("width,height,Target", ["5,7,1", "5,7,0", "6,6,1", "7,7,0"], 3),
        ("View Position,Finding Labels", ["AP,x", "PA,y", "AP,y", "PA,x"], 2),
        ("score,Label", ["0.12,a", "0.5,b", "0.77,a", "0.9,b"], 2),
        ("target,benign_malignant", ["0,benign", "1,malignant", "0,benign", "1,malignant"], 1),
        ("labels,target", ["['N'],\"[1, 0]\"", "['D'],\"[0, 1]\"", "['N'],\"[1, 0]\"", "['D'],\"[0, 1]\""], 1),
    ],
)
def test_the_label_is_found_by_names_and_cells(tmp_path: Path, header: str, rows: list[str], column: int) -> None:
    manifest = read(table_of(tmp_path, header, *rows))
    said = next(note for note in manifest.notes if note.startswith("the label is"))
    assert f"column {header.split(',')[column - 1]} (" in said
    assert sorted(Counter(labels(manifest)).values()) == [2, 2]


def test_of_two_columns_that_may_be_the_label_the_user_chooses(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Retinopathy grade,Risk of edema ", "0,0", "1,0", "2,1", "0,1", "1,1", "2,0")
    with pytest.raises(Undecided, match="give --label-column 'Retinopathy grade' or --label-column 'Risk of edema'"):
        read(table)
    assert read(table, label_column="retinopathy GRADE").classes == ("0", "1", "2")


def test_a_column_that_says_the_same_as_the_label_is_not_carried_along(tmp_path: Path) -> None:
    table = table_of(tmp_path, "target,kind,age_group", "0,b,x", "1,m,x", "0,b,y", "1,m,y")
    assert read(table, label_column="target").columns == ["age_group"]


def test_one_hot_columns_are_classes(tmp_path: Path) -> None:
    table = table_of(tmp_path, "MEL,NV,BCC,UNK", "1,0,0,0", "0,1.0,0,0", "0,0,1,0", "0,1,0,0")
    manifest = read(table)
    assert labels(manifest) == ["MEL", "NV", "BCC", "NV"]
    assert manifest.classes == ("BCC", "MEL", "NV")
    assert manifest.columns == []
    assert "the label is columns MEL..UNK, a 1 for each class (BCC 1, MEL 1, NV 2)" in manifest.notes


def test_probabilities_are_no_labels(tmp_path: Path) -> None:
    table = table_of(tmp_path, "MEL,NV", "0.25,0.75", "0.9,0.1", "0.5,0.5")
    with pytest.raises(InvalidData, match=r"columns MEL and NV of labels.csv hold probabilities, which are no labels"):
        read(table)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Finding Labels", ["Mass|Edema", "No Finding", "Edema", "Mass", "No Finding"]),
        ("finding", ['"Mass, Edema"', "No Finding", "Edema", "Mass", "No Finding"]),
        ("labels", ["\"['Mass', 'Edema']\"", "['No Finding']", "['Edema']", "['Mass']", "['No Finding']"]),
        ("Mass,Edema,Hernia", ["1,1,0", "0,0,0", "0,1,0", "1,0,0", "0,0,0"]),
    ],
)
def test_several_findings_of_an_image_are_told_each_by_itself_or_one_apart(
    tmp_path: Path, header: str, rows: list[str]
) -> None:
    table = table_of(tmp_path, header, *rows)
    every = read(table)
    assert labels(every) == ["Edema|Mass", "No Finding", "Edema", "Mass", "No Finding"]
    assert isinstance(every.task, SeveralFindings) and {"Edema", "Mass"} <= set(every.classes)
    assert any(("Edema 2" in note and "Mass 2" in note and "none 2" in note) for note in every.notes)
    manifest = read(table, finding="mass")
    assert labels(manifest) == ["Mass", "no Mass", "no Mass", "Mass", "no Mass"]
    assert manifest.positive == "Mass"
    with pytest.raises(InvalidOption, match=r"no finding 'Masses': expected one of"):
        read(table, finding="Masses")


def test_a_comma_in_the_names_of_classes_makes_no_list_of_findings(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", '"pneumonia, viral"', '"pneumonia, bacterial"', "normal", '"pneumonia, viral"')
    assert read(table).classes == ("normal", "pneumonia, bacterial", "pneumonia, viral")


def test_a_column_of_0_and_1_is_a_finding_by_its_name(tmp_path: Path) -> None:
    table = table_of(tmp_path, "hemorrhage", "1", "0", "1", "")
    manifest = read(table, finding="Hemorrhage")
    assert labels(manifest) == ["hemorrhage", "no hemorrhage", "hemorrhage"]


def test_what_is_not_sure_is_left_out_until_it_is_mapped(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Edema,Mass,Hernia", "1.0,0.0,0.0", "-1.0,,1.0", "0.0,1.0,", ",1.0,0.0")
    manifest = read(table, finding="Edema")
    assert labels(manifest) == ["Edema", "no Edema"]
    assert any("2 rows of labels.csv have no label and are left out (--map '=NAME'" in note for note in manifest.notes)
    mapped = read(table, finding="Edema", mapping={"-1.0": "1", "": "0"})
    assert labels(mapped) == ["Edema", "Edema", "no Edema", "no Edema"]


def test_a_table_with_a_row_for_every_finding_is_refused_and_a_finding_is_shown_where_any_says_so(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, ["a.png", "b.png"])
    boxes = write_table(tmp_path / "boxes.csv", "patientId;x;Target\na;1.5;1\na;9.25;1\nb;;0\n")
    assert labels_of(read(boxes)) == {"a.png": "1", "b.png": "0"}
    assert [case.patient_id for case in read(boxes).cases] == ["a", "b"]
    table = write_table(tmp_path / "labels.csv", "id,label\na,x\na,y\nb,y\n")
    with pytest.raises(InvalidData, match=r"rows 2 and 3 of labels.csv .* two labels, x and y, .*--finding x"):
        read(table)
    counted = read(table, finding="x")
    assert labels_of(counted) == {"a.png": "x", "b.png": "no x"}
    counted.require_agreement()


def test_few_images_whose_rows_differ_are_left_to_the_audit(tmp_path: Path) -> None:
    names = [f"{letter}.png" for letter in "abcdefghijkl"]
    write_files(tmp_path, names)
    rows = "".join(f"{name[0]},{'xy'[i % 2]}\n" for i, name in enumerate(names))
    first, second, *_ = read(write_table(tmp_path / "labels.csv", f"id,label\n{rows}a,y\n")).cases
    assert (first.label, first.rows["label"], first.rows["row"], second.rows) == ("x", ("x", "y"), ("2", "14"), {})


@pytest.mark.parametrize(
    "name",
    ["patient_id", "Patient ID", "PatientID", "patient", "Subject ID", "participant_id", "pid", "MRN", "case", "caseID",
     "lesion_id", "Pat. No."],
)  # fmt: skip
def test_the_patient_is_found_by_the_name_of_its_column(tmp_path: Path, name: str) -> None:
    manifest = read(table_of(tmp_path, f"label,{name},Patient Age", "a,007,1", "b,8,2", "a,007,3", "b,9,4"))
    assert [case.patient_id for case in manifest.cases] == ["007", "8", "007", "9"]


def test_a_patient_outranks_a_lesion_and_what_is_not_used_is_named(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label,lesion_id,patient_id", "a,l1,p1", "b,l2,p1", "a,l3,p2", "b,l4,p2")
    manifest = read(table)
    assert [case.patient_id for case in manifest.cases] == ["p1", "p1", "p2", "p2"]
    assert "nor lesion_id, which may tell the patient too" in manifest.notes[-1]
    assert manifest.columns == []
    assert [case.patient_id for case in read(table, patient_column="lesion_id").cases] == ["l1", "l2", "l3", "l4"]


def test_a_column_that_looks_like_the_patient_is_named_and_not_written_on(tmp_path: Path) -> None:
    manifest = read(table_of(tmp_path, "label,study_number", "a,s1", "b,s1", "a,s2", "b,s2"))
    assert "study_number may tell the patient: --patient-column study_number" in manifest.notes[-1]
    assert manifest.columns == []


def test_sides_are_found_by_what_their_column_says(tmp_path: Path) -> None:
    manifest = read(table_of(tmp_path, "label,set", "a,Training", "b,train", "a,TEST", "b,"))
    assert [case.split for case in manifest.cases] == ["train", "train", "test", None]
    table = table_of(
        tmp_path, "label,one,two,x", "a,train,test,p", "b,test,train,q", "a,train,train,p", "b,test,test,q"
    )
    with pytest.raises(Undecided, match=r"--ignore-sides .* give --split-column one or --split-column two"):
        read(table)
    assert [case.split for case in read(table, split_column="two").cases] == ["test", "train", "train", "test"]
    with pytest.raises(InvalidData, match=r"row 2 of labels.csv has the unknown split 'a'"):
        read(table, split_column="label")


def test_labels_that_differ_by_case_or_stand_for_none_are_asked_about(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", "NORMAL", "Normal", "NORMAL", "ill", "nan")
    with pytest.raises(Undecided, match=r"'Normal' beside 'NORMAL', 'nan', .* give --map Normal=NORMAL,nan= or --map"):
        read(table)
    manifest = read(table, mapping={"normal": "NORMAL", "nan": ""})
    assert labels(manifest) == ["NORMAL", "NORMAL", "NORMAL", "ill"]
    assert any("1 row of labels.csv has no label" in note for note in manifest.notes)
    kept = read(table, mapping={"Normal": "Normal", "nan": "nan"})
    assert kept.classes == ("NORMAL", "Normal", "ill", "nan")


def test_classes_are_merged_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", "BENIGN", "BENIGN_WITHOUT_CALLBACK", "MALIGNANT", "MALIGNANT")
    assert read(table, mapping={"BENIGN_WITHOUT_CALLBACK": "BENIGN"}).classes == ("BENIGN", "MALIGNANT")
    with pytest.raises(InvalidOption, match="--map names 'BENINE', which no image has: expected labels among BENIGN"):
        read(table, mapping={"BENINE": "BENIGN"})
    with pytest.raises(InvalidOption, match="labels among BENIGN, BENIGN_WITHOUT_CALLBACK, MALIGNANT"):
        read(table, mapping={"BENINE": "", "BENIGN_WITHOUT_CALLBACK": "BENIGN"})


def test_a_label_column_without_a_label_is_refused(tmp_path: Path) -> None:
    table = table_of(tmp_path, "dx,grade", "nv,", "mel,", "nv,")
    with pytest.raises(InvalidData, match=r"no image has a label: .* the label is column grade .* --label-column"):
        read(table, label_column="grade")


def test_class_folders_are_merged_as_tables_are(tmp_path: Path) -> None:
    write_files(tmp_path, ["Normal/1.png", "normal/2.png", "bacteria/3.png", "virus/4.png", "nan/5.png"])
    with pytest.raises(Undecided, match="give --map normal=Normal,nan= or"):
        Manifest.read(tmp_path)
    mapping = {"normal": "Normal", "nan": "", "bacteria": "pneumonia", "virus": "pneumonia"}
    manifest = Manifest.read(Source(data=str(tmp_path), mapping=mapping))
    assert Counter(labels(manifest)) == {"Normal": 2, "pneumonia": 2}
    assert "left out by --map: 1 image" in manifest.notes


def test_a_bundle_takes_labels_that_differ_by_case_alone_and_its_own_finding(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", "Normal", "pneumonia ", "NORMAL")
    manifest = Manifest.read(table, Task.of(("NORMAL", "PNEUMONIA")))
    assert labels(manifest) == ["NORMAL", "PNEUMONIA", "NORMAL"]
    assert "the label Normal is taken as NORMAL" in manifest.notes
    with pytest.raises(InvalidData, match=r"hold Normal, pneumonia and NORMAL, .* --map Normal=,pneumonia=,NORMAL="):
        Manifest.read(table, Task.of(("healthy", "ill")))
    mapping = {"normal": "healthy", "pneumonia": "ill"}
    assert len(Manifest.read(Source(data=str(table), mapping=mapping), Task.of(("healthy", "ill")))) == 3
    several = table_of(tmp_path, "labels", "Mass|Edema", "Mass", "none", name="several.csv")
    assert labels(Manifest.read(several, Task.of(("no Edema", "Edema")))) == ["Edema", "no Edema", "no Edema"]
    with pytest.raises(InvalidOption, match="the positive class of what was trained is ill"):
        Manifest.read(Source(data=str(table), mapping=mapping, positive="healthy"), Task.of(("healthy", "ill")))


def test_two_tables_are_the_sides_that_their_names_say(tmp_path: Path) -> None:
    write_files(tmp_path, ["train/S_1.png", "train/S_2.png", "train/S_3.png", "test/S_1.png", "test/S_2.png"])
    write_table(tmp_path / "a. Training Labels.csv", "Image,Grade ,,\nS_1,0,,\nS_2,1,,\nS_3,1,,\n")
    write_table(tmp_path / "b. Testing Labels.csv", "Image,Grade \nS_1,1\nS_2,0\n")
    manifest = Manifest.read(tmp_path)
    assert {(case.name, case.label, case.split) for case in manifest.cases} == {
        ("train/S_1.png", "0", "train"),
        ("train/S_2.png", "1", "train"),
        ("train/S_3.png", "1", "train"),
        ("test/S_1.png", "1", "test"),
        ("test/S_2.png", "0", "test"),
    }


def test_two_tables_of_the_same_images_are_read_as_one(tmp_path: Path) -> None:
    truth = table_of(tmp_path, "MEL,NV,BCC", "1,0,0", "0,1,0", "0,0,1", "0,1,0", name="GroundTruth.csv")
    facts = write_table(tmp_path / "Metadata.csv", "image,lesion_id,sex\n0,l1,m\n1,l1,f\n3,l2,m\n")
    for manifest in (read(truth, truth, facts), Manifest.read(tmp_path)):
        assert labels(manifest) == ["MEL", "NV", "BCC", "NV"]
        assert [case.patient_id for case in manifest.cases] == ["l1", "l1", None, "l2"]
        assert [case.extra["sex"] for case in manifest.cases] == ["m", "f", "", "m"]


def test_two_tables_of_different_images_are_parts_of_one(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png", "3.png", "4.png"])
    one = write_table(tmp_path / "part1.csv", "id,label\n1,a\n2,b\n")
    other = write_table(tmp_path / "part2.csv", "id,label\n3,b\n4,a\n")
    assert labels(read(tmp_path, one, other)) == ["a", "b", "b", "a"]


def test_a_question_is_asked_where_somebody_can_answer_and_the_answer_is_kept(tmp_path: Path) -> None:
    table = table_of(tmp_path, "one,two", "a,p", "b,p", "a,q", "b,q")
    asked: list[Question] = []

    def answer(question: Question) -> str:
        asked.append(question)
        return question.choices[0]

    with answered_by(answer):
        manifest = read(table)
    assert [(question.flag, question.choices) for question in asked] == [
        ("--label-column", ("one", "two")),
        ("--positive", ("a", "b")),
    ]
    assert manifest.positive == "a"
    assert manifest.source is not None
    assert (manifest.source.label_column, manifest.source.positive) == (("one",), "a")
    with answered_by(lambda question: None), pytest.raises(Undecided):
        read(table)


def test_the_first_line_says_which_class_is_positive_and_how_to_turn_it(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", "dog", "cat", "dog", "cat")
    assert read(table).notes[0] == (
        "the positive class is dog (it sorts last, since no name tells); --positive cat turns it"
    )


def test_columns_that_leave_cells_open_are_findings_and_no_classes(tmp_path: Path) -> None:
    table = table_of(tmp_path, "No Finding,Edema,Mass", "1.0,,", ",1.0,", "1.0,,", ",1.0,0.0")
    assert labels(read(table)) == ["No Finding", "Edema|?Mass", "No Finding", "Edema"]


def test_a_label_of_one_class_and_two_labels_of_one_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"column label of labels.csv holds the label a only: expected two classes"):
        read(table_of(tmp_path, "label,age", "a,1", "a,2", "a,3"))
    with pytest.raises(Undecided, match=r"--label-column label or --label-column 'label \(2\)'"):
        read(table_of(tmp_path, "label,label", "a,x", "a,y", "b,x", "b,y", name="twice.csv"))


PARTS = st.sampled_from(
    ["1", "2.png", "x/3", "0", "2", "a", "b", "", "a|b", "nan", "-1", "train", "test", "1.0", "['a']", "..", "%", "p1",
     "A", "http://["]
)  # fmt: skip
NAMES = st.sampled_from(["id", "label", "patient", "split", "a", "b", "", "x..y", "%", "column 2", "file", "age"])
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "image_column": NAMES,
        "label_column": st.one_of(NAMES, st.just("b..a"), st.just("id..label"), st.lists(NAMES, max_size=3).map(tuple)),
        "ordered": st.one_of(st.none(), st.booleans()),
        "grades": st.sampled_from(["0,1,2", "a,b", "1.0,0", ""]),
        "cut": st.lists(PARTS, max_size=2).map(tuple),
        "uncertain": st.sampled_from(["ignore", "present", "absent"]),
        "blank": st.sampled_from(["ignore", "absent"]),
        "patient_column": NAMES,
        "split_column": NAMES,
        "finding": PARTS,
        "mapping": st.dictionaries(PARTS, PARTS, max_size=2),
        "positive": PARTS,
    },
)

TASKS = [
    SeveralFindings(("a", "b")),
    OrderedGrades(tuple("012")),
    SeveralTasks.together({"a": OrderedGrades(tuple("012")), "b": SeveralFindings(("a", "b"))}),
]


@given(
    header=st.lists(NAMES, min_size=1, max_size=5),
    rows=st.lists(st.lists(PARTS, min_size=5, max_size=5), max_size=6),
    known=KNOWN,
    is_named=st.booleans(),
    task=st.sampled_from([None, None, *TASKS]),
)
def test_any_table_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    header: list[str],
    rows: list[list[str]],
    known: dict[str, object],
    is_named: bool,
    task: Task | None,
) -> None:
    folder = write_files(tmp_path_factory.getbasetemp() / "any", ["1.png", "2.png", "x/3.png", "y/3.png", "a/b/1.png"])
    text = "\n".join(",".join(f'"{cell}"' for cell in row[: len(header)]) for row in [header, *rows])
    table = write_table(folder / "any.csv", text)
    try:
        labels = (str(table),) if is_named else ()
        manifest = Manifest.read(Source(data=str(folder), labels=labels, **known), task)  # type: ignore[arg-type]
    except OverreadError:
        return
    assert task in (None, manifest.task) and len(manifest.y_true) == len(manifest)
    assert all(case.label for case in manifest.cases)
    assert len({case.full_name for case in manifest.cases}) == len(manifest)
