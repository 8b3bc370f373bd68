"""The hosts of one training whose batches are dealt to them, and the processes of it that run on this machine."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from overread.errors import HostLost, InvalidOption

AUTO = "auto"
# How long hosts wait for one another at the beginning, and how soon one is missed that can't say that it goes.
MEET_S, MISSED_S = 300, 30
# What a process ends with that can't go on because another one has gone.
OTHER_LOST = 75
_VARIABLE = "OVERREAD_HOST"
_LOOPBACK = "127.0.0.1"
# The first host may write what it has reached before all are ended.
_GRACE_S, _LOOK_S = 10.0, 0.1
_GO_ON = "run the same command with --resume to go on from the last state, with as many --hosts or fewer"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hosts:
    """The hosts of a training.

    Args:
        count: how many there are.
        coordinator: where the first of them listens, as `host:port`; `auto` for what SLURM, Open MPI or Kubernetes say;
            None where all of them are processes of this machine.
        number: of this host, from 0; None where that follows from the coordinator.

    Raises:
        InvalidOption: they contradict one another.
    """

    count: int = 1
    coordinator: str | None = None
    number: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidOption(f"--hosts {self.count}: give 1 or more")
        if self.coordinator in (None, AUTO):
            if self.number is not None:
                raise InvalidOption("--host-number goes with --coordinator HOST:PORT: give both or neither")
            return
        host, _, port = str(self.coordinator).rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise InvalidOption(f"--coordinator {self.coordinator}: expected HOST:PORT of the first host, or {AUTO}")
        if self.number is None or not 0 <= self.number < self.count:
            raise InvalidOption(
                f"--host-number is {self.number}: with --coordinator HOST:PORT give each of the {self.count} hosts its "
                f"own, from 0, which is the host of the coordinator, to {self.count - 1}"
            )

    @property
    def are_one_process(self) -> bool:
        """Whether there is nobody to wait for."""
        return self.count == 1 and self.coordinator is None

    @classmethod
    def of_this_process(cls) -> Hosts | None:
        """The hosts that `run_on_hosts` has started this process as one of, with its number; None elsewhere."""
        told = os.environ.get(_VARIABLE)
        return None if told is None else cls(**json.loads(told)["hosts"])

    @property
    def here(self) -> list[Hosts]:
        """The same as each process of this machine is told."""
        if self.coordinator is not None:
            return [self]
        with socket.socket() as free:
            free.bind((_LOOPBACK, 0))
            coordinator = f"{_LOOPBACK}:{free.getsockname()[1]}"
        return [dataclasses.replace(self, coordinator=coordinator, number=number) for number in range(self.count)]


def run_on_hosts(hosts: Hosts, command: Sequence[str]) -> int:
    """Run a command as each of the hosts that this machine is, until the first of these has ended.

    The libraries that connect hosts abort a process, or hold it for minutes, where another one is lost; so no process
    waits for another here, and what ended is told by this one. On Ctrl-C the first host says how to go on.

    Args:
        hosts: of them, all are started where no coordinator is named, else one.
        command: the program and its arguments; `Hosts.of_this_process` tells each process what it is.

    Returns:
        The exit status of the first host, or of one that failed by itself and has said why.

    Raises:
        HostLost: one was killed, or one of another machine is lost.
    """
    running = {own.number or 0: _start(own, command) for own in hosts.here}
    first = running[min(running)]
    try:
        with _passing_on_signals(first):
            _await_end(running.values(), first)
        ended = {number: process.poll() for number, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    by_themselves = [status for status in ended.values() if status is not None and _has_said_why(status)]
    if _has_said_why(first.returncode):
        return first.returncode
    if any(by_themselves):
        return max(by_themselves)
    raise HostLost(f"{_what_was_lost(hosts, ended)}, which ends the training: {_GO_ON}")


def _has_said_why(status: int) -> bool:
    return status >= 0 and status != OTHER_LOST


def _what_was_lost(hosts: Hosts, ended: Mapping[int, int | None]) -> str:
    for number, status in ended.items():
        # A library that misses another host aborts.
        if status is not None and status < 0 and status != -signal.SIGABRT:
            return f"host {number} of {hosts.count} was lost ({signal.Signals(-status).name})"
    return f"another of the {hosts.count} hosts was lost, or did not come within {MEET_S // 60} minutes"


def _start(own: Hosts, command: Sequence[str]) -> subprocess.Popen:
    told = {"hosts": dataclasses.asdict(own), "starter": os.getpid()}
    environment = {**os.environ, _VARIABLE: json.dumps(told)}
    # Ctrl-C on a terminal is for the first host.
    return subprocess.Popen(command, env=environment, start_new_session=bool(own.number))


def _await_end(running: Collection[subprocess.Popen], first: subprocess.Popen) -> None:
    """Wait for the end of the first host; once another one has failed, no longer than it may need to write."""
    until = math.inf
    while first.poll() is None and time.monotonic() < until:
        time.sleep(_LOOK_S)
        if until == math.inf and any(process.poll() for process in running):
            until = time.monotonic() + _GRACE_S


@contextmanager
def _passing_on_signals(first: subprocess.Popen) -> Iterator[None]:
    """Let Ctrl-C, which a terminal sends to all, and SIGTERM end the first host, and this process after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: first.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def end_with_starter() -> None:
    """Have this process end as soon as the one is gone that has started it with `run_on_hosts`."""
    starter = json.loads(os.environ[_VARIABLE])["starter"]

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(1)
        os._exit(OTHER_LOST)

    threading.Thread(target=watch, daemon=True, name="starter").start()
