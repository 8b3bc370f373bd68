"""What a process does that works for another: one piece of work after the other, until its parent is gone."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Iterator

from overread.machine.apart.messages import receive, send

_is_apart = False


def is_apart() -> bool:
    """Whether this is such a process, in which nothing needs to be sent to another."""
    return _is_apart


def serve() -> None:
    """Do what comes through the socket in the place of standard input, until its other end is gone: the parent's."""
    global _is_apart
    _is_apart = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        connection = socket.fromshare(sys.stdin.buffer.read())
    else:
        connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    memory_bytes, set_up = pickle.loads(receive(connection))
    if set_up is not None:
        set_up()
    _limit(memory_bytes)
    # The parent is gone.
    with contextlib.suppress(OSError):
        while True:
            _work(connection)


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    # macOS refuses: there the time-out is what ends a decoder that swallows memory.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # A core dump would hold the image.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(connection: socket.socket) -> None:
    request = receive(connection)
    send(connection, b"")
    send(connection, _answer_to(request))


def _answer_to(request: bytearray) -> bytes:
    try:
        function, arguments, timeout_s = pickle.loads(request)
        # Should the parent be gone by then: the system ends this process, in the midst of C code too.
        with _ended_after(timeout_s + 1):
            return pickle.dumps((True, function(*arguments)))
    except Exception as error:  # noqa: BLE001 - it is raised in the parent
        return _failure(error)
    except BaseException as error:  # noqa: BLE001 - a panic of Rust, or an exit, which the parent must not follow
        return _failure(RuntimeError(type(error).__name__))


def _failure(error: Exception) -> bytes:
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)
    except Exception:  # noqa: BLE001 - errors may hold anything
        return pickle.dumps((False, RuntimeError(type(error).__name__)))
    return answer


@contextlib.contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
