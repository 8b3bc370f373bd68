"""Clients that open many connections, or are silent on one: the server goes on answering the others."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from overread.service.connections import Connections
from overread.service.logs import Seldom, log_error_of_loop
from support.small_server import is_closed, serving

WAIT_S = 0.4
# Long after a connection is given up, and long before one that is not would end.
SURELY_S = 10
LARGE = 8 * 2**20
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
Address = tuple[str, int]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once, with much at /large, at /slow after a second and at /body when it has the body."""
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    while scope["path"] == "/body" and (await receive()).get("more_body"):
        pass
    body = bytes(LARGE) if scope["path"] == "/large" else b"ok"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def book() -> Connections:
    return Connections(6, wait_s=WAIT_S)


@pytest.fixture
def address(book: Connections) -> Iterator[Address]:
    with serving(app, book) as where:
        yield where


def ask(address: Address, path: str = "/") -> int:
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def opened(address: Address, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address)
    connection.sendall(sent)
    return connection


def test_idle_connections_beyond_the_limit_give_way_to_who_asks(address: Address, book: Connections) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(opened(address)) for _ in range(30)]
        assert all(ask(address) == 200 for _ in range(3))
        assert len(book.waiting) <= book.most
        assert is_closed(idle[0], SURELY_S) and not is_closed(idle[-1], 0.01)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET + b"X: ", GET + b"\r\nGET"])
def test_a_header_that_does_not_become_whole_is_given_up(address: Address, sent: bytes) -> None:
    with opened(address, sent) as connection:
        assert not is_closed(connection, WAIT_S / 4)
        for byte in (b"a", b"b"):
            connection.sendall(byte if sent else b"")
            assert not is_closed(connection, WAIT_S / 8)
        assert is_closed(connection, SURELY_S)


def test_a_body_that_goes_on_after_its_answer_is_given_up(address: Address) -> None:
    with opened(address, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n") as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not is_closed(connection, 0.05):
                connection.sendall(b"x")
        assert time.monotonic() - began < SURELY_S


def test_a_client_that_does_not_take_its_answer_is_given_up(address: Address, book: Connections) -> None:
    with opened(address, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
        time.sleep(3 * WAIT_S)
        end = time.monotonic() + SURELY_S
        while book.unsent or book.waiting:
            assert time.monotonic() < end
            time.sleep(0.05)
        with contextlib.suppress(ConnectionError):
            assert sum(map(len, iter(lambda: connection.recv(2**20), b""))) < LARGE


def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(address: Address) -> None:
    with opened(address, b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as connection:
        taken = 0
        while part := connection.recv(2**18):
            taken += len(part)
            time.sleep(0.05)
    assert taken > LARGE


def test_where_every_connection_is_being_answered_a_new_one_is_told_to_come_back(address: Address) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(opened(address, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"))
        time.sleep(0.1)
        with opened(address) as refused:
            said = refused.recv(4096)
        assert said.startswith(b"HTTP/1.1 503") and b"Retry-After" in said


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"Host: b\r\n\r\n",
        GET + b"X : y\r\n\r\n",
        GET + b"X: y\r\n" * 100_000 + b"\r\n",
        b"GET /?" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFF\r\n",
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"X: y\r\n" * 100_000,
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        GET + b"\r\n" * 300,
    ],
)
def test_what_is_no_request_ends_its_connection_and_nothing_else(
    address: Address, book: Connections, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with opened(address) as connection:
        sender = threading.Thread(target=send_all, args=(connection, sent))
        sender.start()
        assert is_closed(connection, SURELY_S)
        sender.join()
    assert ask(address) == 200
    assert not any(record.exc_info for record in caplog.records), caplog.text


def send_all(connection: socket.socket, content: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        connection.sendall(content)


def test_the_limit_of_descriptors_is_raised_and_leaves_room_for_the_program() -> None:
    code = (
        "import resource; from overread.service.connections import connections_at_most as most\n"
        "for soft, hard in ((256, 8192), (200, 1024), (200, 200)):\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))\n"
        "    print(most(2), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    (most, soft, _), (fewer, all_of_it, hard), (fewest, *_) = (map(int, line.split()) for line in said.splitlines())
    assert most == 1000 and soft > 1400
    assert 400 < fewer < 800 and all_of_it == hard == 1024
    assert fewest > 0


def record(text: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    given = (type(error), error, None) if error else None
    return logging.LogRecord("uvicorn.error", logging.ERROR, "/a.py", 7, text, arguments, given)


def test_what_is_said_over_and_over_is_said_once_a_minute_without_a_traceback() -> None:
    now = 0.0
    seldom = Seldom(clock=lambda: now)
    kept = [one for _ in range(1000) if seldom.filter(one := record("no room (%s)", 24, error=OSError("Doe^John")))]
    assert [(one.getMessage(), one.exc_info) for one in kept] == [("no room (24): OSError at no place", None)]
    assert seldom.filter(record("something else"))
    now = 61.0
    assert seldom.filter(last := record("no room (%s)", 24, error=OSError()))
    assert "999 times more" in last.getMessage()
    assert all(seldom.filter(record(f"kind {number}")) for number in range(5000))


def test_an_error_in_the_loop_is_told_in_one_line_that_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    log_error_of_loop(None, {"message": "Exception in callback <Handle 'Doe^John'>", "exception": OSError("Doe^John")})  # type: ignore[arg-type]
    assert caplog.messages == ["Exception in callback: OSError at no place"]
