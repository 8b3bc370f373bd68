"""The processes, as the program sees them that has work for them."""

from __future__ import annotations

import contextlib
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from overread.machine.apart.messages import receive, send

Result = TypeVar("Result")

# After which a process is replaced, so that what a decoder leaks does not add up. A start takes 300 ms of a processor,
# a JPEG of 224 px 0.5 (November 2026).
_TASKS = 2000
# For taking work on: a new process has to start, and to import what its work needs, on a machine that may be busy.
_START_S, _BEGIN_S = 30.0, 5.0
# How many processes may be gone before they begin with a piece of work, in how many seconds; and how many may die at
# it, for the first time it may have been another's fault, such as the system's that was short of memory.
_STARTS, _STARTS_S, _TRIES = 20, 60.0, 2
# Isolated from the current folder, in which a file may be called as a module of Python's own.
_COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from overread.machine.apart.child import serve; serve()"


class WorkEnded(Exception):
    """Work gave neither a result nor an error.

    Args:
        code: `timed-out`; `crashed`, the process died at it, twice; `killed`, somebody else ended it both times;
            `no-process`, none could be started; or `closed`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
        try:
            if not succeeded:
                raise value
            result: Result = value
            return result
        finally:
            # The error holds this frame, which would hold it, and the file with it, until Python looks for such rings.
            del value

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
        raise WorkEnded("killed" if worker.was_killed else "crashed")

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
                send(self._socket, self._greeting.pop(), deadline)
            send(self._socket, request, deadline)
            receive(self._socket, deadline)
        except OSError:
            return False
        return True

    def answer(self, timeout_s: float) -> bytearray:
        """What came of it.

        Raises:
            TimeoutError: nothing, in time.
            OSError: the process is gone.
        """
        answer = receive(self._socket, time.monotonic() + timeout_s)
        self.is_idle = True
        return answer

    @property
    def was_killed(self) -> bool:
        """Whether not its work ended the process, but somebody else, such as a system that is short of memory."""
        return sys.platform != "win32" and self._process.returncode == -signal.SIGKILL

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
