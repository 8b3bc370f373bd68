"""Keep of how many frames an exam was, and which of them gave most."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, which readings of images have empty."""
    op.add_column("overread_images", sa.Column("frames", sa.Integer))
    op.add_column("overread_images", sa.Column("best_frame", sa.JSON))
