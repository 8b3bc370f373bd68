"""CSV files of readings, as `overread monitor` takes them."""

from __future__ import annotations

import contextlib

from scratch import written

from overread.errors import OverreadError
from overread.reading.table import from_table

TOKENS = (
    b"path,predicted_label,",
    b"probability_",
    b"unfamiliarity",
    b"refer",
    b"error",
    b"nan",
    b"1e999",
    b'"',
    b"'=",
    b"\\ud800",
)


def one_input(data: bytes) -> None:
    """Read the columns that are counted."""
    with contextlib.suppress(OverreadError):
        found = from_table(written("readings.csv", data))
        assert len(found.labels) == len(found.unfamiliarity) == len(found.referred) == len(found.errors)
