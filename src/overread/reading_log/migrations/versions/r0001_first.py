"""The first tables: readings, their images with reviews, and claims of idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "overread_readings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("time", time, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
    )
    op.create_index("ix_overread_readings_time", "overread_readings", ["time"])
    op.create_table(
        "overread_images",
        sa.Column(
            "reading_id", sa.String(64), sa.ForeignKey("overread_readings.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("index", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("probabilities", sa.JSON),
        sa.Column("positive", sa.Boolean),
        sa.Column("threshold", sa.Float),
        sa.Column("prediction_set", sa.JSON, nullable=False),
        sa.Column("unfamiliarity", sa.Float),
        sa.Column("refer", sa.JSON, nullable=False),
        sa.Column("projection", sa.JSON, nullable=False),
        sa.Column("error", sa.String(64)),
        sa.Column("review_label", sa.Text),
        sa.Column("review_time", time),
    )
    op.create_table(
        "overread_claims",
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("time", time, nullable=False),
        sa.Column("reading_id", sa.String(64), sa.ForeignKey("overread_readings.id", ondelete="CASCADE")),
    )
    op.create_index("ix_overread_claims_reading_id", "overread_claims", ["reading_id"])
