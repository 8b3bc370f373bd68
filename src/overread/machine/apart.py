"""Work in processes of its own, which may crash, hang or swallow memory there and takes nothing else with it.

Each process has a socket that it shares with nobody, so that one that is killed at any moment, even in the middle of a
word, is an end of that socket and no more. A pipe and a lock that several share would stay locked by the dead
(November 2026: of twelve kills one left a request waiting for ever).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")

# After which a process is replaced, so that what a decoder leaks does not add up.
_TASKS = 500
# For taking work on: a new process has to start, and to import what its work needs, on a machine that may be busy.
_START_S, _BEGIN_S = 30.0, 5.0
# How many processes may be gone before they begin with a piece of work, in how many seconds; and how many may die at
# it, for the first time it may have been another's fault, such as the system's that was short of memory.
_STARTS, _STARTS_S, _TRIES = 20, 60.0, 2
# Isolated from the current folder, in which a file may be called as a module of Python's own.
_COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from overread.machine.apart import serve; serve()"
_LENGTH = struct.Struct(">Q")

_is_apart = False


class WorkEnded(Exception):
    """Work gave neither a result nor an error.

    Args:
        code: `timed-out`, `crashed` (the process died at it, twice), `no-process` (none could be started) or `closed`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_apart() -> bool:
    """Whether this is such a process, in which nothing needs to be sent to another."""
    return _is_apart


class Processes:
    """Processes that do one piece of work at a time, started when they are first needed.

    Args:
        workers: how many at most.
        memory_bytes: address space of each, where the system can limit it.
        set_up: called in each before its first work; it can be pickled.
    """

    def __init__(self, workers: int, *, memory_bytes: int, set_up: Callable[[], object] | None = None) -> None:
        self._set_up = pickle.dumps((memory_bytes, set_up))
        # Each holder gives its place back within its own deadlines: waiting for one needs no other.
        self._places = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._free: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._is_closed = False

    def run(self, function: Callable[..., Result], *arguments: Any, timeout_s: float) -> Result:
        """What a function of a module gives in one of the processes; any number of threads may ask at once.

        Args:
            function: of arguments and result that can be pickled.
            arguments: of it.
            timeout_s: from its begin; then its process is ended.

        Raises:
            WorkEnded: it took too long, its process died, or the processes are closed.
            Exception: what the function raised, MemoryError among it.
        """
        succeeded, value = pickle.loads(self._answer(pickle.dumps((function, arguments, timeout_s)), timeout_s))
        if not succeeded:
            raise value
        result: Result = value
        return result

    def close(self) -> None:
        """End all processes at once, and work under way with them."""
        with self._lock:
            self._is_closed = True
            free, self._free = self._free, []
            for worker in self._busy:
                worker.kill()
        for worker in free:
            worker.end()

    def _answer(self, request: bytes, timeout_s: float) -> bytearray:
        for _ in range(_TRIES):
            with self._begun(request) as worker:
                try:
                    return worker.answer(timeout_s)
                except TimeoutError:
                    raise WorkEnded("timed-out") from None
                except OSError:
                    continue
        raise WorkEnded("crashed")

    @contextlib.contextmanager
    def _begun(self, request: bytes) -> Iterator[_Worker]:
        """A process that took the work on."""
        give_up = time.monotonic() + _STARTS_S
        for _ in range(_STARTS):
            with self._lent() as worker:
                if worker.begins(request):
                    yield worker
                    return
            if time.monotonic() > give_up:
                break
        raise WorkEnded("no-process")

    @contextlib.contextmanager
    def _lent(self) -> Iterator[_Worker]:
        """A process for one request; it is ended unless it has answered."""
        with self._places:
            with self._lock:
                if self._is_closed:
                    raise WorkEnded("closed")
                try:
                    worker = self._free.pop() if self._free else _Worker(self._set_up)
                except OSError:  # no memory, or no descriptor left
                    raise WorkEnded("no-process") from None
                self._busy.add(worker)
            try:
                yield worker
            finally:
                with self._lock:
                    self._busy.discard(worker)
                    is_kept = worker.is_idle and worker.tasks < _TASKS and not self._is_closed
                    if is_kept:
                        self._free.append(worker)
                if not is_kept:
                    worker.end()


class _Worker:
    """One process, as its parent sees it."""

    def __init__(self, set_up: bytes) -> None:
        self.is_idle, self.tasks = True, 0
        self._greeting = [set_up]
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _COMMAND, *sys.path],
                stdin=subprocess.PIPE if sys.platform == "win32" else theirs.fileno(),
                # A library's last words, which may quote the file.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl-C in a terminal goes to the whole group, before a new process could ignore it.
                process_group=0,
            )
            if sys.platform == "win32":
                self._process.communicate(theirs.share(self._process.pid))

    def begins(self, request: bytes) -> bool:
        """Whether it took the work on; where not, nothing of it has been tried."""
        self.is_idle, self.tasks = False, self.tasks + 1
        if self._process.poll() is not None:
            return False
        deadline = time.monotonic() + (_START_S if self._greeting else _BEGIN_S)
        try:
            while self._greeting:
                _send(self._socket, self._greeting.pop(), deadline)
            _send(self._socket, request, deadline)
            _receive(self._socket, deadline)
        except OSError:
            return False
        return True

    def answer(self, timeout_s: float) -> bytearray:
        """What came of it.

        Raises:
            TimeoutError: nothing, in time.
            OSError: the process is gone.
        """
        answer = _receive(self._socket, time.monotonic() + timeout_s)
        self.is_idle = True
        return answer

    def kill(self) -> None:
        """Kill the process, stopped or not; whoever waits for it is woken by that."""
        self._process.kill()

    def end(self) -> None:
        """Kill the process, and have the system forget it."""
        self._process.kill()
        self._socket.close()
        # It may hang within the system, as on a network drive that is gone.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)


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
    memory_bytes, set_up = pickle.loads(_receive(connection))
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
    request = _receive(connection)
    _send(connection, b"")
    _send(connection, _answer_to(request))


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


def _send(connection: socket.socket, body: bytes, deadline: float | None = None) -> None:
    for part in (_LENGTH.pack(len(body)), body):
        connection.settimeout(_left(deadline))
        connection.sendall(part)


def _receive(connection: socket.socket, deadline: float | None = None) -> bytearray:
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
