"""The page in Chromium where several things are told of an image: findings, grades, and several tasks at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the page needs the extra: pip install 'overread[serve]'")
pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="accessibility is tested with axe")

from overread.reading.fields import column_names
from overread.reading.sentences import decision
from overread.reading_log import ReadingLog
from overread.service.settings import Settings
from support.browser import CHROMIUM, DESK, NO_CHROMIUM, PHONE, assert_accessible, launched, opening, serving, upload
from support.small_readers import CHEST, picture, png, readers_of_kinds

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return readers_of_kinds(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingLog]:
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}")
    yield log
    log.close()


@pytest.fixture(scope="module")
def url(readers: dict[str, Any], log: ReadingLog) -> Iterator[str]:
    with serving(readers, Settings(workers=2), log) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(chromium: Any, url: str) -> Iterator[Any]:
    with opening(chromium, url) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two images that the readers know, and one unlike these."""
    folder = tmp_path_factory.mktemp("uploads")
    unlike = np.tile(np.array([[255, 0], [0, 255]], np.uint8), (8, 8))
    for name, pixels in (("a.png", picture(0)), ("b.png", picture(1)), ("unlike.png", unlike)):
        (folder / name).write_bytes(png(pixels))
    return sorted(folder.iterdir())


def noted(page: Any, log: ReadingLog) -> str:
    """The label of the first image's review."""
    _, reading_id, index = page.locator("article.image").first.get_attribute("id").split("-")
    review = log.get(reading_id).images[int(index)].review
    assert review is not None
    return review.true_label


def test_each_finding_has_its_bar_operating_point_answer_and_map(
    open_page: Any, files: list[Path], readers: dict[str, Any]
) -> None:
    page = open_page(path="?bundle=findings")
    assert "Effusion from 0.5, Mass from 0.4" in page.locator(".reader .facts").inner_text()
    upload(page, files[0])
    found = readers["findings"].read(files[0])
    article = page.locator("article.image")
    assert f"{decision(found)}." in article.inner_text()
    bars = [text.split("\n")[0].split() for text in article.locator(".bar p").all_inner_texts()]
    assert [bar[:2] for bar in bars] == [[one.name, one.answer.capitalize()] for one in found.questions]
    points = [float(line.get_attribute("x1").rstrip("%")) for line in article.locator("svg .point").all()]
    assert points == pytest.approx([100 * one.threshold for one in found.questions], abs=0.001)
    assert article.locator(".class-choice option").all_inner_texts() == ["Mass", "Effusion", "Edema", "Nodule"]
    article.locator(".class-choice").select_option("Nodule")
    assert article.locator(".heat:visible").get_attribute("data-label") == "Nodule"


def test_the_table_sorts_by_a_finding_and_downloads_its_columns(open_page: Any, files: list[Path]) -> None:
    page = open_page(path="?bundle=findings")
    upload(page, *files)
    head = page.locator("th[data-key=question2]")
    assert head.inner_text().strip().startswith("Edema")
    head.locator("button").click()
    shown = page.locator("#batch td.number:nth-child(8)").all_inner_texts()
    assert shown[-1] == "" and shown[:2] == sorted(shown[:2], reverse=True)
    with page.expect_download() as download:
        page.locator("#csv").click()
    header, *rows = csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8")))
    assert header == column_names(CHEST) and len(rows) == 3
    assert dict(zip(header, rows[0], strict=True))["answer_Edema"] == "unsure"


def test_a_human_ticks_findings(open_page: Any, files: list[Path], log: ReadingLog) -> None:
    page = open_page(path="?bundle=findings")
    upload(page, files[0])
    assert page.locator(".asked input:checked").evaluate_all("found => found.map(one => one.value)") == [
        "Effusion",
        "Mass",
        "Edema",
    ]
    page.get_by_label("Edema", exact=True).uncheck()
    page.get_by_label("Nodule", exact=True).press("Space")
    page.get_by_role("button", name="Correct to what is chosen").press("Enter")
    page.get_by_text("Noted: you correct it to Effusion, Mass, Nodule.").wait_for()
    assert noted(page, log) == "Effusion|Mass|Nodule"
    page.get_by_role("button", name="Agree: Effusion, Mass, Edema").click()
    page.get_by_text("Noted: you agree with Effusion, Mass, Edema.").wait_for()
    assert noted(page, log) == "Effusion|Mass|Edema"


def test_an_image_that_was_not_read_has_nothing_ticked(open_page: Any, files: list[Path], log: ReadingLog) -> None:
    page = open_page(path="?bundle=findings")
    upload(page, files[2])
    assert page.locator(".asked input:checked").count() == page.locator(".bar").count() == 0
    page.get_by_role("button", name="Read as what is chosen").click()
    page.get_by_text("Noted: you read it as No finding.").wait_for()
    assert noted(page, log) == "No Finding"


def test_a_grade_stands_on_its_scale_with_its_cuts(open_page: Any, files: list[Path], log: ReadingLog) -> None:
    page = open_page(path="?bundle=grades")
    upload(page, files[0])
    article = page.locator("article.image")
    assert [text.split("\n")[0] for text in article.locator(".step").all_inner_texts()] == [*"01234"]
    assert article.locator(".step[aria-current]").inner_text().startswith("2")
    assert [text[:1] for text in article.locator(".step.cut").all_inner_texts()] == ["1", "2"]
    assert "1 or more Yes" in " ".join(article.locator(".bar p").all_inner_texts())
    page.get_by_role("button", name="Correct to 3").click()
    page.get_by_text("Noted: you correct it to 3.").wait_for()
    assert noted(page, log) == "3"


def test_several_tasks_stand_one_under_the_other(open_page: Any, files: list[Path], log: ReadingLog) -> None:
    page = open_page(path="?bundle=both")
    upload(page, files[0])
    article = page.locator("article.image")
    assert article.locator(".part").all_inner_texts() == ["retinopathy", "signs"]
    assert article.locator(".decision strong").all_inner_texts() == ["Grade 2", "drusen"]
    page.get_by_label("retinopathy", exact=True).select_option("4")
    page.get_by_label("scar", exact=True).check()
    page.get_by_role("button", name="Correct to what is chosen").click()
    page.get_by_text("Noted: you correct it to retinopathy: 4; signs: drusen, scar.").wait_for()
    assert noted(page, log) == "retinopathy: 4; signs: drusen|scar"


def test_findings_are_ticked_without_script(open_page: Any, files: list[Path], log: ReadingLog) -> None:
    page = open_page(script=False, path="?bundle=both")
    page.set_input_files("#files", [str(files[0])])
    page.get_by_role("button", name="Read images").click()
    page.get_by_label("drusen", exact=True).uncheck()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Correct to what is chosen").click()
    assert "The log now holds retinopathy: 2; signs: No Finding" in opened.value.locator(".lead").inner_text()


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
@pytest.mark.parametrize("bundle", ["findings", "grades", "both"])
def test_it_is_accessible_and_fits(
    open_page: Any, files: list[Path], bundle: str, size: tuple[int, int], theme: str
) -> None:
    page = open_page(size, theme, path=f"?bundle={bundle}")
    upload(page, *files)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
