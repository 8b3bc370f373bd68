"""Every Python example in docs/ runs, in the order of its page, beside a small folder `larynx/` of two classes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.image_files import write_images

DOCS = Path(__file__).resolve().parents[1] / "docs"
# ```python or, for a file that later examples import, ```python title="my_network.py".
EXAMPLE = re.compile(r'^```python(?: title="(?P<file>[\w.]+)")?\n(?P<code>.*?)^```', re.DOTALL | re.MULTILINE)
PAGES = sorted(page for page in DOCS.rglob("*.md") if EXAMPLE.search(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "larynx", {"Normal": 40, "Papilloma": 40})
    program = []
    for example in EXAMPLE.finditer(page.read_text(encoding="utf-8")):
        if example["file"]:
            (tmp_path / example["file"]).write_text(example["code"], encoding="utf-8")
        else:
            program.append(example["code"])
    folders = {name: str(tmp_path / name.lower()) for name in ("OVERREAD_STORE", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        env={**os.environ, **folders, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": os.pathsep.join([".", *sys.path])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_page_is_listed() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert page.name == "README.md" or f"({page.relative_to(DOCS).as_posix()})" in index, page
