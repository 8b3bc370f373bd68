"""A server that is killed amid readings, and its database: what was answered is in the log once, whoever asks again."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from overread.reading_log import ReadingLog
from overread.study.train import Study
from support.postgres import Postgres

pytestmark = pytest.mark.slow
CLIENTS, KILLS = 3, 4


class Killable:
    """`overread serve` in a process group of its own, always at the same port."""

    def __init__(self, bundle: Path, log_url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [sys.executable, "-m", "overread", "serve", str(bundle), "--port", str(self.port)]
        self._command += ["--workers", "1", "--log-url", log_url]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, start_new_session=True, stderr=subprocess.DEVNULL)
        for _ in range(2400):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=30).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server does not come up")

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Client(threading.Thread):
    """Has images read, each request under a key of its own, and remembers what was asked and answered."""

    def __init__(self, port: int, number: int, images: list[bytes]) -> None:
        super().__init__()
        self.port, self.number, self.images = port, number, images
        self.asked: list[tuple[str, bytes]] = []
        self.answered: dict[str, dict[str, Any]] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        for count in itertools.count():
            if self.ended.is_set():
                return
            key, image = f"client {self.number}, request {count}", self.images[count % len(self.images)]
            self.asked.append((key, image))
            with contextlib.suppress(httpx.TransportError):
                answer = ask(self.port, key, image)
                if answer.status_code == 200:
                    self.answered[key] = answer.json()
                    continue
            time.sleep(0.02)


def ask(port: int, key: str, image: bytes) -> httpx.Response:
    files = [("files", ("a.png", image))]
    address = f"http://127.0.0.1:{port}/v1/readings"
    return httpx.post(address, files=files, headers={"Idempotency-Key": key}, timeout=60)


@pytest.fixture(params=["sqlite", "postgresql"])
def log_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'readings.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@contextlib.contextmanager
def under_load(port: int, images: list[bytes]) -> Iterator[list[Client]]:
    clients = [Client(port, number, images) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join()


def require_as_if_nothing_had_happened(port: int, clients: list[Client], log_url: str) -> None:
    """Each answer is in the log once; a repeat is answered from there, or still claimed by the process that died."""
    known = set()
    for client in clients:
        assert len(client.answered) > KILLS
        for key, image in client.asked:
            again = ask(port, key, image)
            if key in client.answered:
                assert again.json()["id"] == client.answered[key]["id"]
            assert again.status_code in (200, 409), again.text
            if again.status_code == 200:
                known.add(again.json()["id"])
    log = ReadingLog.open(log_url, create=False)
    logged = [row.reading_id for row in log.images()]
    log.close()
    assert sorted(logged) == sorted(known)


def require_nothing_lost(server: Killable, two_classes: Path, log_url: str, kill: Callable[[], None]) -> None:
    """Kill something that comes back, again and again while clients read."""
    chance = random.Random(0)
    images = [path.read_bytes() for path in sorted(two_classes.glob("Normal/*.png"))[:8]]
    try:
        with under_load(server.port, images) as clients:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.5, 2))
                kill()
            time.sleep(1)
        require_as_if_nothing_had_happened(server.port, clients, log_url)
    finally:
        server.kill()


def test_a_server_that_is_killed_amid_readings_goes_on_where_it_was(
    tiny_study: Study, two_classes: Path, log_url: str
) -> None:
    server = Killable(tiny_study.out / "bundle", log_url)

    def kill() -> None:
        server.kill()
        server.start()

    require_nothing_lost(server, two_classes, log_url, kill)


def test_a_database_that_is_killed_amid_readings_loses_none_that_was_answered(
    tiny_study: Study, two_classes: Path, postgres: Postgres
) -> None:
    log_url = postgres.new_database()

    def kill() -> None:
        postgres.stop()
        postgres.start()

    require_nothing_lost(Killable(tiny_study.out / "bundle", log_url), two_classes, log_url, kill)
