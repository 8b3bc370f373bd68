"""Write the page of the command line from the program itself, then build the site: `make docs`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
COMMAND_LINE = ROOT / "docs" / "reference" / "command_line.md"
# With its offline plugin zensical has every page load this, so that the search works from the disk; we bring our own.
_WORKER = "https://unpkg.com/iframe-worker/shim"


def run(*arguments: str | Path) -> None:
    """Run a Python module in the folder of the project; end where it fails."""
    subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=ROOT, check=True)


def write_command_line() -> None:
    """Write what every command and option is, as `--help` has it."""
    run(
        "typer",
        "overread.cli",
        "utils",
        "docs",
        "--name",
        "overread",
        "--title",
        "Command line",
        "--output",
        COMMAND_LINE,
    )
    # In Markdown `[a][b]` would be a link.
    COMMAND_LINE.write_text(COMMAND_LINE.read_text(encoding="utf-8").replace("][", "]\\["), encoding="utf-8")


def load_nothing_from_elsewhere() -> None:
    """Point every page to the worker in the site itself."""
    for page in SITE.rglob("*.html"):
        worker = "../" * len(page.relative_to(SITE).parents[1:]) + "vendored/iframe-worker.js"
        page.write_text(page.read_text(encoding="utf-8").replace(_WORKER, worker), encoding="utf-8")


if __name__ == "__main__":
    write_command_line()
    run("zensical", "build", "--strict", "--clean")
    load_nothing_from_elsewhere()
