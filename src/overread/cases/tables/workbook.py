"""The sheets of a workbook, with each cell as the text that a user sees."""

from __future__ import annotations

import datetime
import io
import re
import warnings
from typing import Any

from overread.cases.tables.dialect import Rows, require_size
from overread.errors import InvalidData
from overread.machine.content.zips import open_zip
from overread.machine.extras import require_extra

ZIP = b"PK\x03\x04"
_PART_OF_WORKBOOK = b"xl/"
# Of all parts, unpacked: a million rows of twenty cells are a quarter of the most, and become 5 to 30 times as small.
_LARGEST_GROWTH, _ALWAYS_BYTES, _MOST_BYTES = 100, 2**26, 2**30
_MOST_ROWS = 2**20
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
            _require_size(content, name)
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = {sheet.title: _rows_of(sheet, name) for sheet in book.worksheets}
    except InvalidData:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file makes it raise whatever its parsers do
        reason = type(error).__name__
        raise InvalidData(f"{name} is no workbook that can be read ({reason}): save it as .xlsx or CSV") from None
    return {title: rows for title, rows in sheets.items() if rows}


def _require_size(content: bytes, name: str) -> None:
    """Refuse a workbook that unpacks to more than one does, before it is unpacked."""
    most = min(max(_ALWAYS_BYTES, _LARGEST_GROWTH * len(content)), _MOST_BYTES)
    with open_zip(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > most:
            raise InvalidData(f"{name} unpacks to more than a workbook does: save it anew, or as CSV")


def _rows_of(sheet: Any, name: str) -> Rows:
    sheet.reset_dimensions()  # which other programs than Excel write wrongly
    found, cells = [], 0
    # A single cell far out makes the row as long, and a row far down as many empty ones.
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > _MOST_ROWS:
            raise InvalidData(f"{name} has a row beyond {_MOST_ROWS:,}, the last of any workbook: save it anew")
        cells += len(row)
        require_size(cells, name)
        shown = [_shown(cell) for cell in row]
        if any(shown):
            found.append((number, shown))
    return found


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
