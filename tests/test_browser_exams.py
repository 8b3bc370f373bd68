"""Exams in Chromium: what a person scrolls through, by wheel, keys, finger and strip, and with no script at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("uvicorn", reason="the page needs the extra: pip install 'overread[serve]'")
pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="accessibility is tested with axe")

from overread import Reader
from overread.cases.exams.gathering import Gathering
from overread.decision import Task
from overread.reading_log import ReadingLog
from overread.service.settings import Settings
from support.browser import CHROMIUM, DESK, NO_CHROMIUM, PHONE, assert_accessible, launched, opening, serving, upload
from support.slide_files import SlideOptions, write_picture
from support.small_readers import of_all, picture, small_reader

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
N = 14


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    return small_reader(folder, Task.of(("Normal", "Disease")), (3.0,), exams=Gathering(by="folder"))


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of frames, of which number 9 is brighter by a trifle and so has most evidence."""
    folder = tmp_path_factory.mktemp("uploads") / "exam"
    folder.mkdir()
    for number in range(1, N + 1):
        pixels = picture(number)
        pixels[:5] += np.uint8(number == 9)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def url(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}")
    with serving({"exams": reader}, Settings(workers=2), log) as url:
        yield url
    log.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(chromium: Any, url: str) -> Iterator[Any]:
    with opening(chromium, url) as opened:
        yield opened


@pytest.fixture
def opened(open_page: Any, exam: Path) -> Any:
    page = open_page()
    upload(page, *sorted(exam.iterdir()))
    return page


def see(page: Any, number: int) -> None:
    """Wait until a frame is shown, with what it gave."""
    page.locator(".where", has_text=f"Frame {number} of {N} · gave").wait_for()


def test_an_exam_opens_at_the_frame_that_gave_most(opened: Any) -> None:
    assert opened.locator("article.image").count() == 1
    assert opened.locator("article .name").inner_text() == "01.png and 13 more"
    see(opened, 9)
    assert opened.locator(".where").inner_text().endswith("the most")
    assert opened.locator(".frame").input_value() == "9"
    assert opened.locator(".further a").count() == 2


def test_keys_wheel_and_strip_go_through_the_frames(opened: Any) -> None:
    stage = opened.locator(".stage")
    first = opened.locator(".base").get_attribute("src")
    stage.focus()
    for key, number in (("ArrowDown", 10), ("ArrowUp", 9), ("Home", 1), ("PageDown", 11), ("End", 14)):
        opened.keyboard.press(key)
        see(opened, number)
    assert opened.locator(".base").get_attribute("src") != first
    stage.hover()
    opened.mouse.wheel(0, -100)
    see(opened, 13)
    slider = opened.locator(".frame")
    slider.focus()
    opened.keyboard.press("ArrowLeft")
    see(opened, 12)
    assert slider.get_attribute("aria-valuetext") == opened.locator(".where").inner_text()
    box = slider.bounding_box()
    opened.mouse.click(box["x"] + box["width"] * 2.5 / N, box["y"] + box["height"] / 2)
    see(opened, 3)
    opened.locator(".further a").first.click()
    assert opened.locator(".frame").input_value() != "3"


def test_the_map_is_hidden_and_the_window_stays_from_frame_to_frame(opened: Any) -> None:
    heat = opened.locator(".heat:not([hidden])").first
    assert heat.is_visible()
    opened.get_by_label("Show the activation map").uncheck()
    assert not heat.is_visible()
    opened.locator(".width").fill("40")
    canvas = opened.locator("canvas")
    canvas.wait_for()
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    opened.locator(".stage").focus()
    opened.keyboard.press("Home")
    see(opened, 1)
    opened.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=before)
    assert opened.locator(".width").input_value() == "40"


def test_another_class_has_another_strip(opened: Any) -> None:
    opened.locator(".class-choice").select_option("Normal")
    assert opened.locator(".bars:not([hidden])").get_attribute("data-label") == "Normal"
    assert "Normal" in opened.locator(".gave:not([hidden])").inner_text()


def test_a_finger_to_the_side_goes_through_the_frames(chromium: Any, url: str, exam: Path) -> None:
    context = chromium.new_context(viewport={"width": 375, "height": 760}, has_touch=True)
    page = context.new_page()
    page.goto(url)
    upload(page, *sorted(exam.iterdir()))
    page.locator(".stage").evaluate(
        """stage => {
            const touch = (type, clientX) =>
                stage.dispatchEvent(new PointerEvent(type, { pointerType: "touch", clientX }));
            touch("pointerdown", 100);
            touch("pointermove", 100 + 2.5 * stage.clientWidth / 14);
            touch("pointerup", 200);
        }"""
    )
    see(page, 11)
    context.close()


def test_each_folder_is_an_exam_of_its_own(open_page: Any, exam: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "study" / name).mkdir(parents=True)
        for path in sorted(exam.iterdir())[:2]:
            (tmp_path / "study" / name / path.name).write_bytes(path.read_bytes())
    page = open_page()
    page.set_input_files("#folder", str(tmp_path / "study"))
    page.locator("#status", has_text="not readable").wait_for(state="attached")
    assert [name.strip() for name in page.locator("#batch tbody th").all_inner_texts()] == ["study/one", "study/two"]
    assert page.locator("#batch thead th").first.inner_text().startswith("Exam")


def test_an_exam_is_reviewed_and_removed(opened: Any) -> None:
    opened.locator("[data-agrees]").click()
    opened.locator(".reviewed", has_text="Noted").wait_for()
    opened.get_by_role("button", name="Remove its files").click()
    opened.locator(".removed", has_text="Removed").wait_for()


def test_an_exam_that_is_gone_says_what_to_do(chromium: Any, url: str, exam: Path) -> None:
    # Not `open_page`, whose browser complains of the status itself.
    page = chromium.new_page()
    page.goto(url)
    upload(page, *sorted(exam.iterdir()))
    page.get_by_role("button", name="Remove its files").click()
    page.locator(".removed", has_text="Removed").wait_for()
    page.locator(".stage").focus()
    page.keyboard.press("Home")
    page.locator(".frame-problem", has_text="read it again").wait_for()
    page.close()


def test_without_script_the_best_frames_are_pictures(open_page: Any, exam: Path) -> None:
    page = open_page(script=False)
    page.set_input_files("#files", [str(path) for path in sorted(exam.iterdir())])
    page.get_by_role("button", name="Read exams").click()
    assert page.locator(".where").inner_text().startswith(f"Frame 9 of {N}")
    assert page.locator(".base").is_visible() and page.locator(".thumb").count() == 2
    assert page.locator(".bars").first.is_visible() and not page.locator(".frame").is_visible()


def test_a_slide_is_zoomed_and_moved_by_keys_wheel_and_buttons(
    chromium: Any, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    pytest.importorskip("openslide")
    folder = tmp_path_factory.mktemp("slides")
    reader = of_all(small_reader(folder / "b", Task.of(("Normal", "Disease")), (3.0,), exams=Gathering(by="file")))
    pixels = np.full((1400, 2200, 3), 244, np.uint8)
    noise = np.random.default_rng(0).integers(-25, 25, (1000, 1600, 3))
    pixels[200:1200, 300:1900] = np.clip(np.array([190, 90, 150]) + noise, 0, 255)
    path = write_picture(tmp_path / "slide.svs", pixels, SlideOptions(mpp="1", levels=2))
    log = ReadingLog.open(f"sqlite:///{tmp_path / 'log.sqlite'}")
    with serving({"slides": reader}, Settings(workers=2), log) as url, opening(chromium, url) as open_page:
        page = open_page()
        upload(page, path)
        page.locator(".seen", has_text="2.2 mm wide").wait_for()
        stage = page.locator(".stage")
        stage.focus()
        with page.expect_response(lambda answer: "/slide/0/" in answer.url):
            for _ in range(3):
                page.keyboard.press("+")
        page.locator(".seen", has_text="2.2 mm wide").wait_for(state="detached")
        before = page.locator("canvas").evaluate("canvas => canvas.toDataURL()")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=before)
        page.get_by_role("button", name="Whole slide").click()
        page.locator(".seen", has_text="2.2 mm wide").wait_for()
        stage.hover()
        page.mouse.wheel(0, -300)
        page.locator(".seen", has_text="2.2 mm wide").wait_for(state="detached")
        page.locator("[data-box]").first.click()
        page.locator(".seen", has_text="0.17 mm wide").wait_for()
        assert_accessible(page)
    log.close()


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_an_exam_is_accessible_and_fits_the_window(
    open_page: Any, exam: Path, size: tuple[int, int], theme: str
) -> None:
    page = open_page(size, theme)
    upload(page, *sorted(exam.iterdir()))
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
