"""The server that is soaked, and what is measured of it from outside."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

HOST, TOKEN = "127.0.0.1", "a token of the soak, not a secret"


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a server held at a moment: bytes of memory with its workers, shared pages once, and open descriptors."""

    time: float
    memory: int
    descriptors: int


class Server:
    """`overread serve` on a port of its own; its output is kept in a file."""

    def __init__(self, bundle: Path, log_url: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.output = folder / "server.txt"
        command = [sys.executable, "-m", "overread", "serve", str(bundle), "--port", str(self.port)]
        secrets = {"OVERREAD_TOKEN": TOKEN, "OVERREAD_LOG": log_url}
        with self.output.open("w") as stream:
            self._process = subprocess.Popen(
                command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **secrets}
            )

    def sample(self) -> Sample:
        """Measure it."""
        process = psutil.Process(self._process.pid)
        memory = 0
        for each in [process, *process.children(recursive=True)]:
            try:
                memory += each.memory_full_info().pss
            except psutil.Error:  # a worker that has just ended
                continue
        return Sample(time.monotonic(), memory, process.num_fds())

    def kill_a_worker(self, chance: random.Random) -> None:
        """Kill one of the processes that decode, whatever it is doing."""
        workers = [child for child in psutil.Process(self._process.pid).children(recursive=True) if _is_worker(child)]
        if workers:
            chance.choice(workers).kill()

    def stop(self, seconds: float) -> int | None:
        """Tell it to stop, and give its exit status; None if it had to be killed after so many seconds."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return None


def _is_worker(process: psutil.Process) -> bool:
    try:
        return not process.children() and "resource_tracker" not in " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return False
