"""A file for parsers that take a path, in a folder of the process that is gone with it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="overread-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def written(name: str, data: bytes) -> Path:
    """A file that holds these bytes."""
    path = FOLDER / name
    path.write_bytes(data)
    return path
