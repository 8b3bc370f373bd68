"""Output that is whole or absent: files that are renamed into place."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.errors import OutputUnwritable


def replace_file(path: Path, content: bytes, *, private: bool = False) -> Path:
    """Write a file under a temporary name and rename it, so that a reader sees the old one or the new one whole.

    Args:
        path: of the file.
        content: of it.
        private: only the user may read it.

    Raises:
        OutputUnwritable: no permission, no such folder or no space left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.touch(mode=0o600 if private else 0o666)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputUnwritable(
            f"{path} cannot be written ({error.strerror}): give a folder that exists, is writable and has space left"
        ) from error
    return path


def write_json(path: Path, value: Mapping[str, Any], *, private: bool = False) -> Path:
    """Write a JSON file whole; a private one only the user may read."""
    return replace_file(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(), private=private)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, private: bool = False) -> Path:
    """Write a CSV file whole; a private one only the user may read."""
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows([header, *rows])
    return replace_file(path, content.getvalue().encode(), private=private)


def require_space(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        OutputUnwritable: fewer bytes are free in the folder than needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputUnwritable(
            f"{folder} has {free / 1e6:,.0f} MB free and the run needs {needed / 1e6:,.0f} MB: free some or choose "
            "another --out"
        )
