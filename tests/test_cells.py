"""No cell of a CSV is a formula for a spreadsheet, and all are read back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.cases.tables.table import read_tables
from overread.machine.content.cells import guarded, unguarded
from overread.machine.files import read_rows, write_csv, write_rows

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
TRICKY = st.text(alphabet=st.sampled_from([*SIGNS, *"'\",;|\t\r\n\u2028 a1.e"]), max_size=12)


def written(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    write_rows(stream, rows)
    return stream.getvalue()


@pytest.mark.parametrize("sign", SIGNS)
def test_no_cell_begins_as_a_formula_whatever_a_spreadsheet_takes_for_its_begin(sign: str) -> None:
    formula = f"{sign}cmd|' /C calc'!A0"
    for cell in (
        formula,
        f" {formula}",
        f"\t{formula}",
        f"\r{formula}",
        f"a;{formula}",
        f"a,\t {formula}",
        f'a;"{formula}"',
    ):
        for separator in ",;\t":
            for row in csv.reader(io.StringIO(written([["path", cell]]), newline=""), delimiter=separator):
                assert not [found for found in row if found.strip('" \t\r\n').startswith(tuple(SIGNS))]


@pytest.mark.parametrize("number", ["-1.5", "+3", "-1e-05", "-.5", "-inf", "1", "nan"])
def test_numbers_stay_numbers(number: str) -> None:
    assert guarded(number) == number


@given(st.one_of(TRICKY, st.text(max_size=20)))
def test_a_cell_comes_back_as_it_was(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell) == cell or "'" in guarded(cell)


@given(st.lists(st.lists(TRICKY, min_size=2, max_size=2), min_size=1, max_size=4))
def test_rows_come_back_as_they_were(rows: list[list[str]]) -> None:
    assert list(read_rows(io.StringIO(written(rows), newline=""))) == rows


def test_a_table_of_ours_gives_back_labels_that_look_like_formulas(tmp_path: Path) -> None:
    rows = [["=1+1.png", "@home"], ["+a.png", "-b"], ["'=c.png", "-1"]]
    path = write_csv(tmp_path / "manifest.csv", ("path", "label"), rows)
    assert "\n'=1+1.png,'@home\n" in path.read_text(encoding="utf-8")
    (table,) = read_tables(str(path))
    assert [list(row) for row in table.rows] == rows


def test_a_long_cell_is_written_in_no_time() -> None:
    for long in ("\t" * 100_000, "'" * 100_000, " " * 100_000, "\t " * 50_000):
        assert unguarded(guarded(f"{long}x")) == f"{long}x"
