"""Keep what is said of findings, clinical cuts and several tasks, each by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, which readings of one class have empty."""
    op.add_column("overread_images", sa.Column("questions", sa.JSON))
    op.add_column("overread_images", sa.Column("predicted_labels", sa.JSON))
