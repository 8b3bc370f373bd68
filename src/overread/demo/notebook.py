"""The quickstart notebook: the whole job cell by cell, with a classic network that is built layer by layer."""

from __future__ import annotations

from pathlib import Path

from overread.errors import OutputExists
from overread.machine.files import replace_file
from overread.run import Existing

QUICKSTART = Path(__file__).with_name("quickstart.ipynb")


def write_notebook(out: str | Path, *, existing: Existing = "refuse") -> Path:
    """Write the quickstart notebook to a file, or under its own name into a folder, and give the file.

    Raises:
        OutputExists: the file is there already and may not be replaced.
        OutputUnwritable: the file cannot be written.
    """
    out = Path(out)
    file = out / QUICKSTART.name if out.is_dir() else out
    if existing != "replace" and file.exists():
        raise OutputExists(f"{file} is there already: choose another --out, or --force to replace it")
    return replace_file(file, QUICKSTART.read_bytes())
