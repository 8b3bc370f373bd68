"""Pages with commands: each runs as it is written, beside the run of the first study."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support.desk import write_desk
from support.doc_pages import DOCS, PAGES, blocks_of, run_page

FIRST = DOCS / "tutorials" / "first_study.md"
EXAMPLES = [page for page in PAGES if page != FIRST and any(block.is_command for block in blocks_of(page))]
SLOW = [page for page in EXAMPLES if any(block.mark == "slow" for block in blocks_of(page))]

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the commands of the pages are for bash")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders that the pages presume, the run of the first study among them."""
    folder = write_desk(tmp_path_factory.mktemp("docs") / "desk")
    run_page(FIRST, folder)
    return folder


def test_the_first_study_runs(desk: Path) -> None:
    assert (desk / "runs" / "first" / "report.html").is_file()


def test_every_section_of_the_report_is_explained(desk: Path) -> None:
    report = (desk / "runs" / "first" / "report.html").read_text(encoding="utf-8")
    explained = (DOCS / "explained" / "report.md").read_text(encoding="utf-8")
    sections = re.findall(r"<h2[^>]*>(.*?)</h2>", report)
    every = re.findall(r"^## (.*)$", explained, re.MULTILINE)
    assert sections == [section for section in every if section not in ("Exams", "By patient")]  # where there are such


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, desk: Path, tmp_path: Path) -> None:
    run_page(page, shutil.copytree(desk, tmp_path / "desk"))


@pytest.mark.slow
def test_the_first_study_runs_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    run_page(FIRST, tmp_path / "desk", slow=True)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW, ids=lambda page: page.stem)
def test_what_takes_longer_runs_too(page: Path, desk: Path, tmp_path: Path) -> None:
    run_page(page, shutil.copytree(desk, tmp_path / "desk"), slow=True)
