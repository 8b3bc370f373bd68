"""Does the server stand a minute of several clients at once: how many images, how long they wait, errors, memory?

    python benchmarks/load.py runs/cxr/bundle

Starts the real `overread serve` with a reading log in SQLite, has clients send radiographs one after the other, each
in a request of its own, and holds throughput against `Reader.read` alone, a file after the other in one process.
"""

from __future__ import annotations

import http.client
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import psutil
from table import Row, data_folder, options, report

from overread.reading import Reader

HOST = "127.0.0.1"


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    images = random.Random(0).sample(sorted(data_folder().rglob("*.jpeg")), 400)
    alone = read_alone(chosen.bundle, images)
    with tempfile.TemporaryDirectory() as folder:
        times, errors, memory = load(chosen.bundle, images, chosen.clients, chosen.seconds, Path(folder))
    throughput = len(times) / chosen.seconds
    p50, p99 = (1000 * statistics.quantiles(times, n=100)[i] for i in (49, 98))
    sizes = " / ".join(f"{size / 2**20:.0f}" for size in memory)
    rows = [
        Row(
            what=f"{chosen.clients} clients, {chosen.seconds:g} s",
            ours=f"{throughput:.0f} images/s",
            other=f"Reader.read alone {alone:.0f} images/s",
            ratio=throughput / alone,
        ),
        Row(what="Time of a request, p50 / p99", ours=f"{p50:.0f} / {p99:.0f} ms", other="", ratio=p99 / p50),
        Row(what="Errors", ours=f"{errors} of {len(times) + errors}", other="", ratio=errors, target=0, at_most=True),
        Row(
            what="Memory of server and workers: start / middle / end",
            ours=f"{sizes} MB",
            other="the middle",
            ratio=memory[2] / memory[1],
            target=1.05,
            at_most=True,
        ),
    ]
    report("The reading room under load", rows, chosen.json)


def read_alone(bundle: Path, images: list[Path]) -> float:
    reader = Reader.load(bundle)
    reader.read(images[0])
    start = time.perf_counter()
    for image in images:
        reader.read(image)
    return len(images) / (time.perf_counter() - start)


def load(
    bundle: Path, images: list[Path], clients: int, seconds: float, folder: Path
) -> tuple[list[float], int, list[int]]:
    """Seconds of each answered request, how many were not, and bytes of memory at start, middle and end."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "overread.cli", "serve", str(bundle), "--port", str(port)]
    server = subprocess.Popen([*command, "--log-url", f"sqlite:///{folder / 'log.sqlite'}"])
    bodies = [body_of(image) for image in images]
    times: list[float] = []
    errors: list[int] = []
    try:
        wait(port)
        send_for(port, bodies, 5, 0, [], [])
        threads = [
            threading.Thread(target=send_for, args=(port, bodies, seconds, i, times, errors)) for i in range(clients)
        ]
        memory = [memory_of(server.pid)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        memory.append(memory_of(server.pid))
        for thread in threads:
            thread.join()
        memory.append(memory_of(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return times, len(errors), memory


def body_of(image: Path) -> bytes:
    head = '--x\r\nContent-Disposition: form-data; name="files"; filename="image.jpeg"\r\n\r\n'
    return head.encode() + image.read_bytes() + b"\r\n--x--\r\n"


def send_for(port: int, bodies: list[bytes], seconds: float, seed: int, times: list[float], errors: list[int]) -> None:
    chance, end = random.Random(seed), time.perf_counter() + seconds
    connection = http.client.HTTPConnection(HOST, port)
    while (start := time.perf_counter()) < end:
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": uuid.uuid4().hex}
        try:
            connection.request("POST", "/v1/readings", chance.choice(bodies), headers)
            answer = connection.getresponse()
            answer.read()
            (times if answer.status == 200 else errors).append(time.perf_counter() - start)  # type: ignore[arg-type]
        except OSError:
            connection.close()
            errors.append(0)
    connection.close()


def wait(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection(HOST, port)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def memory_of(pid: int) -> int:
    """Resident bytes of a process and all below it, shared pages counted once where the system tells (PSS)."""
    process = psutil.Process(pid)
    found = [each.memory_full_info() for each in [process, *process.children(recursive=True)]]
    return sum(getattr(info, "pss", info.uss) for info in found)


if __name__ == "__main__":
    main()
