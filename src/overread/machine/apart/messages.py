"""Messages through a socket of two: their length, and their bytes. No wait is longer than its deadline."""

from __future__ import annotations

import socket
import struct
import time

_LENGTH = struct.Struct(">Q")


def send(connection: socket.socket, body: bytes, deadline: float | None = None) -> None:
    """Send one.

    Args:
        connection: the socket.
        body: of the message.
        deadline: by `time.monotonic`; None for none.

    Raises:
        TimeoutError: it was not taken in by then.
        OSError: the other end is gone.
    """
    for part in (_LENGTH.pack(len(body)), body):
        connection.settimeout(_left(deadline))
        connection.sendall(part)


def receive(connection: socket.socket, deadline: float | None = None) -> bytearray:
    """The next one; raises as `send`."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, deadline))
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, length: int, deadline: float | None) -> bytearray:
    body = bytearray(length)
    rest = memoryview(body)
    while rest:
        connection.settimeout(_left(deadline))
        if not (count := connection.recv_into(rest)):
            raise ConnectionResetError
        rest = rest[count:]
    return body


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left
