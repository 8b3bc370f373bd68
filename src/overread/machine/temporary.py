"""Names under which files and folders are written before they take their place, and the clearing of what was left.

A name tells which process of which machine writes, so that the next one that writes there can tell what a killed
process has left from what is being written.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

# What another machine has not touched for so long is not being written any more.
ABANDONED_AFTER_S = 24 * 3600
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)\.(?P<state>tmp|old)", re.DOTALL)


def temporary_for(path: Path) -> Path:
    """The name beside a path under which this process writes what takes its place.

    The first time that a process writes to a folder, what killed ones have left there is cleared.
    """
    _clear_once(path.parent)
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}.tmp")


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write to, which takes the place of another when all went well; that one is whole until then.

    A process that is killed in the moment between the two leaves the former one aside: `put_back` brings it back.

    Raises:
        OSError: it cannot be written, or not be brought to where it belongs.
    """
    temporary = temporary_for(path)
    aside = temporary.with_suffix(".old")
    for left in (temporary, aside):  # of an earlier process that had this one's number
        clear(left)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside)
        temporary.rename(path)
    finally:
        for left in (temporary, aside):
            clear(left)


def put_back(path: Path) -> None:
    """Bring back a folder that a process had moved aside as it was killed, to put another in its place."""
    if not os.path.lexists(path):
        clear_abandoned(path.parent, only=path.name)


def clear_abandoned(folder: Path, *, only: str | None = None) -> None:
    """Clear what killed processes have left in a folder; one that cannot be read or written stays as it is.

    Args:
        folder: of this machine.
        only: clear what was to become the file or folder of this name.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - a folder of results may hold a million files
            found = _NAME.fullmatch(name)
            if found and only in (None, found["name"]) and _is_abandoned(folder / name, found):
                clear(folder / name)


@functools.cache
def _clear_once(folder: Path) -> None:
    clear_abandoned(folder)


def _is_abandoned(path: Path, name: re.Match[str]) -> bool:
    if name["machine"] == _machine() and not _lives(int(name["process"])):
        return True
    return time.time() - path.lstat().st_mtime > ABANDONED_AFTER_S


def _lives(process: int) -> bool:
    if os.name == "nt":  # where a signal ends a process, whatever its number
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


@functools.cache
def _machine() -> str:
    """Eight letters for those who see the same processes: containers of one name have numbers of their own."""
    try:
        processes = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it leads to no path
    except OSError:
        processes = ""
    return hashlib.sha256(f"{platform.node()} {processes}".encode("utf-8", "surrogateescape")).hexdigest()[:8]


def clear(path: Path) -> None:
    """Remove what was written under a temporary name, but put back what was only moved aside; nothing is no error."""
    name = _NAME.fullmatch(path.name)
    if name is not None and name["state"] == "old" and not os.path.lexists(path.with_name(name["name"])):
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_name(name["name"]))
        return
    try:
        path.unlink()
    except (IsADirectoryError, PermissionError):  # as Linux and macOS have it for a folder
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        pass
