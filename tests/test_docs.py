"""The pages of README and docs/: their Python runs as it is written, their commands exist, and the site builds."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

import overread
from overread.cli import app
from support.doc_pages import DOCS, PAGES, ROOT, Block, blocks_of, commands_of, run_page
from support.image_files import write_images


def languages(page: Path) -> set[str]:
    return {block.language for block in blocks_of(page)}


# Pages with commands are in test_doc_commands.
EXAMPLES = [page for page in PAGES if "python" in languages(page) and "sh" not in languages(page)]
# Why a block is not run, and how often. Raise a number only for what no test can run.
NOT_RUN = {
    "installs": 5,
    "PowerShell": 2,
    "a server": 7,
    "needs a log of readings": 1,
    "needs a cluster": 2,
    "a store": 1,
}
TAKES_LONGER = 16
COMMAND = typer.main.get_command(app)


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "desk" / "larynx", {"Normal": 40, "Papilloma": 40})
    run_page(page, tmp_path / "desk")


def every(kind: str) -> list[tuple[Path, Block]]:
    return [(page, block) for page in PAGES for block in blocks_of(page) if block.mark.startswith(kind)]


def test_what_does_not_run_is_counted() -> None:
    """Each says why on its page; raise a number only for what no test can run."""
    reasons = Counter(block.mark.removeprefix("not run: ") for _, block in every("not run: "))
    assert reasons == NOT_RUN
    assert len(every("slow")) == TAKES_LONGER


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    for line in (line for block in blocks_of(page) if block.is_command for line in commands_of(block)):
        name, *arguments = shlex.split(line)[1:]
        if not name.startswith("--"):
            COMMAND.commands[name].make_context(line, arguments)


def test_every_block_is_of_a_language_that_is_run_or_only_shown() -> None:
    for page in PAGES:
        assert languages(page) <= {"python", "sh", "powershell", "toml", "text"}
        fences = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(blocks_of(page)), f"{page}: a fence that the tests do not find"
    for page in PAGES:
        for block in blocks_of(page):
            assert block.language != "powershell" or block.mark.startswith("not run"), f"{page}: {block.code}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, from a copy; a link that leads nowhere ends the build."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    (folder / "src").symlink_to(ROOT / "src")
    done = subprocess.run([sys.executable, "docs/build.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return folder / "site"


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS).with_suffix(".html")).is_file()
    loaded = re.compile(r"""<(?:script|img|iframe)[^>]*?src=["']?([^"' >]+)|<link[^>]*?href=["']?([^"' >]+)""")
    for page in site.rglob("*.html"):
        if page.name != "404.html":
            for each in loaded.finditer(page.read_text(encoding="utf-8")):
                named = each[1] or each[2]
                assert (page.parent / named).is_file(), f"{page.name}: {named}"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    navigation = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert f'"{page.relative_to(DOCS).as_posix()}"' in navigation


def test_the_reference_has_every_public_name_and_every_command(site: Path) -> None:
    python = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: overread\.(\w+)$", python, re.MULTILINE)) == sorted([*overread.__all__, "errors"])
    command_line = (site / "reference" / "command_line.html").read_text(encoding="utf-8")
    assert [name for name in COMMAND.commands if f"overread {name}" not in command_line] == []
