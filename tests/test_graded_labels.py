"""When labels are grades, in which order, by which cuts; and two columns of labels at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.cases import Manifest, Source
from overread.decision import OrderedGrades, SeveralClasses, SeveralFindings, SeveralTasks
from overread.decision.grade_names import order_of, reads_as_graded
from overread.errors import InvalidData, InvalidOption
from overread.machine.question import answered_by
from support.tables import read, write_files, write_table


def table_of(folder: Path, header: str, *rows: str) -> Path:
    """A table of images of a grade each, five times."""
    every = [*rows] * 5
    write_files(folder, [f"{n:02}.png" for n in range(len(every))])
    lines = [f"id,{header}", *(f"{n:02},{one}" for n, one in enumerate(every))]
    return write_table(folder / "labels.csv", "\n".join(lines))


@pytest.mark.parametrize(
    "ordered",
    [
        ("No_DR", "Mild", "Moderate", "Severe", "Proliferate_DR"),
        ("Normal", "Mild non-proliferative", "Moderate NPDR", "severe nonproliferative", "proliferative"),
        ("NonDemented", "VeryMildDemented", "MildDemented", "ModerateDemented"),
        ("keine", "leicht", "mittel", "schwer"),
        ("0_normal", "1_doubtful", "2_mild", "3_moderate", "4_severe"),
        ("0", "1", "2", "10"),
        ("stage I", "Stage II", "stage IV"),
        ("BI-RADS 2", "BI-RADS 4a", "BI-RADS 4B", "BI-RADS 5"),
        ("KL0", "KL1", "KL2"),
    ],
)
def test_grades_are_put_in_order_by_numbers_and_words(ordered: tuple[str, ...]) -> None:
    assert order_of(reversed(ordered)) == ordered


@pytest.mark.parametrize(
    "names", [("Type 1", "Type 2", "Type 3"), ("bkl", "nv", "mel"), ("normal", "benign", "malignant"), ("a", "b", "c")]
)
def test_classes_without_an_order_get_none(names: tuple[str, ...]) -> None:
    assert order_of(names) is None


def test_a_column_is_called_as_grades_are() -> None:
    graded = ("Retinopathy grade", "Risk of macular edema", "level", "KL", "KLGrade", "BI-RADS", "isup_grade", "Stage")
    assert all(map(reads_as_graded, graded))
    assert not any(map(reads_as_graded, ("diagnosis", "label", "dx", "target", "group", "skill", "Klasse")))


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        ("level", ("2", "0", "1")),
        ("KL grade", ("2.0", "0.0", "1.0")),
        ("severity", ("moderate", "none", "mild")),
        ("breast_density", ("C", "A", "B")),
    ],
)
def test_grades_are_known_by_the_name_of_their_column(tmp_path: Path, heading: str, rows: tuple[str, ...]) -> None:
    table = table_of(tmp_path, heading, *rows)
    manifest = read(table)
    expected = tuple(rows[at].removesuffix(".0") for at in (1, 2, 0))
    assert manifest.task == OrderedGrades(expected) and manifest.y_true[:3].tolist() == [2, 0, 1]
    assert f"the labels are grades, from {expected[0]} to {expected[-1]}; --no-ordered takes" in manifest.notes[0]
    assert isinstance(read(table, ordered=False).task, SeveralClasses)
    assert read(table, cut=rows[0]).task == OrderedGrades(expected, (2,))


def test_plain_numbers_are_grades_once_somebody_says_so(tmp_path: Path) -> None:
    table = table_of(tmp_path, "diagnosis", "0", "1", "2", "3", "4")
    manifest = read(table)
    assert isinstance(manifest.task, SeveralClasses)
    assert manifest.notes[0] == "the classes may be grades: --ordered takes them as such"
    assert read(table, ordered=True).task == OrderedGrades(tuple("01234"))
    assert read(table, cut=("4", "2")).task == OrderedGrades(tuple("01234"), (2, 4))
    with answered_by(lambda question: question.choices[0]):
        asked = read(table)
    assert asked.task.ordered and asked.source is not None and asked.source.ordered is True
    with answered_by(lambda question: question.choices[1]):
        assert not read(table).task.ordered


def test_class_folders_of_numbers_are_asked_about(tmp_path: Path) -> None:
    write_files(
        tmp_path, [f"{side}/{grade}/{n}.png" for side in ("train", "test") for grade in range(5) for n in (1, 2)]
    )
    assert not Manifest.read(tmp_path).task.ordered
    assert Manifest.read(Source(data=str(tmp_path), cut=("2",))).task == OrderedGrades(tuple("01234"), (2,))
    with answered_by(lambda question: question.choices[0]):
        assert Manifest.read(tmp_path).task.ordered


def test_the_order_is_given_where_names_do_not_tell_it(tmp_path: Path) -> None:
    table = table_of(tmp_path, "label", "fine", "poor", "usable")
    with pytest.raises(InvalidOption, match="order of fine, poor and usable is not known: give it with --grades"):
        read(table, ordered=True)
    manifest = read(table, grades="fine, usable,Poor", cut="poor")
    assert manifest.task == OrderedGrades(("fine", "usable", "poor"), (2,))
    with pytest.raises(InvalidOption, match="--grades fine,poor leaves out usable: name every label once"):
        read(table, grades="fine,poor")


@pytest.mark.parametrize("odd", ["-1", "ungradable"])
def test_the_one_label_that_is_no_grade_is_named(tmp_path: Path, odd: str) -> None:
    table = table_of(tmp_path, "grade", "0", "1", "2", odd)
    assert read(table).notes[0] == f"all but {odd} are grades: --map {odd}= leaves it out"
    with pytest.raises(InvalidOption, match=f"is not known: leave {odd} out with --map {odd}="):
        read(table, ordered=True)
    assert read(table, mapping={odd: ""}).task == OrderedGrades(tuple("012"))


def test_grades_that_no_image_is_of_are_told(tmp_path: Path) -> None:
    note = read(table_of(tmp_path, "grade", "0", "1", "4")).notes[0]
    assert note.startswith("the labels are grades, from 0 to 4; none is 2 or 3;")


@pytest.mark.parametrize("cut", ["0", "9", "mild"])
def test_a_cut_that_is_no_grade_above_the_lowest_is_refused(tmp_path: Path, cut: str) -> None:
    with pytest.raises(InvalidOption, match=f"--cut '{cut}' is no grade above the lowest: expected 1 or 2"):
        read(table_of(tmp_path, "grade", "0", "1", "2"), cut=cut)


def test_options_of_grades_are_refused_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="--cut are of grades, and the labels are 2 classes without an order"):
        read(table_of(tmp_path, "grade", "0", "1"), cut="1")


def test_two_columns_of_labels_are_two_tasks(tmp_path: Path) -> None:
    table = table_of(tmp_path, "DR grade,Risk of edema,A,B,C", "0,0,1,0,1", "2,,0,0,0", "1,1,0,1,1", ",2,0,0,1")
    manifest = read(table, label_column=("dr grade", "Risk of edema"), cut=("2", "Risk of edema: 1"))
    grades = OrderedGrades(tuple("012"), (2,))
    task = SeveralTasks.together({"DR grade": grades, "Risk of edema": OrderedGrades(tuple("012"), (1, 2))})
    assert manifest.task == task
    assert [case.label for case in manifest.cases[:4]] == [
        "DR grade: 0; Risk of edema: 0", "DR grade: 2", "DR grade: 1; Risk of edema: 1", "Risk of edema: 2",
    ]  # fmt: skip
    mixed = read(table, label_column=("A..C", "DR grade"))
    assert isinstance(mixed.task.parts["A..C"], SeveralFindings)
    assert mixed.cases[0].label == "A..C: A|C; DR grade: 0"
    with pytest.raises(InvalidOption, match="--cut '7' is no grade above the lowest: expected 1 or 2 or 1 or 2"):
        read(table, label_column=("dr grade", "Risk of edema"), cut="7")
    with pytest.raises(InvalidOption, match="--label-column DR grade is given twice"):
        read(table, label_column=("dr grade", "DR grade"))


def test_two_tasks_are_written_and_read_again(tmp_path: Path) -> None:
    table = table_of(tmp_path, "DR grade,Risk of edema", "0,0", "2,", "1,1", ",2")
    manifest = read(table, label_column=("DR grade", "Risk of edema"), cut="2")
    own = tmp_path / "own.csv"
    manifest.write_csv(own)
    assert own.read_text().splitlines()[:2] == [
        "path,labels,patient_id,split",
        "00.png,DR grade: 0; Risk of edema: 0,,",
    ]
    again = Manifest.read(Source(data=str(own), cut=("2",)))
    assert (again.task, again.y_true.tolist()) == (manifest.task, manifest.y_true.tolist())


def test_a_trained_task_finds_its_columns_again(tmp_path: Path) -> None:
    table = table_of(tmp_path, "DR grade,Risk of edema", "0,0", "2,1", "1,1")
    task = read(table, label_column=("DR grade", "Risk of edema")).task
    assert Manifest.read(table, task).y_true.tolist()[:2] == [[0, 0], [2, 1]]
    other = table_of(tmp_path, "dr,dme", "0.0,0", "2.0,1", "1.0,1")
    named = Manifest.read(Source(data=str(other), label_column=("dr", "dme")), task)
    assert named.y_true.tolist()[:2] == [[0, 0], [2, 1]] and "dr is taken as DR grade" in named.notes
    alone = Manifest.read(Source(data=str(other), label_column="dr"), task.parts["DR grade"])
    assert alone.y_true.tolist()[:3] == [0, 2, 1]
    with pytest.raises(InvalidData, match="the labels tell dr, and what was trained tells DR grade and Risk of edema"):
        Manifest.read(Source(data=str(other), label_column="dr"), task)
    with pytest.raises(InvalidData, match="the data hold 7, and what was trained tells 0, 1 and 2 apart"):
        Manifest.read(table_of(tmp_path, "grade", "0", "7"), OrderedGrades(tuple("012")))


def test_three_classes_without_an_order_are_no_part_of_several_tasks(tmp_path: Path) -> None:
    table = table_of(tmp_path, "name,grade", "x,0", "y,1", "z,2")
    with pytest.raises(InvalidOption, match="the order of x, y and z is not known"):
        read(table, label_column=("name", "grade"))
    with pytest.raises(InvalidOption, match="the 3 classes of name have no order: of several tasks at once each is of"):
        read(table, label_column=("name", "grade"), ordered=False)
