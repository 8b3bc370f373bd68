"""Clients that do everything wrong, and at once: each place is given back, and reading goes on."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from overread.reading import Reader
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.connections import Connections
from overread.service.settings import MIB, Settings
from overread.study.train import Study
from support.small_server import is_closed, serving

Address = tuple[str, int]
HOST = b"Host: localhost\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
POST = b"POST /v1/readings HTTP/1.1\r\n" + HOST + FORM
LENGTH = b"Content-Length: %d\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"
LIMITS = Settings(
    workers=2, max_upload_bytes=4 * MIB, max_file_bytes=MIB, max_files=20, max_waiting=20, max_requests=4,
    upload_timeout_s=1.5,
)  # fmt: skip


def multipart(*contents: bytes, name: bytes = b"a.png") -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n' % name
    return b"".join(head + content + b"\r\n" for content in contents) + b"--x--\r\n"


@pytest.fixture(scope="module")
def image(two_classes: Path) -> bytes:
    return next(two_classes.glob("Normal/*.png")).read_bytes()


@pytest.fixture(scope="module")
def address(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Where the whole service answers, within low limits."""
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'readings.sqlite'}")
    app = create_app({"tiny": Reader.load(tiny_study.out / "bundle")}, LIMITS, log)
    with serving(app, Connections(60, wait_s=1)) as where:
        yield where
    app.state.room.close()
    log.close()


def status_of(address: Address, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(*address, timeout=30)
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Connection": "close"}
    try:
        connection.request("POST" if body else "GET", path, body, kind if body else {})
        return connection.getresponse().status
    finally:
        connection.close()


def said(address: Address, sent: bytes) -> bytes:
    """All that the server says to these bytes, after which their client says nothing."""
    with socket.create_connection(address) as connection:
        connection.settimeout(20)
        answer = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
    return answer


# What is sent, and the statuses that may be answered.
REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    "a body that stops": (POST + LENGTH % 1000 + b"--x\r\n", {408}),
    "a body that is expected and never sent": (POST + b"Expect: 100-continue\r\n" + LENGTH % 1000, {100, 408}),
    "chunks without end": (POST + CHUNKED + b"1\r\n-\r\n" * 2000, {400, 408}),
    "a chunk of an absurd size": (POST + CHUNKED + b"FFFFFFFFFFFFFFFF\r\n-", {408}),
    "both lengths": (POST + b"Transfer-Encoding: chunked\r\n" + LENGTH % 5 + b"0\r\n\r\n", {400}),
    "a packed body": (POST + b"Content-Encoding: gzip\r\n" + LENGTH % 41 + gzip.compress(multipart(b"x"))[:41], {400}),
    "a declared length beyond the limit": (POST + LENGTH % 10**12, {413}),
    "a length that is no number": (POST + b"Content-Length: 1e3\r\n\r\n", {400}),
    "many parts": (POST + LENGTH % 10**6 + multipart(*[b""] * 20_000)[: 10**6], {413}),
    "no host": (b"GET / HTTP/1.0\r\n\r\n", {421}),
    "an old client": (b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n", {200}),
    "a whole address": (b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", {404}),
    "HEAD": (b"HEAD / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", {405}),
    "OPTIONS of all": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", {404, 405}),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", {403, 405}),
    "CONNECT": (b"CONNECT localhost:1 HTTP/1.1\r\n" + HOST + b"\r\n", {404, 405}),
    "ranges": (
        b"GET /static/reading-room.js HTTP/1.1\r\n" + HOST + b"Range: bytes=" + b"0-," * 9000 + b"0-\r\n\r\n", {200}
    ),
    "cookies": (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a=b; " * 9000 + b"\r\nConnection: close\r\n\r\n", {200}),
    "a WebSocket": (b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", {200}),
    "many at once": ((b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 200, {200}),
    "one that hides in the body of another": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + LENGTH % len(HIDDEN) + HIDDEN, {200}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_an_odd_request_has_an_answer_that_ends(address: Address, caplog: pytest.LogCaptureFixture, name: str) -> None:
    sent, statuses = REQUESTS[name]
    found = {int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", said(address, sent))}
    assert found and found <= statuses
    assert not any(record.exc_info or record.levelno >= logging.ERROR for record in caplog.records), caplog.text


def goes(address: Address, *parts: bytes, wait_s: float = 0.0) -> None:
    """Send these with a pause after each, and go without a word."""
    with contextlib.suppress(ConnectionError), socket.create_connection(address) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(wait_s)


def test_after_a_storm_every_place_is_free_and_reading_goes_on(
    address: Address, image: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    body = multipart(*[image] * 4)
    request = POST + LENGTH % len(body) + body
    page = request.replace(b"/v1/readings", b"/", 1)
    clients: list[Callable[[], object]] = [
        lambda: goes(address),
        lambda: goes(address, POST[:30], wait_s=0.1),
        lambda: goes(address, POST + LENGTH % 1000, wait_s=0.1),
        lambda: goes(address, request[:-200], wait_s=0.1),
        lambda: goes(address, request),
        lambda: goes(address, request, wait_s=0.2),
        lambda: goes(address, page, wait_s=0.3),
        lambda: goes(address, request, b"nonsense", wait_s=0.01),
        lambda: said(address, POST + LENGTH % 1000 + b"--x"),
        lambda: status_of(address, "/v1/readings", body),
        lambda: status_of(address, "/", body),
        lambda: status_of(address, "/v1/readings", multipart(b"no image")),
        lambda: status_of(address, "/v1/readings", multipart(bytes(3 * MIB))),
    ]
    with ThreadPoolExecutor(len(clients)) as threads:
        for asked in [threads.submit(client) for _ in range(4) for client in clients]:
            asked.result()
    free = ("overread_waiting_images 0.0", "overread_answering_requests 0.0", "overread_body_bytes 0.0")
    metrics, end = "", time.monotonic() + 30
    while not all(line in metrics for line in free) and time.monotonic() < end:
        time.sleep(0.1)
        with contextlib.closing(http.client.HTTPConnection(*address)) as connection:
            connection.request("GET", "/metrics")
            metrics = connection.getresponse().read().decode()
    assert [line for line in metrics.splitlines() if line.startswith(tuple(one.split()[0] for one in free))] == [*free]
    assert status_of(address, "/v1/readings", body) == status_of(address, "/readyz") == 200
    assert not any(record.exc_info or record.levelno >= logging.ERROR for record in caplog.records), caplog.text


def test_clients_that_send_slowly_hold_no_place_of_those_who_do_not(address: Address, image: bytes) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3 * LIMITS.max_requests):
            slow = stack.enter_context(socket.create_connection(address))
            slow.sendall(POST + LENGTH % 1000 + b"--x")
        for _ in range(3):
            assert status_of(address, "/v1/readings", multipart(image)) == 200
        assert is_closed(slow, 10)


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory as Linux does")
def test_the_memory_of_uploads_is_given_back(tiny_study: Study, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "overread",
        "serve",
        str(tiny_study.out / "bundle"),
        "--port",
        "0",
        "--workers",
        "2",
    ]
    log = f"sqlite:///{tmp_path / 'log.sqlite'}"
    with subprocess.Popen([*command, "--log-url", log], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = int(process.stderr.readline().split("127.0.0.1:")[1].split("/")[0])
            body = multipart(*[os.urandom(MIB)] * 60)
            before = memory_mb(process.pid)
            with ThreadPoolExecutor(3) as threads:
                list(threads.map(lambda _: status_of(("127.0.0.1", port), "/v1/readings", body), range(5)))
            end = time.monotonic() + 10
            while memory_mb(process.pid) > before + 80 and time.monotonic() < end:
                time.sleep(0.1)
            assert memory_mb(process.pid) < before + 80
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()
