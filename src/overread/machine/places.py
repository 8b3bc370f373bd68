"""Where things are kept on this computer: what may be deleted at any time, and what may not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

import platformdirs

from overread.errors import MissingPath

# The file that makes a folder that of a run, and those of decoded pixels.
RUN_RECORD = "run.json"
STORED_PIXELS = re.compile(r"\.?(?P<key>[0-9a-f]{64})(-[0-9a-f]{32}\.npy|\.json\.\d+\.tmp)")


def cache_folder() -> Path:
    """What can be made again: decoded pixels, and what was measured on them.

    The variable OVERREAD_STORE names it, else it lies in XDG_CACHE_HOME, else where this system keeps caches.

    Raises:
        MissingPath: no variable names it and the user has no home folder.
    """
    if named := os.environ.get("OVERREAD_STORE"):
        return Path(named)
    return _folder("XDG_CACHE_HOME", platformdirs.user_cache_path)


def state_folder() -> Path:
    """What must not be lost: the reading log, and how often a test set was opened.

    It lies in XDG_STATE_HOME, else where this system keeps the state of programs.

    Raises:
        MissingPath: no variable names it and the user has no home folder.
    """
    return _folder("XDG_STATE_HOME", platformdirs.user_state_path)


def _folder(variable: str, of_user: Callable[..., Path]) -> Path:
    if named := os.environ.get(variable):
        return Path(named) / "overread"
    try:
        Path.home()
    except RuntimeError:
        raise MissingPath(
            f"this user has no home folder to keep things in: name one in the environment variable {variable}"
        ) from None
    return of_user("overread", appauthor=False)


def holds_results(folder: Path, names: Collection[str]) -> bool:
    """Whether a folder, which holds files of these names, is that of a run or of decoded pixels."""
    if RUN_RECORD in names:
        try:
            return "kind" in json.loads((folder / RUN_RECORD).read_bytes())
        except (OSError, ValueError, TypeError):
            return False
    return any(STORED_PIXELS.fullmatch(name) for name in names)
