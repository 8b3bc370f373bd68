"""The database below the reading log: SQLite or PostgreSQL by URL, brought to the newest tables when it is opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from overread.errors import InvalidData, InvalidOption, LogUnavailable, MissingExtra, MissingPath
from overread.machine.files import from_json, to_json
from overread.machine.places import state_folder
from overread.reading_log.sqlite_file import engine_of, is_in_place, make_private
from overread.reading_log.tables import VERSION_TABLE

MIGRATIONS = Path(__file__).parent / "migrations"
# For the machine of PostgreSQL to answer, in seconds and milliseconds.
_WAITS = {"connect_timeout": "5", "tcp_user_timeout": "20000"}
_ADVISORY_LOCK = 0x6F766572  # any number that all agree on
_EXPECTED = "expected sqlite:////folder/readings.sqlite or postgresql://user:password@host/database"

_SETTINGS: dict[str, Any] = {"hide_parameters": True, "json_serializer": to_json, "json_deserializer": from_json}


def default_url() -> str:
    """The URL of the log where none is named: of the variable OVERREAD_LOG, else a file in the user's state folder."""
    if named := os.environ.get("OVERREAD_LOG"):
        return named
    return f"sqlite:///{state_folder() / 'readings.sqlite'}"


def open_database(url: str, *, create: bool = True) -> sa.Engine:
    """Open a database, making or migrating its tables; processes that open one together wait for each other.

    A file of SQLite is made readable by its owner only; it is written ahead (WAL) and each commit reaches the disk.

    Args:
        url: of SQLite or PostgreSQL.
        create: make the file of SQLite where it is not there.

    Raises:
        InvalidOption: no such URL.
        MissingPath: the file is not there and may not be made.
        MissingExtra: the driver of PostgreSQL is not installed.
        LogUnavailable: it cannot be opened or written, is no database, or a newer overread wrote it.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        if not create and not Path(str(parsed.database)).is_file():
            raise MissingPath(f"the reading log {_name(parsed)} is not there: expected what overread serve wrote")
        make_private(Path(str(parsed.database)))
        engine = engine_of(Path(str(parsed.database)), _SETTINGS)
    else:
        waits = {name: value for name, value in _WAITS.items() if name not in parsed.query}
        try:
            engine = sa.create_engine(parsed, **_SETTINGS, connect_args=waits, pool_pre_ping=True)
        except ImportError as error:
            raise MissingExtra(
                "a reading log in PostgreSQL needs psycopg, which is missing: run pip install 'overread[postgres]'"
            ) from error
    try:
        with transaction(engine, writing=True) as connection:
            _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextlib.contextmanager
def transaction(engine: sa.Engine, *, writing: bool = False) -> Iterator[sa.Connection]:
    """Do something whole or not at all.

    Raises:
        LogUnavailable: the database cannot be reached, read or written, or its file was removed meanwhile.
        InvalidData: it cannot hold a value, such as a NUL or a number beyond its range.
    """
    try:
        with engine.connect().execution_options(overread_writing=writing) as connection:
            with connection.begin():
                yield connection
            if writing and not is_in_place(connection):
                raise LogUnavailable(f"the reading log {_name(engine.url)} was removed or replaced: put it back")
    except sa.exc.IntegrityError:
        raise
    except (sa.exc.DataError, OverflowError, UnicodeEncodeError):
        raise InvalidData(
            "the reading log cannot hold a value: expected text without NUL and numbers in range"
        ) from None
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        # Without its cause: what a driver says may hold the connection's URL.
        raise LogUnavailable(
            f"the reading log {_name(engine.url)} cannot be used ({_why(error, engine.url)}): see that it is there, "
            "writable and has space left"
        ) from None


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        backend = ""
    # Never quoted: it may hold a password.
    if backend not in ("sqlite", "postgresql"):
        raise InvalidOption(f"the URL of the reading log is not one of SQLite or PostgreSQL: {_EXPECTED}") from None
    if backend == "sqlite" and not parsed.database:
        raise InvalidOption(f"the URL of the reading log names no file: {_EXPECTED}")
    return parsed.set(drivername={"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}[backend])


def _name(url: sa.URL) -> str:
    return (
        str(url.database) if url.get_backend_name() == "sqlite" else f"{url.database} on {url.host or 'this machine'}"
    )


def _why(error: Exception, url: sa.URL) -> str:
    said = str(getattr(error, "orig", error)).strip().splitlines() or [type(error).__name__]
    for secret in filter(None, (url.password, url.query.get("password"))):
        said[0] = said[0].replace(str(secret), "***")
    return said[0]


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    known = ScriptDirectory(MIGRATIONS)
    current = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if current == known.get_current_head():
        return
    if current is not None and current not in {script.revision for script in known.walk_revisions()}:
        raise LogUnavailable(
            f"the reading log {_name(connection.engine.url)} was written by a newer overread (tables of revision "
            f"{current}, known up to {known.get_current_head()}): update overread, or give another log"
        )
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
