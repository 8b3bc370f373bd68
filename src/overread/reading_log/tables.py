"""The tables of the reading log as SQLAlchemy has them; migrations make them, a test holds the two together.

Their names begin with `overread_`, so that a PostgreSQL database may be shared with other programs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from overread.machine.content.text import restored, storable

VERSION_TABLE = "overread_version"
metadata = sa.MetaData()


class UtcTime(sa.TypeDecorator[datetime]):
    """A time with its zone; SQLite, which keeps none, holds it in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Back, with the zone."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Label(sa.TypeDecorator[str]):
    """The name of a class, which need not be Unicode."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """To text that a database takes."""
        return None if value is None else storable(value)

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        """Back to the name."""
        return None if value is None else restored(value)


readings = sa.Table(
    "overread_readings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("time", UtcTime, nullable=False, index=True),
    sa.Column("bundle", sa.String(64), nullable=False),
)

images = sa.Table(
    "overread_images",
    metadata,
    sa.Column("reading_id", sa.ForeignKey(readings.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("latency_ms", sa.Float, nullable=False),
    sa.Column("predicted_label", Label),
    sa.Column("probabilities", sa.JSON(none_as_null=True)),
    sa.Column("positive", sa.Boolean),
    sa.Column("threshold", sa.Float),
    sa.Column("prediction_set", sa.JSON, nullable=False),
    sa.Column("unfamiliarity", sa.Float),
    sa.Column("refer", sa.JSON, nullable=False),
    sa.Column("projection", sa.JSON, nullable=False),
    sa.Column("error", sa.String(64)),
    sa.Column("true_label", Label),
    sa.Column("review_time", UtcTime),
    sa.Column("questions", sa.JSON(none_as_null=True)),
    sa.Column("predicted_labels", sa.JSON(none_as_null=True)),
    sa.Column("frames", sa.Integer),
    sa.Column("best_frame", sa.JSON(none_as_null=True)),
)

# A client's key is kept as its hash: it may have put a number of a patient into it.
claims = sa.Table(
    "overread_claims",
    metadata,
    sa.Column("key_sha256", sa.String(64), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("reading_id", sa.ForeignKey(readings.c.id, ondelete="CASCADE"), index=True),
)
