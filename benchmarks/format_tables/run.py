"""What is read of files of real data, in which order, or why not; held against other programs. Prints Markdown.

    python benchmarks/format_tables/run.py dicom
    python benchmarks/format_tables/run.py              # every table there is

Each table is a module of this folder with a function `tables` that gives `(title, columns, rows)` of a folder of data,
`../shared/data` or what OVERREAD_DATA names. It needs SimpleITK, which the program does not.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """The tables that there are."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem != Path(__file__).stem)


def markdown(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as Markdown."""
    cells = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in (columns, *rows)]
    return "\n".join((f"## {title}", "", cells[0], "|" + "---|" * len(columns), *cells[1:], ""))


def main() -> int:
    """Print the tables that are named."""
    data = Path(os.environ.get("OVERREAD_DATA", HERE.parents[2] / "shared" / "data"))
    if not data.is_dir():
        print(f"{data} is not there: name the folder of data in OVERREAD_DATA", file=sys.stderr)
        return 2
    sys.path.insert(0, str(HERE))
    for name in sys.argv[1:] or names():
        for title, columns, rows in importlib.import_module(name).tables(data):
            print(markdown(title, columns, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
