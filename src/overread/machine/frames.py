"""Data frames of pandas, which is imported where one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from overread.errors import MissingExtra

if TYPE_CHECKING:
    import pandas


def data_frame(columns: Mapping[str, Any]) -> pandas.DataFrame:
    """A data frame of columns: sequences or arrays of equal length.

    Raises:
        MissingExtra: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtra("a data frame needs pandas, which is missing: run pip install pandas") from error
    return pandas.DataFrame(columns)
