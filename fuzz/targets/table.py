"""Tables of text: the dialect, the encoding, the columns, and the cases that they name."""

from __future__ import annotations

import contextlib

from scratch import written

from overread.cases.tables.own import is_manifest, read_table
from overread.cases.tables.table import read_tables
from overread.errors import OverreadError

TOKENS = (
    b"sep=;",
    b"path,label",
    b"frame",
    b"patient_id",
    b"split",
    b'"',
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\\udc5c",
    b"'=",
)


def one_input(data: bytes) -> None:
    """Read it as any table, and as one of the program's own form."""
    path = written("labels.csv", data)
    is_manifest(path)
    with contextlib.suppress(OverreadError):
        for table in read_tables(str(path)):
            assert len(set(table.columns)) == len(table.columns)
            assert {len(row) for row in table.rows} <= {len(table.columns)}
    with contextlib.suppress(OverreadError):
        read_table(path)
