"""Workbooks of Excel. The input is the XML of a sheet, which is packed, or a whole file."""

from __future__ import annotations

import contextlib
import io
import zipfile

import openpyxl

from overread.cases.tables.workbook import ZIP, sheets_of
from overread.errors import OverreadError

TOKENS = (
    b"<row r=",
    b"<c r=",
    b't="s"',
    b't="inlineStr"',
    b"<is><t>",
    b"<v>",
    b"<!ENTITY",
    b"1048576",
    b"XFD",
    b"&#0;",
)
_SHEET = "xl/worksheets/sheet1.xml"


def one_input(data: bytes) -> None:
    """Read the rows of each sheet."""
    with contextlib.suppress(OverreadError):
        sheets_of(data if data.startswith(ZIP) else _packed(data), "labels.xlsx")


def _packed(sheet: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, sheet if name == _SHEET else content)
    return stream.getvalue()


def _parts() -> dict[str, bytes]:
    stream, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["path", "label"])
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


_PARTS = _parts()
