"""Work in processes of its own: whatever becomes of a process, each piece of work has its answer in time."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from overread.machine.apart import Processes, WorkEnded, is_apart

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
MIB = 2**20


@pytest.fixture
def one() -> Iterator[Processes]:
    processes = Processes(1, memory_bytes=512 * MIB)
    yield processes
    processes.close()


def pid(processes: Processes) -> int:
    return processes.run(os.getpid, timeout_s=60)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def within(seconds: float, condition: object) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_work_is_done_in_one_process_after_the_other_and_says_where_it_is(one: Processes) -> None:
    assert one.run(divmod, 7, 2, timeout_s=60) == (3, 1)
    assert pid(one) == pid(one) != os.getpid()
    assert one.run(is_apart, timeout_s=60)
    assert not is_apart()


def test_what_work_raises_is_raised(one: Processes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        one.run(int, "x", timeout_s=60)
    with pytest.raises(MemoryError):
        one.run(bytearray, 2**40, timeout_s=60)
    before = pid(one)
    with pytest.raises(RuntimeError, match="SystemExit"):
        one.run(sys.exit, timeout_s=60)
    with pytest.raises(TypeError, match="pickle"):
        one.run(threading.Lock, timeout_s=60)
    assert pid(one) == before


def test_an_error_lets_go_of_what_the_work_was_given(one: Processes) -> None:
    gc.disable()
    try:
        given = np.zeros(3)
        alive = weakref.ref(given)
        with contextlib.suppress(TypeError):
            one.run(int, given, timeout_s=20)
        del given
        assert alive() is None, "a ring of error and frame holds it"
    finally:
        gc.enable()


def test_work_that_takes_too_long_ends_with_its_process(one: Processes) -> None:
    before = pid(one)
    start = time.monotonic()
    with pytest.raises(WorkEnded) as ended:
        one.run(time.sleep, 600, timeout_s=0.2)
    assert ended.value.code == "timed-out"
    assert time.monotonic() - start < 15
    assert pid(one) != before


def test_work_whose_process_dies_is_tried_once_more_and_then_named(one: Processes, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    with pytest.raises(WorkEnded) as ended:
        one.run(exec, f"import os; open({str(tries)!r}, 'a').write('x'); os.abort()", timeout_s=60)
    assert ended.value.code == "crashed"
    assert tries.read_text() == "xx"
    with pytest.raises(WorkEnded, match="killed"):
        one.run(exec, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", timeout_s=60)
    once = f"import os, pathlib; p = pathlib.Path({str(tmp_path / 'once')!r}); p.exists() or (p.touch(), os.abort())"
    assert one.run(exec, once, timeout_s=60) is None


def test_a_process_that_is_stopped_at_work_is_ended_in_time(one: Processes) -> None:
    with pytest.raises(WorkEnded) as ended:
        one.run(os.kill, pid(one), signal.SIGSTOP, timeout_s=0.2)
    assert ended.value.code == "timed-out"
    assert one.run(abs, -1, timeout_s=60) == 1


@pytest.mark.slow
def test_a_large_request_does_not_wait_for_a_process_that_takes_nothing_in(one: Processes) -> None:
    stopped = pid(one)
    os.kill(stopped, signal.SIGSTOP)
    assert one.run(len, bytes(8 * MIB), timeout_s=60) == 8 * MIB
    assert not is_running(stopped)


def test_a_process_that_is_ended_while_idle_costs_no_work_a_try(one: Processes) -> None:
    for _ in range(3):
        before = pid(one)
        os.kill(before, signal.SIGKILL)
        assert pid(one) != before


def a_while(processes: Processes, number: int) -> tuple[int, int]:
    """Which process took a moment over a number; by names of Python's own, for a module would have to be imported."""
    work = f"(__import__('time').sleep(0.002), __import__('os').getpid(), {number})[1:]"
    return processes.run(eval, work, timeout_s=60)


def test_processes_that_are_killed_at_any_moment_lose_no_work() -> None:
    processes, chance, is_over = Processes(2, memory_bytes=512 * MIB), random.Random(0), threading.Event()
    seen: set[int] = set()

    def work(number: int) -> tuple[int, int]:
        found = a_while(processes, number)
        seen.add(found[0])
        return found

    def kill() -> None:
        while not is_over.wait(chance.uniform(0, 0.04)):
            if seen and is_running(process := seen.pop()):
                os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(work, range(80)))
    finally:
        is_over.set()
        killer.join()
        processes.close()
    assert [number for _, number in found] == list(range(80))
    assert len({process for process, _ in found}) > 5


def test_closing_ends_processes_at_work_stopped_and_idle_at_once() -> None:
    processes = Processes(3, memory_bytes=512 * MIB)
    with ThreadPoolExecutor(3) as threads:
        found = threads.map(lambda number: a_while(processes, number), range(9))
        pids = sorted({process for process, _ in found})
        os.kill(pids[0], signal.SIGSTOP)
        under_way = threads.submit(processes.run, time.sleep, 600, timeout_s=600)
        time.sleep(0.2)
        start = time.monotonic()
        processes.close()
        with pytest.raises(WorkEnded, match="closed"):
            under_way.result(timeout=15)
    assert time.monotonic() - start < 15
    assert not any(is_running(process) for process in pids)
    with pytest.raises(WorkEnded, match="closed"):
        processes.run(abs, -1, timeout_s=60)


def test_processes_end_with_their_parent_however_it_ends() -> None:
    code = """
import os, threading, time
from overread.machine.apart import Processes
processes = Processes(2, memory_bytes=2**29)
threading.Thread(target=processes.run, args=(time.sleep, 0.2), kwargs={"timeout_s": 0.5}).start()
print(processes.run(os.getpid, timeout_s=60), processes.run(os.getppid, timeout_s=60), flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        idle, reported = map(int, parent.stdout.readline().split())
        assert reported == parent.pid
        children = [int(found) for found in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
        parent.kill()
    assert idle in children
    assert within(30, lambda: not any(is_running(child) for child in children))


def test_nothing_of_the_folder_of_the_moment_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "socket.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    processes = Processes(1, memory_bytes=512 * MIB)
    try:
        assert processes.run(abs, -1, timeout_s=60) == 1
    finally:
        processes.close()
