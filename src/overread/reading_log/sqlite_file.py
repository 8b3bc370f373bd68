"""The file of a reading log in SQLite: private, never made in passing, and watched that it still lies where it was."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from overread.errors import LogUnavailable

_WAIT_S = 30  # for another process that writes
_FILES = "overread_files"
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")


def make_private(path: Path) -> None:
    """Make an empty file that its owner alone may read, where there is none.

    Raises:
        LogUnavailable: it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The files that SQLite adds for writing ahead take this one's mode.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise LogUnavailable(
            f"the reading log {path} cannot be made ({error.strerror}): give a folder that is writable and has space"
        ) from None


def engine_of(path: Path, settings: dict[str, Any]) -> sa.Engine:
    """An engine of a file that is there.

    SQLite goes on with a file that was removed or replaced, and what is written is gone with the process: so a
    connection to such a file is given up, and the next is to the file that lies there then.

    Args:
        path: of the file.
        settings: further ones of `create_engine`.
    """
    path = path.absolute()

    def connect() -> sqlite3.Connection:
        # `rw`: it is not made anew, empty, where somebody moved it away.
        return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=_WAIT_S, check_same_thread=False)

    def on_connect(connection: Any, record: Any) -> None:
        # Transactions are begun below, not by sqlite3, which begins them late and without a lock.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        connection.execute("SELECT count(*) FROM sqlite_master").close()  # after which the file ahead is there
        record.info[_FILES] = _files(path)

    def on_checkout(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get(_FILES) != _files(path):
            raise sa.exc.InvalidatePoolError("the file was removed or replaced")

    def on_begin(connection: sa.Connection) -> None:
        # One that reads and then writes must hold the lock from the start, or it fails where another wrote between.
        writing = connection.get_execution_options().get("overread_writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    url = sa.URL.create("sqlite+pysqlite", database=str(path))
    engine = sa.create_engine(url, **settings, creator=connect, poolclass=sa.QueuePool)
    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "checkout", on_checkout)
    sa.event.listen(engine, "begin", on_begin)
    return engine


def is_in_place(connection: sa.Connection) -> bool:
    """Whether what a connection writes goes to the file that has the name; of other databases True."""
    files = connection.info.get(_FILES)
    return files is None or files == _files(Path(str(connection.engine.url.database)))


def _files(path: Path) -> list[tuple[int, int] | None]:
    """What tells a file from another of its name, of the database and of what is written ahead of it."""
    return [_identity(path), _identity(path.with_name(f"{path.name}-wal"))]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
