"""Tables as programs save them: whatever separates, encodes and surrounds the cells, the rows are the same."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.cases.tables.table import Table, read_tables
from overread.errors import InvalidData, MissingPath, OverreadError


def table_of(folder: Path, content: bytes, name: str = "labels.csv") -> Table:
    (folder / name).write_bytes(content)
    (table,) = read_tables(str(folder / name))
    return table


PLAIN = "id,label\n01,ill\n02,well\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace(",", " ").encode(),
        b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
        b'"sep=~"\n' + PLAIN.replace(",", "~").encode(),
        b" id , label \n01 , ill\n02, well \n",
        b'"id","label"\n"01","ill"\n"02", "well"\n',
        b"id,label,,,\n01,ill,,,\n02,well,,,\n,,,,\n\n",
        b"id,label\n01,ill,,\n02,well\n",
        b"id,label\n01,i\0ll\n02,well\n",
        PLAIN.encode().rstrip(b"\n"),
    ],
)
def test_the_same_table_comes_out_of_every_dialect(tmp_path: Path, content: bytes) -> None:
    table = table_of(tmp_path, content)
    assert table.columns == ("id", "label")
    assert table.rows == (("01", "ill"), ("02", "well"))
    assert table.encoding is None


def test_rows_keep_the_numbers_that_an_editor_gives_them(tmp_path: Path) -> None:
    assert table_of(tmp_path, b"id,label\n\n1,a\n,\n2,b\n").numbers == (3, 5)
    assert table_of(tmp_path, b"sep=,\nid,label\n1,a\n").numbers == (3,)


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [("id,label\n1,Müller\n2,gré\n", "cp1252", "cp1252"), ("id,label\n1,正常\n2,肺炎\n", "gbk", "gb18030")],
)
def test_text_that_is_no_utf_8_is_read_and_its_encoding_told(
    tmp_path: Path, text: str, encoding: str, said: str
) -> None:
    table = table_of(tmp_path, text.encode(encoding))
    assert table["label"] == [line.split(",")[1] for line in text.split("\n")[1:3]]
    assert table.encoding == said


def test_bytes_that_windows_leaves_undefined_are_read_too(tmp_path: Path) -> None:
    assert table_of(tmp_path, b"id,label\n1,a\x81b\n2,\xe9c\n").encoding == "latin-1"


def test_headers_are_named_each_once(tmp_path: Path) -> None:
    table = table_of(tmp_path, b',image,label, label,"two\nlines"\n0,a,b,c,d\n')
    assert table.columns == ("column 1", "image", "label", "label (2)", "two lines")


def test_a_cell_may_hold_separators_line_breaks_and_what_only_some_take_for_one(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'id,note\n1,"a, b"\n2,"c\r\nd"\n3,e\u2028f\n4,g\x0ch\n'.encode())
    assert table["note"] == ["a, b", "c\r\nd", "e\u2028f", "g\x0ch"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'id,label\n1,"a\n2,b\n', "quotation mark that is never closed"),
        (b"id,label\n1,a,b\n", "row 2 .* has 3 cells; expected 2"),
        (bytes(range(32)) * 9, "is no text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 9, r"is no table \(image\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted or of Excel before 2007: save it as .xlsx"),
        (b"PK\x03\x04broken xl/", "no workbook that can be read"),
        (b"PK\x03\x04images/1.png", "is an archive, or another program's workbook: unpack it"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        table_of(tmp_path, content)


def test_an_empty_file_has_no_columns_and_a_missing_one_is_told(tmp_path: Path) -> None:
    assert table_of(tmp_path, b"").columns == ()
    with pytest.raises(MissingPath, match="expected a table of labels"):
        read_tables(str(tmp_path / "nowhere.csv"))


def test_a_workbook_is_read_as_its_user_sees_it(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "label", "padded", "when", "score", "sure"])
    sheet.append(["00013", "ill", 13, datetime.datetime(2024, 5, 3), 2.0, True])
    sheet.append([None] * 6)
    sheet.append([14, "well", 7, None, 0.25, False])
    for row in (2, 4):
        sheet.cell(row, 3).number_format = "00000"
    book.save(tmp_path / "labels.xlsx")
    (table,) = read_tables(str(tmp_path / "labels.xlsx"))
    assert table.columns == ("id", "label", "padded", "when", "score", "sure")
    assert table.rows == (
        ("00013", "ill", "00013", "2024-05-03", "2", "TRUE"),
        ("14", "well", "00007", "", "0.25", "FALSE"),
    )
    assert table.numbers == (2, 4)
    (tmp_path / "labels.xlsx").rename(tmp_path / "labels.csv")
    assert read_tables(str(tmp_path / "labels.csv"))[0].rows == table.rows


def test_a_sheet_of_a_workbook_is_named_after_its_path(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.create_sheet("Labels").append(["b"])
    book.create_sheet("Empty")
    book.save(tmp_path / "book.xlsx")
    assert [table.sheet for table in read_tables(str(tmp_path / "book.xlsx"))] == ["Sheet", "Labels"]
    assert [table.columns for table in read_tables(f"{tmp_path / 'book.xlsx'}#Labels")] == [("b",)]
    with pytest.raises(InvalidData, match="no sheet 'None': expected one of Sheet, Labels"):
        read_tables(f"{tmp_path / 'book.xlsx'}#None")


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8).map(str.strip)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), min_size=1, max_size=6),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_in_a_dialect_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, encoding: str, end: str
) -> None:
    text = io.StringIO()
    header = ["image", "label", "patient"]
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    content = text.getvalue().encode(encoding)
    try:
        table = table_of(tmp_path_factory.getbasetemp(), content, "round.csv")
    except InvalidData as error:
        assert "is no text" in str(error)
        return
    shown = [tuple(dict(zip(table.columns, row, strict=True)).get(name, "") for name in header) for row in table.rows]
    assert shown == [tuple(row) for row in rows]


@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        tables = read_tables(str(path))
    except OverreadError:
        return
    for table in tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(set(table.columns)) == len(table.columns)


def test_a_title_above_the_table_is_no_header(tmp_path: Path) -> None:
    table = table_of(tmp_path, b"Our study\n\nid,label\n1,a\n2,b\n")
    assert (table.columns, table.numbers) == (("id", "label"), (4, 5))


@pytest.mark.parametrize("content", [b'[{"id": 1}]', b'{"a": 1}', b"<html><table></table>"])
def test_what_other_programs_exchange_is_no_table(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidData, match="JSON, XML or a web page"):
        table_of(tmp_path, content)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="is a folder: expected a table of labels"):
        read_tables(str(tmp_path))


def workbook_with(sheet: str) -> bytes:
    """A workbook whose only sheet is written by hand."""
    openpyxl = pytest.importorskip("openpyxl")
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.save(stream)
    packed = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else source.read(name))
    return packed.getvalue()


NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{{}}</sheetData></worksheet>'
CELL = '<row r="{row}"><c r="{column}{row}" t="inlineStr"><is><t>x</t></is></c></row>'


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (SHEET.format("".join(CELL.format(row=row, column="XFD") for row in range(1, 1400))), "has more than 20,000,0"),
        (SHEET.format(CELL.format(row=99_999_999_999, column="A")), "has a row beyond 1,048,576"),
        (SHEET.format(" " * 70 * 2**20), "unpacks to more than a workbook does"),
        (f'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>{SHEET.format("&a;")}', "is no workbook that can be"),
        ("<row>" * 50_000, "is no workbook that can be read"),
    ],
    ids=["far right", "far down", "large", "an entity", "deep"],
)
def test_a_workbook_that_becomes_far_larger_than_it_is_is_refused(tmp_path: Path, sheet: str, said: str) -> None:
    (tmp_path / "labels.xlsx").write_bytes(workbook_with(sheet))
    with pytest.raises(InvalidData, match=f"labels.xlsx {said}"):
        read_tables(str(tmp_path / "labels.xlsx"))


def test_a_table_whose_rows_would_be_filled_up_to_far_more_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(",".join("a" * 30_000) + "\n" + "1\n" * 30_000)
    with pytest.raises(InvalidData, match="has more than 20,000,000 cells"):
        read_tables(str(tmp_path / "wide.csv"))


def test_columns_of_one_name_are_told_apart_in_no_time(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(",".join(["a", "a (2)"] * 20_000) + "\n1,2\n")
    (table,) = read_tables(str(tmp_path / "wide.csv"))
    assert len(set(table.columns)) == 40_000
