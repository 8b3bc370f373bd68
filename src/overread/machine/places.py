"""Where things are kept on this computer: what may be deleted at any time, and what may not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

import platformdirs

from overread.errors import MissingPath
from overread.machine.files import read_regular

# The file that makes a folder that of a run, and those of decoded pixels.
RUN_RECORD = "run.json"
STORED_PIXELS = re.compile(r"\.?(?P<key>[0-9a-f]{64})(-[0-9a-f]{32}\.npy|\.json\.[\w-]+\.tmp)")


def cache_folder() -> Path:
    """What can be made again: decoded pixels, and what was measured on them.

    The variable OVERREAD_STORE names it, else it lies in XDG_CACHE_HOME, else where this system keeps caches.

    Raises:
        MissingPath: no variable names it and the user has no home folder.
    """
    if named := os.environ.get("OVERREAD_STORE"):
        return _expanded(named)
    return _folder("XDG_CACHE_HOME", platformdirs.user_cache_path)


def state_folder() -> Path:
    """What must not be lost: the reading log, and how often a test set was opened.

    It lies in XDG_STATE_HOME, else where this system keeps the state of programs.

    Raises:
        MissingPath: no variable names it and the user has no home folder.
    """
    return _folder("XDG_STATE_HOME", platformdirs.user_state_path)


def keras_folder() -> Path:
    """Where Keras keeps the weights that it downloads: its own folder, which may be there already, else in ours."""
    if named := os.environ.get("KERAS_HOME"):
        return Path(named)
    own = _expanded("~/.keras")
    return own if own.exists() else cache_folder() / "keras"


def _folder(variable: str, of_user: Callable[..., Path]) -> Path:
    named = _expanded(os.environ.get(variable, ""))
    # One that is not absolute counts for nothing, as the XDG base directory specification has it.
    if named.is_absolute():
        return named / "overread"
    try:
        if Path.home().is_absolute():
            return of_user("overread", appauthor=False)
    except RuntimeError:  # no variable HOME, and no entry among the users of this system
        pass
    raise MissingPath(
        "this user has no home folder to keep things in: set the environment variable HOME to a folder that can be "
        f"written, or {variable}"
    )


def _expanded(path: str) -> Path:
    """A path with the home folder in place of `~`, which stays where there is none."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises without a home folder


def holds_results(folder: Path, names: Collection[str]) -> bool:
    """Whether a folder, which holds files of these names, is that of a run or of decoded pixels."""
    if RUN_RECORD in names and (folder / RUN_RECORD).is_file():
        try:
            return "kind" in json.loads(read_regular(folder / RUN_RECORD))
        except (OSError, ValueError, TypeError):
            return False
    return any(STORED_PIXELS.fullmatch(name) for name in names)
