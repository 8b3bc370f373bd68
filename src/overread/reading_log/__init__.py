"""The reading log: a record of every reading in SQLite or PostgreSQL, without pixels, names or identifiers."""

from __future__ import annotations

from overread.errors import MissingExtra

try:
    from overread.reading_log.log import ReadingLog
except ImportError as error:
    raise MissingExtra(
        "the reading log is kept with SQLAlchemy and Alembic, which are missing: run pip install 'overread[serve]'"
    ) from error
from overread.reading_log.database import default_url
from overread.reading_log.rows import ImageRow, ReadingRow, Review

__all__ = ["ImageRow", "ReadingLog", "ReadingRow", "Review", "default_url"]
