"""A Ray cluster of several nodes and an S3 server on one machine, and what dies there.

Ray listens on all addresses, and asks for a token that only these processes know.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PORT, STORE_PORT = 6399, 9799
_READER = "ray::MapWorker("
# Of which several clusters on one machine would take the same.
_PORTS = ("dashboard-agent-listen-port", "dashboard-agent-grpc-port", "metrics-export-port", "runtime-env-agent-port")


class Cluster:
    """Nodes of one core each (by what Ray is told), the first of which is the head that none of the rounds kills."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._cpus = folder, 1
        self._nodes: list[subprocess.Popen] = []

    def begin(self, nodes: int, cpus: int) -> None:
        """Start the head and nodes of so many cores."""
        self._cpus = cpus
        # The head runs no readers: what dies is what a cluster may lose.
        self._start("--head", f"--port={PORT}", f"--ray-client-server-port={_free_port()}", "--include-dashboard=false",
                    "--num-cpus=0")  # fmt: skip
        for _ in range(nodes):
            self.add()

    def add(self) -> None:
        """Start a node."""
        self._start(f"--address=127.0.0.1:{PORT}", f"--num-cpus={self._cpus}")

    def kill_reader(self, chance: random.Random) -> bool:
        """Kill a process that reads; False where there is none yet."""
        readers = [pid for pid in _below(node.pid for node in self._nodes) if _READER in _command(pid)]
        if readers:
            os.kill(chance.choice(readers), signal.SIGKILL)
        return bool(readers)

    def kill_node(self, chance: random.Random) -> bool:
        """Kill the raylet of a node, and start another node."""
        node = chance.choice(self._nodes[1:])
        raylets = [pid for pid in _below([node.pid]) if "/raylet" in _command(pid).split("\0")[0]]
        for pid in raylets:
            os.kill(pid, signal.SIGKILL)
        self._nodes.remove(node)
        _end(node)
        self.add()
        return bool(raylets)

    def end(self) -> None:
        """End what was started here."""
        for node in reversed(self._nodes):
            _end(node)

    def _start(self, *options: str) -> None:
        # A raylet gives up where its agent takes more than 15 s, as on a busy machine (ray-project/ray#65983).
        for _ in range(5):
            if self._has_started(options):
                return
        raise ChildProcessError("a node does not start: leave the machine to the benchmark")

    def _has_started(self, options: Sequence[str]) -> bool:
        ports = [f"--{name}={_free_port()}" for name in _PORTS]
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--object-store-memory=200000000"]
        command += [f"--temp-dir={self._folder}", *ports, *options]
        log = self._folder / f"node-{time.monotonic_ns()}.log"
        with log.open("wb") as stream:
            node = subprocess.Popen(command, stdout=stream, stderr=stream)
        self._nodes.append(node)
        while node.poll() is None:
            if "Ray runtime started" in log.read_text(errors="replace"):
                return True
            time.sleep(0.1)
        self._nodes.remove(node)
        return False


@contextlib.contextmanager
def cluster_of(nodes: int, cpus: int = 1) -> Iterator[Cluster]:
    """Run a cluster; RAY_ADDRESS leads to it."""
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ADDRESS": f"127.0.0.1:{PORT}",
        "RAY_raylet_start_wait_time_s": "20",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    with tempfile.TemporaryDirectory(prefix="nodes-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.begin(nodes, cpus)
            yield cluster
        finally:
            cluster.end()


@contextlib.contextmanager
def object_store() -> Iterator[None]:
    """Run an S3 server, which AWS_ENDPOINT_URL leads to."""
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{STORE_PORT}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(STORE_PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(STORE_PORT)
        yield
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(1200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _below(roots: Iterator[int] | list[int]) -> list[int]:
    """All processes that descend from these."""
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += map(int, children.read_text().split())
        found.append(pid)
    return found


def _end(node: subprocess.Popen) -> None:
    pids = _below([node.pid])
    node.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        node.wait(10)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
