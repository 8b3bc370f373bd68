"""What a kill leaves: a copy of a folder before each change that Python code makes to the files in it.

To kill a process at each of these moments, and to begin it anew for the next one, would leave the same files and take
many times as long. What a library writes into a file that it has open is no moment: kills at random meet it.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HANGS = -1


def run_in_fork(
    work: Callable[[], None], log: Path, *, limit_s: float = 1800, kill_after_s: float | None = None
) -> int:
    """Do something in a copy of this process, whose output goes to a file, and give its exit status.

    Args:
        work: done there; the status is that of the SystemExit with which it ends.
        log: the file.
        limit_s: after which it counts as hanging.
        kill_after_s: when to kill it and all processes that it has started.
    """
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        _become(work, log)
    start = time.monotonic()
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        after = time.monotonic() - start
        if (kill_after_s is not None and after >= kill_after_s) or after > limit_s:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return HANGS if after > limit_s else -signal.SIGKILL
        time.sleep(0.002)
    return os.waitstatus_to_exitcode(ended[1])


def _become(work: Callable[[], None], log: Path) -> None:
    descriptor = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(descriptor, number)
        setattr(sys, name, io.TextIOWrapper(io.FileIO(number, "w", closefd=False), line_buffering=True))
    status: object = 98
    try:
        work()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    finally:
        os._exit(status if isinstance(status, int) else 1)


def keep_moments(folder: Path, into: Path, which: Callable[[int, str], bool]) -> None:
    """Copy a folder before each change in it from now on, as `into/00001` and so on; nothing ends that but the process.

    Args:
        folder: with all that the command keeps.
        into: another.
        which: by the number of the change, from 1, and its name, whether it is kept.
    """
    count, is_copying = 0, False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count, is_copying
        if is_copying or not (event in _CHANGES or (event == "open" and (arguments[2] or 0) & _WRITING)):
            return
        if not isinstance(arguments[0], str | os.PathLike) or not Path(arguments[0]).is_relative_to(folder):
            return
        if event == "os.remove" and not os.path.lexists(arguments[0]):
            return
        count += 1
        name = f"{event} {Path(arguments[0]).relative_to(folder)}"
        if not which(count, name):
            return
        is_copying = True
        try:
            copy = into / f"{count:05d}"
            shutil.copytree(folder, copy / "desk", ignore_dangling_symlinks=True)
            (copy / "moment").write_text(name)
        finally:
            is_copying = False

    sys.addaudithook(hook)


def random_moments(count: int, seconds: float, seed: int) -> list[float]:
    """So many moments of a command that takes so many seconds, in order."""
    drawn = random.Random(seed)
    return sorted(drawn.uniform(0, seconds) for _ in range(count))
