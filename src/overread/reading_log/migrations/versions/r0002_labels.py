"""Name each label for what it is: the one that a bundle predicted, and the true one of a human's review."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Rename the columns."""
    op.alter_column("overread_images", "label", new_column_name="predicted_label")
    op.alter_column("overread_images", "review_label", new_column_name="true_label")
