"""A PostgreSQL server of one's own, on a socket in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import sqlalchemy as sa


class NoPostgres(Exception):
    """No PostgreSQL can run here; the text says what is missing."""


class Postgres:
    """A server that runs from the start; its database `postgres` is there.

    Raises:
        NoPostgres: its programs or its user are missing.
    """

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        self._programs = found[-1].parent if found else Path(shutil.which("initdb") or "/none").parent
        if not (self._programs / "initdb").exists() or not (self._programs / "pg_ctl").exists():
            raise NoPostgres("no PostgreSQL here: install its server, whose initdb and pg_ctl are needed")
        self.folder = Path(tempfile.mkdtemp(prefix="overread-pg-"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            try:
                shutil.chown(self.folder, "postgres")
            except LookupError:
                self.folder.rmdir()
                raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres") from None
            self._as_user = ["runuser", "-u", "postgres", "--"]
        self._call("initdb", "--auth=trust", "--username=overread", "--no-sync")
        self.start()

    def url(self, name: str = "postgres") -> str:
        """How a database of it is reached."""
        return f"postgresql://overread@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """How a database is reached that is made now."""
        name = f"test_{uuid.uuid4().hex}"
        address = self.url().replace("postgresql:", "postgresql+psycopg:")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return self.url(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._call("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a failure of its machine would."""
        self._call("pg_ctl", "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it and delete all of it."""
        with contextlib.suppress(subprocess.CalledProcessError):  # it does not run
            self.stop()
        shutil.rmtree(self.folder)

    def _call(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
