"""Tables of several findings: how each cell is taken, what is said of it, and that the same table is read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from overread.cases import Manifest, Source
from overread.decision import SeveralFindings, Task
from overread.errors import InvalidData, InvalidOption, Undecided
from support.tables import labels_of, read, write_files, write_table

N = 24


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_files(tmp_path / "images", [f"{n:02}.png" for n in range(N)])


@pytest.fixture
def table(images: Path) -> Callable[..., Path]:
    def write(header: str, *rows: str, name: str = "labels.csv") -> Path:
        """A table of as many images as the set has; rows are gone through again and again."""
        lines = [f"id,{header}", *(f"{n:02},{rows[n % len(rows)]}" for n in range(N))]
        return write_table(images.parent / name, "\n".join(lines))

    return write


def first(manifest: Manifest, number: int) -> list[str]:
    return [case.label for case in manifest.cases[:number]]


def said(manifest: Manifest, text: str) -> bool:
    return any(text in note for note in manifest.notes)


FOUR_STATES = ("No Finding,Edema,Mass,Tube", "1.0,,,", ",1.0,0.0,-1.0", ",-1.0,1.0,0.0", ",,,", "1.0,,-1.0,1.0")


def test_four_states_are_taken_as_asked_and_counted(table: Callable[..., Path]) -> None:
    manifest = read(table(*FOUR_STATES))
    assert manifest.task == SeveralFindings(("Edema", "Mass", "Tube"))
    assert labels_of(manifest) == {
        f"images/{n:02}.png": label
        for n in range(N)
        if (label := ("No Finding", "Edema|?Tube", "Mass|?Edema", "", "Tube|?Mass")[n % 5])
    }
    assert said(manifest, "columns No Finding..Tube, a finding each (Edema 5 (10 not known), Mass 5")
    assert said(manifest, "No Finding says that there is no finding; 19 empty cells beside it are absent; 4 rows with")
    assert said(manifest, "14 cells are -1 (uncertain) and taken as not known (--uncertain)")
    assert said(manifest, "15 cells are empty and taken as not known (--blank)")
    assert said(manifest, "5 rows of labels.csv have no label and are left out")
    asked = read(table(*FOUR_STATES), uncertain="present", blank="absent")
    assert first(asked, 5) == ["No Finding", "Edema|Tube", "Edema|Mass", "No Finding", "Mass|Tube"]
    assert first(read(table(*FOUR_STATES), uncertain="absent"), 4) == ["No Finding", "Edema", "Mass", "Tube"]
    with pytest.raises(InvalidOption, match=r"--uncertain maybe is not known: expected ignore, present or absent"):
        read(table(*FOUR_STATES), uncertain="maybe")


def test_one_finding_of_four_states_is_told_apart_where_it_is_known(table: Callable[..., Path]) -> None:
    manifest = read(table(*FOUR_STATES), finding="Edema", uncertain="present")
    assert manifest.classes == ("no Edema", "Edema") and len(manifest) == 19
    assert said(manifest, "5 cells are -1 (uncertain) and taken as present")


def test_columns_that_are_never_0_are_asked_about(table: Callable[..., Path]) -> None:
    only_ones = table("Edema,Mass,Hernia", "1,,", ",1,1", ",,")
    with pytest.raises(Undecided, match=r"Edema..Hernia never say that a finding is absent.* give --blank absent"):
        read(only_ones)
    assert first(read(only_ones, blank="absent"), 3) == ["Edema", "Hernia|Mass", "No Finding"]


@pytest.mark.parametrize("cells", [("1", "0"), ("1.0", "0.0"), ("yes", "no"), ("TRUE", "FALSE"), ("present", "absent")])
def test_yes_and_no_are_told_in_any_words(table: Callable[..., Path], cells: tuple[str, str]) -> None:
    yes, no = cells
    manifest = read(table("Edema,Mass,Hernia", f"{yes},{yes},{no}", f"{no},{no},{no}", f"{no},{no},{yes}"))
    assert first(manifest, 3) == ["Edema|Mass", "No Finding", "Hernia"]


def test_a_column_that_sums_up_and_one_that_denies_the_others_are_no_findings(table: Callable[..., Path]) -> None:
    manifest = read(table("Risk,A,B,C,Clean", "1,1,0,1,0", "0,0,0,0,1", "1,0,1,0,0", "1,0,0,1,0"))
    assert manifest.classes == ("A", "B", "C")
    assert said(manifest, "Clean says that there is no finding") and said(manifest, "Risk says that there is any")
    other = read(table("A,B,C,Other", "1,0,1,0", "0,0,0,1", "0,1,1,0"))
    assert "Other" in other.classes


def test_findings_are_renamed_merged_and_left_out(table: Callable[..., Path]) -> None:
    mapping = {"Nodule": "Lesion", "Mass": "Lesion", "Hernia": ""}
    columns = table("Edema,Mass,Nodule,Hernia", "1,0,1,1", "0,0,,1", "0,0,0,1", "0,1,-1,0")
    manifest = read(columns, mapping=mapping)
    assert first(manifest, 4) == ["Edema|Lesion", "?Lesion", "No Finding", "Lesion"]
    lists = table("findings", "Edema|Nodule|Hernia", "Hernia", "No Finding", "Mass")
    assert first(read(lists, mapping=mapping), 4) == ["Edema|Lesion", "No Finding", "No Finding", "Lesion"]
    with pytest.raises(InvalidOption, match=r"--map names 'Hernias', which no image has: expected .*Hernia"):
        read(lists, mapping={"Hernias": ""})


def test_a_list_without_an_item_shows_nothing_and_an_empty_cell_is_not_known(table: Callable[..., Path]) -> None:
    lists = table("findings", "\"['Edema', 'Mass']\"", "[]", "", "['Mass']")
    manifest = read(lists)
    assert first(manifest, 3) == ["Edema|Mass", "No Finding", "Mass"] and len(manifest) == 18
    assert first(read(lists, blank="absent"), 4) == ["Edema|Mass", "No Finding", "No Finding", "Mass"]


@pytest.mark.parametrize("cell", ["['Edema' 'Mass']", '["Edema", "Mass"]', "['Edema', ' Mass']"])
def test_lists_are_read_as_programs_print_them(table: Callable[..., Path], cell: str) -> None:
    quoted = cell.replace('"', '""')
    assert first(read(table("labels", f'"{quoted}"', "['Mass']")), 2) == ["Edema|Mass", "Mass"]


def test_a_comma_parts_findings_though_one_never_stands_alone(table: Callable[..., Path]) -> None:
    rows = ['"Edema, Mass"', "Edema", "Mass", '"Mass, Hernia"', '"Edema, Hernia"', "Normal"]
    assert first(read(table("diagnosis", *rows)), 4) == ["Edema|Mass", "Edema", "Mass", "Hernia|Mass"]


def test_two_columns_side_by_side_are_findings_and_others_are_once_they_are_named(table: Callable[..., Path]) -> None:
    beside = table("Edema,Mass,site", "1,0,a", "0,1,b", "1,1,a", "0,0,b", name="beside.csv")
    apart = table("Edema,site,Mass", "1,a,0", "0,b,1", "1,a,1", "0,b,0")
    for manifest in (read(beside), read(apart, label_column=("Edema", "Mass"))):
        assert first(manifest, 4) == ["Edema", "Mass", "Edema|Mass", "No Finding"]
    with pytest.raises(Undecided, match="--label-column Edema or --label-column Mass"):
        read(apart)


@pytest.mark.parametrize("heading", ["label", "{}"])
def test_tables_of_one_finding_each_are_read_together(images: Path, table: Callable[..., Path], heading: str) -> None:
    truths = {"edema": (1, 0, 0), "mass": (1, 0, 1), "hernia": (0, 0, 1)}
    tables = [
        table(f"{heading.format(name)},pid", *(f"{one},p{n}" for n, one in enumerate(truth)), name=f"set_{name}.csv")
        for name, truth in truths.items()
    ]
    for manifest in (read(images, *tables), Manifest.read(images.parent)):
        assert manifest.task == SeveralFindings(("edema", "hernia", "mass"))
        assert first(manifest, 3) == ["edema|mass", "No Finding", "hernia|mass"]
        assert said(manifest, "tell one finding each") and len({case.patient_id for case in manifest.cases}) == 3


def test_an_image_that_one_table_does_not_name_is_not_known_there(images: Path) -> None:
    tables = [
        write_table(images.parent / f"{name}.csv", "id,label\n" + "".join(f"{n:02},{n % 2}\n" for n in rows))
        for name, rows in (("edema", range(N)), ("mass", range(N - 4)))
    ]
    assert [case.label for case in read(images, *tables).cases][-2:] == ["?mass", "edema|?mass"]


def test_probabilities_of_findings_are_no_labels_though_some_are_0_or_1(table: Callable[..., Path]) -> None:
    said_by_network = table("Edema,Mass,Hernia", "0.2,0,0.7", "0.9,1,0.1", "0.4,0,0.3")
    with pytest.raises(InvalidData, match=r"Edema, Mass and Hernia of labels.csv hold probabilities"):
        read(said_by_network)


def test_findings_of_patients_are_told_where_all_images_of_each_are_alike(table: Callable[..., Path]) -> None:
    rows = [f"p{n // 2},{int(n < 6)},{int(n % 8 < 4)},0" for n in range(N)]
    assert said(read(table("patient,Edema,Mass,Hernia", *rows)), "for all 12 patients with several: if they are of the")
    rows[0] = "p0,0,0,1"
    assert not said(read(table("patient,Edema,Mass,Hernia", *rows)), "patients with several")


def test_a_table_of_findings_is_read_as_it_was_written(table: Callable[..., Path], tmp_path: Path) -> None:
    manifest = read(table(*FOUR_STATES))
    manifest.write_csv(tmp_path / "images" / "own.csv")
    assert (tmp_path / "images" / "own.csv").read_text().startswith("path,findings,patient_id,split\n")
    again = Manifest.read(Source(data=str(tmp_path / "images" / "own.csv"), images=str(tmp_path)))
    assert (again.task, [case.label for case in again.cases]) == (manifest.task, [c.label for c in manifest.cases])
    merged = Manifest.read(Source(data=str(tmp_path / "images" / "own.csv"), mapping={"Mass": "Edema"}))
    assert merged.classes == ("Edema", "Tube") and merged.cases[2].label == "Edema"


def test_a_trained_task_takes_of_a_table_what_it_tells(table: Callable[..., Path]) -> None:
    columns = table("Edema,Mass,Hernia", "1,0,1", "0,1,0", "0,0,1", name="columns.csv")
    task = SeveralFindings(("Fluid", "edema", "mass"))
    manifest = Manifest.read(columns, task)
    assert manifest.task == task and first(manifest, 3) == ["edema|?Fluid", "mass|?Fluid", "?Fluid"]
    assert said(manifest, "left out, since what was trained does not tell them: Hernia")
    assert said(manifest, "not known of any image, for want of a column: Fluid")
    lists = table("Finding Labels", "Edema|Hernia", "Mass", "No Finding")
    assert first(Manifest.read(lists, task), 3) == ["edema", "mass", "No Finding"]
    single = table("label", "Edema", "Normal", "Mass", name="single.csv")
    assert first(Manifest.read(single, task), 3) == ["edema", "No Finding", "mass"]
    assert first(Manifest.read(lists, Task.of(("no Mass", "Mass"))), 2) == ["no Mass", "Mass"]
    with pytest.raises(InvalidData, match=r"the data tell Edema, Hernia and Mass, and what was trained tells a and b"):
        Manifest.read(lists, SeveralFindings(("a", "b")))
    with pytest.raises(InvalidData, match=r"the labels list findings, and what was trained tells a, b and c apart"):
        Manifest.read(lists, Task.of("abc"))


def test_options_of_grades_and_of_two_classes_do_not_fit_findings(table: Callable[..., Path]) -> None:
    columns = table("Edema,Mass,Hernia", "1,0,1", "0,1,0")
    with pytest.raises(InvalidOption, match=r"--cut are of grades, and the labels are 3 findings without an order"):
        read(columns, cut="2")
    with pytest.raises(InvalidOption, match=r"--positive names one of two classes, and the labels are findings"):
        read(columns, positive="Edema")
