"""Which column names the image, and which file each cell means."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.errors import InvalidData, InvalidOption, MissingPath, Undecided
from support.tables import labels_of, read, write_files, write_table

FOUR = ["x/000.png", "x/001.png", "x/010.png", "x/100.png"]


@pytest.mark.parametrize(
    ("files", "cells"),
    [
        (FOUR, ["x/000.png", "x/001.png", "x/010.png", "x/100.png"]),
        (FOUR, ["./x/000.png", "data/x/001.png", "/mnt/d/x/010.png", "../../x/100.png"]),
        (FOUR, ["000.png", "001.png", "010.png", "100.png"]),
        (FOUR, ["000", "001", "010", "100"]),
        (FOUR, ["0", "1", "10", "100"]),
        (FOUR, ["000.dcm", "001.dcm", "010.dcm", "100.dcm"]),
        (FOUR, ["ID_0", "ID_1", "ID_10", "ID_100"]),
        (FOUR, ["0_scan", "1_scan", "10_scan", "100_scan"]),
        (FOUR, [r"D:\study\x\000.png", r"D:\study\x\001.png", r"x\010.png", r"\\host\x\100.png"]),
        (FOUR, ["https://host/x/000.png?w=1", "https://host/x/001.png", "s3://b/x/010.png", "file:///x/100.png"]),
        (FOUR, ["X/000.PNG", "x/001.Png", "010.PNG", "100"]),
        (["IDRiD_0.jpg", "IDRiD_1.jpg", "IDRiD_2.jpg", "IDRiD_3.jpg"], ["0", "1", "2", "3"]),
        (["0_left.jpg", "1_left.jpg", "2_left.jpg", "3_left.jpg"], ["000", "001", "002", "003"]),
        (["a b.png", "c%d.png", "é.png", "1%0.png"], ["a%20b.png", "c%d.png", "e\u0301.png", "1%0.png"]),
        (["1.2.840.1.dcm", "1.2.840.2.dcm", "1.2.840.3.dcm", "1.2.840.4.dcm"], [f"1.2.840.{n}" for n in range(1, 5)]),
        (["a.tif_1.tif", "a.tif_2.tif", "b.tif_1.tif", "b.tif_2.tif"], ["a.tif_1", "a.tif_2", "b.tif_1", "b.tif_2"]),
        (["n.nii.gz.png", "m.png", "o", "p.png"], ["n.nii.gz.png", "m", "o", "p"]),
    ],
)
def test_cells_are_matched_with_files_however_they_call_them(
    tmp_path: Path, files: list[str], cells: list[str]
) -> None:
    write_files(tmp_path / "data", [name for name in files if name != "o"])
    kept = [(name, cell, label) for name, cell, label in zip(files, cells, "abab", strict=True) if name != "o"]
    rows = "".join(f'"{cell}",{label}\n' for _, cell, label in kept)
    table = write_table(tmp_path / "labels.csv", f"name,label\n{rows}")
    assert labels_of(read(tmp_path / "data", table)) == {name: label for name, _, label in kept}


def test_ids_are_text_so_that_zeros_before_them_tell_files_apart(tmp_path: Path) -> None:
    write_files(tmp_path, ["7.png", "007.png", "8.png", "008.png"])
    table = write_table(tmp_path / "labels.csv", "id,label\n7,a\n007,b\n8,a\n008,b\n")
    assert labels_of(read(table)) == {"7.png": "a", "007.png": "b", "8.png": "a", "008.png": "b"}


def test_of_files_with_one_name_the_longest_common_tail_decides(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["a/x/1.png", "b/x/1.png", "a/y/1.png"])
    table = write_table(tmp_path / "labels.csv", "path,label\n/old/a/x/1.png,p\n/old/b/x/1.png,q\n/old/a/y/1.png,q\n")
    assert labels_of(read(tmp_path / "data", table)) == {"a/x/1.png": "p", "b/x/1.png": "q", "a/y/1.png": "q"}


def test_of_files_with_one_name_the_other_cells_of_the_row_may_name_the_folder(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["s1/1.png", "s2/1.png", "s1/2.png"])
    table = write_table(tmp_path / "labels.csv", "scan,file,label\ns1,1.png,p\ns2,1.png,q\ns1,2.png,q\n")
    assert labels_of(read(tmp_path / "data", table)) == {"s1/1.png": "p", "s2/1.png": "q", "s1/2.png": "q"}


def test_a_name_that_several_files_go_by_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["a/1.png", "b/1.png", "a/2.png"])
    table = write_table(tmp_path / "labels.csv", "file,label\n1.png,p\n2.png,q\n")
    with pytest.raises(InvalidData, match=r"1 rows .* in row 2 \(1.png is a/1.png or b/1.png\): give --images"):
        read(tmp_path / "data", table)
    assert len(read(tmp_path / "data", table, images=str(tmp_path / "data" / "a"))) == 2


def test_a_file_on_another_side_than_the_cell_says_is_none(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["test_images/1.png", "train_images/2.png", "train_images/3.png"])
    table = write_table(tmp_path / "labels.csv", "file,label\ntrain/1.png,p\ntrain/2.png,q\ntrain/3.png,p\n")
    assert labels_of(read(tmp_path / "data", table)) == {"train_images/2.png": "q", "train_images/3.png": "p"}


def test_case_matters_where_only_it_tells_files_apart(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["a.png", "A.png", "b.png"])
    table = write_table(tmp_path / "labels.csv", "file,label\nA.png,p\na.png,q\nB.PNG,p\n")
    assert labels_of(read(tmp_path / "data", table)) == {"A.png": "p", "a.png": "q", "b.png": "p"}


def test_a_cell_may_name_a_folder_whose_images_are_all_meant(tmp_path: Path) -> None:
    study = "XR/patient00011/study1_negative/"
    write_files(tmp_path / "data", [study, "XR/patient00012/study1_positive/", "XR/patient00012/study2_negative/"])
    write_files(tmp_path / "data", [f"{study}image2.png"])
    table = write_table(
        tmp_path / "labels.csv",
        "MURA/XR/patient00011/study1_negative/,0\nMURA/XR/patient00012/study1_positive/,1\n"
        "MURA/XR/patient00012/study2_negative/,0\n",
    )
    manifest = read(tmp_path / "data", table)
    assert [case.label for case in manifest.cases] == ["0", "0", "1", "0"]
    assert [case.patient_id for case in manifest.cases] == ["patient00011"] * 2 + ["patient00012"] * 2


def test_rows_without_file_and_files_without_row_are_named_and_counted(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(8)])
    rows = "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(4, 10))
    note = read(write_table(tmp_path / "labels.csv", f"file,label\n{rows}")).notes[-3]
    assert "4 of 6 rows have a file (none: rows 6, 7)" in note
    assert "4 files of 8 (0.png, 1.png, 2.png, ...) have no row" in note
    assert "column file names the image (4.png is 4.png)" in note


def test_a_poor_match_is_refused_with_what_cells_and_files_look_like(tmp_path: Path) -> None:
    write_files(tmp_path / "data", ["scan_a.png", "scan_b.png"])
    table = write_table(tmp_path / "labels.csv", "image_id,label\nDoe-31,a\nRoe-32,b\n")
    with pytest.raises(InvalidData, match=r"column image_id has cells like aaa-99 .* a file is scan_a.png") as refused:
        read(tmp_path / "data", table)
    assert "Doe" not in str(refused.value)


def test_a_label_is_not_taken_for_the_name_of_a_folder_or_a_number(tmp_path: Path) -> None:
    write_files(tmp_path / "data", [f"{'ab'[n % 2]}/{n:03}.png" for n in range(12)])
    rows = "".join(f"{n},{'ab'[n % 2]},{n // 3}\n" for n in range(12))
    table = write_table(tmp_path / "labels.csv", f"id,label,age\n{rows}")
    manifest = read(tmp_path / "data", table)
    assert "column id names" in manifest.notes[1]
    assert manifest.columns == ["age"]


def test_of_columns_that_name_the_same_image_one_is_taken(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png", "3.png"])
    table = write_table(tmp_path / "labels.csv", "file,url,label\n1.png,x/1.png,a\n2.png,x/2.png,b\n3.png,x/3.png,a\n")
    assert len(read(table)) == 3


def test_of_columns_that_name_different_images_the_user_chooses(tmp_path: Path) -> None:
    write_files(tmp_path, ["1_l.png", "1_r.png", "2_l.png", "2_r.png"])
    table = write_table(tmp_path / "labels.csv", "id,scan,mask,label\n1,1_l.png,1_r.png,a\n2,2_l.png,2_r.png,b\n")
    with pytest.raises(Undecided, match=r"columns scan and mask .*give --image-column scan or --image-column mask"):
        read(table)
    assert labels_of(read(table, image_column="mask")) == {"1_r.png": "a", "2_r.png": "b"}
    with pytest.raises(InvalidOption, match=r"--image-column 'middle' is no column of labels.csv: expected one of id"):
        read(table, image_column="middle")


def test_a_table_without_header_names_its_columns_by_number(tmp_path: Path) -> None:
    write_files(tmp_path, ["x/1.png", "x/2.png", "x/3.png", "x/4.png"])
    rows = "x/1.png,a,p\nx/2.png,b,p\nx/3.png,a,q\nx/4.png,b,q\n"
    table = write_table(tmp_path / "labels.csv", rows)
    with pytest.raises(Undecided, match="--label-column 'column 2' or --label-column 'column 3'"):
        read(table)
    manifest = read(table, label_column="column 2", patient_column="column 3")
    assert [case.label for case in manifest.cases] == ["a", "b", "a", "b"]
    assert [case.patient_id for case in manifest.cases] == ["p", "p", "q", "q"]


def test_images_may_lie_elsewhere_than_the_table(tmp_path: Path) -> None:
    write_files(tmp_path / "pictures", ["1.png", "2.png"])
    table = write_table(tmp_path / "tables" / "labels.csv", "id,label\n1,a\n2,b\n")
    assert len(read(table, images=str(tmp_path / "pictures"))) == 2
    with pytest.raises(InvalidData, match=r"holds no image: 1 file is no image .*; give --images"):
        read(table)
    with pytest.raises(MissingPath, match=r"expected the folder that holds the images \(--images\)"):
        read(table, images=str(tmp_path / "nowhere"))


def test_a_file_name_in_gbk_is_found_by_the_name_that_its_table_gives(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png"])
    try:
        (tmp_path / "1.png").rename(tmp_path / "正常.png".encode("gbk").decode("utf-8", "surrogateescape"))
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes no names but UTF-8")
    table = write_table(tmp_path / "labels.csv", "id,label\n正常,a\n2,b\n")
    assert [case.label for case in read(table).cases] == ["b", "a"]


def test_a_column_that_counts_the_rows_is_no_id(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(4)])
    table = write_table(tmp_path / "labels.csv", "Unnamed: 0,file,label\n0,3.png,a\n1,2.png,b\n2,1.png,a\n3,0.png,b\n")
    manifest = read(table)
    assert labels_of(manifest) == {"0.png": "b", "1.png": "a", "2.png": "b", "3.png": "a"}
    assert manifest.columns == []


def test_an_id_that_a_program_took_for_a_number_is_found(tmp_path: Path) -> None:
    write_files(tmp_path, ["11.png", "12.png"])
    assert len(read(write_table(tmp_path / "labels.csv", "id,label\n11.0,a\n12.0,b\n"))) == 2


def test_a_row_may_be_about_all_images_whose_names_begin_with_its_id(tmp_path: Path) -> None:
    write_files(tmp_path, [f"P{n:02}_{eye}.png" for n in range(4) for eye in ("left", "right")])
    table = write_table(tmp_path / "labels.csv", "Patient,label\nP00,a\nP01,b\nP02,a\nP03,b\n")
    manifest = read(table)
    assert [case.label for case in manifest.cases] == ["a", "a", "b", "b"] * 2
    assert [case.patient_id for case in manifest.cases][:3] == ["P00", "P00", "P01"]


def test_an_image_column_that_names_no_file_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path, ["1.png", "2.png"])
    table = write_table(tmp_path / "labels.csv", "id,other,label\n1,x,a\n2,y,b\n")
    with pytest.raises(InvalidData, match="no column names the images"):
        read(table, image_column="other")
