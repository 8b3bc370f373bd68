"""The sheets of a workbook, with each cell as the text that a user sees."""

from __future__ import annotations

import datetime
import io
import re
import warnings
from typing import Any

from overread.cases.tables.dialect import Rows
from overread.errors import InvalidData
from overread.machine.extras import require_extra

ZIP = b"PK\x03\x04"
_PART_OF_WORKBOOK = b"xl/"
_PADDED = re.compile(r"0+")


def sheets_of(content: bytes, name: str) -> dict[str, Rows]:
    """The rows of each sheet that holds any, by the name of the sheet.

    Args:
        content: of the file.
        name: of the file, for errors.

    Raises:
        InvalidData: it is no workbook that can be read.
        MissingExtra: openpyxl is not installed.
    """
    if _PART_OF_WORKBOOK not in content:
        raise InvalidData(f"{name} is an archive, or another program's workbook: unpack it, or save it as XLSX or CSV")
    require_extra("train", ("openpyxl",))
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of decorations that it leaves out
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = {sheet.title: _rows_of(sheet) for sheet in book.worksheets}
    except Exception as error:  # noqa: BLE001 - a damaged file makes it raise whatever its parsers do
        reason = type(error).__name__
        raise InvalidData(f"{name} is no workbook that can be read ({reason}): save it as .xlsx or CSV") from None
    return {title: rows for title, rows in sheets.items() if rows}


def _rows_of(sheet: Any) -> Rows:
    sheet.reset_dimensions()  # which other programs than Excel write wrongly
    rows = ([_shown(cell) for cell in row] for row in sheet.iter_rows())
    return [(number, row) for number, row in enumerate(rows, start=1) if any(row)]


def _shown(cell: Any) -> str:
    """The text of a cell: ids stay what they look like, `00013` by its format and 13 without a decimal point."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and _PADDED.fullmatch(cell.number_format):
        return f"{value:0{len(cell.number_format)}d}"
    return str(value).replace("\0", "").strip()
