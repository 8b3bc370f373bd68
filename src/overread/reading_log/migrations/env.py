"""Alembic's entrance: migrate through the connection, and inside the transaction, that the reading log opened."""

from alembic import context

from overread.reading_log.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
