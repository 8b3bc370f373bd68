"""What takes seconds to work out and depends on known things alone is kept for thirty days beside decoded pixels."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from overread.errors import OutputUnwritable
from overread.machine.content.sealed import digest_of, sealed, unsealed
from overread.machine.files import read_regular, write_json

KEPT_FOR_S = 30 * 24 * 3600
_FOLDER = "remembered"
# Backends of Keras, and what they compute with, need not be among the dependencies.
_FURTHER = ("scipy", "torch")
_NAME = re.compile(r"[\w.-]+")

Result = TypeVar("Result")


def recall_or_work_out(
    store: Path,
    kind: str,
    key: Any,
    work_out: Callable[[], Result],
    *,
    write: Callable[[Result], Any],
    read: Callable[[Any], Result],
) -> Result:
    """Recall a result, or work it out and keep it; one that is damaged, or older than thirty days, is worked out anew.

    Any change of overread's own code or of a library's version makes another key. Whatever is older than thirty days
    is removed when something is kept. A folder that cannot be written is no error: nothing is kept then.

    Args:
        store: the folder of decoded pixels.
        kind: begins the file's name.
        key: JSON values, all that the result depends on; only their hash is written.
        work_out: gives the result.
        write: turns it into JSON values.
        read: turns them back; a ValueError, TypeError or KeyError counts as damage.
    """
    folder = store / _FOLDER
    path = folder / f"{kind}-{digest_of([program(), key])}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if _is_recent(path):
            return read(unsealed(read_regular(path)))
    result = work_out()
    with contextlib.suppress(OSError, OutputUnwritable):
        folder.mkdir(parents=True, exist_ok=True)
        _remove_old(folder)
        write_json(path, sealed(write(result)))
    return result


@functools.cache
def program() -> dict[str, str]:
    """What computes: the versions of Python and the libraries, and a hash of overread's own code and lists."""
    versions = {"python": platform.python_version()}
    for name in _libraries():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    code = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.xz")]):
        code.update(path.read_bytes())
    return {**versions, "overread": code.hexdigest()}


def _libraries() -> set[str]:
    """All that overread depends on, with and without extras: a list kept by hand fell behind."""
    required = importlib.metadata.requires("overread") or []
    return {match[0] for line in required if (match := _NAME.match(line))}.union(_FURTHER)


def _is_recent(path: Path) -> bool:
    """Whether a file is of the last thirty days; one of the future was written when the clock was wrong."""
    return abs(time.time() - path.stat().st_mtime) < KEPT_FOR_S


def _remove_old(folder: Path) -> None:
    for path in folder.iterdir():
        if not _is_recent(path):
            path.unlink(missing_ok=True)
